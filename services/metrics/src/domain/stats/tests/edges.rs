//! The edges of the golden cases, by the same packages: no events, all events, equal arms, one or two observations, ten
//! million; and what the packages refuse is refused here.

use super::{
    counts::{arms, tested},
    *,
};
use crate::domain::stats::{
    Interval,
    ab::{Arm, Difference, effect},
    bootstrap::bootstrap,
    exact::fisher,
    mde::Design,
    ratio::{Ratio, RatioDifference, jackknife_se},
    sample::Sample,
    sequential::Msprt,
    srm::srm,
    welch::welch,
};

fn edges(part: &str) -> Vec<Value> {
    let file = golden(include_str!("../../../../tests/golden/edges.json"));
    cases(&file[part]).to_vec()
}

#[test]
fn k10_two_proportions_at_their_edges() {
    for case in &edges("two_proportion") {
        let (arms, alpha, name) = (arms(case), number(&case["alpha"]), case["name"].as_str().unwrap());
        close(arms.difference(), &case["diff"], 1e-12, name);
        tested(arms.pooled(), &case["z_pooled"], &case["p_pooled"], name);
        tested(arms.unpooled(), &case["z_unpooled"], &case["p_unpooled"], name);
        close_interval(arms.wald(alpha).unwrap(), &case["wald_ci"], 1e-10, name);
        close_interval(arms.newcombe(alpha), &case["newcombe_ci"], 1e-10, name);
        close_interval(arms.agresti_caffo(alpha), &case["agresti_caffo_ci"], 1e-10, name);
        close_interval(arms.treatment.wilson(alpha), &case["wilson_1"], 1e-10, name);
        close_interval(arms.control.wilson(alpha), &case["wilson_0"], 1e-10, name);
        close_interval(
            arms.treatment.clopper_pearson(alpha),
            &case["clopper_pearson_1"],
            1e-9,
            name,
        );
        relative(fisher(arms), &case["fisher_p"], 1e-7, name);
    }
}

#[test]
fn k10_welch_at_its_edges() {
    for case in &edges("welch") {
        let arm = |n: &str, mean: &str, variance: &str| {
            Sample::from_moments(count(&case[n]), number(&case[mean]), number(&case[variance]))
        };
        let (control, treatment) = (arm("n0", "mean0", "var0"), arm("n1", "mean1", "var1"));
        let (found, name) = (welch(control, treatment).unwrap(), case["name"].as_str().unwrap());
        relative(found.difference, &case["diff"], 1e-12, name);
        relative(found.t, &case["t"], 1e-9, name);
        relative(found.dof, &case["dof"], 1e-9, name);
        relative(found.p, &case["p_value"], 1e-9, name);
        relative_interval(found.interval(number(&case["alpha"])), &case["ci"], 1e-9, name);
    }
}

#[test]
fn k10_sample_ratios_at_their_edges() {
    for case in &edges("srm") {
        let observed: Vec<u64> = cases(&case["observed"]).iter().map(count).collect();
        let weights: Vec<f64> = cases(&case["weights"]).iter().map(number).collect();
        let (found, name) = (srm(&observed, &weights).unwrap(), case["name"].as_str().unwrap());
        close(found.chi_square, &case["chi2"], 1e-9, name);
        relative(found.p, &case["p_value"], 1e-9, name);
        assert_eq!(u64::from(found.dof), count(&case["df"]), "{name}");
        assert_eq!(found.is_broken(), case["flag_p_lt_0_001"].as_bool().unwrap(), "{name}");
    }
}

#[test]
fn k10_detectable_effects_at_their_edges() {
    for case in &edges("mde") {
        let design = Design::of(count(&case["n0"]), count(&case["n1"]));
        let base = number(&case["p0"]);
        for (found, expected) in [
            (design.rise(base), &case["mde_up"]),
            (design.fall(base), &case["mde_down"]),
        ] {
            match found {
                Some(found) => close(found, expected, 1e-9, &case.to_string()),
                None => assert!(expected.is_null(), "{case}: reachable"),
            }
        }
    }
}

