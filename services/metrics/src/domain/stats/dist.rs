//! Distributions to nearly full precision, also far in the tails and for many degrees of freedom.

use statrs::{
    distribution::{ContinuousCDF, Normal},
    function::{
        beta::{beta_reg, ln_beta},
        gamma::{gamma_ur, ln_gamma},
    },
};

/// Above this many degrees of freedom the quantile of Student's t comes from its expansion around the normal one, whose
/// next term is below 1e-15 there.
const MANY: f64 = 1_000.0;
/// Terms of the continued fraction at most; it converges in about the square root of the degrees of freedom.
const TERMS_MAX: u32 = 20_000;
const TINY: f64 = 1e-300;

/// The complementary error function: its series in the middle, its continued fraction in the tails, where the relative
/// precision is kept.
fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x > 2.0 {
        let below = (1..=120_u32)
            .rev()
            .fold(x, |below, term| x + f64::from(term) / 2.0 / below);
        return (-x * x).exp() / (std::f64::consts::PI.sqrt() * below);
    }
    let (mut term, mut sum) = (x, x);
    for index in 1..200_u32 {
        term *= 2.0 * x * x / f64::from(2 * index + 1);
        sum += term;
        if term < 1e-18 * sum {
            break;
        }
    }
    1.0 - std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// `P(Z > z)` of the standard normal.
pub fn normal_sf(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

/// `P(|Z| > |z|)`.
pub fn normal_two_sided(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2).min(1.0)
}

/// Density of the standard normal.
pub fn normal_pdf(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The `z` below which the standard normal lies with probability `p`, `0 < p < 1`; infinite at the ends.
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    // The upper half by symmetry: the tail keeps its precision, and Newton steps remove what is left of the error.
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let step = |z: f64| z - (normal_sf(-z) - p) / normal_pdf(z);
    step(step(Normal::standard().inverse_cdf(p)))
}

/// The `z` that a standard normal exceeds in absolute value with probability `alpha`.
pub fn normal_critical(alpha: f64) -> f64 {
    -normal_quantile(alpha / 2.0)
}

/// `P(|T| > |t|)` of Student's t with `dof > 0` degrees of freedom.
pub fn t_two_sided(t: f64, dof: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let (half, x) = (dof / 2.0, dof / (dof + t * t));
    if x > (half + 1.0) / (half + 2.5) {
        1.0 - beta_fraction(0.5, half, t * t / (dof + t * t), x)
    } else {
        beta_fraction(half, 0.5, x, t * t / (dof + t * t))
    }
}

/// The `t` that Student's t exceeds in absolute value with probability `alpha`.
pub fn t_critical(alpha: f64, dof: f64) -> f64 {
    let z = normal_critical(alpha);
    if dof > MANY {
        return expanded(z, dof);
    }
    // Bisection in the logarithm brackets it for any degrees of freedom; Newton polishes.
    let (mut low, mut high) = (1e-12_f64, 1e12_f64);
    for _ in 0..80 {
        let middle = (low * high).sqrt();
        if t_two_sided(middle, dof) > alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    let start = (low * high).sqrt();
    let polished = start + (t_two_sided(start, dof) - alpha) / (2.0 * t_pdf(start, dof));
    if polished.is_finite() { polished } else { start }
}

/// Cornish–Fisher expansion of the t quantile (Abramowitz and Stegun 26.7.5).
fn expanded(z: f64, dof: f64) -> f64 {
    let q = z * z;
    let first = z * (q + 1.0) / 4.0;
    let second = z * ((5.0 * q + 16.0) * q + 3.0) / 96.0;
    let third = z * (((3.0 * q + 19.0) * q + 17.0) * q - 15.0) / 384.0;
    let fourth = z * ((((79.0 * q + 776.0) * q + 1482.0) * q - 1920.0) * q - 945.0) / 92_160.0;
    z + (first + (second + (third + fourth / dof) / dof) / dof) / dof
}

fn t_pdf(t: f64, dof: f64) -> f64 {
    let log = -ln_beta_half(dof / 2.0) - 0.5 * dof.ln() - (dof + 1.0) / 2.0 * (t * t / dof).ln_1p();
    log.exp()
}

/// `ln B(a, 1/2)` without the cancellation of two large logarithms of gamma.
fn ln_beta_half(a: f64) -> f64 {
    if a < 20.0 {
        return ln_beta(a, 0.5);
    }
    let inverse = 1.0 / a;
    let square = inverse * inverse;
    // ln Γ(a + 1/2) − ln Γ(a)
    let ratio = 0.5 * a.ln()
        - inverse * (1.0 / 8.0 - square * (1.0 / 192.0 - square * (1.0 / 640.0 - square * 17.0 / 14_336.0)));
    0.5 * std::f64::consts::PI.ln() - ratio
}

/// The regularised incomplete beta function at `x` (`y = 1 - x`) where one of the parameters is 1/2, by Lentz's
/// continued fraction. Wanted is `x ≤ (a + 1) / (a + b + 2)`.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let large = a.max(b);
    // x near 1 loses its distance to 1, which `y` has kept.
    let ln_x = if x > 0.5 { (-y).ln_1p() } else { x.ln() };
    let ln_y = if y > 0.5 { (-x).ln_1p() } else { y.ln() };
    let front = (a * ln_x + b * ln_y - ln_beta_half(large)).exp() / a;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / guard(1.0 - (a + b) * x / (a + 1.0)));
    let mut sum = d;
    for term in 1..TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        sum *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let factor = d * c;
        sum *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (front * sum).min(1.0)
}

