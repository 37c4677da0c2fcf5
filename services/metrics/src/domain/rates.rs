//! Counts on the way from signal to money, and how much the accounts were touched.

use jiff::civil::Date;
use upswell_runtime::money::Money;

use super::{funnel::Way, programme::Cut};

/// One week of the weekly cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its first day.
    pub start: Date,
    /// The steps.
    pub way: Way,
    /// Touches that count as pressure; `None` in a slice that is not one of accounts.
    pub touches: Option<i64>,
    /// Expansion, by currency: of the accounts, or of the orders where the slice is one of offers.
    pub expansion: Vec<Money>,
}

/// What the offers of one motion came to (K-8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// Name of the motion in the vocabulary.
    pub motion: String,
    /// Offers sent.
    pub sent: i64,
    /// Of these, accepted so far.
    pub accepted: i64,
    /// Of these, paid so far.
    pub paid: i64,
    /// Accounts that got one.
    pub accounts: i64,
    /// Of the sent ones, those that can no longer be accepted: accepted or closed.
    pub settled: i64,
    /// Expansion MRR that their orders caused, by currency.
    pub expansion: Vec<Money>,
}

/// What the accounts felt (K-13).
#[derive(Clone, Debug, PartialEq)]
pub struct Pressure {
    /// Confirmed and observed touches of every class but contractual, over all accounts.
    pub touches: i64,
    /// Accounts that paid at some time in the window.
    pub accounts: i64,
    /// Length of the window.
    pub weeks: f64,
    /// The account with the most touches, and how many; of equals the one with the smaller id.
    pub busiest: Option<(String, i64)>,
}

impl Week {
    /// Nothing yet, in a slice of this cut.
    pub fn nothing(start: Date, cut: Cut) -> Self {
        Self {
            start,
            way: Way::default(),
            touches: cut.is_of_accounts().then_some(0),
            expansion: Vec::new(),
        }
    }
}

impl Pressure {
    /// Touches per account and week; `None` without accounts.
    pub fn per_account_week(&self) -> Option<f64> {
        (self.accounts > 0).then(|| self.touches as f64 / (self.accounts as f64 * self.weeks))
    }
}