#[test]
fn k11_sequential_looks_at_their_edges() {
    for case in &edges("msprt") {
        let test = Msprt {
            tau2: number(&case["tau2"]),
            alpha: 0.05,
        };
        let (look, name) = (test.look_at_shares(arms(case)), case.to_string());
        relative(look.variance, &case["V"], 1e-12, &name);
        relative(look.p, &case["p"], 1e-9, &name);
        if case["ci"].is_null() {
            assert_eq!(look.interval, Interval::EVERYTHING, "{name}");
        } else {
            close_interval(look.interval, &case["ci"], 1e-10, &name);
        }
    }
}

#[test]
fn k11_a_b_results_at_their_edges() {
    let arm = |arm: &Value| Arm {
        n: count(&arm["n"]),
        mean: number(&arm["mean"]),
        variance: number(&arm["variance"]),
        raw_mean: number(&arm["mean"]),
    };
    for case in &edges("gbstats") {
        let name = format!("{} {} {}", case["name"], case["difference"], case["test"]);
        let difference = match case["difference"].as_str().unwrap() {
            "relative" => Difference::Relative,
            _ => Difference::Absolute,
        };
        let Some(found) = effect(arm(&case["a"]), arm(&case["b"]), difference) else {
            assert!(case["estimate"].is_null(), "{name}: there is a number");
            continue;
        };
        let (alpha, tuning) = (number(&case["alpha"]), number(&case["tuning"]));
        let (p, interval) = match case["test"].as_str().unwrap() {
            "fixed" => (found.p(), found.interval(alpha)),
            _ => (found.always_valid_p(alpha, tuning), found.always_valid(alpha, tuning)),
        };
        relative(found.estimate, &case["estimate"], 1e-9, &name);
        relative(p, &case["p_value"], 1e-9, &name);
        relative_interval(interval, &case["ci"], 1e-9, &name);
    }
}

/// By hand: of one account nothing varies, of two the linearisation is `√2 · |e₁ − R s₁| · √2 / Σs`.
#[test]
fn k4_ratios_of_none_one_and_two_accounts() {
    assert_eq!(Ratio::of(&[]), None);
    assert_eq!(Ratio::of(&[(0.0, 10.0)]), None, "nothing at the start");
    let one = Ratio::of(&[(100.0, 80.0)]).unwrap();
    assert_eq!((one.value, one.se), (0.8, 0.0));
    assert_eq!(jackknife_se(&[(100.0, 80.0)]), None);
    let two = [(100.0, 100.0), (300.0, 0.0)];
    let ratio = Ratio::of(&two).unwrap();
    assert_eq!(ratio.value, 0.25);
    assert!((ratio.se - 2.0 * 75.0 / 400.0).abs() < 1e-15, "{ratio:?}");
    // Left out one after the other: 0 and 1, so that the standard error is √(1/2 · 2 · 1/4).
    assert!((jackknife_se(&two).unwrap() - 0.5).abs() < 1e-15);
    let gone = Ratio::of(&[(100.0, 0.0), (50.0, 0.0)]).unwrap();
    assert_eq!((gone.value, gone.se), (0.0, 0.0));
    let equal = RatioDifference::of(ratio, ratio);
    assert_eq!((equal.difference, equal.p), (0.0, 1.0));
    assert!(equal.interval(0.05).contains(0.0));
    let certain = RatioDifference::of(gone, gone);
    assert_eq!(
        (certain.p, certain.se),
        (1.0, 0.0),
        "nothing varies, nothing is claimed"
    );
    let same = bootstrap(3, 100, 0.05, 1, |_| Some(1.0)).unwrap();
    assert_eq!((same.interval.low, same.interval.high, same.se), (1.0, 1.0, 0.0));
    assert_eq!(bootstrap(0, 100, 0.05, 1, |_| Some(1.0)), None);
}
