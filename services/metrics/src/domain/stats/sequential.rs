//! Answers that stay true however often one looks.

use super::{
    Interval,
    proportion::{Proportion, TwoProportions},
};

/// A sequential probability ratio test mixed over normal effects (Johari and others): valid at all looks together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Msprt {
    /// Variance of the effects mixed over, above 0: the square of the effect that matters.
    pub tau2: f64,
    /// Error rate over all looks together.
    pub alpha: f64,
}

/// What one look gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Estimated difference.
    pub difference: f64,
    /// Its estimated variance.
    pub variance: f64,
    /// The likelihood ratio; infinite beyond what a number holds.
    pub lambda: f64,
    /// `min(1, 1 / lambda)` of this look.
    pub p: f64,
    /// Interval of this look; everything when there is no variance yet.
    pub interval: Interval,
}

impl Msprt {
    /// A look at a difference with its variance. Without variance nothing is known yet.
    pub fn look(self, difference: f64, variance: f64) -> Look {
        let Self { tau2, alpha } = self;
        let usable = variance > 0.0 && variance.is_finite() && difference.is_finite();
        if !usable {
            return Look {
                difference,
                variance,
                lambda: 1.0,
                p: 1.0,
                interval: Interval::EVERYTHING,
            };
        }
        let sum = variance + tau2;
        let log = 0.5 * (variance / sum).ln() + tau2 * difference * difference / (2.0 * variance * sum);
        let half = (variance * sum / tau2 * (-2.0 * alpha.ln() + (sum / variance).ln())).sqrt();
        Look {
            difference,
            variance,
            lambda: log.exp(),
            p: (-log).exp().min(1.0),
            interval: Interval::around(difference, half),
        }
    }

    /// A look at two shares with the plug-in variance `p (1 - p) / n` of each.
    pub fn look_at_shares(self, arms: TwoProportions) -> Look {
        let variance = arms.se_unpooled().map_or(0.0, |se| se * se);
        self.look(arms.difference(), variance)
    }

    /// A look at two shares that is safe from the first account on: one event and one more without is added to each
    /// arm where the variance is estimated, so that an arm without events does not pass for a certain one.
    pub fn look_safely(self, arms: TwoProportions) -> Look {
        let part = |arm: Proportion| {
            let p = (arm.x as f64 + 1.0) / (arm.n as f64 + 2.0);
            p * (1.0 - p) / arm.n as f64
        };
        self.look(arms.difference(), part(arms.control) + part(arms.treatment))
    }
}

/// The running answer over looks: the smallest p-value and what all intervals have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Running {
    /// Smallest p-value so far.
    pub p: f64,
    /// What all intervals so far have in common.
    pub interval: Interval,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            p: 1.0,
            interval: Interval::EVERYTHING,
        }
    }
}

impl Running {
    /// With one look more.
    #[must_use]
    pub fn and(self, look: &Look) -> Self {
        Self {
            p: self.p.min(look.p),
            interval: self.interval.intersect(look.interval),
        }
    }
}

/// An asymptotic confidence sequence (Waudby-Smith and others), in units of the standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfidenceSequence {
    rho: f64,
    alpha: f64,
}

impl ConfidenceSequence {
    /// The sequence that is tightest at `tuning` observations.
    pub fn tuned(alpha: f64, tuning: f64) -> Self {
        let twice = -2.0 * alpha.ln();
        Self {
            rho: ((twice + (twice + 1.0).ln()) / tuning).sqrt(),
            alpha,
        }
    }

    /// The tuned parameter.
    pub fn rho(self) -> f64 {
        self.rho
    }

    /// By how many standard errors an estimate of `n` observations may be off.
    pub fn critical(self, n: f64) -> f64 {
        let square = n * self.rho * self.rho;
        let log = 0.5 * square.ln_1p() - self.alpha.ln();
        (2.0 * (square + 1.0) / square * log).sqrt()
    }

    /// Always-valid p-value of an estimate `z` standard errors from zero.
    pub fn p(self, z: f64, n: f64) -> f64 {
        let square = n * self.rho * self.rho;
        let log = square * z * z / (2.0 * (square + 1.0)) - 0.5 * square.ln_1p();
        (-log).exp().min(1.0)
    }
}

/// The part of the error rate `alpha` that the reading with this number (from 1) may use: `alpha / (k (k + 1))`. All
/// parts sum to `alpha`, so that readings may go on for ever, whatever depends on what.
pub fn spent_at(alpha: f64, reading: u32) -> f64 {
    let k = f64::from(reading.max(1));
    alpha / (k * (k + 1.0))
}
