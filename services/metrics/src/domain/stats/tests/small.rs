//! The edges: nothing, one, none, all, no spread; corrections; survival.

use proptest::prelude::*;

use crate::domain::stats::{
    ab::{Arm, Difference, effect},
    dist::{chi_square_sf, ln_binomial, normal_critical, normal_quantile, normal_sf, t_critical, t_two_sided},
    exact::fisher,
    multiple::{benjamini_hochberg, bonferroni, holm},
    proportion::{Proportion, TwoProportions},
    sample::Sample,
    sequential::{Msprt, spent_at},
    survival::{Span, Survival},
    welch::welch,
};

fn arms(x1: u64, n1: u64, x0: u64, n0: u64) -> TwoProportions {
    TwoProportions {
        control: Proportion::new(x0, n0),
        treatment: Proportion::new(x1, n1),
    }
}

#[test]
fn k10_quantiles_of_the_tables() {
    for (p, z) in [
        (0.975, 1.959_963_984_540_054),
        (0.5, 0.0),
        (1e-10, -6.361_340_902_404_056),
    ] {
        assert!((normal_quantile(p) - z).abs() < 1e-12, "{p}");
    }
    for (alpha, dof, t) in [
        (0.05, 1.0, 12.706_204_736_432_095),
        (0.05, 2.882_352_941_176_47, 3.257_208_125_478_902),
        (0.05, 30.0, 2.042_272_456_301_238),
        (0.01, 5.0, 4.032_142_983_555_228),
        (0.05, 1e7, 1.959_964_2),
    ] {
        let found = t_critical(alpha, dof);
        assert!((found - t).abs() < 3e-7 * t, "{dof}: {found}");
        let precise = if dof > 1e6 { 1e-8 } else { 1e-12 };
        assert!((t_two_sided(found, dof) - alpha).abs() < precise, "{dof}");
    }
    // One degree of freedom is Cauchy's distribution.
    assert!((t_two_sided(1.0, 1.0) - 0.5).abs() < 1e-14);
    assert!((t_critical(0.05, 999.9) - t_critical(0.05, 1000.1)).abs() < 1e-6);
    assert!((chi_square_sf(7.814_727_903_251_178, 3) - 0.05).abs() < 1e-12);
    assert!((normal_sf(10.0) / 7.619_853_024_160_527e-24 - 1.0).abs() < 1e-12);
    assert_eq!(normal_critical(0.0), f64::INFINITY);
}

#[test]
fn k10_edges_give_answers_or_none_but_never_nonsense() {
    let one = Sample::of([5.0]);
    let flat = Sample::of([2.0; 4]);
    assert_eq!(welch(one, flat), None);
    let same = welch(flat, flat).unwrap();
    assert_eq!((same.difference, same.p), (0.0, 1.0));
    let apart = welch(flat, Sample::of([3.0; 4])).unwrap();
    assert_eq!((apart.t, apart.p), (f64::INFINITY, 0.0));
    assert_eq!(effect(Arm::mean(flat), Arm::mean(flat), Difference::Absolute), None);
    let nothing = Arm::proportion(0, 10);
    assert_eq!(effect(nothing, Arm::proportion(3, 10), Difference::Relative), None);
    for arms in [
        arms(0, 0, 0, 0),
        arms(0, 5, 0, 0),
        arms(0, 5, 0, 3),
        arms(5, 5, 3, 3),
        arms(1, 1, 0, 1),
    ] {
        let newcombe = arms.newcombe(0.05);
        assert!(newcombe.low >= -1.0 && newcombe.high <= 1.0 && newcombe.contains(arms.difference()));
        assert!(newcombe.width() > 0.0, "never certain");
        assert!((0.0..=1.0).contains(&fisher(arms)));
    }
    let look = Msprt {
        tau2: 0.01,
        alpha: 0.05,
    }
    .look_at_shares(arms(0, 5, 0, 5));
    assert_eq!(
        (look.p, look.interval.excludes_zero()),
        (1.0, false),
        "no events, no certainty"
    );
}

#[test]
fn k10_tails_of_chi_square_have_closed_forms() {
    for x in [0.01_f64, 1.0, 20.0, 200.0, 1_000.0] {
        let three = normal_sf(x.sqrt()) * 2.0 + (2.0 * x / std::f64::consts::PI).sqrt() * (-x / 2.0).exp();
        let four = (-x / 2.0).exp() * (1.0 + x / 2.0);
        for (found, exact) in [(chi_square_sf(x, 3), three), (chi_square_sf(x, 4), four)] {
            assert!((found / exact - 1.0).abs() < 1e-9, "{x}: {found} is not {exact}");
        }
    }
}

