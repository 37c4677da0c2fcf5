//! Turns a score into a probability that means what it says, learnt on rows that the model did not see.

use serde::{Deserialize, Serialize};

use super::{
    logistic,
    metrics::{EDGE, ascending, log_loss, logit, mean, sigmoid},
};

/// How a probability is corrected. All of them keep the order of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    /// It stands as it is.
    #[default]
    None,
    /// sigmoid(slope · logit(p) + shift) (Platt).
    Platt {
        /// Slope on the log-odds scale.
        slope: f64,
        /// Shift on the log-odds scale.
        shift: f64,
    },
    /// sigmoid(low · ln p − high · ln(1 − p) + shift).
    Beta {
        /// Effect at low probabilities, not negative.
        low: f64,
        /// Effect at high probabilities, not negative.
        high: f64,
        /// Shift on the log-odds scale.
        shift: f64,
    },
    /// A rising curve through these points.
    Isotonic(Isotonic),
}

/// A rising curve: straight between its points, flat outside of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Where the points stand.
    pub x: Vec<f64>,
    /// Their heights.
    pub y: Vec<f64>,
    /// The curve never comes closer to 0 and 1 than what the rows can tell apart.
    #[serde(default)]
    pub edge: f64,
}

impl Calibration {
    /// The corrected probability.
    pub fn apply(&self, probability: f64) -> f64 {
        match self {
            Self::None => probability,
            Self::Platt { slope, shift } => sigmoid(slope * logit(probability) + shift),
            Self::Beta { low, high, shift } => {
                let p = probability.clamp(EDGE, 1.0 - EDGE);
                sigmoid(low * p.ln() - high * (1.0 - p).ln() + shift)
            }
            Self::Isotonic(curve) => curve.at(probability).clamp(curve.edge, 1.0 - curve.edge),
        }
    }

    /// The name of the method.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Platt { .. } => "platt",
            Self::Beta { .. } => "beta",
            Self::Isotonic(_) => "isotonic",
        }
    }
}

/// Platt's correction; `None` when it would turn the order round.
pub fn platt(labels: &[bool], probabilities: &[f64]) -> Option<Calibration> {
    let inputs: Vec<f64> = probabilities.iter().map(|p| logit(*p)).collect();
    let linear = logistic::fit(&inputs, 1, labels, 0.0);
    let slope = linear.weights[0];
    (slope > 0.0 && slope.is_finite()).then_some(Calibration::Platt {
        slope,
        shift: linear.intercept,
    })
}

/// Platt's correction without a change of level, for rows that were held out in time: every fold has a level of its own, and
/// what is common to them is the slope. `None` when it would turn the order round.
pub fn slope(labels: &[bool], probabilities: &[f64], folds: &[usize]) -> Option<Calibration> {
    let count = folds.iter().copied().max()? + 1;
    let input = |(p, fold): (&f64, &usize)| {
        let mut input = vec![0.0; count];
        input[0] = logit(*p);
        // The first fold has the intercept.
        if *fold > 0 {
            input[*fold] = 1.0;
        }
        input
    };
    let inputs: Vec<f64> = probabilities.iter().zip(folds).flat_map(input).collect();
    let slope = logistic::fit(&inputs, count, labels, 1e-6).weights[0];
    if !(slope > 0.0 && slope.is_finite()) {
        return None;
    }
    let level = mean(probabilities.iter().copied());
    let said = |shift: f64| mean(probabilities.iter().map(|p| sigmoid(slope * logit(*p) + shift)));
    let (mut low, mut high) = (-100.0_f64, 100.0_f64);
    for _ in 0..60 {
        let shift = (low + high) / 2.0;
        if said(shift) < level {
            low = shift;
        } else {
            high = shift;
        }
    }
    Some(Calibration::Platt { slope, shift: low })
}

/// The beta correction; `None` when it would turn the order round.
pub fn beta(labels: &[bool], probabilities: &[f64]) -> Option<Calibration> {
    let inputs: Vec<f64> = probabilities
        .iter()
        .map(|p| p.clamp(EDGE, 1.0 - EDGE))
        .flat_map(|p| [p.ln(), -(1.0 - p).ln()])
        .collect();
    let linear = logistic::fit(&inputs, 2, labels, 1e-6);
    let (low, high) = (linear.weights[0], linear.weights[1]);
    (low >= 0.0 && high >= 0.0 && low + high > 0.0).then_some(Calibration::Beta {
        low,
        high,
        shift: linear.intercept,
    })
}

