//! Proportions, and differences of two.

use super::{
    Interval,
    dist::{beta_quantile, chi_square_sf, normal_critical, normal_two_sided},
};

/// `x` of `n`; `x ≤ n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    /// How many did.
    pub x: u64,
    /// Of how many.
    pub n: u64,
}

impl Proportion {
    /// `x` of `n`; more than `n` count as `n`.
    pub fn new(x: u64, n: u64) -> Self {
        Self { x: x.min(n), n }
    }

    /// The share; 0 of none.
    pub fn rate(self) -> f64 {
        if self.n == 0 {
            0.0
        } else {
            self.x as f64 / self.n as f64
        }
    }

    /// `p (1 - p) / n`.
    fn unpooled(self) -> f64 {
        let p = self.rate();
        p * (1.0 - p) / self.n as f64
    }

    /// Wilson's score interval at confidence `1 - alpha`; `[0, 1]` of none.
    pub fn wilson(self, alpha: f64) -> Interval {
        if self.n == 0 {
            return Interval { low: 0.0, high: 1.0 };
        }
        let (n, p, z) = (self.n as f64, self.rate(), normal_critical(alpha));
        let q = z * z;
        let centre = (p + q / (2.0 * n)) / (1.0 + q / n);
        let half = z * (p * (1.0 - p) / n + q / (4.0 * n * n)).sqrt() / (1.0 + q / n);
        Interval {
            low: if self.x == 0 { 0.0 } else { (centre - half).max(0.0) },
            high: if self.x == self.n {
                1.0
            } else {
                (centre + half).min(1.0)
            },
        }
    }

    /// The exact interval of Clopper and Pearson: covers at least `1 - alpha` whatever the true share.
    pub fn clopper_pearson(self, alpha: f64) -> Interval {
        let (x, rest) = (self.x as f64, (self.n - self.x) as f64);
        Interval {
            low: if self.x == 0 {
                0.0
            } else {
                beta_quantile(alpha / 2.0, x, rest + 1.0)
            },
            high: if self.x == self.n {
                1.0
            } else {
                beta_quantile(1.0 - alpha / 2.0, x + 1.0, rest)
            },
        }
    }
}

/// Two arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoProportions {
    /// Control.
    pub control: Proportion,
    /// Treatment.
    pub treatment: Proportion,
}

/// A statistic with its two-sided p-value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// The statistic, standard normal under the null.
    pub z: f64,
    /// `P(|Z| > |z|)`.
    pub p: f64,
}

impl Test {
    fn of(difference: f64, variance: f64) -> Option<Self> {
        let z = difference / variance.sqrt();
        (variance > 0.0 && z.is_finite()).then(|| Self {
            z,
            p: normal_two_sided(z),
        })
    }
}

impl TwoProportions {
    /// Treatment − control.
    pub fn difference(self) -> f64 {
        self.treatment.rate() - self.control.rate()
    }

    /// Standard error with each arm's own share; `None` when an arm is empty.
    pub fn se_unpooled(self) -> Option<f64> {
        self.both()
            .then(|| (self.treatment.unpooled() + self.control.unpooled()).sqrt())
    }

    /// The pooled z-test; `None` when the pooled share is 0 or 1.
    pub fn pooled(self) -> Option<Test> {
        let (n1, n0) = (self.treatment.n as f64, self.control.n as f64);
        let p = (self.treatment.x + self.control.x) as f64 / (n1 + n0);
        Test::of(self.difference(), p * (1.0 - p) * (1.0 / n1 + 1.0 / n0))
    }

    /// The unpooled z-test.
    pub fn unpooled(self) -> Option<Test> {
        Test::of(self.difference(), self.se_unpooled()?.powi(2))
    }

    /// Wald's interval.
    pub fn wald(self, alpha: f64) -> Option<Interval> {
        Some(Interval::around(
            self.difference(),
            normal_critical(alpha) * self.se_unpooled()?,
        ))
    }

    /// Newcombe's hybrid score interval, out of both arms' Wilson intervals (K-10). Defined also for empty arms.
    pub fn newcombe(self, alpha: f64) -> Interval {
        let (p1, p0) = (self.treatment.rate(), self.control.rate());
        let (one, zero) = (self.treatment.wilson(alpha), self.control.wilson(alpha));
        Interval {
            low: p1 - p0 - (p1 - one.low).hypot(zero.high - p0),
            high: p1 - p0 + (one.high - p1).hypot(p0 - zero.low),
        }
    }

    /// Agresti and Caffo's interval: Wald's after one success and one failure more in each arm.
    pub fn agresti_caffo(self, alpha: f64) -> Interval {
        let more = |arm: Proportion| Proportion::new(arm.x + 1, arm.n + 2);
        let adjusted = Self {
            control: more(self.control),
            treatment: more(self.treatment),
        };
        let se = (adjusted.treatment.unpooled() + adjusted.control.unpooled()).sqrt();
        Interval::around(adjusted.difference(), normal_critical(alpha) * se)
    }

    /// Miettinen and Nurminen's score interval; `None` when an arm is empty.
    pub fn score(self, alpha: f64) -> Option<Interval> {
        self.both().then(|| super::exact::score_interval(self, alpha))
    }

    /// Treatment / control; `None` without events in the control.
    pub fn risk_ratio(self) -> Option<f64> {
        (self.both() && self.control.x > 0).then(|| self.treatment.rate() / self.control.rate())
    }

    /// The log interval of the risk ratio and the p-value of "it is 1"; `None` when an arm has no event.
    pub fn risk_ratio_log(self, alpha: f64) -> Option<(Interval, f64)> {
        let ratio = self.risk_ratio().filter(|ratio| *ratio > 0.0)?;
        let part = |arm: Proportion| 1.0 / arm.x as f64 - 1.0 / arm.n as f64;
        let se = (part(self.treatment) + part(self.control)).sqrt();
        let spread = (normal_critical(alpha) * se).exp();
        let p = if se > 0.0 {
            normal_two_sided(ratio.ln() / se)
        } else {
            1.0
        };
        let interval = Interval {
            low: ratio / spread,
            high: ratio * spread,
        };
        Some((interval, p))
    }

    /// Pearson's chi-square of the table: p-value with one degree of freedom.
    pub fn chi_square(self) -> Option<f64> {
        self.pooled().map(|test| chi_square_sf(test.z * test.z, 1))
    }

    fn both(self) -> bool {
        self.control.n > 0 && self.treatment.n > 0
    }
}
