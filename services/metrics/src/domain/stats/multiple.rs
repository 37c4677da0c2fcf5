//! Several questions at once: p-values corrected for their number.

/// p-values adjusted by Holm's step-down method, in the order given: the chance of any false claim stays below the
/// level that they are compared with.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let count = p.len();
    let mut adjusted = vec![1.0; count];
    let mut highest = 0.0_f64;
    for (rank, index) in ascending(p).into_iter().enumerate() {
        highest = highest.max(((count - rank) as f64 * p[index]).min(1.0));
        adjusted[index] = highest;
    }
    adjusted
}

/// p-values adjusted by Benjamini and Hochberg's step-up method, in the order given: the expected share of false ones
/// among the claims stays below the level.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let count = p.len();
    let mut adjusted = vec![1.0; count];
    let mut lowest = 1.0_f64;
    for (rank, index) in ascending(p).into_iter().enumerate().rev() {
        lowest = lowest.min(p[index] * count as f64 / (rank + 1) as f64);
        adjusted[index] = lowest;
    }
    adjusted
}

/// p-values times their number.
pub fn bonferroni(p: &[f64]) -> Vec<f64> {
    p.iter().map(|value| (value * p.len() as f64).min(1.0)).collect()
}

fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}
