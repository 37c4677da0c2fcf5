//! Published and computed examples, read from their files.

use serde_json::Value;

use super::*;
use crate::domain::{
    churn::{self, Moved},
    retention::{AccountRetention, bootstrap, difference, gross_pairs, logo_retention, net_pairs, ratio},
};

const WORKED: &str = include_str!("../../../tests/golden/mrr_worked_examples.json");
const BOOTSTRAP: &str = include_str!("../../../tests/golden/nrr_bootstrap.json");

fn worked() -> Vec<Value> {
    let file: Value = serde_json::from_str(WORKED).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn near(found: Option<f64>, expected: &Value, tolerance: f64) {
    let (found, expected) = (found.unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

/// A case is told either by its movements or by its ends.
#[test]
fn k6_mrr_churn_rates_are_the_published_ones() {
    let rates = |case: &&Value| case["expect_gross_rate"].is_number() || case["expect_net_rate"].is_number();
    for case in worked().iter().filter(rates) {
        let of = |key: &str| case[key].as_i64().unwrap_or_default();
        let (gross, net) = if case["end_mrr"].is_null() {
            let moved = Moved {
                churn: of("churn"),
                contraction: of("contraction"),
                expansion: of("expansion"),
                reactivation: of("reactivation"),
                new: of("new_business"),
            };
            (churn::gross(of("start_mrr"), moved), churn::net(of("start_mrr"), moved))
        } else {
            let (start, end) = (of("start_mrr"), of("end_mrr"));
            (
                churn::gross_by_ends(start, end - of("new_business")),
                churn::net_by_ends(start, end, of("new_business")),
            )
        };
        for (found, expected) in [(gross, "expect_gross_rate"), (net, "expect_net_rate")] {
            if case[expected].is_number() {
                near(found, &case[expected], 1e-12);
            }
        }
    }
}

#[test]
fn k1_the_published_life_gives_the_published_amounts() {
    let cases = worked();
    let case = cases
        .iter()
        .find(|case| case["name"] == "subscription_lifecycle")
        .unwrap();
    let price = |plan: &str| case["plans"][plan].as_i64().unwrap() * 100;
    let gold = usd(4 * price("gold_yearly")).ratio(1, 12).unwrap().minor;
    let silver = 2 * price("silver_monthly");
    let lived = line(&[
        terms("gold", "2025-01-01", gold),
        terms("silver", "2025-01-05", silver),
        terms("silver", "2025-01-19", silver).until("2025-01-19"),
        terms("gold", "2025-12-10", gold).until("2026-01-01"),
        terms("gold-monthly", "2026-03-01", 3 * price("gold_monthly")),
    ]);
    let names = |kind: &str| match kind {
        "new_business" => MovementKind::New,
        "expansion" => MovementKind::Expansion,
        "contraction" => MovementKind::Contraction,
        "churn" => MovementKind::Churn,
        _ => MovementKind::Reactivation,
    };
    let steps = case["steps"].as_array().unwrap();
    assert_eq!(lived.movements.len(), steps.len());
    for (movement, step) in lived.movements.iter().zip(steps) {
        assert_eq!(movement.kind, names(step["movement"].as_str().unwrap()));
        assert_eq!(
            movement.amount.minor,
            (step["mrr_delta"].as_f64().unwrap() * 100.0).round() as i64
        );
    }
}

#[test]
fn k4_k5_the_uncertainty_of_retention_is_the_computed_one() {
    let file: Value = serde_json::from_str(BOOTSTRAP).unwrap();
    for case in file["cases"].as_array().unwrap() {
        if let Some(accounts) = case["accounts"].as_array() {
            retention(case, &accounts.iter().map(account).collect::<Vec<_>>());
        }
    }
}

fn account(pair: &Value) -> AccountRetention {
    AccountRetention {
        start: pair[0].as_f64().unwrap(),
        end: pair[1].as_f64().unwrap(),
    }
}

fn retention(case: &Value, accounts: &[AccountRetention]) {
    for (expected, pairs) in [
        (&case["nrr"], net_pairs(accounts)),
        (&case["grr"], gross_pairs(accounts)),
    ] {
        let found = ratio(&pairs).unwrap();
        near(Some(found.value), &expected["value"], 1e-12);
        near(Some(found.delta_se), &expected["delta_se"], 1e-12);
        near(Some(found.delta_interval.0), &expected["delta_ci"][0], 1e-9);
        near(Some(found.delta_interval.1), &expected["delta_ci"][1], 1e-9);
        near(Some(found.jackknife_se), &expected["jackknife_se"], 1e-9);
        let tolerance = expected["tol"].as_f64().unwrap();
        let resampled = bootstrap(&pairs, 8_000, 7).unwrap();
        near(
            Some(resampled.interval.0),
            &expected["bootstrap_percentile_ci"][0],
            tolerance,
        );
        near(
            Some(resampled.interval.1),
            &expected["bootstrap_percentile_ci"][1],
            tolerance,
        );
        near(Some(resampled.se), &expected["bootstrap_se"], tolerance);
    }
    near(logo_retention(accounts), &case["logo_retention"], 1e-12);
}

/// The larger cases are the accounts of the holdout file, which the uplift is tested on.
#[test]
fn k4_retention_of_six_thousand_accounts_in_two_arms() {
    let file: Value = serde_json::from_str(BOOTSTRAP).unwrap();
    let mut estimates = Vec::new();
    for (case, arm) in [(1, "treatment"), (2, "holdout")] {
        let case = &file["cases"][case];
        let accounts = arm_accounts(arm);
        assert_eq!(accounts.len() as i64, case["n"].as_i64().unwrap());
        retention(case, &accounts);
        estimates.push(ratio(&net_pairs(&accounts)).unwrap());
    }
    let (diff, se) = difference(estimates[0], estimates[1]);
    near(Some(diff), &file["difference"]["diff"], 1e-9);
    near(Some(se), &file["difference"]["se"], 1e-9);
}

fn arm_accounts(arm: &str) -> Vec<AccountRetention> {
    let file = include_str!("../../../tests/data/synthetic_holdout/holdout.csv");
    let rows = file.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter(|row| (row[1] == "1") == (arm == "holdout"))
        .map(|row| AccountRetention {
            start: row[2].parse().unwrap(),
            end: row[3].parse().unwrap(),
        })
        .collect()
}
