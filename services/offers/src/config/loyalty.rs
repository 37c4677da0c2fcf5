//! Section `[loyalty]`: when a playbook harms (C-15).

use jiff::SignedDuration;
use serde::Deserialize;
use upswell_runtime::problem::Violations;

use crate::domain::loyalty::GuardRules;

/// Section `[loyalty]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoyaltySettings {
    /// Messages of so many days are watched.
    pub window_days: i64,
    /// They are compared with those from so many days ago on.
    pub baseline_days: i64,
    /// So many days after a message a reaction without a name is put down to it.
    pub heard_days: i64,
    /// The share that does harm anyway.
    pub expected_share: f64,
    /// As how many messages that counts.
    pub expected_weight: f64,
    /// Largest probability of a pause by chance.
    pub error: f64,
    /// Fewest messages that did harm.
    pub least_harmed: u32,
}

impl LoyaltySettings {
    /// The span that is watched.
    pub const fn window(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * self.window_days)
    }

    /// How far back the baseline goes.
    pub const fn baseline(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * self.baseline_days)
    }

    /// How long a reaction is put down to a message.
    pub const fn heard(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * self.heard_days)
    }

    /// What counts as harm.
    pub const fn rules(&self) -> GuardRules {
        GuardRules {
            expected: self.expected_share,
            weight: self.expected_weight,
            error: self.error,
            least: self.least_harmed,
        }
    }

    /// Notes what cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        if !(1..=365).contains(&self.window_days) {
            violations.add("window_days", "must be between 1 and 365");
        }
        if !(self.window_days..=3_650).contains(&self.baseline_days) {
            violations.add("baseline_days", "must be window_days or more, at most 3650");
        }
        if !(0..=365).contains(&self.heard_days) {
            violations.add("heard_days", "must be between 0 and 365");
        }
        for (key, share) in [("expected_share", self.expected_share), ("error", self.error)] {
            if !(0.0..1.0).contains(&share) {
                violations.add(key, "must be 0 or more and below 1");
            }
        }
        if !(1.0..=1e6).contains(&self.expected_weight) {
            violations.add("expected_weight", "must be between 1 and 1000000");
        }
        if self.least_harmed == 0 {
            violations.add("least_harmed", "must be 1 or more");
        }
    }
}