/// The rising curve with the least squared distance (pool adjacent violators).
pub fn isotonic(labels: &[bool], probabilities: &[f64]) -> Isotonic {
    // One point per value of x, then blocks: (first x, last x, sum of y, rows).
    let mut blocks: Vec<(f64, f64, f64, f64)> = Vec::new();
    for row in ascending(probabilities) {
        let (x, y) = (probabilities[row], f64::from(u8::from(labels[row])));
        match blocks.last_mut() {
            Some(last) if last.0 == x => {
                last.2 += y;
                last.3 += 1.0;
            }
            _ => blocks.push((x, x, y, 1.0)),
        }
    }
    let mut pooled: Vec<(f64, f64, f64, f64)> = Vec::new();
    for mut block in blocks {
        while let Some(last) = pooled
            .last()
            .copied()
            .filter(|last| last.2 / last.3 >= block.2 / block.3)
        {
            block = (last.0, block.1, last.2 + block.2, last.3 + block.3);
            pooled.pop();
        }
        pooled.push(block);
    }
    let mut curve = Isotonic {
        edge: 0.5 / (labels.len() as f64 + 1.0),
        ..Isotonic::default()
    };
    for (first, last, sum, rows) in pooled {
        curve.x.push(first);
        curve.y.push(sum / rows);
        if last > first {
            curve.x.push(last);
            curve.y.push(sum / rows);
        }
    }
    curve
}

impl Isotonic {
    /// The height at `x`.
    pub fn at(&self, x: f64) -> f64 {
        let next = self.x.partition_point(|point| *point < x);
        match (
            next.checked_sub(1).and_then(|index| self.y.get(index)),
            self.y.get(next),
        ) {
            (None, Some(first)) => *first,
            (Some(last), None) => *last,
            (None, None) => x,
            (Some(low), Some(high)) => {
                let share = (x - self.x[next - 1]) / (self.x[next] - self.x[next - 1]);
                low + (high - low) * share
            }
        }
    }
}

/// Chooses a correction: each is learnt on all folds but one and judged on that one. None is taken unless it lowers the
/// log-loss by more than `worth` of it, so calibration never makes a model worse beyond noise.
pub fn choose(labels: &[bool], probabilities: &[f64], folds: &[usize], worth: f64) -> (Calibration, Vec<f64>) {
    type Fit = fn(&[bool], &[f64]) -> Option<Calibration>;
    let methods: [Fit; 3] = [platt, beta, |labels, p| {
        Some(Calibration::Isotonic(isotonic(labels, p)))
    }];
    let mut best = (Calibration::None, probabilities.to_vec());
    let mut least = log_loss(labels, probabilities) * (1.0 - worth);
    for method in methods {
        let Some(crossed) = crossed(labels, probabilities, folds, method) else {
            continue;
        };
        let loss = log_loss(labels, &crossed);
        if loss < least
            && let Some(calibration) = method(labels, probabilities)
        {
            best = (calibration, crossed);
            least = loss;
        }
    }
    best
}

/// The same for rows that were held out in time: each fold is corrected by what the earlier ones taught. Only the slope is
/// corrected. The first folds were judged by models that knew the first months only and misjudge the level, which the
/// model of all rows does not: to correct it by theirs would put an error where there is none.
pub fn choose_in_time(labels: &[bool], probabilities: &[f64], folds: &[usize], worth: f64) -> (Calibration, Vec<f64>) {
    let mut corrected = probabilities.to_vec();
    for fold in 1..=folds.iter().copied().max().unwrap_or(0) {
        let earlier: Vec<usize> = (0..labels.len()).filter(|row| folds[*row] < fold).collect();
        let known: Vec<bool> = earlier.iter().map(|row| labels[*row]).collect();
        let given: Vec<f64> = earlier.iter().map(|row| probabilities[*row]).collect();
        let before: Vec<usize> = earlier.iter().map(|row| folds[*row]).collect();
        let Some(calibration) = slope(&known, &given, &before) else {
            continue;
        };
        for row in (0..labels.len()).filter(|row| folds[*row] == fold) {
            corrected[row] = calibration.apply(probabilities[row]);
        }
    }
    let least = log_loss(labels, probabilities) * (1.0 - worth);
    if log_loss(labels, &corrected) < least
        && let Some(calibration) = slope(labels, probabilities, folds)
    {
        return (calibration, corrected);
    }
    (Calibration::None, probabilities.to_vec())
}

fn crossed(
    labels: &[bool],
    probabilities: &[f64],
    folds: &[usize],
    method: fn(&[bool], &[f64]) -> Option<Calibration>,
) -> Option<Vec<f64>> {
    let mut out = probabilities.to_vec();
    for fold in 0..=folds.iter().copied().max()? {
        let others = || (0..labels.len()).filter(|row| folds[*row] != fold);
        let known: Vec<bool> = others().map(|row| labels[row]).collect();
        let given: Vec<f64> = others().map(|row| probabilities[row]).collect();
        let calibration = method(&known, &given)?;
        for row in (0..labels.len()).filter(|row| folds[*row] == fold) {
            out[row] = calibration.apply(probabilities[row]);
        }
    }
    Some(out)
}
