//! What held-out rows say about a model, with its spread over accounts, and whether one model is better than another.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    chance::Chance,
    metrics::{self, Bin, ascending, row_log_loss},
};

/// Resamples behind a spread.
const RESAMPLES: u64 = 200;

/// How good the probabilities were on rows that the model had not seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Rows judged.
    pub rows: usize,
    /// Rows where it happened.
    pub positives: usize,
    /// Area under the ROC curve; `None` when only one outcome occurred.
    pub auc: Option<f64>,
    /// From the 2.5th to the 97.5th percentile, resampled by account.
    pub auc_spread: Option<(f64, f64)>,
    /// Average precision; `None` when nothing happened.
    pub average_precision: Option<f64>,
    /// Mean log-loss, natural logarithm.
    pub log_loss: f64,
    /// Its spread.
    pub log_loss_spread: (f64, f64),
    /// Mean squared distance.
    pub brier: f64,
    /// Expected calibration error over ten bins.
    pub calibration_error: f64,
    /// The calibration curve.
    pub curve: Vec<Bin>,
    /// Lift of each tenth of the rows, the highest first.
    pub lifts: Vec<f64>,
    /// The same by segment, where segments were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
}

/// One segment of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: usize,
    /// Rows where it happened.
    pub positives: usize,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Mean log-loss.
    pub log_loss: f64,
    /// Mean probability; beside `positives / rows` it shows a bias.
    pub predicted: f64,
}

/// Judges probabilities; the spread comes from resampling whole groups with `seed`.
pub fn evaluate(labels: &[bool], probabilities: &[f64], groups: &[u32], seed: u64) -> Report {
    let curve = metrics::calibration_curve(labels, probabilities, 10);
    let (auc_spread, log_loss_spread) = spreads(labels, probabilities, groups, seed);
    let known = |value: f64| value.is_finite().then_some(value);
    Report {
        rows: labels.len(),
        positives: labels.iter().filter(|label| **label).count(),
        auc: known(metrics::auc(labels, probabilities)),
        auc_spread,
        average_precision: known(metrics::average_precision(labels, probabilities)),
        log_loss: metrics::log_loss(labels, probabilities),
        log_loss_spread,
        brier: metrics::brier(labels, probabilities),
        calibration_error: metrics::calibration_error(&curve),
        curve,
        lifts: metrics::decile_lifts(labels, probabilities)
            .into_iter()
            .map(|lift| if lift.is_finite() { lift } else { 0.0 })
            .collect(),
        segments: Vec::new(),
    }
}

/// Judges each segment alone; `names` holds the segment of every row.
pub fn by_segment(labels: &[bool], probabilities: &[f64], names: &[String]) -> Vec<Segment> {
    let mut rows: std::collections::BTreeMap<&str, (Vec<bool>, Vec<f64>)> = std::collections::BTreeMap::new();
    for ((label, probability), name) in labels.iter().zip(probabilities).zip(names) {
        let (labels, probabilities) = rows.entry(name).or_default();
        labels.push(*label);
        probabilities.push(*probability);
    }
    let segment = |(name, (labels, probabilities)): (&str, (Vec<bool>, Vec<f64>))| Segment {
        name: name.to_owned(),
        rows: labels.len(),
        positives: labels.iter().filter(|label| **label).count(),
        auc: Some(metrics::auc(&labels, &probabilities)).filter(|auc| auc.is_finite()),
        log_loss: metrics::log_loss(&labels, &probabilities),
        predicted: metrics::mean(probabilities.iter().copied()),
    };
    rows.into_iter().map(segment).collect()
}

type Spread = (f64, f64);

