//! How far the rows of today are from those that a model learnt from: the population stability index.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{frame::Frame, trained::Trained};

/// Shares are kept this far from zero, so that an empty bin weighs much and not everything.
const LEAST: f64 = 1e-4;

/// The spread of a feature when the model learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Upper ends of all bins but the last.
    cuts: Vec<f64>,
    /// Share of rows in each bin; the last one holds the gaps.
    shares: Vec<f64>,
}

impl Reference {
    /// The spread of `column` over its tenths.
    pub fn of(column: &[f64]) -> Self {
        let mut known: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
        known.sort_unstable_by(f64::total_cmp);
        let mut cuts: Vec<f64> = (1..10)
            .filter_map(|tenth| known.get(known.len() * tenth / 10).copied())
            .collect();
        cuts.dedup();
        let shares = shares(&cuts, column);
        Self { cuts, shares }
    }

    /// The population stability index of `column`: below 0.1 stable, above 0.25 it has moved.
    pub fn drift(&self, column: &[f64]) -> f64 {
        let now = shares(&self.cuts, column);
        let part = |(then, now): (&f64, &f64)| {
            let (then, now) = (then.max(LEAST), now.max(LEAST));
            (now - then) * (now / then).ln()
        };
        self.shares.iter().zip(&now).map(part).sum()
    }
}

fn shares(cuts: &[f64], column: &[f64]) -> Vec<f64> {
    let mut counts = vec![0.0; cuts.len() + 2];
    let gaps = cuts.len() + 1;
    for value in column {
        let bin = if value.is_nan() {
            gaps
        } else {
            cuts.partition_point(|cut| cut < value)
        };
        counts[bin] += 1.0;
    }
    let rows = column.len().max(1) as f64;
    counts.iter().map(|count| count / rows).collect()
}

/// The references of all columns.
pub fn references(frame: &Frame) -> Vec<Reference> {
    frame.columns().map(Reference::of).collect()
}

/// The drift of every column, by name, the largest first.
pub fn drifts(references: &[Reference], frame: &Frame) -> Vec<(String, f64)> {
    let drift = |((reference, column), name): ((&Reference, &[f64]), &String)| (name.clone(), reference.drift(column));
    let mut drifts: Vec<_> = references
        .iter()
        .zip(frame.columns())
        .zip(frame.names())
        .map(drift)
        .collect();
    drifts.sort_by(|a, b| b.1.total_cmp(&a.1));
    drifts
}

/// Rows that say which features matter.
const ROWS: usize = 200;
/// Share of all effects from which a feature matters.
const MATTERS: f64 = 0.05;

/// How far rows have moved away from those that a model learnt from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moved {
    /// The index of its predictions; 0 of a model that did not keep their spread.
    pub predictions: f64,
    /// The largest index of a feature that matters to it.
    pub feature: f64,
    /// That feature.
    pub feature_name: String,
}

/// Sets rows of named features beside those that `model` learnt from. Only features that move its predictions count:
/// what it does not look at may go where it likes.
pub fn moved(model: &Trained, rows: &[BTreeMap<String, f64>]) -> Moved {
    let known: Vec<Vec<f64>> = rows.iter().map(|row| model.row(row)).collect();
    let column = |index: usize| known.iter().map(|row| row[index]).collect();
    let frame = Frame::new(model.features.clone(), (0..model.features.len()).map(column).collect());
    let predictions = model
        .predictions
        .as_ref()
        .map_or(0.0, |spread| spread.drift(&model.probabilities(&frame)));
    let mut weights: BTreeMap<String, f64> = BTreeMap::new();
    for row in known.iter().step_by(known.len().div_ceil(ROWS).max(1)) {
        for (feature, _, effect) in model.explain(row).effects {
            *weights.entry(feature).or_default() += effect.abs();
        }
    }
    let all: f64 = weights.values().sum();
    let matters = |name: &String| weights.get(name).is_some_and(|weight| *weight >= MATTERS * all);
    let drifts = drifts(&model.references, &frame);
    let (feature_name, feature) = drifts.into_iter().find(|(name, _)| matters(name)).unwrap_or_default();
    Moved {
        predictions,
        feature,
        feature_name,
    }
}
