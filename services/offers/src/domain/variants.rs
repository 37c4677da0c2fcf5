//! Variants of words, calls to action, channels and send times, tested against each other (T-7). The arm of an account is a
//! hash of its id and the test's name: it never changes while the test lasts, on whatever replica it is asked for.

use jiff::civil::Time;
use sha2::{Digest as _, Sha256};

#[cfg(test)]
mod tests;

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantTest {
    /// Names it; another name draws anew.
    pub key: String,
    /// Its arms; exactly one is the control.
    pub arms: Vec<Arm>,
}

/// One variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// Names it within the test.
    pub key: String,
    /// Its share is this over the sum of all weights; 1 or more.
    pub weight: u32,
    /// The others are compared with it.
    pub control: bool,
    /// Local time of day at which its messages leave; none means at once.
    pub send_at: Option<Time>,
}

impl VariantTest {
    /// The arm of an account: the first eight bytes of SHA-256 over `test`, a zero byte and `account`, big endian, modulo
    /// the sum of the weights, counted along the arms.
    pub fn arm(&self, account_id: &str) -> Option<&Arm> {
        let total: u64 = self.arms.iter().map(|arm| u64::from(arm.weight)).sum();
        let hash = Sha256::digest(format!("{}\0{account_id}", self.key));
        let head = hash.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let mut rest = head.checked_rem(total)?;
        self.arms.iter().find(|arm| {
            let weight = u64::from(arm.weight);
            let here = rest < weight;
            rest = rest.saturating_sub(weight);
            here
        })
    }
}
