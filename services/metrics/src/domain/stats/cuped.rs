//! CUPED: what an account was before takes variance out of what it is after, and leaves the effect where it was.

use super::{ab::Arm, sample::Sample};

/// An arm with values before and after, by its sufficient statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Paired {
    /// After.
    pub post: Sample,
    /// Before.
    pub pre: Sample,
    /// Σ (post − its mean)(pre − its mean).
    products: f64,
}

impl Paired {
    /// Of pairs (before, after), in one pass.
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut paired = Self::default();
        for (pre, post) in pairs {
            paired = paired.merge(Self {
                post: Sample::of([post]),
                pre: Sample::of([pre]),
                products: 0.0,
            });
        }
        paired
    }

    /// Of sufficient statistics and the sum of products of both values.
    pub fn from_sums(post: Sample, pre: Sample, sum_of_products: f64) -> Self {
        let products = sum_of_products - post.mean() * pre.mean() * post.n() as f64;
        Self { post, pre, products }
    }

    /// Both arms as one.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let n = self.post.n() + other.post.n();
        let apart = (other.post.mean() - self.post.mean()) * (other.pre.mean() - self.pre.mean());
        let between = if n == 0 {
            0.0
        } else {
            apart * self.post.n() as f64 * (other.post.n() as f64 / n as f64)
        };
        Self {
            post: self.post.merge(other.post),
            pre: self.pre.merge(other.pre),
            products: self.products + other.products + between,
        }
    }

    /// Covariance of before and after; `None` below two observations.
    pub fn covariance(self) -> Option<f64> {
        (self.post.n() > 1).then(|| self.products / (self.post.n() - 1) as f64)
    }

    /// Correlation of before and after; `None` without spread on a side.
    pub fn correlation(self) -> Option<f64> {
        let spread = (self.post.squares() * self.pre.squares()).sqrt();
        (spread > 0.0).then(|| (self.products / spread).clamp(-1.0, 1.0))
    }

    /// The arm after taking `theta` times what it was before out.
    pub fn adjusted(self, theta: f64) -> Arm {
        let squares = self.post.squares() + theta * theta * self.pre.squares() - 2.0 * theta * self.products;
        let n = self.post.n();
        Arm {
            n,
            mean: self.post.mean() - theta * self.pre.mean(),
            variance: if n > 1 { squares.max(0.0) / (n - 1) as f64 } else { 0.0 },
            raw_mean: self.post.mean(),
        }
    }
}

/// The coefficient out of all observations at once, as GrowthBook takes it; 0 when nothing varied before.
pub fn theta_joined(arms: &[Paired]) -> f64 {
    let all = arms.iter().copied().fold(Paired::default(), Paired::merge);
    quotient(all.products, all.pre.squares())
}

/// The coefficient out of what varied within the cells (arm × stratum) alone, so that neither an effect nor a stratum
/// bends it; 0 when nothing varied before.
pub fn theta_within(cells: &[Paired]) -> f64 {
    let products: f64 = cells.iter().map(|cell| cell.products).sum();
    quotient(products, cells.iter().map(|cell| cell.pre.squares()).sum())
}

fn quotient(products: f64, squares: f64) -> f64 {
    let theta = products / squares;
    if squares > 0.0 && theta.is_finite() { theta } else { 0.0 }
}
