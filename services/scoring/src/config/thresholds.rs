//! What a threshold may be.

use upswell_runtime::problem::Violations;

use super::range;
use crate::domain::thresholds::Thresholds;

/// Notes every threshold that cannot be used.
pub(super) fn check(table: &Thresholds, violations: &mut Violations) {
    for (field, value) in positive(table) {
        if !(value > 0.0 && value.is_finite()) {
            violations.add(field, "must be positive");
        }
    }
    for (field, low, high) in ordered(table) {
        if high < low {
            violations.add(field, "must not be below the threshold under it");
        }
    }
    for (field, value, least, most) in growth_ranges(table).into_iter().chain(people_ranges(table)) {
        range(violations, field, value, least, most);
    }
    for (field, value, least, most) in use_ranges(table).into_iter().chain(moment_ranges(table)) {
        range(violations, field, value, least, most);
    }
}

fn positive(table: &Thresholds) -> [(&'static str, f64); 15] {
    [
        ("spend_growth.percent", table.spend_growth.percent),
        ("volume_growth.percent", table.volume_growth.percent),
        ("usage_drop.percent", table.usage_drop.percent),
        ("ticket_cluster.reply_percent", table.ticket_cluster.reply_percent),
        ("limit_approach.percent", table.limit_approach.percent),
        ("weak_adoption.dau_mau_percent", table.weak_adoption.dau_mau_percent),
        (
            "weak_adoption.key_features_percent",
            table.weak_adoption.key_features_percent,
        ),
        ("weak_adoption.idle_percent", table.weak_adoption.idle_percent),
        ("seats_short.percent", table.seats_short.percent),
        ("tariff_saturation.percent", table.tariff_saturation.percent),
        ("power_users.features_percent", table.power_users.features_percent),
        ("company_growth.head_percent", table.company_growth.head_percent),
        ("lifecycle.leaving_percent", table.lifecycle.leaving_percent),
        ("lifecycle.falling_percent", table.lifecycle.falling_percent),
        ("life.material_strength", table.life.material_strength),
    ]
}

fn ordered(table: &Thresholds) -> [(&'static str, f64, f64); 3] {
    let (spend, limit) = (&table.spend_growth, &table.limit_approach);
    [
        ("spend_growth.high_percent", spend.percent, spend.high_percent),
        ("spend_growth.error_percent", spend.high_percent, spend.error_percent),
        ("limit_approach.up_percent", limit.percent, limit.up_percent),
    ]
}

type Range = (&'static str, i64, i64, i64);

fn growth_ranges(table: &Thresholds) -> [Range; 9] {
    let (volume, drop, limit) = (&table.volume_growth, &table.usage_drop, &table.limit_approach);
    let (fortnight, month) = (i64::from(volume.window_days), i64::from(drop.window_days));
    [
        ("volume_growth.window_days", fortnight, 1, 28),
        (
            "volume_growth.lookback_days",
            volume.lookback_days.into(),
            fortnight,
            70,
        ),
        ("volume_growth.min_days", volume.min_days.into(), 1, fortnight),
        ("usage_drop.window_days", month, 7, 49),
        ("usage_drop.min_days", drop.min_days.into(), 1, month),
        ("limit_approach.high_days", limit.high_days.into(), 0, 365),
        ("limit_approach.soon_days", limit.soon_days.into(), 0, 365),
        ("limit_approach.min_elapsed_days", limit.min_elapsed_days.into(), 1, 28),
        ("limit_approach.rate_days", limit.rate_days.into(), 1, 60),
    ]
}

fn people_ranges(table: &Thresholds) -> [Range; 10] {
    let (tickets, embrace, life) = (&table.ticket_cluster, &table.feature_embrace, &table.life);
    [
        ("ticket_cluster.count", tickets.count.into(), 1, 1_000),
        ("ticket_cluster.days", tickets.days.into(), 1, 45),
        (
            "ticket_cluster.reply_min_tickets",
            tickets.reply_min_tickets.into(),
            1,
            1_000,
        ),
        ("feature_embrace.users", embrace.users, 1, 1_000_000),
        ("feature_embrace.window_days", embrace.window_days.into(), 1, 60),
        (
            "feature_embrace.days",
            embrace.days.into(),
            1,
            embrace.window_days.into(),
        ),
        ("promoter.score", table.promoter.score.into(), 0, 10),
        ("promoter.max_age_days", table.promoter.max_age_days.into(), 1, 800),
        ("life.reopen_days", life.reopen_days.into(), 0, 365),
        ("life.stale_days", life.stale_days.into(), 1, 365),
    ]
}

fn use_ranges(table: &Thresholds) -> [Range; 16] {
    let (weak, power, trial, life) = (
        &table.weak_adoption,
        &table.power_users,
        &table.heavy_trial_use,
        &table.lifecycle,
    );
    [
        ("weak_adoption.window_days", weak.window_days.into(), 1, 90),
        (
            "weak_adoption.min_days",
            weak.min_days.into(),
            1,
            weak.window_days.into(),
        ),
        ("seats_short.window_days", table.seats_short.window_days.into(), 1, 90),
        ("seats_short.shared_days", table.seats_short.shared_days.into(), 1, 90),
        (
            "tariff_saturation.window_days",
            table.tariff_saturation.window_days.into(),
            1,
            90,
        ),
        ("power_users.users", power.users, 1, 1_000_000),
        ("power_users.window_days", power.window_days.into(), 1, 90),
        ("power_users.days", power.days.into(), 1, power.window_days.into()),
        ("heavy_trial_use.uses", trial.uses, 1, 1_000_000),
        ("heavy_trial_use.days", trial.days.into(), 1, 90),
        ("lifecycle.new_days", life.new_days.into(), 0, 800),
        ("lifecycle.leaving_health", life.leaving_health.into(), 0, 100),
        (
            "lifecycle.active_health",
            life.active_health.into(),
            life.leaving_health.into(),
            100,
        ),
        ("lifecycle.window_days", life.window_days.into(), 7, 49),
        ("lifecycle.min_days", life.min_days.into(), 1, life.window_days.into()),
        ("trial_ending.days", table.trial_ending.days.into(), 1, 30),
    ]
}

fn moment_ranges(table: &Thresholds) -> [Range; 18] {
    let (interest, friction, budget) = (&table.interest, &table.workflow_friction, &table.budget_moment);
    [
        ("interest.count", interest.count.into(), 1, 1_000),
        ("interest.days", interest.days.into(), 1, 90),
        ("interest.strong_count", interest.strong_count.into(), 1, 1_000),
        ("value_reached.days", table.value_reached.days.into(), 1, 90),
        ("workflow_friction.exports", friction.exports, 1, 1_000_000),
        ("workflow_friction.exports_days", friction.exports_days.into(), 1, 90),
        ("workflow_friction.complaints", friction.complaints.into(), 1, 1_000),
        (
            "workflow_friction.complaints_days",
            friction.complaints_days.into(),
            1,
            90,
        ),
        ("initiative.days", table.initiative.days.into(), 1, 98),
        ("company_growth.days", table.company_growth.days.into(), 1, 98),
        ("proof_request.days", table.proof_request.days.into(), 1, 90),
        ("budget_moment.renewal_days", budget.renewal_days.into(), 0, 365),
        ("budget_moment.quarter_days", budget.quarter_days.into(), 0, 92),
        ("budget_moment.fiscal_days", budget.fiscal_days.into(), 0, 365),
        ("budget_moment.fiscal_month", budget.fiscal_month.into(), 1, 12),
        ("budget_moment.planning_days", budget.planning_days.into(), 1, 90),
        ("csm_raised.days", table.csm_raised.days.into(), 1, 90),
        ("downgrade_attempt.days", table.downgrade_attempt.days.into(), 1, 90),
    ]
}
