//! A sample by its size, mean and spread.

/// Sufficient statistics of a sample. Kept as squared deviations from the mean, so that a small spread around a large
/// mean is not lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    n: u64,
    mean: f64,
    squares: f64,
}

impl Sample {
    /// Of values, in one pass (Welford).
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sample = Self::default();
        for value in values {
            sample.n += 1;
            let before = value - sample.mean;
            sample.mean += before / sample.n as f64;
            sample.squares += before * (value - sample.mean);
        }
        sample
    }

    /// Of a size, a sum and a sum of squares.
    pub fn from_sums(n: u64, sum: f64, sum_of_squares: f64) -> Self {
        if n == 0 {
            return Self::default();
        }
        let mean = sum / n as f64;
        // What the mean was rounded by is put back, and the product is not rounded: a large level costs no digits here.
        let lost = mean.mul_add(-(n as f64), sum) / n as f64;
        Self {
            n,
            mean,
            squares: (sum.mul_add(-mean, sum_of_squares) - sum * lost).max(0.0),
        }
    }

    /// Of a size, a mean and an unbiased variance.
    pub fn from_moments(n: u64, mean: f64, variance: f64) -> Self {
        Self {
            n,
            mean,
            squares: variance * (n.max(1) - 1) as f64,
        }
    }

    /// Number of observations.
    pub fn n(self) -> u64 {
        self.n
    }

    /// Mean; 0 of an empty sample.
    pub fn mean(self) -> f64 {
        self.mean
    }

    /// Unbiased variance; `None` below two observations.
    pub fn variance(self) -> Option<f64> {
        (self.n > 1).then(|| self.squares / (self.n - 1) as f64)
    }

    /// Sum of squared deviations from the mean.
    pub fn squares(self) -> f64 {
        self.squares
    }

    /// Both samples as one.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let n = self.n + other.n;
        if n == 0 {
            return Self::default();
        }
        let apart = other.mean - self.mean;
        let share = other.n as f64 / n as f64;
        Self {
            n,
            mean: self.mean + apart * share,
            squares: self.squares + other.squares + apart * apart * self.n as f64 * share,
        }
    }
}
