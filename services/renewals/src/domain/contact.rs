//! A contact with the customer about a renewal, and its place in the touch ledger (RN-2).
//!
//! ```text
//! planned ──granted──→ reserved ──begin──→ sending ──made──→ made
//!  │  ↑ └─refused─→ deferred     (ledger)   │ │ └─not sent, bounced─→ not_made (the place is given back)
//!  │  └──its time──────┘   │        │       │ └──nobody said how it went──→ assumed (counts as used)
//!  │   └─no legal time─→ refused    └──────→ planned (expired, released or blocked meanwhile)
//!  └────────── planned, deferred, reserved ──given up──→ cancelled
//! ```
//!
//! What the ledger has to be told is kept beside the state ([`Step`]) and told until it has answered, by keys that make
//! telling it twice harmless.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::words::words;

words! {
    /// What a contact is.
    ContactKind, "kind of contact" {
        /// A call.
        Call = "call",
        /// A renewal package.
        Package = "package",
        /// A reminder.
        Reminder = "reminder",
        /// A link for signature, an invoice: contractual (C-4).
        Signature = "signature",
    }
}

words! {
    /// Where a contact stands.
    ContactState, "state of a contact" {
        /// The ledger has not answered yet.
        Planned = "planned",
        /// Refused; asks again at its time.
        Deferred = "deferred",
        /// It has its place.
        Reserved = "reserved",
        /// It is being made.
        Sending = "sending",
        /// It was made.
        Made = "made",
        /// Nobody was reached.
        NotMade = "not_made",
        /// Nobody said how it went.
        Assumed = "assumed",
        /// Given up.
        Cancelled = "cancelled",
        /// No legal time within a year.
        Refused = "refused",
    }
}

/// What the ledger has still to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Ask for the place.
    Reserve,
    /// It was made at this instant, µs since the epoch.
    Confirm(i64),
    /// It was given up while the answer to a reservation was outstanding: give back what that may have granted.
    TakeBack,
    /// Give the place back: it was given up.
    Cancel,
    /// Give the place back: nothing left.
    NotSent,
    /// Give the place back: it came back.
    Bounced,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Derived from the deal and the request that planned it.
    pub contact_id: Uuid,
    /// The deal.
    pub deal_id: Uuid,
    /// The account.
    pub account_id: String,
    /// What it is.
    pub kind: ContactKind,
    /// How it reaches the account: the word of the contract.
    pub channel: i32,
    /// The person; empty when none in particular.
    pub person_id: String,
    /// It counts as commercial too.
    pub proposes_expansion: bool,
    /// When it is to be made.
    pub planned_at: Timestamp,
    /// Where it stands.
    pub state: ContactState,
    /// What the ledger has still to be told.
    pub step: Option<Step>,
    /// When to do that, or to look again.
    pub next_at: Option<Timestamp>,
    /// Counts the places that were lost, so that each is asked for by a key of its own.
    pub attempt: i32,
    /// The touch; empty while none was granted.
    pub touch_id: String,
    /// Rules that stood against it.
    pub blocking: Vec<String>,
    /// Who planned it.
    pub actor: String,
    /// Counts the changes.
    pub version: i64,
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContactFault {
    /// There is no such contact.
    #[error("the contact does not exist")]
    NoContact,
    /// Somebody changed it.
    #[error("the contact was changed meanwhile")]
    Changed,
    /// It has no place.
    #[error("the contact is {0}, not reserved")]
    NotReserved(ContactState),
    /// It is not being made.
    #[error("the contact is {0}, not sending")]
    NotSending(ContactState),
    /// It was begun, or is over.
    #[error("the contact is {0} and can no longer be given up")]
    Begun(ContactState),
}

/// What the ledger answered to a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The touch.
    Granted(String),
    /// The rules, and the earliest time that all of them allow.
    Refused(Vec<String>, Option<Timestamp>),
}

/// How a contact went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Made.
    Made,
    /// Nothing left.
    NotSent,
    /// It came back.
    Bounced,
}

impl Contact {
    /// What a caller has to know to change it.
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    /// The key of its place in the ledger.
    pub fn key(&self) -> String {
        format!("{}.{}", self.contact_id, self.attempt)
    }

    /// True when nothing more happens to it.
    pub fn is_closed(&self) -> bool {
        use ContactState::*;
        matches!(self.state, Made | NotMade | Assumed | Cancelled | Refused)
    }

