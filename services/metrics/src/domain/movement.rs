//! What moved an account's MRR (K-1).

use jiff::civil::Date;
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
}

impl MovementKind {
    /// Every kind, in order.
    pub const ALL: [Self; 5] = [
        Self::New,
        Self::Reactivation,
        Self::Expansion,
        Self::Contraction,
        Self::Churn,
    ];

    /// The number under which it is stored, from 1.
    pub const fn number(self) -> i32 {
        match self {
            Self::New => 1,
            Self::Reactivation => 2,
            Self::Expansion => 3,
            Self::Contraction => 4,
            Self::Churn => 5,
        }
    }

    /// The kind with `number`.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// The change of an account on a day with one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The day.
    pub day: Date,
    /// The kind.
    pub kind: MovementKind,
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
