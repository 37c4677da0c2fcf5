//! Tests of variants: results that stay true however often one looks (K-11).

use jiff::Timestamp;

use super::stats::{
    Interval,
    multiple::holm,
    proportion::{Proportion, TwoProportions},
    sequential::{Look, Msprt},
    srm::{Srm, srm},
};

/// Fewest accounts of a variant before it is compared.
pub const ACCOUNTS_MIN: u64 = 10;
/// The difference of conversion at which the test is sharpest.
const DIFFERENCE: f64 = 0.1;

/// The variant of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The account.
    pub account_id: String,
    /// The test.
    pub experiment: String,
    /// The variant.
    pub variant: String,
    /// It is the one that others are compared with.
    pub control: bool,
    /// Its designed weight, above 0.
    pub weight: f64,
    /// When.
    pub assigned_at: Timestamp,
}

/// A variant with its accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// It is the control.
    pub control: bool,
    /// Its designed weight.
    pub weight: f64,
    /// Accounts assigned.
    pub accounts: u64,
    /// Of these, accounts that accepted.
    pub accepted: u64,
}

/// Why variants are not compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gap {
    /// There is not exactly one control, or nothing beside it.
    NoControl,
    /// A variant has too few accounts: (has, needs).
    TooFewAccounts(u64, u64),
    /// The split is not the designed one.
    SampleRatio(f64),
}

/// A variant against the control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Against {
    /// Difference of conversion.
    pub difference: f64,
    /// Interval that holds at every look.
    pub interval: Interval,
    /// p-value that holds at every look.
    pub p: f64,
    /// Corrected for the number of variants.
    pub adjusted_p: f64,
}

/// What a test of variants says.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// The test of the split.
    pub srm: Option<Srm>,
    /// Why nothing is compared; empty when something is.
    pub gaps: Vec<Gap>,
    /// Every variant; the control and those of a withheld result without comparison.
    pub variants: Vec<(Variant, Option<Against>)>,
}

/// Compares `variants`, the control first, each at error rate `alpha` over all looks.
pub fn results(variants: Vec<Variant>, alpha: f64) -> Results {
    let observed: Vec<u64> = variants.iter().map(|variant| variant.accounts).collect();
    let weights: Vec<f64> = variants.iter().map(|variant| variant.weight).collect();
    let srm = srm(&observed, &weights);
    let gaps = gaps(&variants, srm);
    let mut against = if gaps.is_empty() {
        compared(&variants, alpha)
    } else {
        Vec::new()
    }
    .into_iter();
    let told = variants.into_iter().map(|variant| {
        let one = if variant.control { None } else { against.next() };
        (variant, one)
    });
    Results {
        srm,
        gaps,
        variants: told.collect(),
    }
}

fn gaps(variants: &[Variant], srm: Option<Srm>) -> Vec<Gap> {
    let controls = variants.iter().filter(|variant| variant.control).count();
    let mut gaps = Vec::new();
    if controls != 1 || variants.len() < 2 {
        gaps.push(Gap::NoControl);
    }
    let fewest = variants
        .iter()
        .map(|variant| variant.accounts)
        .min()
        .unwrap_or_default();
    if fewest < ACCOUNTS_MIN {
        gaps.push(Gap::TooFewAccounts(fewest, ACCOUNTS_MIN));
    }
    if let Some(srm) = srm.filter(Srm::is_broken) {
        gaps.push(Gap::SampleRatio(srm.p));
    }
    gaps
}

fn compared(variants: &[Variant], alpha: f64) -> Vec<Against> {
    let share = |variant: &Variant| Proportion::new(variant.accepted, variant.accounts);
    let Some(control) = variants.iter().find(|variant| variant.control).map(share) else {
        return Vec::new();
    };
    let treatments = variants.iter().filter(|variant| !variant.control);
    let looks: Vec<Look> = treatments
        .map(|variant| {
            let arms = TwoProportions {
                control,
                treatment: share(variant),
            };
            look(arms, alpha)
        })
        .collect();
    let p: Vec<f64> = looks.iter().map(|look| look.p).collect();
    let adjusted = holm(&p);
    let pairs = looks.into_iter().zip(adjusted);
    pairs
        .map(|(look, adjusted_p)| Against {
            difference: look.difference,
            interval: look.interval,
            p: look.p,
            adjusted_p,
        })
        .collect()
}

/// One look at a pair of variants.
pub fn look(arms: TwoProportions, alpha: f64) -> Look {
    let tau2 = DIFFERENCE * DIFFERENCE;
    Msprt { tau2, alpha }.look_safely(arms)
}
