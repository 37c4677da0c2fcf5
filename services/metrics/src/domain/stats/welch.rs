//! Means of two arms whose variances differ.

use super::{
    Interval,
    dist::{t_critical, t_two_sided},
    sample::Sample,
};

/// Welch's test of treatment − control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// Difference of the means.
    pub difference: f64,
    /// Its standard error.
    pub se: f64,
    /// The statistic; infinite for a difference without any spread.
    pub t: f64,
    /// Degrees of freedom (Satterthwaite).
    pub dof: f64,
    /// Two-sided p-value; 1 when there is neither difference nor spread.
    pub p: f64,
}

impl Welch {
    /// The interval at confidence `1 - alpha`.
    pub fn interval(&self, alpha: f64) -> Interval {
        Interval::around(self.difference, t_critical(alpha, self.dof) * self.se)
    }
}

/// `None` when an arm has fewer than two observations.
pub fn welch(control: Sample, treatment: Sample) -> Option<Welch> {
    let parts = [control, treatment].map(|arm| Some((arm.variance()? / arm.n() as f64, arm.n() as f64 - 1.0)));
    let [Some((v0, d0)), Some((v1, d1))] = parts else {
        return None;
    };
    let difference = treatment.mean() - control.mean();
    let variance = v0 + v1;
    let dof = satterthwaite((v0, d0), (v1, d1));
    let se = variance.sqrt();
    let t = if se > 0.0 {
        difference / se
    } else if difference == 0.0 {
        0.0
    } else {
        difference.signum() * f64::INFINITY
    };
    Some(Welch {
        difference,
        se,
        t,
        dof,
        p: t_two_sided(t, dof),
    })
}

/// Degrees of freedom of a sum of two variances of means, each with its own degrees of freedom.
pub fn satterthwaite(first: (f64, f64), second: (f64, f64)) -> f64 {
    let sum = first.0 + second.0;
    if sum <= 0.0 {
        return first.1 + second.1;
    }
    // Shares instead of squares of variances: neither overflows nor vanishes.
    let (a, b) = (first.0 / sum, second.0 / sum);
    1.0 / (a * a / first.1 + b * b / second.1)
}
