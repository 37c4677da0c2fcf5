//! How far the rows of today are from those that a model learnt from: the population stability index.

use serde::{Deserialize, Serialize};

use super::frame::Frame;

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
