//! Money at risk (RN-3): `MRR × churn risk × urgency × weakness`.
//!
//! Weakness grows evenly from 1 at a health of 70 and more to 1.5 at 0, and is 1 while health is unknown. Urgency grows evenly from 1 at 120 days and more to 2 on
//! the renewal day, and stays there: of two accounts with the same money and risk the nearer one comes first, but a date
//! never outweighs more than twice the money.

use upswell_runtime::money::Money;

use super::schedule::PIPELINE_DAYS;

const ONE: u32 = 1_000_000;
/// Health from which an account counts as healthy (SC-2).
pub const HEALTHY: i32 = 70;

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

    /// Certainty: the customer gave notice.
    pub const fn certain() -> Self {
        Self(ONE)
    }

    /// The risk times `factor` hundredths, at most certainty.
    #[must_use]
    pub fn times(self, hundredths: u32) -> Self {
        let scaled = u64::from(self.0) * u64::from(hundredths) / 100;
        Self(u32::try_from(scaled).unwrap_or(ONE).min(ONE))
    }

    /// What is left of `amount` when it is weighed with the chance that it stays, rounded half away from zero.
    pub fn kept(self, amount: Money) -> Money {
        // At most the amount itself, so it cannot leave the range.
        amount.ratio(i64::from(ONE - self.0), ONE.into()).unwrap_or(amount)
    }

    /// In millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }
}

/// Money at risk a month, rounded half away from zero.
pub fn at_risk(mrr: Money, risk: ChurnRisk, health: Option<i32>, days_left: i32) -> Money {
    let near = PIPELINE_DAYS - days_left.clamp(0, PIPELINE_DAYS);
    let weak = HEALTHY - health.unwrap_or(HEALTHY).clamp(0, HEALTHY);
    let weight = i64::from(risk.0) * i64::from(PIPELINE_DAYS + near) * i64::from(2 * HEALTHY + weak);
    let whole = i64::from(ONE) * i64::from(PIPELINE_DAYS) * i64::from(2 * HEALTHY);
    let scaled = mrr.ratio(weight, whole);
    // Only an amount near the end of the range can leave it, and then it is the largest there is.
    scaled.unwrap_or(Money::new(i64::MAX, mrr.currency))
}
