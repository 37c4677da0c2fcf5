//! The stratified difference and its permutations.

use crate::domain::stats::{
    permutation::Permutation,
    random::Draws,
    sample::Sample,
    stratified::{CELL_MIN, Unit, adjust, collapse, estimate, levels},
    welch::welch,
};

fn unit(stratum: usize, treated: bool, value: f64) -> Unit {
    Unit {
        stratum,
        treated,
        value,
        weight: 1.0,
    }
}

#[test]
fn k10_one_stratum_is_welch() {
    let mut draws = Draws::of(1);
    let units: Vec<Unit> = (0..30).map(|i| unit(0, i % 3 > 0, draws.normal())).collect();
    let of = |treated| {
        Sample::of(
            units
                .iter()
                .filter(|unit| unit.treated == treated)
                .map(|unit| unit.value),
        )
    };
    let (plain, found) = (welch(of(false), of(true)).unwrap(), estimate(&units).unwrap());
    assert!((plain.difference - found.difference).abs() < 1e-12);
    assert!((plain.se - found.se).abs() < 1e-12 && (plain.dof - found.dof).abs() < 1e-9);
    assert!((plain.p - found.p()).abs() < 1e-12);
}

#[test]
fn k10_strata_are_compared_with_themselves() {
    // The treated are mostly in the rich stratum: the plain difference is all stratum, the stratified one all effect.
    let mut units = Vec::new();
    for i in 0..40 {
        units.push(unit(0, i < 10, f64::from(i % 2) + if i < 10 { 1.0 } else { 0.0 }));
        units.push(unit(
            1,
            i < 30,
            100.0 + f64::from(i % 2) + if i < 30 { 1.0 } else { 0.0 },
        ));
    }
    let found = estimate(&units).unwrap();
    assert!((found.difference - 1.0).abs() < 1e-9, "{found:?}");
    let (control, treatment) = levels(&units).unwrap();
    assert!(treatment - control > 40.0);
}

#[test]
fn k10_small_strata_go_together() {
    let mut units = Vec::new();
    for i in 0..10 {
        units.push(unit(7, i < 5, 0.0));
    }
    units.push(unit(8, true, 0.0));
    units.push(unit(9, false, 0.0));
    let mut small = units.clone();
    collapse(&mut small);
    assert!(
        small.iter().all(|unit| unit.stratum == 0),
        "the rest joins the only large one"
    );
    for stratum in 10..10 + CELL_MIN {
        units.push(unit(stratum, true, 0.0));
        units.push(unit(stratum, false, 0.0));
    }
    collapse(&mut units);
    assert_eq!(
        units.iter().map(|unit| unit.stratum).max(),
        Some(1),
        "now the rest stands alone"
    );
}

#[test]
fn k10_permutations_of_a_case_that_can_be_counted() {
    // 3 of 6 treated, all above the others: 1 of 20 assignments is as extreme on its side.
    let units: Vec<Unit> = (0..6).map(|i| unit(0, i > 2, f64::from(i))).collect();
    let drawn = Permutation::of(&units, 3).unwrap().draw(20_000);
    assert!((drawn.p() - 0.1).abs() < 0.01, "{}", drawn.p());
    let interval = drawn.interval(0.2);
    assert!(interval.contains(3.0) && interval.low >= 0.0, "{interval:?}");
    assert!(
        !interval_is_bounded(&units, 0.001),
        "twenty assignments cannot carry such a level"
    );
}

fn interval_is_bounded(units: &[Unit], alpha: f64) -> bool {
    let drawn = Permutation::of(units, 3).unwrap().draw(999);
    let interval = drawn.interval(alpha);
    interval.low.is_finite() || interval.high.is_finite()
}

#[test]
fn k10_shifting_the_treated_shifts_the_interval() {
    let mut draws = Draws::of(9);
    let units: Vec<Unit> = (0..40).map(|i| unit(i % 2, i % 5 > 0, draws.normal())).collect();
    let shifted: Vec<Unit> = units
        .iter()
        .map(|unit| Unit {
            value: unit.value + if unit.treated { 2.5 } else { 0.0 },
            ..*unit
        })
        .collect();
    let interval = |units: &[Unit]| Permutation::of(units, 5).unwrap().draw(1_999).interval(0.05);
    let (before, after) = (interval(&units), interval(&shifted));
    assert!((after.low - before.low - 2.5).abs() < 1e-9, "{before:?} {after:?}");
    assert!((after.high - before.high - 2.5).abs() < 1e-9);
}

#[test]
fn k10_the_early_answer_is_the_full_one() {
    for seed in 0..200 {
        let mut draws = Draws::of(seed);
        let units: Vec<Unit> = (0..24)
            .map(|i| unit(0, i % 4 > 0, draws.normal() + if i % 4 > 0 { 0.8 } else { 0.0 }))
            .collect();
        let permutation = Permutation::of(&units, seed).unwrap();
        let full = permutation.draw(499);
        assert_eq!(permutation.p(499, 500), full.p(), "{seed}");
        let (early, late) = (permutation.p(4_999, 50), permutation.draw(4_999).p());
        assert!((early - late).abs() < 0.1 + 0.5 * late, "{seed}: {early} {late}");
        for level in [0.002, 0.02, 0.05, 0.2] {
            assert_eq!(
                full.interval(level).excludes_zero(),
                full.p() <= level,
                "{seed} {level}"
            );
        }
    }
}

#[test]
fn k10_cuped_takes_the_past_out_and_leaves_the_effect() {
    let mut draws = Draws::of(4);
    let mut before = Vec::new();
    let mut units: Vec<Unit> = (0..400)
        .map(|i| {
            let past = draws.normal() * 10.0 + f64::from(i % 2) * 100.0;
            before.push(past);
            unit(
                i as usize % 2,
                i % 8 > 1,
                past + draws.normal() + if i % 8 > 1 { 3.0 } else { 0.0 },
            )
        })
        .collect();
    let plain = estimate(&units).unwrap();
    let (theta, correlation) = adjust(&mut units, &before);
    let adjusted = estimate(&units).unwrap();
    assert!(
        (theta - 1.0).abs() < 0.02 && correlation > 0.98,
        "{theta} {correlation}"
    );
    assert!(adjusted.se < plain.se / 5.0);
    assert!(adjusted.interval(0.01).contains(3.0), "{adjusted:?}");
}
