//! The settings of the service; `config.toml` says what each key means.

use serde::Deserialize;
use upswell_runtime::{
    client::ClientSettings, db::DbSettings, problem::Violations, relay::RelaySettings, server::ServerSettings,
};

use crate::domain::{health::HealthRules, thresholds::Thresholds};

/// Section `[scoring]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Hour of the account's day from which it is scored again, 0 to 23.
    pub refresh_hour: i8,
    /// Accounts of one batch, 1 to 200.
    pub batch_size: usize,
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
        range(violations, "history_days", i64::from(self.history_days), 98, 800);
        // A week before must be in the history, also after a few days without a score.
        range(violations, "keep_days", i64::from(self.keep_days), 14, 36_500);
        violations.at("signals", |violations| signals(&self.signals, violations));
        violations.at("health", |violations| health(&self.health, violations));
    }
}

fn signals(signals: &Thresholds, violations: &mut Violations) {
    let Thresholds {
        spend_growth,
        volume_growth,
        usage_drop,
        ticket_cluster,
        limit_approach,
        ..
    } = signals;
    let Thresholds {
        feature_embrace,
        promoter,
        life,
        ..
    } = signals;
    for (field, percent) in [
        ("spend_growth.percent", spend_growth.percent),
        ("volume_growth.percent", volume_growth.percent),
        ("usage_drop.percent", usage_drop.percent),
        ("ticket_cluster.reply_percent", ticket_cluster.reply_percent),
        ("limit_approach.percent", limit_approach.percent),
        ("life.material_strength", life.material_strength),
    ] {
        if !(percent > 0.0 && percent.is_finite()) {
            violations.add(field, "must be positive");
        }
    }
    for (field, low, high) in [
        (
            "spend_growth.high_percent",
            spend_growth.percent,
            spend_growth.high_percent,
        ),
        (
            "spend_growth.error_percent",
            spend_growth.high_percent,
            spend_growth.error_percent,
        ),
        (
            "limit_approach.up_percent",
            limit_approach.percent,
            limit_approach.up_percent,
        ),
    ] {
        if high < low {
            violations.add(field, "must not be below the threshold under it");
        }
    }
    let windows = i64::from(volume_growth.window_days);
    range(violations, "volume_growth.window_days", windows, 1, 28);
    range(
        violations,
        "volume_growth.lookback_days",
        i64::from(volume_growth.lookback_days),
        windows,
        70,
    );
    range(
        violations,
        "volume_growth.min_days",
        i64::from(volume_growth.min_days),
        1,
        windows,
    );
    let windows = i64::from(usage_drop.window_days);
    range(violations, "usage_drop.window_days", windows, 7, 49);
    range(
        violations,
        "usage_drop.min_days",
        i64::from(usage_drop.min_days),
        1,
        windows,
    );
    range(
        violations,
        "ticket_cluster.count",
        i64::from(ticket_cluster.count),
        1,
        1_000,
    );
    range(violations, "ticket_cluster.days", i64::from(ticket_cluster.days), 1, 45);
    range(
        violations,
        "ticket_cluster.reply_min_tickets",
        i64::from(ticket_cluster.reply_min_tickets),
        1,
        1_000,
    );
    range(
        violations,
        "limit_approach.high_days",
        i64::from(limit_approach.high_days),
        0,
        365,
    );
    range(
        violations,
        "limit_approach.soon_days",
        i64::from(limit_approach.soon_days),
        0,
        365,
    );
    range(
        violations,
        "limit_approach.min_elapsed_days",
        i64::from(limit_approach.min_elapsed_days),
        1,
        28,
    );
    range(
        violations,
        "limit_approach.rate_days",
        i64::from(limit_approach.rate_days),
        1,
        60,
    );
    range(violations, "feature_embrace.users", feature_embrace.users, 1, 1_000_000);
    let windows = i64::from(feature_embrace.window_days);
    range(violations, "feature_embrace.window_days", windows, 1, 60);
    range(
        violations,
        "feature_embrace.days",
        i64::from(feature_embrace.days),
        1,
        windows,
    );
    range(violations, "promoter.score", i64::from(promoter.score), 0, 10);
    range(
        violations,
        "promoter.max_age_days",
        i64::from(promoter.max_age_days),
        1,
        800,
    );
    range(violations, "life.reopen_days", i64::from(life.reopen_days), 0, 365);
    range(violations, "life.stale_days", i64::from(life.stale_days), 1, 365);
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
