//! How good probabilities are: discrimination, calibration and lift. All of them take what happened and the probability
//! given to it, row by row; the definitions are those of scikit-learn, and goldens hold them.

use std::cmp::Ordering;

/// Probabilities are kept this far from 0 and 1 where a logarithm is taken.
pub const EDGE: f64 = 1e-15;

/// The log-odds of a probability.
pub fn logit(probability: f64) -> f64 {
    let inside = probability.clamp(EDGE, 1.0 - EDGE);
    (inside / (1.0 - inside)).ln()
}

/// The probability of log-odds.
pub fn sigmoid(margin: f64) -> f64 {
    if margin >= 0.0 {
        1.0 / (1.0 + (-margin).exp())
    } else {
        let odds = margin.exp();
        odds / (1.0 + odds)
    }
}

/// Log-loss of one row, natural logarithm.
pub fn row_log_loss(happened: bool, probability: f64) -> f64 {
    let inside = probability.clamp(EDGE, 1.0 - EDGE);
    if happened { -inside.ln() } else { -(1.0 - inside).ln() }
}

/// Mean log-loss.
pub fn log_loss(labels: &[bool], probabilities: &[f64]) -> f64 {
    mean(pairs(labels, probabilities).map(|(label, p)| row_log_loss(label, p)))
}

/// Mean squared distance between probability and outcome.
pub fn brier(labels: &[bool], probabilities: &[f64]) -> f64 {
    mean(pairs(labels, probabilities).map(|(label, p)| (p - f64::from(u8::from(label))).powi(2)))
}

/// Area under the ROC curve, ties by mid-rank; NaN when only one outcome occurred.
pub fn auc(labels: &[bool], probabilities: &[f64]) -> f64 {
    let order = ascending(probabilities);
    let positives = count(labels);
    let negatives = labels.len() as f64 - positives;
    let mut ranks = 0.0;
    for (start, end) in ties(&order, probabilities) {
        let middle = (start + end + 1) as f64 / 2.0;
        let here = order[start..end].iter().filter(|row| labels[**row]).count();
        ranks += middle * here as f64;
    }
    (ranks - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

/// Average precision: precision at each threshold weighted by the gain in recall; NaN when nothing happened.
pub fn average_precision(labels: &[bool], probabilities: &[f64]) -> f64 {
    let order = descending(probabilities);
    let positives = count(labels);
    let (mut found, mut sum) = (0.0, 0.0);
    for (start, end) in ties(&order, probabilities) {
        let here = order[start..end].iter().filter(|row| labels[**row]).count() as f64;
        found += here;
        sum += here / positives * (found / end as f64);
    }
    if positives > 0.0 { sum } else { f64::NAN }
}

/// Largest distance between the true and the false positive rate; NaN when only one outcome occurred.
pub fn kolmogorov_smirnov(labels: &[bool], probabilities: &[f64]) -> f64 {
    let order = ascending(probabilities);
    let positives = count(labels);
    let negatives = labels.len() as f64 - positives;
    let (mut hit, mut missed, mut largest) = (0.0, 0.0, 0.0_f64);
    for (start, end) in ties(&order, probabilities) {
        let here = order[start..end].iter().filter(|row| labels[**row]).count() as f64;
        hit += here;
        missed += (end - start) as f64 - here;
        largest = largest.max((hit / positives - missed / negatives).abs());
    }
    if positives > 0.0 && negatives > 0.0 {
        largest
    } else {
        f64::NAN
    }
}

/// One bin of the calibration curve.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bin {
    /// Rows in it.
    pub rows: usize,
    /// Their mean probability.
    pub predicted: f64,
    /// The share in which it happened.
    pub happened: f64,
}

/// The calibration curve in `bins` bins of equal count, from the lowest probability up.
pub fn calibration_curve(labels: &[bool], probabilities: &[f64], bins: usize) -> Vec<Bin> {
    let order = ascending(probabilities);
    let bin = |rows: &[usize]| Bin {
        rows: rows.len(),
        predicted: mean(rows.iter().map(|row| probabilities[*row])),
        happened: mean(rows.iter().map(|row| f64::from(u8::from(labels[*row])))),
    };
    split_evenly(&order, bins)
        .into_iter()
        .filter(|rows| !rows.is_empty())
        .map(bin)
        .collect()
}

/// Expected calibration error: the mean distance of the curve from the diagonal, weighted by rows.
pub fn calibration_error(curve: &[Bin]) -> f64 {
    let rows: usize = curve.iter().map(|bin| bin.rows).sum();
    let distance = |bin: &Bin| bin.rows as f64 * (bin.predicted - bin.happened).abs();
    curve.iter().map(distance).sum::<f64>() / rows as f64
}

/// How much more often it happened in the share of rows (0 to 1) with the highest probabilities than overall.
pub fn top_lift(labels: &[bool], probabilities: &[f64], share: f64) -> f64 {
    let order = descending(probabilities);
    // The tolerance undoes what 0.1 × 10 leaves over in binary.
    let top = (labels.len() as f64 * share - 1e-9).ceil() as usize;
    let rate = mean(order[..top].iter().map(|row| f64::from(u8::from(labels[*row]))));
    rate / (count(labels) / labels.len() as f64)
}

/// Lift of each tenth of the rows, the highest probabilities first.
pub fn decile_lifts(labels: &[bool], probabilities: &[f64]) -> Vec<f64> {
    let order = descending(probabilities);
    let base = count(labels) / labels.len() as f64;
    let lift = |rows: &[usize]| mean(rows.iter().map(|row| f64::from(u8::from(labels[*row])))) / base;
    split_evenly(&order, 10)
        .into_iter()
        .filter(|rows| !rows.is_empty())
        .map(lift)
        .collect()
}

fn pairs<'a>(labels: &'a [bool], probabilities: &'a [f64]) -> impl Iterator<Item = (bool, f64)> + 'a {
    labels.iter().copied().zip(probabilities.iter().copied())
}

fn count(labels: &[bool]) -> f64 {
    labels.iter().filter(|label| **label).count() as f64
}

/// The mean; NaN of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// Rows by ascending value; equal ones keep their order.
pub(super) fn ascending(values: &[f64]) -> Vec<usize> {
    sorted(values, f64::total_cmp)
}

/// Rows by descending value; equal ones keep their order.
fn descending(values: &[f64]) -> Vec<usize> {
    sorted(values, |a, b| b.total_cmp(a))
}

fn sorted(values: &[f64], compare: impl Fn(&f64, &f64) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| compare(&values[*a], &values[*b]));
    order
}

/// The runs of equal values in `order`, as ranges of it.
fn ties(order: &[usize], values: &[f64]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = 0;
    for end in 1..=order.len() {
        if end == order.len() || values[order[end]].total_cmp(&values[order[start]]).is_ne() {
            runs.push((start, end));
            start = end;
        }
    }
    runs
}

/// As numpy's `array_split`: the first parts are one longer when it does not divide.
fn split_evenly<T>(items: &[T], parts: usize) -> Vec<&[T]> {
    let parts = parts.max(1);
    let (size, longer) = (items.len() / parts, items.len() % parts);
    let mut rest = items;
    let cut = |part: usize| {
        let (head, tail) = rest.split_at(size + usize::from(part < longer));
        rest = tail;
        head
    };
    (0..parts).map(cut).collect()
}
