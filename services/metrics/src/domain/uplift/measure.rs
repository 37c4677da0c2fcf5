//! The measures, how each is compared, and what is found.

use super::{Lack, Member};
use crate::domain::stats::{
    Interval,
    mde::Design,
    permutation::Permutation,
    proportion::{Proportion, TwoProportions},
    sequential::spent_at,
    stratified::{Estimate, Unit, adjust, collapse, estimate, levels},
};

/// Below this many accounts in the smaller arm assignments are permuted.
const SMALL: usize = 200;
/// The same for both arms together: permuting more costs more than it adds.
const SMALL_TOTAL: usize = 4_000;
/// Most assignments that are drawn.
const DRAWS_MAX: usize = 99_999;
/// Draws on the rarer side after which a p-value is known well enough.
const ENOUGH: usize = 100;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Mean MRR of the accounts that paid at assignment, in minor units; those that left count as 0.
    Arpa,
    /// Σ MRR now / Σ MRR at assignment of the same accounts.
    Nrr,
    /// Share of all accounts whose MRR expanded.
    Conversion,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Arpa, Self::Nrr, Self::Conversion];

    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arpa => "arpa",
            Self::Nrr => "nrr",
            Self::Conversion => "conversion",
        }
    }
}

/// How a measure was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Permuted assignments within strata.
    Permutation,
    /// Stratified difference with its standard error.
    Stratified,
}

/// What may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Treatment is better, over all readings and measures together.
    Better,
    /// Treatment is worse.
    Worse,
    /// The data do not decide: no claim.
    Undecided,
}

/// A measure with what was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// What was compared.
    pub measure: Measure,
    /// The comparison, or what is lacking for one.
    pub outcome: Result<Comparison, Lack>,
}

/// Both arms compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Level of the holdout.
    pub control: f64,
    /// Level of the treatment.
    pub treatment: f64,
    /// Treatment − control: stratified, and adjusted for the time before where that helps.
    pub difference: f64,
    /// 95 % interval (or `1 - α`) of this reading alone.
    pub interval: Interval,
    /// Interval that holds at all readings together.
    pub always_valid: Interval,
    /// Two-sided p-value of this reading alone.
    pub p: f64,
    /// The same corrected for the number of measures (Holm).
    pub adjusted_p: f64,
    /// Correlation with the time before that CUPED took out; 0 where it was not used.
    pub correlation: f64,
    /// The smallest difference that this many accounts show with power 0.8; `None` when none would do.
    pub detectable: Option<f64>,
    /// How it was judged.
    pub method: Method,
    /// What may be claimed.
    pub verdict: Verdict,
}

/// A measure made ready for comparison: collapsed and adjusted units.
pub(super) struct Prepared {
    pub(super) measure: Measure,
    units: Vec<Unit>,
    levels: (f64, f64),
    correlation: f64,
    estimate: Estimate,
    /// Its standard error is 0, and says nothing.
    uniform: bool,
    permutation: Option<Permutation>,
}

impl Prepared {
    /// Looks at everything but the p-value.
    pub(super) fn of(measure: Measure, members: &[(usize, &Member)], fewest: usize, seed: u64) -> Result<Self, Lack> {
        let counted: Vec<&(usize, &Member)> = members
            .iter()
            .filter(|(_, member)| measure == Measure::Conversion || member.before > 0)
            .collect();
        let mut units: Vec<Unit> = counted
            .iter()
            .map(|(stratum, member)| unit(measure, *stratum, member))
            .collect();
        for treated in [false, true] {
            let has = units.iter().filter(|unit| unit.treated == treated).count();
            if has < fewest.max(2) {
                return Err(Lack::TooFewAccounts(!treated, has, fewest.max(2)));
            }
        }
        let levels = levels(&units).ok_or(Lack::NoVariation)?;
        collapse(&mut units);
        let correlation = match measure {
            Measure::Arpa => {
                let before: Vec<f64> = counted.iter().map(|(_, member)| member.before as f64).collect();
                adjust(&mut units, &before).1
            }
            Measure::Nrr | Measure::Conversion => 0.0,
        };
        // What is left of equal values after the adjustment is rounding, not variation.
        let least = 1e-9 * levels.0.abs().max(levels.1.abs());
        let estimate = estimate(&units).ok_or(Lack::NoVariation)?;
        let uniform = estimate.se <= least;
        let small = units.iter().filter(|unit| unit.treated).count();
        let small = small.min(units.len() - small) < SMALL && units.len() <= SMALL_TOTAL;
        let permutation = if small { Permutation::of(&units, seed) } else { None };
        // Arms that are uniform within have no standard error. Shares can do without: they are permuted, and their
        // interval knows how few accounts there are.
        let apart = measure == Measure::Conversion && estimate.difference.abs() > least;
        if uniform && !(apart && permutation.is_some()) {
            return Err(Lack::NoVariation);
        }
        Ok(Self {
            measure,
            units,
            levels,
            correlation,
            estimate,
            uniform,
            permutation,
        })
    }

