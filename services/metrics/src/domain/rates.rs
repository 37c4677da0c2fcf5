//! Counts on the way from signal to money, and how much the accounts were touched.

use jiff::civil::Date;
use upswell_runtime::money::Money;

/// How many came through each step in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Signals that opened.
    pub signals: i64,
    /// Offers that were sent.
    pub offers_sent: i64,
    /// Offers that were accepted.
    pub accepted: i64,
    /// Orders that were paid.
    pub paid: i64,
}

/// One step of the funnel (K-9).
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `signals`, `offers_sent`, `accepted` or `paid`.
    pub name: &'static str,
    /// How many.
    pub count: i64,
    /// Share of the step before; `None` for the first step and after an empty one.
    pub conversion: Option<f64>,
}

/// One week of the weekly cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its first day.
    pub start: Date,
    /// The steps.
    pub counts: Counts,
    /// Touches that count as pressure.
    pub touches: i64,
    /// Expansion, by currency.
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

impl Counts {
    /// The funnel. A step is counted when it happened, so that a share may pass 1 where a step answers an earlier window.
    pub fn funnel(self) -> Vec<Step> {
        let Self {
            signals,
            offers_sent,
            accepted,
            paid,
        } = self;
        let steps = [
            ("signals", signals),
            ("offers_sent", offers_sent),
            ("accepted", accepted),
            ("paid", paid),
        ];
        let mut before = 0;
        steps
            .into_iter()
            .map(|(name, count)| {
                let conversion = (before > 0).then(|| count as f64 / before as f64);
                before = count;
                Step {
                    name,
                    count,
                    conversion,
                }
            })
            .collect()
    }
}

/// The step after which the smallest share goes on: where the largest loss is (K-9). Nothing when no step loses.
pub fn largest_loss(steps: &[Step]) -> Option<&'static str> {
    let lossy = steps
        .iter()
        .filter_map(|step| Some((step.name, step.conversion.filter(|share| *share < 1.0)?)));
    let worst = lossy.min_by(|one, other| one.1.total_cmp(&other.1));
    worst.map(|(name, _)| name)
}

impl Pressure {
    /// Touches per account and week; `None` without accounts.
    pub fn per_account_week(&self) -> Option<f64> {
        (self.accounts > 0).then(|| self.touches as f64 / (self.accounts as f64 * self.weeks))
    }
}
