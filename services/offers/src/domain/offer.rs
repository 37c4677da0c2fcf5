//! One concrete proposal to one account and its life.
//!
//! ```text
//!            ┌──────────────┐ C-8, C-9
//!            ▼              │
//! (new) → DEFERRED → AWAITING_APPROVAL → RESERVED → SENDING → SENT → ACCEPTED | DECLINED | EXPIRED
//!            │              │               │          │
//!            └──────────────┴── WITHDRAWN ──┴──────────┘       REJECTED comes from AWAITING_APPROVAL
//! ```
//! A sent offer whose message came back is WITHDRAWN too: nobody saw it (C-5). An answer that was written in time and
//! told late opens an EXPIRED one again, and a corrected reply an ACCEPTED one (T-5, I-5).
//! A new offer may also begin in AWAITING_APPROVAL or RESERVED. What has ended stays ended.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use upswell_runtime::money::{Money, Period};
use uuid::Uuid;

use super::{
    delivery::Progress,
    discount::Grantor,
    vocabulary::{Channel, Motion, OfferState, Owner, TouchClass, words},
};

#[cfg(test)]
mod tests;

/// Words made of signal, why now, proposal and one next step (T-1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// BCP 47 language.
    pub language: String,
    /// Subject line or title of the task.
    pub subject: String,
    /// Body.
    pub body: String,
    /// Text of a passive banner beside a task (T-6); empty for none.
    pub banner: String,
}

/// Exactly what changes when the offer is accepted (M-5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Catalogue key of what is added.
    pub product: String,
    /// Units added, 1 or more.
    pub quantity: i64,
    /// Price of one unit for one period after discount.
    pub unit_price: Money,
    /// How often the price recurs.
    pub period: Period,
    /// Monthly revenue gained.
    pub monthly: Money,
    /// Discount in hundredths of a percent of the list price.
    pub discount_basis_points: i32,
    /// First day of the change.
    pub start_on: Date,
    /// Acceptance after this instant is refused.
    pub valid_until: Timestamp,
    /// What the account gets, for a person.
    pub summary: String,
    /// The part of the discount that somebody has to grant; 0 when there is none (M-5).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub granted_basis_points: i32,
    /// Who may grant it; none when nobody has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantor: Option<Grantor>,
    /// Free for so many days, and then it ends by itself; 0 for a sale (M-6).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub trial_days: i64,
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

words! {
    /// Why an offer is declined (T-8). The answers to the objections are in the playbooks.
    DeclineReason, "decline reason" {
        /// Too dear.
        Price = "price",
        /// Not now.
        Timing = "timing",
        /// What there is, is not used enough.
        Adoption = "adoption",
        /// Not needed.
        NoNeed = "no_need",
        /// Being written to was not wanted at all: harm (C-15).
        Unwanted = "unwanted",
        /// None of these.
        Other = "other",
    }
}

/// The close reason of a refusal: `price`, or `price: too dear for us`.
pub fn declined(reason: DeclineReason, comment: &str) -> String {
    if comment.is_empty() {
        reason.to_string()
    } else {
        format!("{reason}: {comment}")
    }
}

/// A proposal as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Derived from account, playbook, subject and the moment when it was first considered.
    pub id: Uuid,
    /// The account.
    pub account_id: String,
    /// Key of the playbook.
    pub playbook: String,
    /// Kind of expansion or help.
    pub motion: Motion,
    /// The signal's subject.
    pub subject: String,
    /// Class of its touch.
    pub class: TouchClass,
    /// A renewal message that proposes expansion (C-1).
    pub proposes_expansion: bool,
    /// Who drives it (M-3).
    pub owner: Owner,
    /// Where it is in its life.
    pub state: OfferState,
    /// The signals that say why now.
    pub signal_ids: Vec<String>,
    /// The person it is addressed to; none for a task about the account.
    pub contact_id: Option<String>,
    /// How it is delivered.
    pub channel: Channel,
    /// The words; none until rendered.
    pub message: Option<Message>,
    /// What changes; none for an offer without a price.
    pub terms: Option<Terms>,
    /// Expected value a month when it was last weighed (M-1).
    pub expected_value: Option<Money>,
    /// The decision it came from last.
    pub decision_id: Option<Uuid>,
    /// Its approval request.
    pub approval_id: Option<Uuid>,
    /// Its touch in the ledger.
    pub touch_id: Option<Uuid>,
    /// Its order.
    pub order_id: Option<Uuid>,
    /// Why it was declined, withdrawn or rejected; empty otherwise.
    pub close_reason: String,
    /// When it was first considered.
    pub created_at: Timestamp,
    /// When its touch is planned; none until reserved.
    pub planned_at: Option<Timestamp>,
    /// Earliest legal time of a deferred offer (C-9).
    pub deferred_until: Option<Timestamp>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// When it came into its present state.
    pub state_at: Timestamp,
    /// When the newest of its signals opened.
    pub signal_at: Option<Timestamp>,
    /// Its signals are used up when it is sent (SG-R3).
    pub consumes_signals: bool,
    /// Days that a sent offer stays open for an answer (SG-R3).
    pub validity_days: i64,
    /// How far its message came at the person.
    #[serde(default)]
    pub progress: Progress,
    /// Counts changes, for optimistic concurrency.
    pub version: i64,
}

