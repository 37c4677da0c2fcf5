//! How sure NRR and GRR are: they are ratios of sums over accounts, so a few large accounts can carry them.

/// An account's MRR at both ends; any unit, all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccountRetention {
    /// At the start, above zero.
    pub start: f64,
    /// At the end.
    pub end: f64,
}

/// A ratio of sums with its uncertainty; 95 % intervals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioEstimate {
    /// Σ numerator / Σ denominator.
    pub value: f64,
    /// Standard error by linearisation.
    pub delta_se: f64,
    /// value ± 1.96 × `delta_se`.
    pub delta_interval: (f64, f64),
    /// Standard error by leaving out one account at a time.
    pub jackknife_se: f64,
}

/// A percentile interval out of resampled accounts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// 2.5 % and 97.5 % of the resampled ratios.
    pub interval: (f64, f64),
    /// Their standard deviation.
    pub se: f64,
}

/// The quantile of a normal distribution for 95 %.
const Z95: f64 = 1.959_963_984_540_054;

/// Pairs (start, end) for NRR.
pub fn net_pairs(accounts: &[AccountRetention]) -> Vec<(f64, f64)> {
    let active = accounts.iter().filter(|account| account.start > 0.0);
    active.map(|account| (account.start, account.end)).collect()
}

/// Pairs (start, min(end, start)) for GRR.
pub fn gross_pairs(accounts: &[AccountRetention]) -> Vec<(f64, f64)> {
    let active = accounts.iter().filter(|account| account.start > 0.0);
    active
        .map(|account| (account.start, account.end.min(account.start)))
        .collect()
}

/// Share of the accounts that pay at the end.
pub fn logo_retention(accounts: &[AccountRetention]) -> Option<f64> {
    let active: Vec<_> = accounts.iter().filter(|account| account.start > 0.0).collect();
    let kept = active.iter().filter(|account| account.end > 0.0).count();
    (!active.is_empty()).then(|| kept as f64 / active.len() as f64)
}

/// The ratio over (denominator, numerator) pairs; `None` for fewer than two pairs or denominators that sum up to 0.
pub fn ratio(pairs: &[(f64, f64)]) -> Option<RatioEstimate> {
    let n = pairs.len() as f64;
    let (below, above) = sums(pairs);
    if pairs.len() < 2 || below <= 0.0 {
        return None;
    }
    let value = above / below;
    let residual: f64 = pairs.iter().map(|(start, end)| (end - value * start).powi(2)).sum();
    let delta_se = (n / (n - 1.0) * residual).sqrt() / below;
    let left_out = |(start, end): &(f64, f64)| (above - end) / (below - start);
    let mean = pairs.iter().map(left_out).sum::<f64>() / n;
    let spread: f64 = pairs.iter().map(|pair| (left_out(pair) - mean).powi(2)).sum();
    Some(RatioEstimate {
        value,
        delta_se,
        delta_interval: (value - Z95 * delta_se, value + Z95 * delta_se),
        jackknife_se: ((n - 1.0) / n * spread).sqrt(),
    })
}

/// The difference of two ratios and its standard error.
pub fn difference(one: RatioEstimate, other: RatioEstimate) -> (f64, f64) {
    (one.value - other.value, one.delta_se.hypot(other.delta_se))
}

/// Resamples the pairs `draws` times; the same seed gives the same interval. `None` where there is no ratio.
pub fn bootstrap(pairs: &[(f64, f64)], draws: usize, seed: u64) -> Option<Bootstrap> {
    if draws < 2 || sums(pairs).0 <= 0.0 {
        return None;
    }
    let mut state = seed;
    let mut ratios: Vec<f64> = (0..draws).filter_map(|_| resampled(pairs, &mut state)).collect();
    ratios.sort_by(f64::total_cmp);
    let n = ratios.len() as f64;
    let mean = ratios.iter().sum::<f64>() / n;
    let spread: f64 = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum();
    Some(Bootstrap {
        interval: (percentile(&ratios, 0.025)?, percentile(&ratios, 0.975)?),
        se: (spread / (n - 1.0)).sqrt(),
    })
}

fn resampled(pairs: &[(f64, f64)], state: &mut u64) -> Option<f64> {
    let (mut below, mut above) = (0.0, 0.0);
    for _ in pairs {
        let (start, end) = pairs[index(state, pairs.len())];
        below += start;
        above += end;
    }
    (below > 0.0).then(|| above / below)
}

/// SplitMix64, mapped to an index: a small generator whose sequence never changes with a dependency.
fn index(state: &mut u64, len: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    ((u128::from(mixed) * len as u128) >> 64) as usize
}

/// By linear interpolation between the neighbours.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share * (sorted.len().checked_sub(1)?) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    Some(sorted[low] + (sorted[high] - sorted[low]) * at.fract())
}

fn sums(pairs: &[(f64, f64)]) -> (f64, f64) {
    pairs
        .iter()
        .fold((0.0, 0.0), |(below, above), (start, end)| (below + start, above + end))
}