fn spreads(labels: &[bool], probabilities: &[f64], groups: &[u32], seed: u64) -> (Option<Spread>, Spread) {
    let order = ascending(probabilities);
    let losses: Vec<f64> = labels
        .iter()
        .zip(probabilities)
        .map(|(label, p)| row_log_loss(*label, *p))
        .collect();
    let drawn: Vec<(f64, f64)> = (0..RESAMPLES)
        .into_par_iter()
        .map(|resample| {
            let times = draw(groups, seed.wrapping_add(resample));
            let weight = |row: usize| f64::from(times[groups[row] as usize]);
            let rows: f64 = (0..labels.len()).map(weight).sum();
            let loss = losses
                .iter()
                .enumerate()
                .map(|(row, loss)| loss * weight(row))
                .sum::<f64>()
                / rows;
            (weighted_auc(&order, labels, probabilities, weight), loss)
        })
        .collect();
    let (aucs, losses): (Vec<f64>, Vec<f64>) = drawn.into_iter().unzip();
    let aucs: Vec<f64> = aucs.into_iter().filter(|auc| auc.is_finite()).collect();
    ((!aucs.is_empty()).then(|| middle(aucs)), middle(losses))
}

/// How often each group was drawn, as many draws as groups.
fn draw(groups: &[u32], seed: u64) -> Vec<u32> {
    let count = groups.iter().max().map_or(0, |last| *last as usize + 1);
    let mut chance = Chance::new(seed);
    let mut times = vec![0; count];
    for _ in 0..count {
        times[chance.below(count)] += 1;
    }
    times
}

fn weighted_auc(order: &[usize], labels: &[bool], probabilities: &[f64], weight: impl Fn(usize) -> f64) -> f64 {
    let (mut below, mut area, mut positives) = (0.0, 0.0, 0.0);
    let mut start = 0;
    while start < order.len() {
        let value = probabilities[order[start]];
        let (mut hit, mut missed) = (0.0, 0.0);
        let mut end = start;
        while end < order.len() && probabilities[order[end]].total_cmp(&value).is_eq() {
            let row = order[end];
            *(if labels[row] { &mut hit } else { &mut missed }) += weight(row);
            end += 1;
        }
        area += hit * (below + missed / 2.0);
        below += missed;
        positives += hit;
        start = end;
    }
    area / (positives * below)
}

fn middle(mut values: Vec<f64>) -> Spread {
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        values
            .get(((values.len() as f64 - 1.0) * share).round() as usize)
            .copied()
            .unwrap_or(f64::NAN)
    };
    (at(0.025), at(0.975))
}

/// A challenger beside the champion on the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Log-loss of the challenger minus that of the champion; negative is better.
    pub difference: f64,
    /// Its spread, resampled by account in pairs.
    pub spread: (f64, f64),
    /// The whole spread is below zero: better beyond noise.
    pub is_better: bool,
}

/// Compares two sets of probabilities of the same rows (SC-5: promoted only if better).
pub fn compare(labels: &[bool], champion: &[f64], challenger: &[f64], groups: &[u32], seed: u64) -> Comparison {
    let count = groups.iter().max().map_or(0, |last| *last as usize + 1);
    let mut sums = vec![(0.0, 0.0); count];
    for (row, label) in labels.iter().enumerate() {
        let sum = &mut sums[groups[row] as usize];
        sum.0 += row_log_loss(*label, challenger[row]) - row_log_loss(*label, champion[row]);
        sum.1 += 1.0;
    }
    sums.retain(|(_, rows)| *rows > 0.0);
    let mean = |(loss, rows): (f64, f64)| loss / rows;
    let total = sums.iter().fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
    let resampled = |resample: u64| {
        let mut chance = Chance::new(seed.wrapping_add(resample));
        let drawn = (0..sums.len()).map(|_| sums[chance.below(sums.len())]);
        mean(drawn.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1)))
    };
    let spread = middle((0..1000).into_par_iter().map(resampled).collect());
    // A handful of accounts can agree by chance; a spread over them says nothing.
    let is_better = spread.1 < 0.0 && sums.len() >= 20;
    Comparison {
        difference: mean(total),
        spread,
        is_better,
    }
}
