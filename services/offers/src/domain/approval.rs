//! Enterprise offers wait for a person (C-14). A request is a frozen snapshot. Who does not decide in time is passed over
//! for the next on the [`Ladder`]; when nobody is left, expiry means not sent.
//!
//! ```text
//! PENDING → APPROVED → CONSUMED (used for exactly one touch)
//!    │          └────→ REVOKED  (the offer changed or ceased to be valid)
//!    └→ REJECTED | EXPIRED | REVOKED
//! ```

use jiff::{SignedDuration, Timestamp, civil::Weekday, tz::TimeZone};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use upswell_runtime::ids;
use uuid::Uuid;

use super::{decision::chain::hex, offer::Offer, vocabulary::words};

mod ladder;
#[cfg(test)]
mod tests;

pub use self::ladder::{Asked, Delegation, DelegationKind, Ladder};

/// The author of what was built without a person.
pub const AUTOPILOT: &str = "autopilot";

words! {
    /// Where a request stands.
    ApprovalState, "approval state" {
        /// Waiting.
        Pending = "pending",
        /// Approved, not yet used.
        Approved = "approved",
        /// Approved and used for exactly one touch.
        Consumed = "consumed",
        /// Rejected.
        Rejected = "rejected",
        /// Nobody decided in time.
        Expired = "expired",
        /// The offer changed or ceased to be valid.
        Revoked = "revoked",
    }
}

/// A request to send one offer exactly as frozen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// Derived from the offer and its content.
    pub id: Uuid,
    /// The offer.
    pub offer_id: Uuid,
    /// The account.
    pub account_id: String,
    /// The offer as it would be sent.
    pub snapshot: Offer,
    /// Hash of what the account would see.
    pub content_hash: String,
    /// Who asks.
    pub author: String,
    /// Who is asked.
    pub approver_id: String,
    /// Who was asked before and did not decide in time, the first one first.
    pub passed_over: Vec<Asked>,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// From this instant on it is too late.
    pub expires_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Who decided; empty until then.
    pub decided_by: String,
    /// What the approver wrote.
    pub comment: String,
    /// The touch it was used for.
    pub consumed_by_touch: Option<Uuid>,
}

/// Why a decision is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalFault {
    /// Another person is asked.
    #[error("only {0} may decide this request")]
    NotTheApprover(String),
    /// The author may not decide (four eyes).
    #[error("{0} asked for this approval and may not decide it")]
    FourEyes(String),
    /// It was decided before.
    #[error("the request is {0}")]
    Closed(ApprovalState),
    /// Too late.
    #[error("the request expired at {0}")]
    Expired(Timestamp),
    /// The approver saw other content.
    #[error("the content is not what was frozen")]
    ContentChanged,
}

impl Approval {
    /// Freezes `offer` for `approver_id` until `expires_at`.
    pub fn request(offer: &Offer, author: &str, approver_id: &str, now: Timestamp, expires_at: Timestamp) -> Self {
        let content_hash = content_hash(offer);
        // The instant is a part, so that an offer which comes up again later is a request of its own.
        let parts = [offer.id.to_string(), content_hash.clone(), now.to_string()];
        Self {
            id: ids::derive("approval", &[&parts[0], &parts[1], &parts[2]]),
            offer_id: offer.id,
            account_id: offer.account_id.clone(),
            snapshot: offer.clone(),
            content_hash,
            author: author.to_owned(),
            approver_id: approver_id.to_owned(),
            passed_over: Vec::new(),
            state: ApprovalState::Pending,
            requested_at: now,
            expires_at,
            decided_at: None,
            decided_by: String::new(),
            comment: String::new(),
            consumed_by_touch: None,
        }
    }

    /// `actor` approves what hashes to `seen`.
    pub fn approve(&mut self, actor: &str, seen: &str, comment: &str, now: Timestamp) -> Result<(), ApprovalFault> {
        self.decidable(actor, now)?;
        if seen != self.content_hash {
            return Err(ApprovalFault::ContentChanged);
        }
        self.decide(ApprovalState::Approved, actor, comment, now);
        Ok(())
    }

