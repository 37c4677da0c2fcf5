//! The settings of the service; `config.toml` says what each key means.

mod thresholds;

use serde::Deserialize;
use upswell_runtime::{
    client::ClientSettings, db::DbSettings, problem::Violations, relay::RelaySettings, server::ServerSettings,
};

use crate::domain::{
    health::HealthRules,
    icp::IcpRules,
    stage::{OnboardingRules, TierRules},
    thresholds::Thresholds,
};

/// Section `[scoring]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Hour of the account's day from which it is scored again, 0 to 23.
    pub refresh_hour: i8,
    /// Accounts of one batch, 1 to 200.
    pub batch_size: usize,
    /// Batches under way at once, 1 to 16.
    pub parallel_batches: usize,
    /// Days of history asked of ingestion, 98 to 800.
    pub history_days: i32,
    /// Days that the history of health is kept.
    pub keep_days: i32,
    /// The store.
    pub db: DbSettings,
    /// The listener.
    pub server: ServerSettings,
    /// The outbox's relay.
    pub relay: RelaySettings,
    /// Calls to ingestion.
    pub client: ClientSettings,
    /// Thresholds of signals (SG-R5).
    pub signals: Thresholds,
    /// Points of health (SC-2).
    pub health: HealthRules,
    /// Fit to the ideal customer (SC-9).
    pub icp: IcpRules,
    /// Stages of onboarding (SC-10).
    pub onboarding: OnboardingRules,
    /// Classes by growth potential (SC-7).
    pub tiers: TierRules,
    /// Trained models (SC-5).
    pub models: ModelSettings,
}

/// Section `[scoring.models]`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// A new model must win by this share of the log-loss beyond noise, in percent.
    pub margin_percent: f64,
    /// Accounts that are learnt from at most.
    pub accounts: u32,
    /// Stability index from which drift is an alarm.
    pub drift_alarm: f64,
    /// Stability index of the predictions from which the rules stand in.
    pub drift_fallback: f64,
    /// Accounts that drift is looked for in at most.
    pub drift_accounts: u32,
    /// Accounts below which nothing is said of drift.
    pub drift_least: u32,
}

impl Settings {
    /// Notes every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        violations.at("db", |violations| self.db.validate(violations));
        violations.at("server", |violations| self.server.validate(violations));
        violations.at("relay", |violations| self.relay.validate(violations));
        violations.at("client", |violations| self.client.validate(violations));
        range(violations, "refresh_hour", i64::from(self.refresh_hour), 0, 23);
        range(
            violations,
            "batch_size",
            i64::try_from(self.batch_size).unwrap_or(i64::MAX),
            1,
            200,
        );
        let parallel = i64::try_from(self.parallel_batches).unwrap_or(i64::MAX);
        range(violations, "parallel_batches", parallel, 1, 16);
        range(violations, "history_days", i64::from(self.history_days), 98, 800);
        // A week before must be in the history, also after a few days without a score.
        range(violations, "keep_days", i64::from(self.keep_days), 14, 36_500);
        violations.at("signals", |violations| thresholds::check(&self.signals, violations));
        violations.at("health", |violations| health(&self.health, violations));
        violations.at("onboarding", |violations| onboarding(&self.onboarding, violations));
        violations.at("tiers", |violations| tiers(&self.tiers, violations));
        violations.at("models", |violations| models(&self.models, violations));
    }
}

fn health(rules: &HealthRules, violations: &mut Violations) {
    range(violations, "window_days", i64::from(rules.window_days), 1, 90);
    range(violations, "payment_months", i64::from(rules.payment_months), 1, 12);
    range(violations, "active_percent", rules.active_percent, 0, 100);
    range(
        violations,
        "critical_old_days",
        i64::from(rules.critical_old_days),
        0,
        365,
    );
    range(
        violations,
        "logins_many_days",
        rules.logins_many_days.into(),
        rules.logins_some_days.into(),
        90,
    );
    range(violations, "yellow", i64::from(rules.yellow), 0, i64::from(rules.green));
    range(violations, "green", i64::from(rules.green), 0, 100);
}

fn onboarding(rules: &OnboardingRules, violations: &mut Violations) {
    range(violations, "stage_days", i64::from(rules.stage_days), 1, 365);
    range(violations, "regular_users", rules.regular_users, 1, 1_000_000);
    range(violations, "regular_days", i64::from(rules.regular_days), 1, 14);
}

fn tiers(rules: &TierRules, violations: &mut Violations) {
    for (field, percent) in [
        ("a_percent", rules.a_percent),
        ("b_percent", rules.b_percent),
        ("a_percent", rules.a_percent + rules.b_percent),
        ("margin_percent", rules.margin_percent),
    ] {
        if !(0.0..=100.0).contains(&percent) {
            violations.add(field, "must be a share of 100, together with the other");
        }
    }
    range(violations, "days", i64::from(rules.days), 1, 92);
}

fn models(settings: &ModelSettings, violations: &mut Violations) {
    for (field, value, least, most) in [
        ("margin_percent", settings.margin_percent, 0.0, 100.0),
        ("drift_alarm", settings.drift_alarm, 0.01, 100.0),
        ("drift_fallback", settings.drift_fallback, settings.drift_alarm, 100.0),
    ] {
        if !(least..=most).contains(&value) {
            violations.add(field, format!("must be {least} to {most}"));
        }
    }
    range(violations, "accounts", settings.accounts.into(), 1, 1_000_000);
    range(violations, "drift_accounts", settings.drift_accounts.into(), 1, 100_000);
    range(
        violations,
        "drift_least",
        settings.drift_least.into(),
        1,
        settings.drift_accounts.into(),
    );
}

fn range(violations: &mut Violations, field: &str, value: i64, least: i64, most: i64) {
    if !(least..=most).contains(&value) {
        violations.add(field, format!("must be {least} to {most}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: impl FnOnce(&mut Settings)) -> Vec<String> {
        let mut settings: Settings = toml::from_str(crate::DEFAULTS).unwrap();
        change(&mut settings);
        let mut violations = Violations::new();
        settings.validate(&mut violations);
        violations
            .into_vec()
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn the_shipped_settings_are_good_and_all_faults_are_told() {
        assert!(faults(|_| ()).is_empty());
        let wrong = faults(|settings| {
            settings.refresh_hour = 24;
            settings.batch_size = 201;
            settings.signals.volume_growth.percent = f64::NAN;
            settings.signals.limit_approach.up_percent = 70.0;
            settings.health.yellow = 71;
        });
        let expected = [
            "refresh_hour",
            "batch_size",
            "signals.volume_growth.percent",
            "signals.limit_approach.up_percent",
            "health.yellow",
        ];
        assert_eq!(wrong, expected);
    }
}
