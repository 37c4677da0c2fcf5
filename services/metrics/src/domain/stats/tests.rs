//! Golden values of well-known packages, and what holds for every sample.

mod ab;
mod counts;
mod edges;
mod permutations;
mod simulation;
mod small;

use serde_json::Value;

/// A golden file.
fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

fn cases(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap()
}

/// Within `tolerance` of `expected`, relative for numbers above 1.
#[track_caller]
fn close(actual: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = number(expected);
    let apart = (actual - expected).abs();
    let allowed = tolerance * expected.abs().max(1.0);
    assert!(apart <= allowed, "{what}: {actual} is not {expected}");
}

/// Within `tolerance` of `expected` relative to it; below 1e-14 within 1e-14.
#[track_caller]
fn relative(actual: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = number(expected);
    let apart = (actual - expected).abs();
    assert!(
        apart <= (tolerance * expected.abs()).max(1e-14),
        "{what}: {actual} is not {expected}"
    );
}

#[track_caller]
fn close_interval(actual: super::Interval, expected: &Value, tolerance: f64, what: &str) {
    close(actual.low, &expected[0], tolerance, what);
    close(actual.high, &expected[1], tolerance, what);
}

#[track_caller]
fn relative_interval(actual: super::Interval, expected: &Value, tolerance: f64, what: &str) {
    relative(actual.low, &expected[0], tolerance, what);
    relative(actual.high, &expected[1], tolerance, what);
}
