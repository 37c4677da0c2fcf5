//! The sample-ratio gate: when accounts are not split as designed, the assignment is broken and no number is given.

use super::dist::chi_square_sf;

/// Below this p-value no effect is told (K-10).
pub const SRM_P: f64 = 0.001;

/// A test of sample ratios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Srm {
    /// The chi-square statistic.
    pub chi_square: f64,
    /// Degrees of freedom: arms − 1.
    pub dof: u32,
    /// p-value.
    pub p: f64,
}

impl Srm {
    /// Whether the split is not the designed one.
    pub fn is_broken(&self) -> bool {
        self.p < SRM_P
    }
}

/// Accounts observed in each arm against the arms' designed weights, which need not sum to 1. `None` without accounts,
/// for fewer than two arms, for lists of unequal length or weights that are not positive.
pub fn srm(observed: &[u64], weights: &[f64]) -> Option<Srm> {
    let total = observed.iter().sum::<u64>() as f64;
    let weight: f64 = weights.iter().sum();
    let usable = observed.len() == weights.len()
        && observed.len() > 1
        && total > 0.0
        && weights.iter().all(|weight| *weight > 0.0 && weight.is_finite());
    if !usable {
        return None;
    }
    let chi_square = observed.iter().zip(weights).map(|(count, share)| {
        let expected = total * share / weight;
        (*count as f64 - expected).powi(2) / expected
    });
    let chi_square = chi_square.sum();
    let dof = u32::try_from(observed.len() - 1).unwrap_or(u32::MAX);
    Some(Srm {
        chi_square,
        dof,
        p: chi_square_sf(chi_square, dof),
    })
}
