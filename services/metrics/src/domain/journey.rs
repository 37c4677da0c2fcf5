//! What is kept of the way from a signal to money: the latest snapshot of each thing, with the times that count.

use jiff::{Timestamp, civil::Date};

/// Who an account is, as far as metrics are cut by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The account.
    pub account_id: String,
    /// Its segment now.
    pub segment: String,
    /// Its country now; empty when unknown.
    pub country: String,
    /// When it became a customer, where that is known.
    pub customer_since: Option<Date>,
}

/// A signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The signal.
    pub signal_id: String,
    /// The account.
    pub account_id: String,
    /// Its kind in the vocabulary, e.g. `spend_growth`; empty when unknown.
    pub kind: String,
    /// When it opened.
    pub opened_at: Timestamp,
    /// Its facts were corrected so that it never held: it is not counted.
    pub withdrawn: bool,
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The offer.
    pub offer_id: String,
    /// The account.
    pub account_id: String,
    /// Name of its motion in the vocabulary, e.g. `capacity`.
    pub motion: String,
    /// Name of its channel in the vocabulary, e.g. `email`; empty when unknown.
    pub channel: String,
    /// Key of its playbook.
    pub playbook: String,
    /// The signals behind it.
    pub signal_ids: Vec<String>,
    /// It has a price, so that its way may end in a payment.
    pub priced: bool,
    /// It may still be accepted: neither accepted nor closed.
    pub live: bool,
    /// When the signal behind it opened.
    pub signal_at: Option<Timestamp>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// When it was delivered, opened and clicked, as far as its channel tells.
    pub reached: [Option<Timestamp>; 3],
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
}

impl Offer {
    /// Of which steps its channel told. What is seen was delivered, and what is clicked was seen: the same instant for
    /// two steps says nothing about the first one.
    pub fn told(&self) -> [bool; 3] {
        let [delivered, opened, clicked] = self.reached;
        [
            delivered.is_some() && delivered != opened,
            opened.is_some() && opened != clicked,
            clicked.is_some(),
        ]
    }
}

/// What an accepted offer became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The order.
    pub order_id: String,
    /// The offer.
    pub offer_id: String,
    /// The account.
    pub account_id: String,
    /// Name of its motion in the vocabulary.
    pub motion: String,
    /// When the signal behind its offer opened.
    pub signal_at: Option<Timestamp>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
}

/// A touch in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The touch.
    pub touch_id: String,
    /// The account.
    pub account_id: String,
    /// When it was made; while it was not, when it is planned.
    pub touched_at: Timestamp,
    /// It is pressure: confirmed or observed, and not contractual (K-13).
    pub counts: bool,
}

/// Something that an account said or reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// `source/external_id` of the fact.
    pub fact_id: String,
    /// The account.
    pub account_id: String,
    /// What it was.
    pub kind: VoiceKind,
    /// The goal; empty of the others.
    pub subject: String,
    /// When.
    pub heard_at: Timestamp,
    /// What was answered; 0 where there is nothing to answer.
    pub score: i32,
    /// When the goal was reached.
    pub reached_on: Option<Date>,
    /// Corrected: it no longer counts.
    pub superseded: bool,
}

/// What an account may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoiceKind {
    /// An answer to NPS, 0 to 10.
    Nps,
    /// An answer to CSAT, 1 to 5.
    Csat,
    /// A complaint.
    Complaint,
    /// A goal.
    Goal,
    /// A person wanted no more messages on a channel.
    Unsubscribed,
}

impl VoiceKind {
    /// Every kind; the place is the number under which it is stored, less one.
    const ALL: [Self; 5] = [Self::Nps, Self::Csat, Self::Complaint, Self::Goal, Self::Unsubscribed];

    /// The number under which it is stored, from 1.
    pub const fn number(self) -> i32 {
        self as i32 + 1
    }

    /// The kind with `number`.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A request for approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The request.
    pub approval_id: String,
    /// The account.
    pub account_id: String,
    /// Who was asked.
    pub approver_id: String,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When the wait was over: decided, expired or revoked.
    pub settled_at: Option<Timestamp>,
}

/// States of a request for approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalState {
    /// Waiting.
    Pending,
    /// Approved, not yet used.
    Approved,
    /// Approved and used.
    Consumed,
    /// Rejected.
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// The offer changed or ceased to be valid.
    Revoked,
}

impl ApprovalState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Approved,
        Self::Consumed,
        Self::Rejected,
        Self::Expired,
        Self::Revoked,
    ];

    /// The name, as stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Consumed => "consumed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// A person decided: only then was the wait one for a decision.
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::Approved | Self::Consumed | Self::Rejected)
    }
}

/// The arm of an account in the holdout (C-12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    /// The account.
    pub account_id: String,
    /// The epoch; an arm never changes within it.
    pub epoch: i32,
    /// True: it gets no automatic offers.
    pub holdout: bool,
    /// The stratum.
    pub stratum: String,
    /// When it was assigned.
    pub assigned_at: Timestamp,
}
