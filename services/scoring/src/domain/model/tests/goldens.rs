//! What statsmodels and scikit-learn computed.

use serde_json::Value;

use crate::domain::model::{
    calibrate::{Calibration, isotonic, platt},
    logistic, metrics,
};

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn labels(value: &Value) -> Vec<bool> {
    numbers(value).iter().map(|label| *label == 1.0).collect()
}

#[track_caller]
fn near(name: &str, ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "{name}: {ours} and not {theirs}");
}

#[test]
fn sc5_classifier_metrics_are_those_of_scikit_learn() {
    let golden = golden(include_str!("../../../../tests/golden/classifier_metrics.json"));
    for case in golden["cases"].as_array().unwrap() {
        let (y, p) = (labels(&case["y"]), numbers(&case["p"]));
        let curve = metrics::calibration_curve(&y, &p, 10);
        for (name, ours) in [
            ("auc", metrics::auc(&y, &p)),
            ("ap", metrics::average_precision(&y, &p)),
            ("logloss", metrics::log_loss(&y, &p)),
            ("brier", metrics::brier(&y, &p)),
            ("ks", metrics::kolmogorov_smirnov(&y, &p)),
            ("ece10", metrics::calibration_error(&curve)),
            ("top_decile_lift", metrics::top_lift(&y, &p, 0.1)),
        ] {
            near(name, ours, case[name].as_f64().unwrap(), 1e-12);
        }
    }
}

#[test]
fn sc5_calibrations_are_those_of_scikit_learn() {
    let golden = golden(include_str!("../../../../tests/golden/calibration.json"));
    let (y, p) = (labels(&golden["y"]), numbers(&golden["p"]));
    let (query, curve) = (numbers(&golden["query"]), isotonic(&y, &p));
    for (x, theirs) in query.iter().zip(numbers(&golden["isotonic"])) {
        near("isotonic", curve.at(*x), theirs, 1e-12);
    }
    for (x, theirs) in numbers(&golden["isotonic_x"])
        .iter()
        .zip(numbers(&golden["isotonic_y"]))
    {
        near("a point of isotonic", curve.at(*x), theirs, 1e-12);
    }
    let platt = platt(&y, &p).unwrap();
    let Calibration::Platt { slope, shift } = platt else {
        unreachable!("platt makes platt")
    };
    near("slope", slope, golden["platt_a"].as_f64().unwrap(), 1e-5);
    near("shift", shift, golden["platt_b"].as_f64().unwrap(), 1e-5);
    for (x, theirs) in query.iter().zip(numbers(&golden["platt"])).filter(|(x, _)| **x > 0.0) {
        near("platt", platt.apply(*x), theirs, 1e-6);
    }
}

#[test]
fn sc5_regression_is_that_of_statsmodels_and_scikit_learn() {
    let golden = golden(include_str!("../../../../tests/golden/logistic_regression.json"));
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    for line in include_str!("../../../../tests/golden/holdout.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let is = |index: usize, word: &str| f64::from(u8::from(cells[index] == word));
        let number = |index: usize| cells[index].parse::<f64>().unwrap();
        inputs.extend([
            number(3),
            is(0, "smb"),
            is(0, "ent"),
            number(2).ln(),
            is(1, "treatment"),
        ]);
        labels.push(cells[4] == "1");
    }
    for (ridge, name, tolerance) in [(0.0, "mle_coef", 1e-6), (1.0, "ridge_coef", 1e-4)] {
        let fitted = logistic::fit(&inputs, 5, &labels, ridge);
        let theirs = numbers(&golden[name]);
        near(name, fitted.intercept, theirs[0], tolerance * 10.0);
        for (ours, theirs) in fitted.weights.iter().zip(&theirs[1..]) {
            near(name, *ours, *theirs, tolerance);
        }
        if name == "mle_coef" {
            let rows = inputs.chunks(5).zip(&labels);
            let loss: f64 = rows
                .map(|(row, label)| metrics::row_log_loss(*label, metrics::sigmoid(fitted.margin(row))))
                .sum();
            near("log-likelihood", -loss, golden["loglik"].as_f64().unwrap(), 1e-6);
        }
    }
}
