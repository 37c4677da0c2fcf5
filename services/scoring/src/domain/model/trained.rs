//! A trained model: what it predicts, why, and what was measured when it was made. It is plain data, so that it can be
//! kept in a database or a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    calibrate::Calibration, drift::Reference, evaluate::Report, frame::Frame, logistic::Logistic, metrics::sigmoid,
    trees::Trees,
};

/// A model of one outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// The features it reads, in order.
    pub features: Vec<String>,
    /// Margin of the outcome where no feature is known; the whole model when there is no other part.
    pub base: f64,
    /// The regression, with the share of the margin that it gives.
    pub logistic: Option<(f64, Logistic)>,
    /// The trees, with the share of the margin that they give.
    pub trees: Option<(f64, Trees)>,
    /// Turns the margin's probability into one that means what it says.
    pub calibration: Calibration,
    /// What was chosen and why; says so when there was too little to learn from.
    pub choice: Choice,
    /// Held-out rows judged by the chosen candidate, calibrated on other rows.
    pub report: Report,
    /// The spread of every feature: of the newest rows where time is known, else of all.
    pub references: Vec<Reference>,
    /// The spread of predictions of rows that it had not seen; `None` of a model made before it was kept.
    #[serde(default)]
    pub predictions: Option<Reference>,
}

/// How the model came to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The name of the candidate that won.
    pub candidate: String,
    /// Every candidate with its held-out log-loss, the lowest first.
    pub candidates: Vec<(String, f64)>,
    /// How rows were held out: `time` or `group`.
    pub held_out_by: String,
    /// Why less than everything was tried; empty when nothing stood in the way.
    pub reason: String,
    /// Rows of training.
    pub rows: usize,
    /// Rows of training where it happened.
    pub positives: usize,
    /// The seed of all chance.
    pub seed: u64,
}

/// A prediction with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The calibrated probability.
    pub probability: f64,
    /// The margin before calibration, on the log-odds scale: `base` and all effects sum to it.
    pub margin: f64,
    /// The margin of an average row.
    pub base: f64,
    /// Feature, its value, and what it added to the margin, the strongest first.
    pub effects: Vec<(String, f64, f64)>,
}

impl Trained {
    /// The margin of a row of features in the model's order.
    pub fn margin(&self, row: &[f64]) -> f64 {
        let linear = self.logistic.as_ref().map(|(share, model)| share * model.margin(row));
        let trees = self.trees.as_ref().map(|(share, model)| share * model.margin(row));
        match (linear, trees) {
            (None, None) => self.base,
            (linear, trees) => linear.unwrap_or(0.0) + trees.unwrap_or(0.0),
        }
    }

    /// The calibrated probability of a row.
    pub fn probability(&self, row: &[f64]) -> f64 {
        self.calibration
            .apply(sigmoid(self.margin(row)))
            .clamp(1e-6, 1.0 - 1e-6)
    }

    /// The calibrated probability of every row of a frame whose columns are the model's features.
    pub fn probabilities(&self, frame: &Frame) -> Vec<f64> {
        use rayon::prelude::*;
        let rows = (0..frame.rows()).into_par_iter().with_min_len(256);
        rows.map(|row| self.probability(&frame.row(row))).collect()
    }

    /// Named features as a row in the model's order; what is not known is a gap.
    pub fn row(&self, known: &BTreeMap<String, f64>) -> Vec<f64> {
        let value = |name: &String| known.get(name).copied().unwrap_or(f64::NAN);
        self.features.iter().map(value).collect()
    }

    /// What pushed a row up and down.
    pub fn explain(&self, row: &[f64]) -> Explained {
        let mut parts = vec![0.0; row.len()];
        let mut base = if self.logistic.is_none() && self.trees.is_none() {
            self.base
        } else {
            0.0
        };
        let given = [
            self.logistic
                .as_ref()
                .map(|(share, model)| (*share, model.contributions(row))),
            self.trees
                .as_ref()
                .map(|(share, model)| (*share, model.contributions(row))),
        ];
        for (share, (effects, rest)) in given.into_iter().flatten() {
            base += share * rest;
            for (part, effect) in parts.iter_mut().zip(effects) {
                *part += share * effect;
            }
        }
        let named = self.features.iter().zip(row).zip(&parts);
        let mut effects: Vec<_> = named
            .map(|((name, value), part)| (name.clone(), *value, *part))
            .collect();
        effects.retain(|(_, _, effect)| *effect != 0.0);
        effects.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
        Explained {
            probability: self.probability(row),
            margin: self.margin(row),
            base,
            effects,
        }
    }

    /// Checks a model that was read: it can answer any row of its features without a fault. Errors: what is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        let width = self.features.len();
        if self.trees.as_ref().is_some_and(|(_, trees)| !trees.is_sound(width)) {
            return Err("its trees do not hold together");
        }
        let fits = |(_, model): &(f64, Logistic)| {
            model.shape.inputs() == width && model.linear.weights.len() == model.shape.width()
        };
        if !self.logistic.as_ref().is_none_or(fits) {
            return Err("its regression does not fit its features");
        }
        if !self.base.is_finite() {
            return Err("its base is not a number");
        }
        Ok(())
    }
}