#[test]
fn k10_probabilities_of_counts_sum_to_one() {
    for (n, share) in [(1, 0.5), (7, 0.01), (40, 0.999), (3_000, 0.3)] {
        let sum: f64 = (0..=n).map(|x| ln_binomial(x, n, share).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{n} {share}: {sum}");
    }
    assert_eq!(ln_binomial(0, 0, 0.3), 0.0);
    assert_eq!(ln_binomial(1, 4, 0.0), f64::NEG_INFINITY);
}

#[test]
fn k10_a_large_level_does_not_drown_a_small_spread() {
    let values = [1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0];
    assert!((Sample::of(values).variance().unwrap() - 1.0).abs() < 1e-6);
    let [sum, squares] = [1, 2].map(|power| values.iter().map(|value| value.powi(power)).sum::<f64>());
    let summed = Sample::from_sums(3, sum, squares).variance().unwrap();
    assert!(
        (summed - 1.0).abs() < 300.0,
        "what the sum of squares was rounded by is all that is lost: {summed}"
    );
    let merged = Sample::of([1e9 + 1.0]).merge(Sample::of([1e9 + 2.0, 1e9 + 3.0]));
    assert!((merged.variance().unwrap() - 1.0).abs() < 1e-6);
}

#[test]
fn k11_corrections_for_many_questions() {
    let close = |found: Vec<f64>, expected: [f64; 4]| {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-12, "{found:?}");
        }
    };
    let p = [0.01, 0.04, 0.03, 0.005];
    close(holm(&p), [0.03, 0.06, 0.06, 0.02]);
    close(benjamini_hochberg(&p), [0.02, 0.04, 0.04, 0.02]);
    close(bonferroni(&p), [0.04, 0.16, 0.12, 0.02]);
    assert!(holm(&[]).is_empty());
    let spent: f64 = (1..=100_000).map(|reading| spent_at(0.05, reading)).sum();
    assert!(spent <= 0.05 && spent > 0.049_99);
}

#[test]
fn k7_open_ways_count_as_long_as_they_last() {
    let span = |length, complete| Span { length, complete };
    let survival = Survival::of(vec![
        span(6.0, true),
        span(6.0, true),
        span(6.0, true),
        span(6.0, false),
        span(7.0, true),
        span(9.0, false),
        span(10.0, true),
        span(10.0, false),
    ]);
    assert!((survival.open_after(6.0) - 0.625).abs() < 1e-12);
    assert!((survival.open_after(7.0) - 0.625 * 0.75).abs() < 1e-12);
    assert_eq!(survival.quantile(0.5), Some(7.0));
    assert_eq!(survival.quantile(0.9), None, "too many are still open");
    assert_eq!(Survival::of(Vec::new()).quantile(0.5), None);
    let all = Survival::of((1..=10).map(|length| span(f64::from(length), true)).collect());
    assert_eq!((all.quantile(0.5), all.quantile(0.9)), (Some(5.0), Some(9.0)));
}

proptest! {
    #[test]
    fn k10_intervals_hold_what_they_are_about(x1 in 0_u64..40, n1 in 1_u64..40, x0 in 0_u64..40, n0 in 1_u64..40) {
        let arms = arms(x1, n1, x0, n0);
        let score = arms.score(0.05).unwrap();
        for interval in [arms.newcombe(0.05), score] {
            prop_assert!(interval.low - 1e-9 <= arms.difference() && arms.difference() <= interval.high + 1e-9);
            prop_assert!(interval.low >= -1.0 - 1e-12 && interval.high <= 1.0 + 1e-12);
        }
        let swapped = TwoProportions { control: arms.treatment, treatment: arms.control };
        prop_assert!((fisher(arms) - fisher(swapped)).abs() < 1e-9);
        prop_assert!((arms.newcombe(0.05).low + swapped.newcombe(0.05).high).abs() < 1e-12);
        for arm in [arms.control, arms.treatment] {
            let (exact, score) = (arm.clopper_pearson(0.05), arm.wilson(0.05));
            prop_assert!(exact.contains(arm.rate()) && score.contains(arm.rate()));
        }
    }

    #[test]
    fn k10_merging_samples_is_sampling_both(a in prop::collection::vec(-1e3..1e3_f64, 0..20), b in prop::collection::vec(-1e3..1e3_f64, 0..20)) {
        let whole = Sample::of(a.iter().chain(&b).copied());
        let merged = Sample::of(a.iter().copied()).merge(Sample::of(b.iter().copied()));
        prop_assert_eq!(whole.n(), merged.n());
        prop_assert!((whole.mean() - merged.mean()).abs() < 1e-6);
        prop_assert!((whole.squares() - merged.squares()).abs() < 1e-3);
    }
}
