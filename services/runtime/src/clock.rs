//! The one place which may read the system clock; everything else is handed a [`Clock`] or an instant.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// Where "now" comes from: the system, or a hand which tests and the demonstration turn.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock which stands at `start` until [`Clock::set`]; clones share the hand.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.as_microsecond()))))
    }

    /// The present instant, truncated to microseconds, which is what the stores keep.
    pub fn now(&self) -> Timestamp {
        let micros = match &self.0 {
            Source::System => system_now().as_microsecond(),
            Source::Manual(hand) => hand.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a manual clock to `t`; the system clock is left alone.
    pub fn set(&self, t: Timestamp) {
        match &self.0 {
            Source::System => tracing::debug!(clock.asked = %t, "the system clock is not moved"),
            Source::Manual(hand) => hand.store(t.as_microsecond(), Ordering::SeqCst),
        }
    }

    /// True when a driver moves the time, so that nothing should start by itself.
    pub fn is_manual(&self) -> bool {
        matches!(self.0, Source::Manual(_))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this module is the one reader of the system clock"
)]
fn system_now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Clock;

    #[test]
    fn a_manual_clock_stands_and_is_shared_by_its_clones() {
        let start: Timestamp = "2026-03-02T09:00:00.123456Z".parse().unwrap();
        let clock = Clock::manual(start);
        let other = clock.clone();
        assert_eq!(clock.now(), start);
        other.set(start + SignedDuration::from_hours(1));
        assert_eq!(clock.now().duration_since(start), SignedDuration::from_hours(1));
        assert!(clock.is_manual());
    }

    #[test]
    fn the_system_clock_has_microseconds_and_is_not_moved() {
        let clock = Clock::system();
        clock.set(Timestamp::UNIX_EPOCH);
        let now = clock.now();
        assert!(now > Timestamp::UNIX_EPOCH);
        assert_eq!(now.subsec_nanosecond() % 1000, 0);
        assert!(!clock.is_manual());
    }
}
