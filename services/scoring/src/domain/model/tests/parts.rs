//! The parts of models: shape, trees, calibration, drift.

use proptest::prelude::*;

use super::rows;
use crate::domain::model::{
    calibrate::{self, Calibration},
    chance::Chance,
    drift::Reference,
    frame::Frame,
    metrics,
    shape::Shape,
    trees::{TreeSettings, Trees},
};

fn settings() -> TreeSettings {
    TreeSettings {
        leaves: 6,
        depth: 4,
        rate: 0.3,
        ridge: 1.0,
        least: 1.0,
        features: 1.0,
        rows: 1.0,
        random: false,
    }
}

/// What a model expects of a row of which only the features in `known` are known, tree by tree.
fn expected(trees: &Trees, row: &[f64], known: u32) -> f64 {
    let text = serde_json::to_value(trees).unwrap();
    let base = text["base"].as_f64().unwrap();
    let tree = |tree: &serde_json::Value| walk(&tree["nodes"], 0, row, known);
    base + text["trees"].as_array().unwrap().iter().map(tree).sum::<f64>()
}

fn walk(nodes: &serde_json::Value, at: usize, row: &[f64], known: u32) -> f64 {
    let node = &nodes[at];
    let Some(split) = node.get("s") else {
        return node["v"].as_f64().unwrap();
    };
    let index = |name: &str| usize::try_from(split[name].as_u64().unwrap()).unwrap();
    let (feature, left, right) = (index("f"), index("l"), index("r"));
    if known & (1 << feature) == 0 {
        let share = |child: usize| nodes[child]["n"].as_f64().unwrap() / node["n"].as_f64().unwrap();
        return share(left) * walk(nodes, left, row, known) + share(right) * walk(nodes, right, row, known);
    }
    let value = row[feature];
    let goes_left = if value.is_nan() {
        split["g"].as_bool().unwrap()
    } else {
        value <= split["t"].as_f64().unwrap()
    };
    walk(nodes, if goes_left { left } else { right }, row, known)
}

#[test]
fn sc5_shapley_values_are_those_of_the_definition() {
    let dataset = rows(600, 11);
    let trees = Trees::fit(&dataset.frame, &dataset.labels, &settings(), 12, 1);
    for row in [0, 1, 2, 3, 50] {
        let row = dataset.frame.row(row);
        let (parts, rest) = trees.contributions(&row);
        assert!((rest - expected(&trees, &row, 0)).abs() < 1e-9);
        for (feature, part) in parts.iter().enumerate() {
            // Over all sets of the other three features, weighted by |S|!·(3 − |S|)!/4!.
            let weights = [6.0, 2.0, 2.0, 6.0].map(|w| w / 24.0);
            let others = (0..16_u32).filter(|set| set & (1 << feature) == 0);
            let slow: f64 = others
                .map(|set| {
                    weights[set.count_ones() as usize]
                        * (expected(&trees, &row, set | 1 << feature) - expected(&trees, &row, set))
                })
                .sum();
            assert!((part - slow).abs() < 1e-9, "feature {feature}: {part} and not {slow}");
        }
    }
}

#[test]
fn sc5_trees_learn_from_gaps() {
    let column: Vec<f64> = (0..400)
        .map(|row| if row % 2 == 0 { f64::NAN } else { f64::from(row) })
        .collect();
    let labels: Vec<bool> = (0..400).map(|row| row % 2 == 0).collect();
    let frame = Frame::new(vec!["x".to_owned()], vec![column]);
    let trees = Trees::fit(&frame, &labels, &settings(), 20, 1);
    assert!(trees.margin(&[f64::NAN]) > 2.0 && trees.margin(&[5.0]) < -2.0);
}

#[test]
fn sc5_a_constant_column_and_huge_values_harm_no_regression() {
    let frame = Frame::new(
        vec!["c".to_owned(), "h".to_owned()],
        vec![vec![3.0; 5], vec![1e300, -1e300, f64::INFINITY, 0.0, 1.0]],
    );
    let mut shaped = Vec::new();
    for logarithm in [true, false] {
        let shape = Shape::of(&frame, logarithm);
        for row in 0..5 {
            shape.apply(&frame.row(row), &mut shaped);
            assert!(shaped.iter().all(|value| value.is_finite()), "{shaped:?}");
            assert_eq!(shaped[0], 0.0);
        }
    }
}

