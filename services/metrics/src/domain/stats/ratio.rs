//! Ratios of sums over accounts, such as NRR: both sums vary together.

use super::{Interval, dist::normal_critical, dist::normal_two_sided};

/// A ratio of sums with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Σ numerator / Σ denominator.
    pub value: f64,
    /// Standard error by linearisation, `√(n/(n−1) Σ(e − R s)²) / Σ s`; 0 for one account.
    pub se: f64,
    /// Accounts.
    pub n: usize,
}

impl Ratio {
    /// Of pairs (denominator, numerator). `None` when the denominators sum to nothing.
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let below: f64 = pairs.iter().map(|pair| pair.0).sum();
        let above: f64 = pairs.iter().map(|pair| pair.1).sum();
        if below <= 0.0 {
            return None;
        }
        let (value, n) = (above / below, pairs.len());
        let squares: f64 = pairs.iter().map(|(s, e)| (e - value * s).powi(2)).sum();
        let correction = if n > 1 { n as f64 / (n - 1) as f64 } else { 0.0 };
        Some(Self {
            value,
            se: (correction * squares).sqrt() / below,
            n,
        })
    }

    /// Interval at confidence `1 - alpha`.
    pub fn interval(self, alpha: f64) -> Interval {
        Interval::around(self.value, normal_critical(alpha) * self.se)
    }
}

/// Standard error of the ratio by leaving one account out at a time; `None` below two accounts.
pub fn jackknife_se(pairs: &[(f64, f64)]) -> Option<f64> {
    let below: f64 = pairs.iter().map(|pair| pair.0).sum();
    let above: f64 = pairs.iter().map(|pair| pair.1).sum();
    let without = pairs.iter().map(|(s, e)| (above - e) / (below - s));
    let sample = super::sample::Sample::of(without);
    let n = pairs.len() as f64;
    let se = ((n - 1.0) / n * sample.squares()).sqrt();
    (pairs.len() > 1 && se.is_finite()).then_some(se)
}

/// A difference of two ratios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioDifference {
    /// Treatment − control.
    pub difference: f64,
    /// Standard error.
    pub se: f64,
    /// Two-sided p-value; 1 without spread.
    pub p: f64,
}

impl RatioDifference {
    /// Of two arms.
    pub fn of(control: Ratio, treatment: Ratio) -> Self {
        let difference = treatment.value - control.value;
        let se = control.se.hypot(treatment.se);
        let p = if se > 0.0 {
            normal_two_sided(difference / se)
        } else {
            1.0
        };
        Self { difference, se, p }
    }

    /// Interval at confidence `1 - alpha`.
    pub fn interval(self, alpha: f64) -> Interval {
        Interval::around(self.difference, normal_critical(alpha) * self.se)
    }
}
