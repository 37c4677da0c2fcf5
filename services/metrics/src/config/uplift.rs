//! Section `[metrics.uplift]`.

use serde::Deserialize;
use upswell_runtime::problem::Violations;

use crate::domain::uplift::Policy;

/// How uplift against the holdout is read (K-10).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpliftSettings {
    /// Percent of false claims over all readings.
    pub false_claims_percent: f64,
    /// Percent of accounts that are held out, as offers has it.
    pub holdout_percent: f64,
    /// Fewest accounts in an arm.
    pub accounts_min: usize,
    /// Days to the first reading.
    pub first_day: i32,
    /// Days between readings.
    pub every_days: i32,
}

impl Default for UpliftSettings {
    fn default() -> Self {
        let Policy {
            alpha,
            holdout_share,
            accounts_min,
            first_day,
            every_days,
        } = Policy::default();
        Self {
            false_claims_percent: alpha * 100.0,
            holdout_percent: holdout_share * 100.0,
            accounts_min,
            first_day,
            every_days,
        }
    }
}

impl UpliftSettings {
    /// The policy of the domain.
    pub fn policy(&self) -> Policy {
        Policy {
            alpha: self.false_claims_percent / 100.0,
            holdout_share: self.holdout_percent / 100.0,
            accounts_min: self.accounts_min,
            first_day: self.first_day,
            every_days: self.every_days,
        }
    }

    /// Notes every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        if !(0.01..=50.0).contains(&self.false_claims_percent) {
            violations.add("false_claims_percent", "must be 0.01 to 50");
        }
        if !(0.1..=90.0).contains(&self.holdout_percent) {
            violations.add("holdout_percent", "must be 0.1 to 90");
        }
        if self.accounts_min < 2 {
            violations.add("accounts_min", "must be 2 or more");
        }
        if self.first_day < 1 {
            violations.add("first_day", "must be 1 or more");
        }
        if self.every_days < 1 {
            violations.add("every_days", "must be 1 or more");
        }
    }
}
