//! The work queue of people: what is most urgent and worth most comes first (T-2).

use jiff::{SignedDuration, Timestamp};

use super::{
    offer::Offer,
    vocabulary::{OfferState, words},
};

#[cfg(test)]
mod tests;

/// What ends so soon comes before everything else.
const URGENT: SignedDuration = SignedDuration::from_hours(48);
/// Above every value: a quintillionth of it is a minor unit.
const URGENT_BONUS: i64 = 1_000_000_000_000_000_000;

words! {
    /// What came of a task.
    TaskOutcome, "task outcome" {
        /// The account accepted.
        Accepted = "accepted",
        /// The account declined.
        Declined = "declined",
        /// They talked; the answer is open.
        Talked = "talked",
        /// Nobody was reached.
        NotReached = "not_reached",
    }
}

/// What people did with a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Who took it; empty for nobody.
    pub claimed_by: String,
    /// Not before then.
    pub snoozed_until: Option<Timestamp>,
    /// When it was ended.
    pub completed_at: Option<Timestamp>,
    /// What came of it.
    pub outcome: Option<TaskOutcome>,
    /// A word to the record.
    pub comment: String,
    /// Counts changes, for optimistic concurrency.
    pub version: i64,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Nobody took it.
    Open,
    /// Somebody works on it.
    Claimed,
    /// Somebody ended it.
    Done,
    /// Its offer was answered elsewhere, or its time is over.
    Closed,
}

/// Why a task cannot be worked on as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskFault {
    /// Nothing is left to do.
    #[error("the task is closed")]
    Closed,
    /// Somebody else works on it.
    #[error("{0} works on the task")]
    Claimed(String),
    /// The offer would be over then.
    #[error("the offer ends before then")]
    BeyondEnd,
}

impl Marks {
    /// Where the task of `offer` stands.
    pub fn state(&self, offer: &Offer) -> TaskState {
        if self.completed_at.is_some() {
            TaskState::Done
        } else if offer.state != OfferState::Sent {
            TaskState::Closed
        } else if self.claimed_by.is_empty() {
            TaskState::Open
        } else {
            TaskState::Claimed
        }
    }

    /// Whether it is put off at `now`.
    pub fn is_snoozed(&self, now: Timestamp) -> bool {
        self.snoozed_until.is_some_and(|until| until > now)
    }

    /// `actor` takes it. Taking it again changes nothing.
    pub fn claim(&mut self, offer: &Offer, actor: &str) -> Result<(), TaskFault> {
        self.workable(offer, actor)?;
        actor.clone_into(&mut self.claimed_by);
        Ok(())
    }

    /// `actor` puts it off.
    pub fn snooze(&mut self, offer: &Offer, actor: &str, until: Timestamp) -> Result<(), TaskFault> {
        self.workable(offer, actor)?;
        if offer.open_until().is_some_and(|ends| until >= ends) {
            return Err(TaskFault::BeyondEnd);
        }
        self.snoozed_until = Some(until);
        Ok(())
    }

    /// `actor` ends it.
    pub fn complete(
        &mut self,
        offer: &Offer,
        actor: &str,
        outcome: TaskOutcome,
        comment: &str,
        now: Timestamp,
    ) -> Result<(), TaskFault> {
        self.claim(offer, actor)?;
        (self.completed_at, self.outcome) = (Some(now), Some(outcome));
        comment.clone_into(&mut self.comment);
        Ok(())
    }

    fn workable(&self, offer: &Offer, actor: &str) -> Result<(), TaskFault> {
        match self.state(offer) {
            TaskState::Done | TaskState::Closed => Err(TaskFault::Closed),
            TaskState::Claimed if self.claimed_by != actor => Err(TaskFault::Claimed(self.claimed_by.clone())),
            TaskState::Open | TaskState::Claimed => Ok(()),
        }
    }
}

/// Whether the offer of a task ends within two days of `now`.
pub fn is_urgent(offer: &Offer, now: Timestamp) -> bool {
    let ends = offer.open_until();
    ends.is_some_and(|ends| ends.duration_since(now) <= URGENT)
}

/// Where a task stands in the queue at `now`; the greatest first. Amounts of different currencies are compared by their
/// main units: this orders work, it counts no money.
pub fn rank(offer: &Offer, now: Timestamp) -> i64 {
    let value = offer.expected_value.map_or(0, |value| {
        let scale = 10_i64.pow(value.currency.exponent());
        (value.minor / scale)
            .saturating_mul(100)
            .saturating_add(value.minor % scale * 100 / scale)
    });
    let value = value.clamp(0, URGENT_BONUS - 1);
    if is_urgent(offer, now) {
        value + URGENT_BONUS
    } else {
        value
    }
}
