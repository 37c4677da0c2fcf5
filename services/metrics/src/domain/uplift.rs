//! What the programme changed: accounts that got offers against the holdout (K-10).
//!
//! Every account counts in the arm that it was assigned to, whatever was sent (intention to treat). Readings are taken
//! on fixed days, the first 30 days after the start and then once a week; the reading with number k may use
//! `α / (k (k + 1))` of the error rate, so that all readings together claim falsely at most α, however often one asks.
//! A request between two readings gets the last one. Small arms are judged by permutation, which needs no assumption.
//! Where the data cannot carry a number, the answer is what is lacking.

pub mod judge;
pub mod measure;

#[cfg(test)]
mod tests;

use jiff::{Span, civil::Date};

pub use self::{
    judge::judge,
    measure::{Finding, Measure, Method, Verdict},
};
use super::stats::srm::Srm;

/// How uplift is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Error rate over all readings and measures together.
    pub alpha: f64,
    /// Share of accounts that was to be held out; the gate on sample ratios tests it.
    pub holdout_share: f64,
    /// Fewest accounts in an arm.
    pub accounts_min: usize,
    /// Days from the assignment of an account until it counts, and from the start to the first reading.
    pub first_day: i32,
    /// Days between readings.
    pub every_days: i32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            alpha: 0.05,
            holdout_share: 0.125,
            accounts_min: 5,
            first_day: 30,
            every_days: 7,
        }
    }
}

/// An account with its arm.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its stratum at assignment.
    pub stratum: String,
    /// It was held out.
    pub holdout: bool,
    /// An offer reached it.
    pub offered: bool,
    /// MRR in minor units on the day of the assignment; 0 when it did not pay in this currency.
    pub before: i64,
    /// MRR in minor units on the day of the reading.
    pub after: i64,
    /// Its MRR expanded between both days.
    pub expanded: bool,
}

/// One of the fixed days on which uplift is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// From 1.
    pub number: u32,
    /// The day whose start is looked at.
    pub on: Date,
}

/// The last reading up to `today` of a programme that began on `start`; before the first one its day.
pub fn reading(start: Date, today: Date, policy: &Policy) -> Result<Reading, Date> {
    let day = |days: i32| start.saturating_add(Span::new().days(days));
    let passed = i32::try_from(today.duration_since(start).as_hours() / 24).unwrap_or(i32::MAX);
    let since_first = passed - policy.first_day;
    if since_first < 0 {
        return Err(day(policy.first_day));
    }
    let index = since_first / policy.every_days.max(1);
    Ok(Reading {
        number: u32::try_from(index + 1).unwrap_or(1),
        on: day(policy.first_day + index * policy.every_days),
    })
}

/// Why there is no number, and what is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lack {
    /// No account has an arm.
    NoHoldout,
    /// The first reading is on this day.
    TooEarly(Date),
    /// An arm has too few accounts: (is the holdout, has, needs).
    TooFewAccounts(bool, usize, usize),
    /// The split is not the designed one: the assignment is broken.
    SampleRatio(f64),
    /// Within the arms nothing varies: no account expanded, or all MRR is equal. There is no error to tell.
    NoVariation,
}

impl Lack {
    /// Its name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoHoldout => "no_holdout",
            Self::TooEarly(_) => "too_early",
            Self::TooFewAccounts(..) => "too_few_accounts",
            Self::SampleRatio(_) => "sample_ratio_mismatch",
            Self::NoVariation => "no_variation",
        }
    }
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoHoldout => write!(f, "no account has an arm; switch the holdout on"),
            Self::TooEarly(day) => write!(f, "the first reading is on {day}"),
            Self::TooFewAccounts(holdout, has, needs) => {
                let arm = if *holdout { "holdout" } else { "treatment" };
                write!(f, "the {arm} has {has} accounts that count, {needs} are needed")
            }
            Self::SampleRatio(p) => write!(
                f,
                "the arms are not split as designed (p = {p:.1e}); find out why first"
            ),
            Self::NoVariation => write!(f, "the accounts of an arm are all alike, so that no error can be told"),
        }
    }
}

/// One arm in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arm {
    /// Accounts assigned long enough ago.
    pub accounts: usize,
    /// Of these, those that an offer reached; in the holdout this is contamination.
    pub offered: usize,
}

impl Arm {
    /// Share that an offer reached; `None` of an empty arm.
    pub fn offered_share(&self) -> Option<f64> {
        (self.accounts > 0).then(|| self.offered as f64 / self.accounts as f64)
    }
}

/// What a reading says.
#[derive(Clone, Debug, PartialEq)]
pub struct Uplift {
    /// The reading; `None` before the first one.
    pub reading: Option<Reading>,
    /// The holdout.
    pub holdout: Arm,
    /// The treatment.
    pub treatment: Arm,
    /// The test of the split; `None` without accounts.
    pub srm: Option<Srm>,
    /// Why nothing is told at all; empty when something is.
    pub lacks: Vec<Lack>,
    /// The measures, each with its finding; empty when `lacks` is not.
    pub findings: Vec<Finding>,
}

impl Uplift {
    /// No reading, for this reason.
    pub fn withheld(lack: Lack) -> Self {
        Self {
            reading: None,
            holdout: Arm::default(),
            treatment: Arm::default(),
            srm: None,
            lacks: vec![lack],
            findings: Vec::new(),
        }
    }
}
