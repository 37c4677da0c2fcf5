//! Money at risk (RN-3): `MRR × churn risk × urgency`.
//!
//! Health is in the churn risk, which scoring derives from it. Urgency grows evenly from 1 at 120 days and more to 2 on
//! the renewal day, and stays there: of two accounts with the same money and risk the nearer one comes first, but a date
//! never outweighs more than twice the money.

use upswell_runtime::money::Money;

use super::stage::PIPELINE_DAYS;

const ONE: u32 = 1_000_000;

/// Probability of churn, in millionths, so that money is never multiplied by a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChurnRisk(u32);

impl ChurnRisk {
    /// From a fraction, 0 to 1; `None` for anything else.
    pub fn from_fraction(fraction: f64) -> Option<Self> {
        (0.0..=1.0)
            .contains(&fraction)
            .then(|| Self((fraction * f64::from(ONE)).round() as u32))
    }

    /// From millionths, at most one million.
    pub fn from_millionths(millionths: u32) -> Option<Self> {
        (millionths <= ONE).then_some(Self(millionths))
    }

    /// In millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }
}

/// Money at risk a month, rounded half away from zero.
pub fn at_risk(mrr: Money, risk: ChurnRisk, days_left: i32) -> Money {
    let near = PIPELINE_DAYS - days_left.clamp(0, PIPELINE_DAYS);
    let weight = i64::from(risk.0) * i64::from(PIPELINE_DAYS + near);
    let scaled = mrr.ratio(weight, i64::from(ONE) * i64::from(PIPELINE_DAYS));
    // Only an amount near the end of the range can leave it, and then it is the largest there is.
    scaled.unwrap_or(Money::new(i64::MAX, mrr.currency))
}
