//! Golden values of means: scipy and GrowthBook.

use super::*;
use crate::domain::stats::{
    ab::{Arm, Difference, Effect, effect},
    bootstrap::bootstrap,
    cuped::{Paired, theta_joined},
    ratio::{Ratio, RatioDifference, jackknife_se},
    sample::Sample,
    sequential::ConfidenceSequence,
    welch::welch,
};

fn sample(arm: &Value) -> Sample {
    Sample::from_sums(count(&arm["n"]), number(&arm["sum"]), number(&arm["sum_squares"]))
}

fn paired(arm: &Value) -> Paired {
    Paired::from_sums(
        sample(&arm["post"]),
        sample(&arm["pre"]),
        number(&arm["post_pre_sum_of_products"]),
    )
}

#[test]
fn k10_welch_is_that_of_scipy() {
    let file = golden(include_str!("../../../../tests/golden/welch.json"));
    for case in cases(&file["cases"]) {
        let name = case["name"].as_str().unwrap();
        let found = welch(sample(&case["a"]), sample(&case["b"])).unwrap();
        relative(found.difference, &case["diff"], 1e-9, name);
        relative(found.t, &case["t"], 1e-9, name);
        relative(found.dof, &case["dof"], 1e-9, name);
        relative(found.p, &case["p_value"], 1e-9, name);
        relative_interval(found.interval(number(&case["alpha"])), &case["ci"], 1e-9, name);
    }
}

/// The arms of a case, adjusted when it says so.
fn arms(case: &Value) -> [Arm; 2] {
    let [a, b] = [&case["a"], &case["b"]];
    match a["type"].as_str().unwrap() {
        "proportion" => [a, b].map(|arm| Arm::proportion(number(&arm["sum"]) as u64, count(&arm["n"]))),
        "mean" => [a, b].map(|arm| Arm::mean(sample(arm))),
        "cuped" => {
            let both = [paired(a), paired(b)];
            let theta = theta_joined(&both);
            relative(theta, &a["theta"], 1e-9, "theta");
            both.map(|arm| arm.adjusted(theta))
        }
        other => panic!("{other} is no kind of arm"),
    }
}

fn compared(case: &Value) -> Effect {
    let [a, b] = arms(case);
    let difference = match case["difference"].as_str().unwrap() {
        "relative" => Difference::Relative,
        _ => Difference::Absolute,
    };
    effect(a, b, difference).unwrap()
}

#[test]
fn k11_a_b_results_are_those_of_growthbook() {
    let file = golden(include_str!("../../../../tests/golden/gbstats_ab.json"));
    for case in cases(&file["cases"]) {
        let (found, expected) = (compared(case), &case["expected"]);
        let name = format!("{} {}", case["name"], case["test"]);
        relative(found.estimate, &expected["estimate"], 1e-9, &name);
        match case["test"].as_str().unwrap() {
            "welch_two_sided" => {
                relative(found.se, &expected["std_error"], 1e-9, &name);
                relative(found.t(), &expected["t"], 1e-9, &name);
                relative(found.dof, &expected["dof"], 1e-9, &name);
                relative(found.p(), &expected["p_value"], 1e-9, &name);
                relative_interval(found.interval(number(&case["alpha"])), &expected["ci"], 1e-9, &name);
            }
            "sequential_two_sided" => {
                let (alpha, tuning) = (number(&case["alpha"]), number(&case["tuning"]));
                relative(found.se, &expected["std_error"], 1e-9, &name);
                relative(
                    ConfidenceSequence::tuned(alpha, tuning).rho(),
                    &expected["rho"],
                    1e-9,
                    &name,
                );
                relative(found.always_valid_p(alpha, tuning), &expected["p_value"], 1e-9, &name);
                relative_interval(found.always_valid(alpha, tuning), &expected["ci"], 1e-9, &name);
            }
            _ => {
                let posterior = found.posterior(0.05);
                relative(posterior.chance_to_win, &expected["chance_to_win"], 1e-9, &name);
                relative_interval(posterior.interval, &expected["ci"], 1e-9, &name);
                relative(posterior.risk_of_control, &expected["risk"][0], 1e-9, &name);
                relative(posterior.risk_of_treatment, &expected["risk"][1], 1e-9, &name);
            }
        }
    }
}

#[test]
fn k4_ratios_and_their_difference() {
    let file = golden(include_str!("../../../../tests/golden/nrr_bootstrap.json"));
    let case = &file["cases"][0];
    let pair = |account: &Value| (number(&account[0]), number(&account[1]));
    let accounts: Vec<(f64, f64)> = cases(&case["accounts"]).iter().map(pair).collect();
    let least: Vec<(f64, f64)> = accounts.iter().map(|(start, end)| (*start, end.min(*start))).collect();
    for (pairs, expected) in [(&accounts, &case["nrr"]), (&least, &case["grr"])] {
        let ratio = Ratio::of(pairs).unwrap();
        close(ratio.value, &expected["value"], 1e-9, "value");
        close(ratio.se, &expected["delta_se"], 1e-9, "se");
        close_interval(ratio.interval(0.05), &expected["delta_ci"], 1e-9, "delta");
        close(
            jackknife_se(pairs).unwrap(),
            &expected["jackknife_se"],
            1e-9,
            "jackknife",
        );
        let resampled = bootstrap(pairs.len(), 10_000, 0.05, 1, |times| {
            let sum = |pick: fn(&(f64, f64)) -> f64| -> f64 {
                pairs
                    .iter()
                    .zip(times)
                    .map(|(pair, times)| pick(pair) * f64::from(*times))
                    .sum()
            };
            Some(sum(|pair| pair.1) / sum(|pair| pair.0))
        });
        let tolerance = number(&expected["tol"]);
        let interval = resampled.unwrap().interval;
        let bounds = &expected["bootstrap_percentile_ci"];
        assert!((interval.low - number(&bounds[0])).abs() <= tolerance, "{interval:?}");
        assert!((interval.high - number(&bounds[1])).abs() <= tolerance, "{interval:?}");
    }
    let arm = |case: &Value| Ratio {
        value: number(&case["nrr"]["value"]),
        se: number(&case["nrr"]["delta_se"]),
        n: 0,
    };
    let found = RatioDifference::of(arm(&file["cases"][2]), arm(&file["cases"][1]));
    let expected = &file["difference"];
    close(found.difference, &expected["diff"], 1e-9, "difference");
    close(found.se, &expected["se"], 1e-9, "se");
    close(found.p, &expected["p"], 1e-9, "p");
    close_interval(found.interval(0.05), &expected["ci"], 1e-9, "interval");
}
