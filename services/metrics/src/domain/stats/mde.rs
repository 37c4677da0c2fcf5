//! What an experiment of a size could find at all.

use super::dist::{normal_critical, normal_quantile, normal_sf};

/// Sizes and error rates of a two-sided comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// Accounts in control.
    pub control: u64,
    /// Accounts in treatment.
    pub treatment: u64,
    /// Two-sided error rate.
    pub alpha: f64,
    /// Probability to find an effect that is there.
    pub power: f64,
}

impl Design {
    /// Five percent and four in five, as usual.
    pub fn of(control: u64, treatment: u64) -> Self {
        Self {
            control,
            treatment,
            alpha: 0.05,
            power: 0.8,
        }
    }

    fn inverse_sizes(self) -> f64 {
        1.0 / self.control as f64 + 1.0 / self.treatment as f64
    }

    fn is_empty(self) -> bool {
        self.control == 0 || self.treatment == 0
    }

    /// The smallest difference of means that is found, with standard deviation `sd` and correlation `rho` between the
    /// periods before and after, which CUPED takes out. `None` for an empty arm.
    pub fn mean(self, sd: f64, rho: f64) -> Option<f64> {
        if self.is_empty() {
            return None;
        }
        let quantiles = normal_critical(self.alpha) + normal_quantile(self.power);
        let left = (sd * sd * (1.0 - rho * rho)).max(0.0).sqrt();
        Some(quantiles * left * self.inverse_sizes().sqrt())
    }

    /// The smallest rise above the control's share `base` that is found; `None` when not even all would be.
    pub fn rise(self, base: f64) -> Option<f64> {
        self.proportion(base, 1.0 - base, 1.0)
    }

    /// The smallest fall below `base` that is found; `None` when not even none would be.
    pub fn fall(self, base: f64) -> Option<f64> {
        self.proportion(base, base, -1.0)
    }

    /// Whether a change of the share from `base` to `other` is found with the power of the design.
    pub fn finds(self, base: f64, other: f64) -> bool {
        !self.is_empty() && self.excess(base, other) >= 0.0
    }

    /// `|p1 - p0|` less what is needed to find it.
    fn excess(self, p0: f64, p1: f64) -> f64 {
        let (n0, n1) = (self.control as f64, self.treatment as f64);
        let pooled = (n0 * p0 + n1 * p1) / (n0 + n1);
        let null = (pooled * (1.0 - pooled) * self.inverse_sizes()).max(0.0).sqrt();
        let own = (p1 * (1.0 - p1) / n1 + p0 * (1.0 - p0) / n0).max(0.0).sqrt();
        (p1 - p0).abs() - normal_critical(self.alpha) * null - normal_quantile(self.power) * own
    }

    fn proportion(self, base: f64, room: f64, sign: f64) -> Option<f64> {
        if self.is_empty() || !(0.0..=1.0).contains(&base) || room <= 0.0 {
            return None;
        }
        let excess = |change: f64| self.excess(base, (base + sign * change).clamp(0.0, 1.0));
        // The first crossing: steps find its bracket, bisection its place.
        const STEPS: u32 = 2_000;
        let at = |step: u32| room * f64::from(step) / f64::from(STEPS);
        let found = (1..=STEPS).find(|step| excess(at(*step)) >= 0.0)?;
        let (mut low, mut high) = (at(found - 1), at(found));
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if excess(middle) >= 0.0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(high)
    }

    /// The fewest accounts in all, with this share of them in control, by which a change of the share from `base` to
    /// `other` is found; `None` when no number of them would do.
    pub fn accounts_needed(self, base: f64, other: f64, share: f64) -> Option<u64> {
        if base == other || share <= 0.0 || share >= 1.0 {
            return None;
        }
        // Without rounding: all terms go with 1/N, so N is closed.
        let pooled = share * base + (1.0 - share) * other;
        let null = (pooled * (1.0 - pooled) * (1.0 / share + 1.0 / (1.0 - share))).sqrt();
        let own = (other * (1.0 - other) / (1.0 - share) + base * (1.0 - base) / share).sqrt();
        let root = (normal_critical(self.alpha) * null + normal_quantile(self.power) * own) / (other - base).abs();
        let needed = (root * root).ceil();
        needed.is_finite().then_some(needed as u64)
    }
}

/// Power of the two-sided test of an effect `h` (Cohen's, `2 asin √p1 − 2 asin √p0`, or a standardised mean) with
/// `control` accounts there and `ratio` times as many in treatment.
pub fn power_of_effect(h: f64, control: f64, ratio: f64, alpha: f64) -> f64 {
    let se = (1.0 / control + 1.0 / (control * ratio)).sqrt();
    let (shift, limit) = (h / se, normal_critical(alpha));
    normal_sf(limit - shift) + normal_sf(limit + shift)
}
