//! Statistics that the programme's claims rest on: pure, numerically stable also for tiny samples, no event, all
//! events, one observation and zero variance. Where there is no number, the answer is `None`, never a guess.
//!
//! Effects are always *treatment − control*; `control` stands first in every pair.

pub mod ab;
pub mod bootstrap;
pub mod cuped;
pub mod dist;
pub mod exact;
pub mod mde;
pub mod multiple;
pub mod permutation;
pub mod proportion;
pub mod random;
pub mod ratio;
pub mod sample;
pub mod sequential;
pub mod srm;
pub mod stratified;
pub mod survival;
pub mod welch;

#[cfg(test)]
mod tests;

/// An interval of confidence; a bound may be infinite when the data cannot exclude anything on that side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Interval {
    /// Everything: what a reading without information says.
    pub const EVERYTHING: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };

    /// From `centre - half` to `centre + half`.
    pub fn around(centre: f64, half: f64) -> Self {
        Self {
            low: centre - half,
            high: centre + half,
        }
    }

    /// Whether it contains `value`, bounds included.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Whether zero lies outside: the effect has a sign.
    pub fn excludes_zero(self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    /// Length.
    pub fn width(self) -> f64 {
        self.high - self.low
    }

    /// What both contain. Where they are apart nothing is left, and the lower bound is above the upper one.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }
}
