//! What becomes of a message between the begin of sending and the person (C-6, T-2).
//!
//! ```text
//! PENDING ── the other side took it ──────────────▶ ACCEPTED ──▶ DELIVERED
//!    │  ▲ └─ it may have arrived, no more attempts ▶ UNKNOWN ────▶   │
//!    └──┘ └─ it certainly did not ────────────────▶ REFUSED         ▼
//!  attempts                          ACCEPTED, UNKNOWN, DELIVERED → BOUNCED
//! ```
//! An unknown outcome counts as used: the place in the limits is given back only for what certainly did not arrive.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::vocabulary::{Channel, words};

#[cfg(test)]
mod tests;

words! {
    /// Where a message is.
    DeliveryState, "delivery state" {
        /// Not yet taken by the other side.
        Pending = "pending",
        /// Taken by the other side.
        Accepted = "accepted",
        /// It may have arrived, and will not be tried again.
        Unknown = "unknown",
        /// It reached the person's mailbox, phone or product.
        Delivered = "delivered",
        /// It came back.
        Bounced = "bounced",
        /// It never left.
        Refused = "refused",
    }
}

/// How far a message came at the person; each instant is the first of its kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// It reached the mailbox, the phone or the product.
    pub delivered_at: Option<Timestamp>,
    /// It was seen.
    pub opened_at: Option<Timestamp>,
    /// Its link or button was followed.
    pub clicked_at: Option<Timestamp>,
}

/// One message on its way; there is one for each touch and channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The touch, which names the message.
    pub touch_id: Uuid,
    /// Its offer.
    pub offer_id: Uuid,
    /// The account.
    pub account_id: String,
    /// The person; none for a task about the account.
    pub contact_id: Option<String>,
    /// The way it takes.
    pub channel: Channel,
    /// Where it was handed over to last; empty for a task, and while that is not known.
    pub address: String,
    /// Where it is.
    pub state: DeliveryState,
    /// Attempts begun.
    pub attempts: u32,
    /// An attempt was begun and its outcome is not known yet; after a crash it never will be.
    pub in_attempt: bool,
    /// An earlier attempt may have arrived.
    pub doubtful: bool,
    /// When the next attempt is due; none while one runs, and after the last.
    pub next_at: Option<Timestamp>,
    /// What the other side calls it.
    pub reference: String,
    /// What was last said about it, for a person.
    pub detail: String,
    /// How far it came.
    pub progress: Progress,
    /// The person put it away.
    pub dismissed_at: Option<Timestamp>,
    /// It came back.
    pub bounced_at: Option<Timestamp>,
    /// Counts changes, for optimistic concurrency.
    pub version: i64,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has it, and calls it this.
    Accepted(String),
    /// Nothing arrived, and as it is it never will.
    Refused(String),
    /// Nothing arrived; another attempt may succeed.
    NotSent(String),
    /// It may have arrived.
    Unknown(String),
}

/// What follows from an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The touch was made, or counts as made.
    Counts,
    /// The place in the limits goes back.
    GiveBack(String),
    /// Another attempt, then.
    Again(Timestamp),
}

/// How a channel is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// The other side takes the same message twice for one, so that a doubtful attempt may be repeated.
    pub repeatable: bool,
    /// Pause after each attempt; after as many attempts as there are pauses, and one, it ends.
    pub pauses: Vec<SignedDuration>,
}

/// What the other side tells about a message later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// It reached the mailbox, the phone or the product.
    Delivered,
    /// It was seen.
    Opened,
    /// Its link or button was followed.
    Clicked,
    /// The person put it away.
    Dismissed,
    /// It came back.
    Bounced,
}

impl Delivery {
    /// A message whose first attempt begins now.
    pub fn begin(touch_id: Uuid, offer_id: Uuid, account_id: &str, contact_id: Option<&str>, channel: Channel) -> Self {
        Self {
            touch_id,
            offer_id,
            account_id: account_id.to_owned(),
            contact_id: contact_id.map(str::to_owned),
            channel,
            address: String::new(),
            state: DeliveryState::Pending,
            attempts: 1,
            in_attempt: true,
            doubtful: false,
            next_at: None,
            reference: String::new(),
            detail: String::new(),
            progress: Progress::default(),
            dismissed_at: None,
            bounced_at: None,
            version: 0,
        }
    }

