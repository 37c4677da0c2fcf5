//! Two arms by their means: absolute or relative difference; fixed horizon, always valid, or Bayesian with a flat
//! prior. The relative difference is `(treatment − control) / control` with the variance of the delta method.

use super::{
    Interval,
    dist::{normal_critical, normal_pdf, normal_sf, t_critical, t_two_sided},
    sample::Sample,
    sequential::ConfidenceSequence,
    welch::satterthwaite,
};

/// One arm: a mean with its variance, also an adjusted one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arm {
    /// Observations.
    pub n: u64,
    /// Mean, adjusted when CUPED is used.
    pub mean: f64,
    /// Variance of one observation.
    pub variance: f64,
    /// Mean before the adjustment: the base of relative differences.
    pub raw_mean: f64,
}

impl Arm {
    /// A share: its variance is `p (1 - p)`.
    pub fn proportion(x: u64, n: u64) -> Self {
        let p = if n == 0 { 0.0 } else { x as f64 / n as f64 };
        Self {
            n,
            mean: p,
            variance: p * (1.0 - p),
            raw_mean: p,
        }
    }

    /// A mean; without variance below two observations.
    pub fn mean(sample: Sample) -> Self {
        Self {
            n: sample.n(),
            mean: sample.mean(),
            variance: sample.variance().unwrap_or_default(),
            raw_mean: sample.mean(),
        }
    }
}

/// How the arms are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// In the unit of the mean.
    Absolute,
    /// As a share of the control's mean.
    Relative,
}

/// A difference with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Treatment − control, absolute or relative.
    pub estimate: f64,
    /// Standard error, above 0.
    pub se: f64,
    /// Degrees of freedom.
    pub dof: f64,
    /// Observations of both arms.
    pub n: u64,
}

/// What a Bayesian with a flat prior says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    /// Probability that treatment is better.
    pub chance_to_win: f64,
    /// 95 % credible interval, or another as asked.
    pub interval: Interval,
    /// Expected loss of keeping control.
    pub risk_of_control: f64,
    /// Expected loss of taking treatment.
    pub risk_of_treatment: f64,
}

/// The effect; `None` with fewer than two observations or no variance in an arm (an arm in which all are alike so far is
/// not a certain one), or relative to nothing.
pub fn effect(control: Arm, treatment: Arm, difference: Difference) -> Option<Effect> {
    let told = |arm: Arm| arm.n >= 2 && arm.variance > 0.0;
    if !told(control) || !told(treatment) {
        return None;
    }
    let (v0, v1) = (
        control.variance / control.n as f64,
        treatment.variance / treatment.n as f64,
    );
    let apart = treatment.mean - control.mean;
    let (estimate, variance) = match difference {
        Difference::Absolute => (apart, v0 + v1),
        Difference::Relative => {
            let (base, ratio) = (control.raw_mean, treatment.raw_mean / control.raw_mean);
            (apart / base, (v1 + v0 * ratio * ratio) / (base * base))
        }
    };
    let usable = estimate.is_finite() && variance.is_finite();
    usable.then(|| Effect {
        estimate,
        se: variance.sqrt(),
        dof: satterthwaite((v0, control.n as f64 - 1.0), (v1, treatment.n as f64 - 1.0)),
        n: control.n + treatment.n,
    })
}

impl Effect {
    /// The statistic of Welch's test.
    pub fn t(&self) -> f64 {
        self.estimate / self.se
    }

    /// Two-sided p-value at a fixed horizon.
    pub fn p(&self) -> f64 {
        t_two_sided(self.t(), self.dof)
    }

    /// Interval at a fixed horizon.
    pub fn interval(&self, alpha: f64) -> Interval {
        Interval::around(self.estimate, t_critical(alpha, self.dof) * self.se)
    }

    /// Interval that holds at every look at once. `tuning` is the number of observations at which it is tightest.
    pub fn always_valid(&self, alpha: f64, tuning: f64) -> Interval {
        let sequence = ConfidenceSequence::tuned(alpha, tuning);
        Interval::around(self.estimate, sequence.critical(self.n as f64) * self.se)
    }

    /// p-value that holds at every look at once.
    pub fn always_valid_p(&self, alpha: f64, tuning: f64) -> f64 {
        ConfidenceSequence::tuned(alpha, tuning).p(self.t(), self.n as f64)
    }

    /// The posterior under a flat prior, normal with the standard error.
    pub fn posterior(&self, alpha: f64) -> Posterior {
        let z = self.t();
        let loss = |z: f64| self.se * (normal_pdf(z) + z * normal_sf(-z)).max(0.0);
        Posterior {
            chance_to_win: normal_sf(-z),
            interval: Interval::around(self.estimate, normal_critical(alpha) * self.se),
            risk_of_control: loss(z),
            risk_of_treatment: loss(-z),
        }
    }
}
