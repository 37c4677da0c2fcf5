//! Settings of the service; `config.toml` holds every key with its default.

use serde::Deserialize;
use upswell_runtime::{db::DbSettings, problem::Violations, relay::RelaySettings, server::ServerSettings};

use crate::domain::{mark::MarkRule, renewal::Policy, risk::ChurnRisk};

/// What the marks may be called; the contract with scoring knows no others (SG-6).
const MARK_NAMES: [i32; 3] = [120, 60, 30];
/// The largest number of days that a mark may lie before a renewal.
const MARK_DAYS_MAX: i32 = 365;

/// Section `[renewals]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The store.
    pub db: DbSettings,
    /// The listener.
    pub server: ServerSettings,
    /// The relay of the outbox.
    pub relay: RelaySettings,
    /// The rules.
    pub pipeline: PipelineSettings,
}

/// Section `[renewals.pipeline]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineSettings {
    /// Name and days before the renewal of each mark (SG-6).
    pub marks: Vec<(i32, i32)>,
    /// Days in which a renewal may be signed late when the subscription ended with its term.
    pub grace_days: i32,
    /// Risk of churn of an account that was not scored, 0 to 1 (RN-3).
    pub unknown_churn_risk: f64,
}

impl Settings {
    /// Notes every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        let Self {
            db,
            server,
            relay,
            pipeline,
        } = self;
        violations.at("db", |violations| db.validate(violations));
        violations.at("server", |violations| server.validate(violations));
        violations.at("relay", |violations| relay.validate(violations));
        violations.at("pipeline", |violations| {
            pipeline.policy(violations);
        });
    }
}

impl PipelineSettings {
    /// The rules, or `None` with every value noted that cannot be used, also when some fault was noted before.
    pub fn policy(&self, violations: &mut Violations) -> Option<Policy> {
        for (index, (name, days)) in self.marks.iter().enumerate() {
            violations.at(format!("marks[{index}]"), |violations| {
                if !MARK_NAMES.contains(name) {
                    violations.add("", "must be called 120, 60 or 30");
                }
                if self.marks[..index].iter().any(|(other, _)| other == name) {
                    violations.add("", format!("mark {name} is there twice"));
                }
                if !(1..=MARK_DAYS_MAX).contains(days) {
                    violations.add("", format!("must lie 1 to {MARK_DAYS_MAX} days before the renewal"));
                }
            });
        }
        if !(0..=365).contains(&self.grace_days) {
            violations.add("grace_days", "must be between 0 and 365");
        }
        let risk = ChurnRisk::from_fraction(self.unknown_churn_risk);
        if risk.is_none() {
            violations.add("unknown_churn_risk", "must be between 0 and 1");
        }
        let rule = |(mark_days, days_before): &(i32, i32)| MarkRule {
            mark_days: *mark_days,
            days_before: *days_before,
        };
        risk.filter(|_| violations.is_empty()).map(|unknown_churn_risk| Policy {
            marks: self.marks.iter().map(rule).collect(),
            grace_days: self.grace_days,
            unknown_churn_risk,
        })
    }
}
