//! Exact tests of counts, and the score interval by inversion.

use super::{
    Interval,
    dist::{ln_binomial, normal_critical},
    proportion::TwoProportions,
};

/// Two outcomes whose probabilities differ by less than this share count as equally extreme.
const EQUAL: f64 = 1e-10;

/// Fisher's exact test, two-sided: the probability of all tables with the same margins that are at most as likely as
/// this one.
pub fn fisher(arms: TwoProportions) -> f64 {
    let (n1, n0) = (arms.treatment.n, arms.control.n);
    let events = arms.treatment.x + arms.control.x;
    let first = events.saturating_sub(n0);
    let last = events.min(n1);
    let share = events as f64 / (n1 + n0).max(1) as f64;
    let all = ln_binomial(events, n1 + n0, share);
    let log = |x: u64| ln_binomial(x, n1, share) + ln_binomial(events - x, n0, share) - all;
    // From the likeliest table outwards would save little: margins of a programme are small.
    at_most_as_likely(log(arms.treatment.x), (first..=last).map(log))
}

/// The exact binomial test, two-sided: the probability of all counts that are at most as likely as `x` of `n` when each
/// comes with probability `share`.
pub fn binomial(x: u64, n: u64, share: f64) -> f64 {
    let log = |x: u64| ln_binomial(x, n, share);
    at_most_as_likely(log(x), (0..=n).map(log))
}

/// Sum of the probabilities, told by their logarithms, that are at most the one that was `seen`.
fn at_most_as_likely(seen: f64, all: impl Iterator<Item = f64>) -> f64 {
    let extreme = all.filter(|likely| *likely <= seen + EQUAL);
    extreme.map(f64::exp).sum::<f64>().min(1.0)
}

/// Miettinen and Nurminen's interval of the difference: all differences whose score statistic, with the variance under
/// that difference and the factor `N / (N - 1)`, is not above the critical value. Both arms have observations.
pub(super) fn score_interval(arms: TwoProportions, alpha: f64) -> Interval {
    let (limit, difference) = (normal_critical(alpha), arms.difference());
    let inside = |delta: f64| score(arms, delta).abs() <= limit;
    Interval {
        low: edge(difference, -1.0, inside),
        high: edge(difference, 1.0, inside),
    }
}

/// The last value between `inner`, which is inside, and `outer`.
fn edge(inner: f64, outer: f64, inside: impl Fn(f64) -> bool) -> f64 {
    let (mut inner, mut outer) = (inner, outer);
    if inside(outer) {
        return outer;
    }
    for _ in 0..100 {
        let middle = f64::midpoint(inner, outer);
        if inside(middle) {
            inner = middle;
        } else {
            outer = middle;
        }
    }
    inner
}

fn score(arms: TwoProportions, delta: f64) -> f64 {
    let (n1, n0) = (arms.treatment.n as f64, arms.control.n as f64);
    let (p1, p0) = restricted(arms, delta);
    let total = n1 + n0;
    let variance = (p1 * (1.0 - p1) / n1 + p0 * (1.0 - p0) / n0) * total / (total - 1.0);
    let apart = arms.difference() - delta;
    if apart == 0.0 {
        return 0.0;
    }
    if variance <= 0.0 {
        return apart.signum() * f64::INFINITY;
    }
    apart / variance.sqrt()
}

/// The likeliest shares whose difference is `delta`, by the closed solution of their cubic.
fn restricted(arms: TwoProportions, delta: f64) -> (f64, f64) {
    let (n1, n0) = (arms.treatment.n as f64, arms.control.n as f64);
    let (x1, x0) = (arms.treatment.x as f64, arms.control.x as f64);
    let total = n1 + n0;
    let a = total;
    let b = (n1 + 2.0 * n0) * delta - total - (x1 + x0);
    // Miettinen and Nurminen have n0 × delta here. This is the form of statsmodels, whose figures people compare with.
    let c = (x0 * delta - total - 2.0 * x0) * delta + x1 + x0;
    let d = x0 * delta * (1.0 - delta);
    let v = b.powi(3) / (3.0 * a).powi(3) - b * c / (6.0 * a * a) + d / (2.0 * a);
    let u = ((b * b / (9.0 * a * a) - c / (3.0 * a)).max(0.0)).sqrt().copysign(v);
    let cosine = if u == 0.0 {
        0.0
    } else {
        (v / u.powi(3)).clamp(-1.0, 1.0)
    };
    let w = (std::f64::consts::PI + cosine.acos()) / 3.0;
    let p0 = (2.0 * u * w.cos() - b / (3.0 * a)).clamp(0.0, 1.0);
    ((p0 + delta).clamp(0.0, 1.0), p0)
}