#[test]
fn sc5_calibration_repairs_what_is_crooked_and_leaves_what_is_straight() {
    let mut chance = Chance::new(4);
    let mut unit = || chance.below(1_000_000) as f64 / 1e6;
    let truth: Vec<f64> = (0..6000).map(|_| unit() * 0.6).collect();
    let labels: Vec<bool> = truth.iter().map(|p| unit() < *p).collect();
    let folds: Vec<usize> = (0..6000).map(|row| row % 5).collect();
    let crooked: Vec<f64> = truth.iter().map(|p| p * p).collect();
    let (calibration, given) = calibrate::choose(&labels, &crooked, &folds, 0.0005);
    assert_ne!(calibration, Calibration::None);
    assert!(metrics::log_loss(&labels, &given) < metrics::log_loss(&labels, &crooked) - 0.02);
    let (calibration, given) = calibrate::choose(&labels, &truth, &folds, 0.0005);
    assert!(
        metrics::log_loss(&labels, &given) <= metrics::log_loss(&labels, &truth),
        "{calibration:?}"
    );
}

#[test]
fn sc5_in_time_the_slope_is_repaired_and_the_level_is_left() {
    let mut chance = Chance::new(9);
    let mut unit = || chance.below(1_000_000) as f64 / 1e6;
    let folds: Vec<usize> = (0..6000).map(|row| row / 1200).collect();
    let said: Vec<f64> = (0..6000).map(|_| metrics::sigmoid(unit() * 3.0 - 3.0)).collect();
    // Twice as steep as said, and every block has a level of its own.
    let truth = |(p, fold): (&f64, &usize)| metrics::sigmoid(2.0 * metrics::logit(*p) + 2.0 + *fold as f64 * 0.2);
    let labels: Vec<bool> = said.iter().zip(&folds).map(|row| unit() < truth(row)).collect();
    let (calibration, _) = calibrate::choose_in_time(&labels, &said, &folds, 0.0005);
    let Calibration::Platt { slope, .. } = &calibration else {
        unreachable!("{calibration:?}")
    };
    assert!((1.7..2.3).contains(slope), "{slope}");
    let level = |given: &[f64]| given.iter().sum::<f64>() / given.len() as f64;
    let applied: Vec<f64> = said.iter().map(|p| calibration.apply(*p)).collect();
    assert!(
        (level(&applied) - level(&said)).abs() < 1e-6,
        "{} and not {}",
        level(&applied),
        level(&said)
    );
}

#[test]
fn sc5_drift_is_seen_in_values_and_in_gaps() {
    let then: Vec<f64> = (0..1000).map(f64::from).collect();
    let reference = Reference::of(&then);
    assert!(reference.drift(&then).abs() < 1e-12);
    let moved: Vec<f64> = then.iter().map(|value| value + 400.0).collect();
    assert!(reference.drift(&moved) > 0.25);
    let gaps: Vec<f64> = then
        .iter()
        .map(|value| if value % 5.0 == 0.0 { f64::NAN } else { *value })
        .collect();
    assert!(reference.drift(&gaps) > 0.25, "a fifth of the cells went missing");
    let half: Vec<f64> = then.iter().copied().filter(|value| value % 2.0 == 0.0).collect();
    assert!(reference.drift(&half) < 0.01, "fewer rows alike are no drift");
}

proptest! {
    #[test]
    fn sc5_calibrated_probabilities_keep_their_order(pairs in prop::collection::vec((0.001..0.999_f64, any::<bool>()), 20..80)) {
        let (p, y): (Vec<f64>, Vec<bool>) = pairs.into_iter().unzip();
        let made = [calibrate::platt(&y, &p), calibrate::beta(&y, &p), Some(Calibration::Isotonic(calibrate::isotonic(&y, &p)))];
        for calibration in made.into_iter().flatten() {
            let curve: Vec<f64> = (0..=50).map(|step| calibration.apply(f64::from(step) / 50.0)).collect();
            prop_assert!(curve.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "{calibration:?}");
            prop_assert!(curve.iter().all(|p| (0.0..=1.0).contains(p)), "{calibration:?}");
        }
    }
}