    /// Two-sided p-value, as exact as a claim at `level` needs it.
    pub(super) fn p(&self, level: f64) -> f64 {
        match &self.permutation {
            None => self.estimate.p(),
            Some(permutation) => {
                let drawn = permutation.p(draws(level), ENOUGH);
                // Where no affordable number of draws carries the level, the tail of t has the last word.
                if self.uniform || resolved(level) || drawn > level_of_draws() {
                    drawn
                } else {
                    self.estimate.p().min(drawn)
                }
            }
        }
    }

    /// The whole comparison. `adjusted_p` is compared with what the reading may spend.
    pub(super) fn compare(&self, alpha: f64, reading: u32, p: f64, adjusted_p: f64) -> Comparison {
        let spent = spent_at(alpha, reading);
        let [interval, always_valid] = self.intervals(alpha, spent);
        let verdict = match (adjusted_p <= spent, self.estimate.difference > 0.0) {
            (false, _) => Verdict::Undecided,
            (true, true) => Verdict::Better,
            (true, false) => Verdict::Worse,
        };
        Comparison {
            control: self.levels.0,
            treatment: self.levels.1,
            difference: self.estimate.difference,
            interval,
            always_valid,
            p,
            adjusted_p,
            correlation: self.correlation,
            detectable: self.detectable(alpha),
            method: if self.permutation.is_some() {
                Method::Permutation
            } else {
                Method::Stratified
            },
            verdict,
        }
    }

    fn intervals(&self, alpha: f64, spent: f64) -> [Interval; 2] {
        if self.measure == Measure::Conversion {
            let arms = self.shares();
            return [arms.newcombe(alpha), arms.newcombe(spent)];
        }
        match &self.permutation {
            None => [self.estimate.interval(alpha), self.estimate.interval(spent)],
            Some(permutation) => {
                let drawn = permutation.draw(draws(spent));
                [drawn.interval(alpha), drawn.interval(spent)]
            }
        }
    }

    fn shares(&self) -> TwoProportions {
        let of = |treated| {
            let arm = self.units.iter().filter(|unit| unit.treated == treated);
            let (x, n) = arm.fold((0, 0), |(x, n), unit| (x + u64::from(unit.value > 0.0), n + 1));
            Proportion::new(x, n)
        };
        TwoProportions {
            control: of(false),
            treatment: of(true),
        }
    }

    /// From the standard error that the accounts have: it knows strata, ratio and adjustment.
    fn detectable(&self, alpha: f64) -> Option<f64> {
        let treated = self.units.iter().filter(|unit| unit.treated).count() as u64;
        let design = Design {
            alpha,
            ..Design::of(self.units.len() as u64 - treated, treated)
        };
        if self.measure == Measure::Conversion {
            return design.rise(self.levels.0);
        }
        let inverse = 1.0 / design.control as f64 + 1.0 / design.treatment as f64;
        design.mean(self.estimate.se / inverse.sqrt(), 0.0)
    }
}

fn unit(measure: Measure, stratum: usize, member: &Member) -> Unit {
    let (value, weight) = match measure {
        Measure::Arpa => (member.after as f64, 1.0),
        Measure::Nrr => (member.after as f64, member.before as f64),
        Measure::Conversion => (f64::from(u8::from(member.expanded)), 1.0),
    };
    Unit {
        stratum,
        treated: !member.holdout,
        value,
        weight,
    }
}

/// Twenty draws beyond the level on each side, as far as they can be paid for.
fn draws(level: f64) -> usize {
    ((40.0 / level) as usize).clamp(1_999, DRAWS_MAX)
}

fn level_of_draws() -> f64 {
    2.0 / (DRAWS_MAX + 1) as f64
}

fn resolved(level: f64) -> bool {
    level >= level_of_draws()
}
