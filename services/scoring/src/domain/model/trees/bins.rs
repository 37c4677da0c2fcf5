//! Features as small numbers: bin 0 is a gap, the others are ranges of about equally many rows.

use rayon::prelude::*;

use super::super::frame::Frame;

/// Bins of a feature beside the gap; more did not lower the loss on the data it was measured on.
const MOST: usize = 127;

/// A frame in bins, by column.
#[derive(Clone, Debug)]
pub struct Bins {
    columns: Vec<Vec<u8>>,
    cuts: Vec<Vec<f64>>,
    rows: usize,
}

impl Bins {
    /// Bins every column of `frame`.
    pub fn of(frame: &Frame) -> Self {
        let columns: Vec<&[f64]> = frame.columns().collect();
        let cuts: Vec<Vec<f64>> = columns.par_iter().map(|column| cuts(column)).collect();
        let binned = columns
            .par_iter()
            .zip(&cuts)
            .map(|(column, cuts)| column.iter().map(|value| bin(*value, cuts)).collect());
        Self {
            columns: binned.collect(),
            cuts,
            rows: frame.rows(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn column(&self, feature: usize) -> &[u8] {
        &self.columns[feature]
    }

    /// Bins of `feature` with the gap.
    pub(super) fn count(&self, feature: usize) -> usize {
        self.cuts[feature].len() + 2
    }

    /// The highest value of `bin`.
    pub(super) fn threshold(&self, feature: usize, bin: usize) -> f64 {
        self.cuts[feature][bin - 1]
    }
}

fn bin(value: f64, cuts: &[f64]) -> u8 {
    if value.is_nan() {
        return 0;
    }
    let below = cuts.partition_point(|cut| *cut < value);
    u8::try_from(below + 1).unwrap_or(u8::MAX)
}

/// The upper ends of all bins but the last: halfway between neighbours.
fn cuts(column: &[f64]) -> Vec<f64> {
    let mut known: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<(f64, usize)> = Vec::new();
    for value in &known {
        match distinct.last_mut() {
            Some((last, count)) if *last == *value => *count += 1,
            _ => distinct.push((*value, 1)),
        }
    }
    if distinct.len() <= MOST {
        return distinct.windows(2).map(|pair| between(pair[0].0, pair[1].0)).collect();
    }
    let mut cuts = Vec::with_capacity(MOST - 1);
    let (mut full, mut rest) = (0, known.len());
    for pair in distinct.windows(2) {
        full += pair[0].1;
        let left = MOST - cuts.len();
        // What a value with very many rows takes is not taken from the bins after it.
        if left > 1 && full * left >= rest {
            cuts.push(between(pair[0].0, pair[1].0));
            rest -= full;
            full = 0;
        }
    }
    cuts
}

fn between(low: f64, high: f64) -> f64 {
    let middle = low + (high - low) / 2.0;
    if middle.is_finite() && low <= middle && middle < high {
        middle
    } else {
        low
    }
}
