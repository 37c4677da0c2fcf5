//! What moved an account's MRR (K-1).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use upswell_runtime::money::Money;

/// Kinds of movement. The order is the one in which the movements of a day are listed, so that the MRR after each of
/// them is never below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MovementKind {
    /// First MRR of an account.
    New,
    /// MRR of an account that had left.
    Reactivation,
    /// More, while the account paid before and after.
    Expansion,
    /// Less, while the account paid before and after.
    Contraction,
    /// All of it gone, in every currency.
    Churn,
    /// Another worth of the same contracts, because an exchange rate moved. Only where several currencies are told in
    /// one; no account has such a movement in its own currency.
    Fx,
}

impl MovementKind {
    /// Every kind, in order.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Reactivation,
        Self::Expansion,
        Self::Contraction,
        Self::Churn,
        Self::Fx,
    ];

    /// The number under which it is stored, from 1.
    pub const fn number(self) -> i32 {
        match self {
            Self::New => 1,
            Self::Reactivation => 2,
            Self::Expansion => 3,
            Self::Contraction => 4,
            Self::Churn => 5,
            Self::Fx => 6,
        }
    }

    /// The kind with `number`.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// Why MRR moved (K-1). Only what an offer caused is attributed to a motion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The terms carry an order of Upswell.
    Offer,
    /// A contract line came.
    Added,
    /// A contract line ended.
    Ended,
    /// Another product in the place of one, also where one line ends and another begins on the same day.
    Migration,
    /// Another quantity of the same product.
    Seats,
    /// The same quantity of the same product at another price.
    #[default]
    Price,
    /// A discount came or grew.
    Discount,
    /// A discount ran out.
    DiscountExpiry,
    /// A contracted rise of the price.
    Escalator,
    /// The line changed its currency: one currency gains what the other loses.
    Currency,
    /// A credit note or a correction of what was billed.
    Credit,
    /// An exchange rate moved.
    Fx,
}

impl Cause {
    /// Every cause, in order.
    pub const ALL: [Self; 12] = [
        Self::Offer,
        Self::Added,
        Self::Ended,
        Self::Migration,
        Self::Seats,
        Self::Price,
        Self::Discount,
        Self::DiscountExpiry,
        Self::Escalator,
        Self::Currency,
        Self::Credit,
        Self::Fx,
    ];

    /// The number under which it is stored, from 1.
    pub const fn number(self) -> i32 {
        match self {
            Self::Offer => 1,
            Self::Added => 2,
            Self::Ended => 3,
            Self::Migration => 4,
            Self::Seats => 5,
            Self::Price => 6,
            Self::Discount => 7,
            Self::DiscountExpiry => 8,
            Self::Escalator => 9,
            Self::Currency => 10,
            Self::Credit => 11,
            Self::Fx => 12,
        }
    }

    /// The cause with `number`.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.number() == number)
    }
}

/// The change of an account on a day with one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The day.
    pub day: Date,
    /// The kind.
    pub kind: MovementKind,
    /// Why.
    pub cause: Cause,
    /// The change; negative for contraction and churn, never zero.
    pub amount: Money,
    /// The account's MRR in this currency after it.
    pub mrr_after: Money,
    /// The order that caused it.
    pub order_id: Option<String>,
    /// The versions behind it, sorted.
    pub version_ids: Vec<String>,
    /// The next day on which the account's MRR in this currency is gone: from then on an expansion earns nothing.
    pub earns_until: Option<Date>,
}

/// A run of days with one MRR above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// First day.
    pub from: Date,
    /// Day after the last; `None` while nothing contracted ends it.
    pub to: Option<Date>,
    /// The MRR, above zero.
    pub mrr: Money,
}
