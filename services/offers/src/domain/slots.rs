//! The decision slot in an account's calendar: one a day, at a fixed local time (C-9).

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Time},
    tz::TimeZone,
};

/// The first slot after `after`.
pub fn next_slot(zone: &TimeZone, time: Time, after: Timestamp) -> Timestamp {
    let mut day = zone.to_datetime(after).date();
    loop {
        match slot_on(zone, time, day) {
            Some(slot) if slot > after => return slot,
            _ => match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => return Timestamp::MAX,
            },
        }
    }
}

/// The newest slot at or before `now`.
pub fn last_slot(zone: &TimeZone, time: Time, now: Timestamp) -> Timestamp {
    let today = zone.to_datetime(now).date();
    let earlier = (0..3).filter_map(|days| today.checked_sub(days.days()).ok());
    earlier
        .filter_map(|day| slot_on(zone, time, day))
        .find(|slot| *slot <= now)
        .unwrap_or(now)
}

/// Where clocks are set forward over the time, the slot is as much later; where it comes twice, the first counts.
fn slot_on(zone: &TimeZone, time: Time, day: Date) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(day.to_datetime(time)).compatible().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn c9_one_slot_a_day_at_ten_local() {
        let ten: Time = "10:00".parse().unwrap();
        for (zone, after, next) in [
            ("Asia/Almaty", "2026-10-12T04:59:59Z", "2026-10-12T05:00:00Z"),
            ("Asia/Almaty", "2026-10-12T05:00:00Z", "2026-10-13T05:00:00Z"),
            // Clocks go back on 25 October: the day has 25 hours.
            ("Europe/Berlin", "2026-10-24T08:00:00Z", "2026-10-25T09:00:00Z"),
            ("Asia/Kathmandu", "2026-10-12T00:00:00Z", "2026-10-12T04:15:00Z"),
        ] {
            assert_eq!(
                next_slot(&TimeZone::get(zone).unwrap(), ten, at(after)),
                at(next),
                "{zone} {after}"
            );
        }
    }

    proptest! {
        #[test]
        fn c9_slots_follow_each_other(hours in 0..200_000_i64, hour in 0_i8..24, zone in 0..4_usize) {
            let zone = TimeZone::get(["Asia/Almaty", "America/New_York", "Australia/Lord_Howe", "UTC"][zone]).unwrap();
            let time = Time::new(hour, 30, 0, 0).unwrap();
            let now = Timestamp::from_second(1_600_000_000 + hours * 1800).unwrap();
            let next = next_slot(&zone, time, now);
            prop_assert!(next > now);
            prop_assert!(next.duration_since(now).as_hours() <= 25);
            prop_assert_eq!(last_slot(&zone, time, next), next);
            prop_assert!(last_slot(&zone, time, now) <= now);
        }
    }
}
