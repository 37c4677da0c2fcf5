//! Ridge logistic regression by Newton's method: ½·λ·‖w‖² is added to the summed log-loss, the intercept is free.

use serde::{Deserialize, Serialize};

use super::{
    frame::Frame,
    metrics::{row_log_loss, sigmoid},
    shape::Shape,
};

/// Coefficients on the log-odds scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// The margin where every input is 0.
    pub intercept: f64,
    /// One per input.
    pub weights: Vec<f64>,
}

impl Linear {
    /// The margin of a row.
    pub fn margin(&self, row: &[f64]) -> f64 {
        self.intercept
            + self
                .weights
                .iter()
                .zip(row)
                .map(|(weight, value)| weight * value)
                .sum::<f64>()
    }
}

/// A regression over features in shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    /// How features are brought into shape.
    pub shape: Shape,
    /// The regression over them.
    pub linear: Linear,
}

impl Logistic {
    /// Learns from a frame with the penalty `ridge`.
    pub fn fit(frame: &Frame, labels: &[bool], ridge: f64, logarithm: bool) -> Self {
        let shape = Shape::of(frame, logarithm);
        let width = shape.width();
        let mut inputs = Vec::with_capacity(frame.rows() * width);
        let mut shaped = Vec::with_capacity(width);
        for row in 0..frame.rows() {
            shape.apply(&frame.row(row), &mut shaped);
            inputs.extend_from_slice(&shaped);
        }
        let linear = fit(&inputs, width, labels, ridge);
        Self { shape, linear }
    }

    /// The margin of a row of features.
    pub fn margin(&self, row: &[f64]) -> f64 {
        let mut shaped = Vec::with_capacity(self.linear.weights.len());
        self.shape.apply(row, &mut shaped);
        self.linear.margin(&shaped)
    }

    /// The part of the margin that each feature gives, and the rest (the intercept). They sum to the margin.
    pub fn contributions(&self, row: &[f64]) -> (Vec<f64>, f64) {
        let mut shaped = Vec::with_capacity(self.linear.weights.len());
        self.shape.apply(row, &mut shaped);
        let mut parts = vec![0.0; row.len()];
        for ((source, value), weight) in self.shape.sources().into_iter().zip(&shaped).zip(&self.linear.weights) {
            parts[source] += weight * value;
        }
        (parts, self.linear.intercept)
    }
}

/// Learns from rows laid end to end, `width` inputs each.
pub fn fit(inputs: &[f64], width: usize, labels: &[bool], ridge: f64) -> Linear {
    let mut linear = start(labels, width);
    let mut loss = penalised(inputs, width, labels, ridge, &linear);
    for _ in 0..50 {
        let Some(step) = newton(inputs, width, labels, ridge, &linear) else {
            break;
        };
        let Some((next, lower)) = damped(
            &linear,
            &step,
            |next| penalised(inputs, width, labels, ridge, next),
            loss,
        ) else {
            break;
        };
        let moved = step.iter().map(|part| part.abs()).fold(0.0, f64::max);
        let gained = loss - lower;
        linear = next;
        loss = lower;
        if moved < 1e-9 || gained <= loss.abs() * 1e-14 {
            break;
        }
    }
    linear
}

fn start(labels: &[bool], width: usize) -> Linear {
    let positives = labels.iter().filter(|label| **label).count() as f64;
    let rate = (positives + 0.5) / (labels.len() as f64 + 1.0);
    Linear {
        intercept: (rate / (1.0 - rate)).ln(),
        weights: vec![0.0; width],
    }
}

/// Halves a step until the loss does not rise.
fn damped(linear: &Linear, step: &[f64], loss: impl Fn(&Linear) -> f64, known: f64) -> Option<(Linear, f64)> {
    let mut factor = 1.0;
    for _ in 0..30 {
        let weights = linear
            .weights
            .iter()
            .zip(&step[1..])
            .map(|(weight, part)| weight - factor * part)
            .collect();
        let next = Linear {
            intercept: linear.intercept - factor * step[0],
            weights,
        };
        let lower = loss(&next);
        if lower <= known {
            return Some((next, lower));
        }
        factor /= 2.0;
    }
    None
}

fn penalised(inputs: &[f64], width: usize, labels: &[bool], ridge: f64, linear: &Linear) -> f64 {
    let penalty = 0.5 * ridge * linear.weights.iter().map(|weight| weight * weight).sum::<f64>();
    rows(inputs, width, labels)
        .map(|(row, label)| row_log_loss(label, sigmoid(linear.margin(row))))
        .sum::<f64>()
        + penalty
}

/// The Newton step: intercept first. `None` when the curvature cannot be inverted.
fn newton(inputs: &[f64], width: usize, labels: &[bool], ridge: f64, linear: &Linear) -> Option<Vec<f64>> {
    let size = width + 1;
    let mut gradient = vec![0.0; size];
    let mut curvature = vec![0.0; size * size];
    for (row, label) in rows(inputs, width, labels) {
        let p = sigmoid(linear.margin(row));
        let (slope, bend) = (p - f64::from(u8::from(label)), p * (1.0 - p));
        gradient[0] += slope;
        curvature[0] += bend;
        for (i, value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            gradient[i + 1] += slope * value;
            let line = &mut curvature[(i + 1) * size..(i + 1) * size + i + 2];
            let bent = bend * value;
            line[0] += bent;
            for (cell, other) in line[1..].iter_mut().zip(row) {
                *cell += bent * other;
            }
        }
    }
    for i in 1..size {
        gradient[i] += ridge * linear.weights[i - 1];
        // The floor keeps an input that never varies (or repeats another) from making the curvature singular.
        curvature[i * size + i] += ridge.max(1e-9);
    }
    solve(curvature, gradient, size)
}

fn rows<'a>(inputs: &'a [f64], width: usize, labels: &'a [bool]) -> impl Iterator<Item = (&'a [f64], bool)> {
    labels
        .iter()
        .enumerate()
        .map(move |(row, label)| (&inputs[row * width..(row + 1) * width], *label))
}

/// Solves A·x = b for a symmetric positive A of which the lower half is given, by Cholesky.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    for j in 0..size {
        for i in j..size {
            let inner: f64 = (0..j).map(|k| a[i * size + k] * a[j * size + k]).sum();
            let rest = a[i * size + j] - inner;
            if i == j {
                if !(rest > 0.0 && rest.is_finite()) {
                    return None;
                }
                a[j * size + j] = rest.sqrt();
            } else {
                a[i * size + j] = rest / a[j * size + j];
            }
        }
    }
    for i in 0..size {
        let inner: f64 = (0..i).map(|k| a[i * size + k] * b[k]).sum();
        b[i] = (b[i] - inner) / a[i * size + i];
    }
    for i in (0..size).rev() {
        let inner: f64 = (i + 1..size).map(|k| a[k * size + i] * b[k]).sum();
        b[i] = (b[i] - inner) / a[i * size + i];
    }
    Some(b)
}