    fn known(&self, etag: &str) -> Result<(), ContactFault> {
        if self.etag() == etag {
            Ok(())
        } else {
            Err(ContactFault::Changed)
        }
    }

    fn put(&mut self, state: ContactState, step: Option<Step>, next_at: Option<Timestamp>) {
        self.state = state;
        self.step = step;
        self.next_at = next_at;
        self.version += 1;
    }

    /// The ledger answered a reservation. A refusal waits for the earliest legal time (C-9).
    pub fn answered(&mut self, place: Place) {
        match place {
            Place::Granted(touch_id) => {
                self.touch_id = touch_id;
                self.blocking.clear();
                self.put(ContactState::Reserved, None, None);
            }
            Place::Refused(rules, Some(earliest)) => {
                self.blocking = rules;
                self.planned_at = self.planned_at.max(earliest);
                self.put(ContactState::Deferred, Some(Step::Reserve), Some(self.planned_at));
            }
            Place::Refused(rules, None) => {
                self.blocking = rules;
                self.put(ContactState::Refused, None, None);
            }
        }
    }

    /// True when it may be begun by a caller who saw it like this.
    pub fn begins(&self, etag: &str) -> Result<(), ContactFault> {
        self.known(etag)?;
        match self.state {
            ContactState::Reserved => Ok(()),
            state => Err(ContactFault::NotReserved(state)),
        }
    }

    /// The ledger let it begin; `wait` is how long an outcome may be outstanding.
    pub fn begun(&mut self, now: Timestamp, wait: SignedDuration) {
        self.put(ContactState::Sending, None, now.checked_add(wait).ok());
    }

    /// Its place is gone: it asks for another one.
    pub fn displaced(&mut self, rules: Vec<String>, earliest: Option<Timestamp>, now: Timestamp) {
        self.attempt += 1;
        self.touch_id.clear();
        self.blocking = rules;
        self.planned_at = earliest.unwrap_or(now).max(now);
        let state = if earliest.is_some() {
            ContactState::Deferred
        } else {
            ContactState::Planned
        };
        self.put(state, Some(Step::Reserve), Some(self.planned_at));
    }

    /// A person says how it went.
    pub fn finished(&mut self, etag: &str, outcome: Outcome, now: Timestamp) -> Result<(), ContactFault> {
        self.known(etag)?;
        if self.state != ContactState::Sending {
            return Err(ContactFault::NotSending(self.state));
        }
        let (state, step) = match outcome {
            Outcome::Made => (ContactState::Made, Step::Confirm(now.as_microsecond())),
            Outcome::NotSent => (ContactState::NotMade, Step::NotSent),
            Outcome::Bounced => (ContactState::NotMade, Step::Bounced),
        };
        self.put(state, Some(step), Some(now));
        Ok(())
    }

    /// A person gives it up.
    pub fn cancelled(&mut self, etag: &str, now: Timestamp) -> Result<(), ContactFault> {
        use ContactState::*;
        self.known(etag)?;
        match self.state {
            Planned | Deferred | Reserved => {
                let step = match self.touch_id.is_empty() {
                    false => Some(Step::Cancel),
                    true => self.is_asked_for(now).then_some(Step::TakeBack),
                };
                self.put(Cancelled, step, step.map(|_| now));
                Ok(())
            }
            state => Err(ContactFault::Begun(state)),
        }
    }

    /// True when a reservation may be on its way, or granted without anybody knowing: all but what was refused and waits
    /// for its time.
    fn is_asked_for(&self, now: Timestamp) -> bool {
        let waits = self.next_at == Some(self.planned_at) && self.planned_at > now;
        self.step == Some(Step::Reserve) && !(self.state == ContactState::Deferred && waits)
    }

    /// Nobody said how it went in time: the place counts as used (C-6).
    pub fn forgotten(&mut self) {
        self.put(ContactState::Assumed, None, None);
    }

    /// The ledger will never take the step, for `reason`. A contact without place is refused; what was begun counts as used.
    pub fn refused(&mut self, reason: &str) {
        match self.step {
            Some(Step::Reserve) => self.answered(Place::Refused(vec![reason.to_owned()], None)),
            _ => self.told(),
        }
    }

    /// The ledger was told.
    pub fn told(&mut self) {
        self.put(self.state, None, None);
    }

    /// The ledger could not be reached: again at `at`.
    pub fn again(&mut self, at: Timestamp) {
        self.next_at = Some(at);
    }
}