    /// Another attempt begins.
    pub fn attempt(&mut self) {
        self.attempts += 1;
        (self.in_attempt, self.next_at) = (true, None);
    }

    /// The running attempt ended in `outcome` at `now`.
    pub fn settle(&mut self, outcome: Outcome, retry: &Retry, now: Timestamp) -> Next {
        (self.in_attempt, self.next_at) = (false, None);
        if self.state != DeliveryState::Pending {
            // The other side told of it before it answered.
            return Next::Counts;
        }
        match outcome {
            Outcome::Accepted(reference) => {
                (self.state, self.reference) = (DeliveryState::Accepted, reference);
                self.detail.clear();
                Next::Counts
            }
            Outcome::Refused(why) => self.end(why),
            Outcome::NotSent(why) => self.again(why, retry, now),
            Outcome::Unknown(why) => {
                self.doubtful = true;
                if retry.repeatable {
                    self.again(why, retry, now)
                } else {
                    self.end(why)
                }
            }
        }
    }

    fn again(&mut self, why: String, retry: &Retry, now: Timestamp) -> Next {
        match self.pause(retry).and_then(|pause| now.checked_add(pause).ok()) {
            Some(at) => {
                (self.detail, self.next_at) = (why, Some(at));
                Next::Again(at)
            }
            None => self.end(why),
        }
    }

    /// No more attempts: what may have arrived counts.
    fn end(&mut self, why: String) -> Next {
        self.detail = why;
        if self.doubtful {
            self.state = DeliveryState::Unknown;
            return Next::Counts;
        }
        self.state = DeliveryState::Refused;
        Next::GiveBack(self.detail.clone())
    }

    /// The pause after the attempt that just ended, up to a fifth longer or shorter by what the message is called: a
    /// provider that comes back is not met by everything at once, and nothing here is left to chance.
    fn pause(&self, retry: &Retry) -> Option<SignedDuration> {
        let index = usize::try_from(self.attempts.saturating_sub(1)).ok()?;
        let pause = retry.pauses.get(index)?;
        let hash = Sha256::digest(format!("{}/{}", self.touch_id, self.attempts));
        let part = i64::from(hash[0]) - 128;
        let shift = pause.as_millis() * i128::from(part) / (128 * 5);
        i64::try_from(pause.as_millis() + shift)
            .ok()
            .map(SignedDuration::from_millis)
    }

    /// Takes what the other side tells of `at`; false when that changes nothing. What is seen was delivered, and what is
    /// clicked was seen. What was seen did not come back.
    pub fn notice(&mut self, notice: Notice, at: Timestamp) -> bool {
        let before = self.clone();
        match notice {
            Notice::Bounced if self.progress.opened_at.is_none() && self.bounced_at.is_none() => {
                (self.state, self.bounced_at) = (DeliveryState::Bounced, Some(at));
            }
            Notice::Bounced => {}
            Notice::Dismissed => {
                self.seen(at);
                self.dismissed_at.get_or_insert(at);
            }
            Notice::Delivered => self.arrived(at),
            Notice::Opened => self.seen(at),
            Notice::Clicked => {
                self.seen(at);
                self.progress.clicked_at.get_or_insert(at);
            }
        }
        *self != before
    }

    fn arrived(&mut self, at: Timestamp) {
        if self.state == DeliveryState::Bounced {
            return;
        }
        self.progress.delivered_at.get_or_insert(at);
        self.state = DeliveryState::Delivered;
    }

    fn seen(&mut self, at: Timestamp) {
        // Seen after all: it did not come back to stay.
        if self.state == DeliveryState::Bounced {
            return;
        }
        self.arrived(at);
        self.progress.opened_at.get_or_insert(at);
    }
}