/// Why an offer cannot do what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferFault {
    /// The move is not in the diagram above.
    #[error("an offer that is {from} cannot become {to}")]
    Transition {
        /// Where it is.
        from: OfferState,
        /// Where it should go.
        to: OfferState,
    },
    /// Only a sent offer can be answered.
    #[error("the offer is {0}, not open for an answer")]
    NotOpen(OfferState),
    /// Its terms ended (M-5).
    #[error("the terms of the offer ended at {0}")]
    TermsExpired(Timestamp),
}

impl OfferState {
    /// Whether the diagram of this module has an arrow from here to `to`.
    pub const fn may_become(self, to: Self) -> bool {
        use OfferState::{
            Accepted, AwaitingApproval, Declined, Deferred, Expired, Rejected, Reserved, Sending, Sent, Withdrawn,
        };
        matches!(
            (self, to),
            (Deferred, Deferred | AwaitingApproval | Reserved | Withdrawn)
                | (AwaitingApproval, Reserved | Deferred | Rejected | Withdrawn)
                | (Reserved, Sending | Deferred | Withdrawn)
                | (Sending, Sent | Withdrawn)
                | (Sent, Accepted | Declined | Expired | Withdrawn)
        )
    }

    /// Nothing comes after it.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Accepted | Self::Declined | Self::Expired | Self::Rejected | Self::Withdrawn
        )
    }

    /// It ended and the account did not take it: blocks its motion and subject for a while (SG-R3).
    /// A withdrawn offer was never seen, so it blocks nothing.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Declined | Self::Expired | Self::Rejected)
    }

    /// On its way to the account: no other offer of the account may overtake it.
    pub const fn is_in_flight(self) -> bool {
        matches!(self, Self::AwaitingApproval | Self::Reserved | Self::Sending)
    }
}

impl Offer {
    /// Moves to `to` at `now`.
    pub fn advance(&mut self, to: OfferState, now: Timestamp) -> Result<(), OfferFault> {
        if !self.state.may_become(to) {
            return Err(OfferFault::Transition { from: self.state, to });
        }
        if self.state != to {
            self.state_at = now;
        }
        self.state = to;
        if to != OfferState::Deferred {
            self.deferred_until = None;
        }
        Ok(())
    }

    /// It goes back among the candidates, to compete again from `until` on (C-8, C-9).
    pub fn defer(&mut self, until: Option<Timestamp>, now: Timestamp) -> Result<(), OfferFault> {
        self.advance(OfferState::Deferred, now)?;
        (self.deferred_until, self.touch_id, self.planned_at, self.approval_id) = (until, None, None, None);
        Ok(())
    }

    /// It ends in `to` for `reason`.
    pub fn close(&mut self, to: OfferState, reason: impl Into<String>, now: Timestamp) -> Result<(), OfferFault> {
        self.advance(to, now)?;
        self.close_reason = reason.into();
        Ok(())
    }

    /// The reply that accepted it was corrected (I-5): it is open for an answer again, as if it had never been accepted.
    /// False for an offer that is not accepted.
    pub fn reopen(&mut self, now: Timestamp) -> bool {
        if self.state != OfferState::Accepted {
            return false;
        }
        (self.state, self.state_at, self.order_id) = (OfferState::Sent, now, None);
        true
    }

    /// Whether it was open for an answer at `at`, although nobody knew of one when it expired.
    pub fn expired_after(&self, at: Timestamp) -> bool {
        let was_sent = self.sent_at.is_some_and(|sent| sent <= at);
        self.state == OfferState::Expired && was_sent && self.open_until().is_some_and(|until| at <= until)
    }

    /// An answer of `at` came after it had expired: it is open for that answer again (T-5). False where it is too late.
    pub fn revive(&mut self, at: Timestamp, now: Timestamp) -> bool {
        let revived = self.expired_after(at);
        if revived {
            (self.state, self.state_at) = (OfferState::Sent, now);
            self.close_reason.clear();
        }
        revived
    }

    /// Whether an answer counts at `now`: it was sent, and its terms stand.
    pub fn answerable(&self, now: Timestamp) -> Result<(), OfferFault> {
        if self.state != OfferState::Sent {
            return Err(OfferFault::NotOpen(self.state));
        }
        match self.open_until() {
            Some(until) if now > until => Err(OfferFault::TermsExpired(until)),
            _ => Ok(()),
        }
    }

    /// The last instant at which a sent offer may be answered: the end of its terms, or of its validity (SG-R3).
    pub fn open_until(&self) -> Option<Timestamp> {
        let validity = jiff::SignedDuration::from_hours(24 * self.validity_days);
        let by_validity = self.sent_at.and_then(|sent| sent.checked_add(validity).ok());
        let by_terms = self.terms.as_ref().map(|terms| terms.valid_until);
        by_terms.or(by_validity)
    }
}
