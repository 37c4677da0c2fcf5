//! The bootstrap: an interval for any statistic of resampled units.

use super::{Interval, random::Draws};

/// What resampling says of a statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Percentile interval.
    pub interval: Interval,
    /// Standard deviation over the draws.
    pub se: f64,
}

/// Percentile bootstrap of `statistic`, which is given how often each of `n` units was drawn. `None` without units, or
/// below 20 usable draws. The same seed gives the same answer.
pub fn bootstrap(
    n: usize,
    draws: usize,
    alpha: f64,
    seed: u64,
    statistic: impl Fn(&[u32]) -> Option<f64>,
) -> Option<Bootstrap> {
    if n == 0 {
        return None;
    }
    let mut chance = Draws::of(seed);
    let mut times = vec![0_u32; n];
    let mut found = Vec::with_capacity(draws);
    for _ in 0..draws {
        times.fill(0);
        for _ in 0..n {
            times[chance.below(n)] += 1;
        }
        found.extend(statistic(&times).filter(|value| value.is_finite()));
    }
    if found.len() < 20 {
        return None;
    }
    found.sort_by(f64::total_cmp);
    let se = super::sample::Sample::of(found.iter().copied()).variance()?.sqrt();
    let interval = Interval {
        low: quantile(&found, alpha / 2.0),
        high: quantile(&found, 1.0 - alpha / 2.0),
    };
    Some(Bootstrap { interval, se })
}

/// The quantile of sorted values, linear between them; of nothing it is not a number.
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = p.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    let weight = at - at.floor();
    sorted[below] + (sorted[above] - sorted[below]) * weight
}
