//! Whether a motion still converts as expected (M-1).

use super::stats::dist::beta_cdf;

/// What the prior weighs, in offers.
const PRIOR_OFFERS: f64 = 20.0;
/// How sure one has to be that a motion left its band.
const SURE: f64 = 0.95;

/// The expected conversion of §5: motion, lowest and highest share that accepts.
const BANDS: [(&str, f64, f64); 8] = [
    ("tier", 0.15, 0.25),
    ("feature", 0.08, 0.15),
    ("capacity", 0.20, 0.30),
    ("adjacent", 0.10, 0.18),
    ("complementary", 0.12, 0.20),
    ("platform", 0.05, 0.12),
    ("premium_support", 0.20, 0.35),
    ("trial", 0.08, 0.20),
];

/// Where a motion stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The band.
    pub band: (f64, f64),
    /// Mean of the posterior.
    pub mean: f64,
    /// Against the band.
    pub drift: Drift,
}

/// Against the band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// Not outside for sure.
    Within,
    /// Below: an alarm.
    Below,
    /// Above: a notice.
    Above,
}

/// The posterior of `accepted` out of `settled` offers, from a beta prior around the middle of the band that weighs 20
/// offers. `None` for a motion without a band.
pub fn standing(motion: &str, accepted: i64, settled: i64) -> Option<Standing> {
    let (_, low, high) = *BANDS.iter().find(|(name, _, _)| *name == motion)?;
    let middle = f64::midpoint(low, high);
    let accepted = accepted.max(0) as f64;
    let a = middle * PRIOR_OFFERS + accepted;
    let b = (1.0 - middle) * PRIOR_OFFERS + (settled as f64 - accepted).max(0.0);
    let drift = if beta_cdf(low, a, b) >= SURE {
        Drift::Below
    } else if 1.0 - beta_cdf(high, a, b) >= SURE {
        Drift::Above
    } else {
        Drift::Within
    };
    Some(Standing {
        band: (low, high),
        mean: a / (a + b),
        drift,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_a_motion_leaves_its_band_only_on_evidence() {
        for (accepted, settled, drift) in [
            (0, 0, Drift::Within),
            (0, 5, Drift::Within),
            (0, 30, Drift::Below),
            (10, 100, Drift::Below),
            (25, 100, Drift::Within),
            (3, 3, Drift::Within),
            (9, 12, Drift::Within),
            (12, 15, Drift::Above),
            (45, 100, Drift::Above),
        ] {
            let found = standing("capacity", accepted, settled).unwrap();
            assert_eq!(found.drift, drift, "{accepted} of {settled}: {found:?}");
        }
        assert_eq!(
            standing("capacity", 0, 0).unwrap().mean,
            0.25,
            "without outcomes the prior"
        );
        assert_eq!(standing("value", 5, 5), None);
    }
}