    /// `actor` rejects it.
    pub fn reject(&mut self, actor: &str, comment: &str, now: Timestamp) -> Result<(), ApprovalFault> {
        self.decidable(actor, now)?;
        self.decide(ApprovalState::Rejected, actor, comment, now);
        Ok(())
    }

    /// True when nobody decided in time.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.state == ApprovalState::Pending && now >= self.expires_at
    }

    /// The one who was asked did not decide in time: `next` is asked, until `expires_at`.
    pub fn escalate(&mut self, next: String, now: Timestamp, expires_at: Timestamp) {
        let asked_at = self.passed_over.last().map_or(self.requested_at, |before| before.until);
        let approver_id = std::mem::replace(&mut self.approver_id, next);
        self.passed_over.push(Asked {
            approver_id,
            asked_at,
            until: now,
        });
        self.expires_at = expires_at;
    }

    /// Everybody who was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        let mut all = self.passed_over.clone();
        all.push(Asked {
            approver_id: self.approver_id.clone(),
            asked_at: all.last().map_or(self.requested_at, |before| before.until),
            until: self.expires_at,
        });
        all
    }

    /// How long it waited from the request to the decision; none while it waits.
    pub fn waited(&self) -> Option<SignedDuration> {
        self.decided_at.map(|decided| decided.duration_since(self.requested_at))
    }

    fn decidable(&self, actor: &str, now: Timestamp) -> Result<(), ApprovalFault> {
        if actor == self.author {
            return Err(ApprovalFault::FourEyes(actor.to_owned()));
        }
        if actor != self.approver_id {
            return Err(ApprovalFault::NotTheApprover(self.approver_id.clone()));
        }
        match self.state {
            ApprovalState::Pending if now < self.expires_at => Ok(()),
            ApprovalState::Pending | ApprovalState::Expired => Err(ApprovalFault::Expired(self.expires_at)),
            closed => Err(ApprovalFault::Closed(closed)),
        }
    }

    fn decide(&mut self, state: ApprovalState, actor: &str, comment: &str, now: Timestamp) {
        self.state = state;
        self.decided_at = Some(now);
        self.decided_by = actor.to_owned();
        self.comment = comment.to_owned();
    }
}

/// SHA-256, in hexadecimal, of everything that the account would see or pay. Bookkeeping is left out: it changes
/// while the content stays.
pub fn content_hash(offer: &Offer) -> String {
    let content = (
        (
            &offer.id,
            &offer.account_id,
            &offer.playbook,
            offer.motion,
            &offer.subject,
            offer.class,
        ),
        (
            offer.proposes_expansion,
            offer.owner,
            &offer.contact_id,
            offer.channel,
            &offer.message,
            &offer.terms,
        ),
    );
    // Plain data of strings and numbers always serialises.
    let text = serde_json::to_string(&content).unwrap_or_default();
    hex(&Sha256::digest(text))
}

/// The instant `days` business days after `now` by the calendar of `zone`: same time of day, Saturdays and Sundays
/// not counted. A request made on a weekend counts from the start of Monday.
pub fn business_deadline(now: Timestamp, days: u32, zone: &TimeZone) -> Timestamp {
    let mut moment = now.to_zoned(zone.clone()).datetime();
    if is_weekend(moment.date().weekday()) {
        moment = moment.date().to_datetime(jiff::civil::Time::midnight());
        moment = next_business_day(moment);
    }
    for _ in 0..days {
        moment = next_business_day(moment);
    }
    zone.to_ambiguous_timestamp(moment)
        .compatible()
        .unwrap_or(Timestamp::MAX)
}

fn next_business_day(moment: jiff::civil::DateTime) -> jiff::civil::DateTime {
    let mut date = moment.date().tomorrow().unwrap_or(moment.date());
    while is_weekend(date.weekday()) {
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    date.to_datetime(moment.time())
}

const fn is_weekend(day: Weekday) -> bool {
    matches!(day, Weekday::Saturday | Weekday::Sunday)
}