/// `P(χ² > x)` with `dof ≥ 1` degrees of freedom.
pub fn chi_square_sf(x: f64, dof: u32) -> f64 {
    if x <= 0.0 || dof == 0 {
        return 1.0;
    }
    match dof {
        1 => erfc((x / 2.0).sqrt()),
        2 => (-x / 2.0).exp(),
        _ => gamma_ur(f64::from(dof) / 2.0, x / 2.0),
    }
}

/// The value below which a beta(`a`, `b`) variable lies with probability `p`, by bisection: exact to the last digits for
/// any shape, and seldom called.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if beta_reg(a, b, middle) < p {
            low = middle;
        } else {
            high = middle;
        }
        if high - low < 1e-16 {
            break;
        }
    }
    f64::midpoint(low, high)
}

/// Probability that a beta(`a`, `b`) variable is below `x`.
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    beta_reg(a, b, x.clamp(0.0, 1.0))
}

/// `ln P(X = x)` of a binomial variable by Loader's deviance: no large logarithms cancel, so that the relative precision
/// of the probability stays near 1e-13 also for millions of trials. `x ≤ n`.
pub fn ln_binomial(x: u64, n: u64, share: f64) -> f64 {
    let (x, n, rest) = (x as f64, n as f64, (n - x) as f64);
    let other = 1.0 - share;
    if share <= 0.0 || other <= 0.0 {
        let certain = if share <= 0.0 { x == 0.0 } else { rest == 0.0 };
        return if certain { 0.0 } else { f64::NEG_INFINITY };
    }
    if x == 0.0 || rest == 0.0 {
        return n * if x == 0.0 { (-share).ln_1p() } else { share.ln() };
    }
    let corrections = stirling_error(n) - stirling_error(x) - stirling_error(rest);
    let deviances = deviance(x, n * share) + deviance(rest, n * other);
    corrections - deviances + 0.5 * (n / (2.0 * std::f64::consts::PI * x * rest)).ln()
}

/// `ln n! − (½ ln 2πn + n ln n − n)` for a whole `n ≥ 1`.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return ln_gamma(n + 1.0) - (n + 0.5) * n.ln() + n - 0.5 * (2.0 * std::f64::consts::PI).ln();
    }
    let q = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1_260.0 - (1.0 / 1_680.0 - 1.0 / 1_188.0 / q) / q) / q) / q) / n
}

/// `x ln(x/m) + m − x`, also where both are close.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let (mut sum, mut term) = ((x - m) * v, 2.0 * x * v);
    for odd in (3..2_000_u32).step_by(2) {
        term *= v * v;
        let next = sum + term / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}
