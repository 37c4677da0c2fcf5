//! How probable it is that an offer is accepted (M-1): the band of its motion (§5), moved by what became of the offers that
//! were sent.
//!
//! Two beta distributions, one upon the other. The motion begins at the middle of its band with the weight of so many offers,
//! and learns from the other segments; what it comes to is where the account's segment begins, with the same weight, and
//! learns from itself. A segment with few offers stays near the motion, a motion with few offers near its band, and no offer
//! counts twice.

use serde::{Deserialize, Serialize};
use statrs::function::beta::beta_reg;

use super::vocabulary::words;

#[cfg(test)]
mod tests;

/// What became of offers that were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Accepted.
    pub accepted: u32,
    /// Declined, or not answered in time.
    pub refused: u32,
}

/// What is known of a motion when an account is decided about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// In the account's segment.
    pub segment: Outcomes,
    /// In all others.
    pub others: Outcomes,
}

words! {
    /// Where a motion's acceptance lies.
    Drift, "drift" {
        /// In its band, as far as is known.
        Within = "within",
        /// Below it: an alarm.
        Below = "below",
        /// Above it: a notice.
        Above = "above",
    }
}

impl Outcomes {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            accepted: self.accepted.saturating_add(other.accepted),
            refused: self.refused.saturating_add(other.refused),
        }
    }

    /// The mean of a beta distribution that began at `mean` with the weight of `weight` offers. Without offers exactly `mean`.
    fn moved(self, mean: f64, weight: f64) -> f64 {
        let (accepted, refused) = (f64::from(self.accepted), f64::from(self.refused));
        let offers = accepted + refused;
        if offers > 0.0 {
            mean.mul_add(weight, accepted) / (weight + offers)
        } else {
            mean
        }
    }

    /// The mean for the motion as a whole, which began in the middle of `band`.
    pub fn mean(self, band: (f64, f64), weight: f64) -> f64 {
        self.moved(f64::midpoint(band.0, band.1), weight)
    }

    /// Whether the motion as a whole left its `band`: its mean lies outside, and with the probability `certainty` so does
    /// its true share. `weight` is above 0.
    pub fn drift(self, band: (f64, f64), weight: f64, certainty: f64) -> Drift {
        let (low, high) = band;
        let middle = f64::midpoint(low, high);
        let (a, b) = (
            middle.mul_add(weight, f64::from(self.accepted)),
            (1.0 - middle).mul_add(weight, f64::from(self.refused)),
        );
        if a <= 0.0 || b <= 0.0 {
            // A band of nothing or of everything, and nothing against it.
            return Drift::Within;
        }
        let mean = a / (a + b);
        if mean < low && beta_reg(a, b, low) >= certainty {
            Drift::Below
        } else if mean > high && 1.0 - beta_reg(a, b, high) >= certainty {
            Drift::Above
        } else {
            Drift::Within
        }
    }
}

impl Learned {
    /// The probability of acceptance in the account's segment. Without outcomes exactly the middle of `band`.
    pub fn acceptance(&self, band: (f64, f64), weight: f64) -> f64 {
        self.segment.moved(self.others.mean(band, weight), weight)
    }
}
