//! Tests and intervals that rest on the random assignment alone: exact for any sample size and any distribution.
//!
//! Under a constant effect τ the treated values less `τ × weight` are what they would have been without treatment, so
//! that every assignment within the strata was as likely as the one that happened. The difference of an assignment is
//! linear in τ, so each draw has one τ at which it is as extreme as what was seen; the interval lies between quantiles
//! of these, and no search is needed.

use super::{Interval, random::Draws, stratified::Unit};

/// What is drawn from: collapsed units, by stratum.
#[derive(Clone, Debug)]
pub struct Permutation {
    strata: Vec<Stratum>,
    scale: f64,
    seed: u64,
}

/// What the draws of a permutation test say.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// For each draw the effect at which it is as extreme as what was seen, ascending.
    effects: Vec<f64>,
}

impl Permutation {
    /// Of collapsed units. `None` when a stratum lacks an arm. The same seed gives the same draws.
    pub fn of(units: &[Unit], seed: u64) -> Option<Self> {
        let count = units.iter().map(|unit| unit.stratum + 1).max()?;
        let total: f64 = units.iter().map(|unit| unit.weight).sum();
        let mut strata = vec![Stratum::default(); count];
        for unit in units {
            strata[unit.stratum].add(unit);
        }
        strata.retain(|stratum| !stratum.units.is_empty());
        for stratum in &mut strata {
            stratum.finish(total)?;
        }
        let scale = units.iter().map(|unit| unit.value.abs()).sum::<f64>() / total;
        Some(Self { strata, scale, seed })
    }

    /// Draws assignments.
    pub fn draw(&self, draws: usize) -> Drawn {
        let mut effects: Vec<f64> = self.effects().take(draws).collect();
        effects.sort_by(f64::total_cmp);
        Drawn { effects }
    }

    /// A valid two-sided p-value from at most `draws` draws, which stops once `enough` draws are as extreme on the
    /// rarer side (Besag and Clifford): exact work for small values, little for large ones.
    pub fn p(&self, draws: usize, enough: usize) -> f64 {
        let (mut below, mut above) = (0, 0);
        for (index, effect) in self.effects().take(draws).enumerate() {
            below += usize::from(effect <= 0.0);
            above += usize::from(effect >= 0.0);
            if below.min(above) >= enough {
                return (2.0 * enough as f64 / (index + 1) as f64).min(1.0);
            }
        }
        let one_sided = (below.min(above) + 1) as f64 / (draws + 1) as f64;
        (2.0 * one_sided).min(1.0)
    }

    fn effects(&self) -> impl Iterator<Item = f64> {
        let mut chance = Draws::of(self.seed);
        let mut orders: Vec<Vec<[f64; 3]>> = self.strata.iter().map(|stratum| stratum.units.clone()).collect();
        let seen: f64 = self.strata.iter().map(|stratum| stratum.seen).sum();
        std::iter::repeat_with(move || {
            let (mut difference, mut slope) = (0.0, 0.0);
            for (stratum, order) in self.strata.iter().zip(&mut orders) {
                chance.choose(order, stratum.drawn);
                let [d, s] = stratum.difference(&order[..stratum.drawn]);
                difference += d;
                slope += s;
            }
            tied(seen, difference, self.scale) / (1.0 - slope).max(1e-12)
        })
    }
}

/// `seen - drawn`, where a difference of rounding alone counts as none; `scale` is the size of the values.
fn tied(seen: f64, drawn: f64, scale: f64) -> f64 {
    let apart = seen - drawn;
    if apart.abs() <= 1e-11 * scale { 0.0 } else { apart }
}

impl Drawn {
    /// Two-sided p-value of "no effect", with what was seen among the draws.
    pub fn p(&self) -> f64 {
        let below = self.effects.iter().filter(|effect| **effect <= 0.0).count();
        let above = self.effects.iter().filter(|effect| **effect >= 0.0).count();
        let one_sided = (below.min(above) + 1) as f64 / (self.effects.len() + 1) as f64;
        (2.0 * one_sided).min(1.0)
    }

    /// All effects that are not rejected at `alpha`; everything when there are too few draws for that level.
    pub fn interval(&self, alpha: f64) -> Interval {
        let count = self.effects.len();
        let rank = (alpha / 2.0 * (count + 1) as f64).floor() as usize;
        if rank == 0 || rank > count {
            return Interval::EVERYTHING;
        }
        Interval {
            low: self.effects[rank - 1],
            high: self.effects[count - rank],
        }
    }
}

/// Units of a stratum as (value, weight, weight if treated).
#[derive(Clone, Debug, Default)]
struct Stratum {
    units: Vec<[f64; 3]>,
    treated: usize,
    /// How many are drawn: the smaller arm.
    drawn: usize,
    drawn_are_treated: bool,
    sums: [f64; 3],
    share: f64,
    seen: f64,
}

impl Stratum {
    fn add(&mut self, unit: &Unit) {
        let treated_weight = if unit.treated { unit.weight } else { 0.0 };
        let row = [unit.value, unit.weight, treated_weight];
        // The treated stand first, so that what was seen is the difference of the first ones.
        let at = if unit.treated { self.treated } else { self.units.len() };
        self.units.push(row);
        let last = self.units.len() - 1;
        self.units.swap(at, last);
        self.treated += usize::from(unit.treated);
        for (sum, part) in self.sums.iter_mut().zip(row) {
            *sum += part;
        }
    }

    fn finish(&mut self, total: f64) -> Option<()> {
        let control = self.units.len() - self.treated;
        let untreated = self.sums[1] - self.sums[2];
        if self.treated == 0 || control == 0 || self.sums[2] <= 0.0 || untreated <= 0.0 {
            return None;
        }
        self.share = self.sums[1] / total;
        self.drawn_are_treated = true;
        self.seen = self.difference(&self.units[..self.treated])[0];
        self.drawn_are_treated = self.treated <= control;
        self.drawn = self.treated.min(control);
        Some(())
    }

    /// Weighted difference of values, and of the part that the treatment had, when the `drawn` units are one arm.
    fn difference(&self, drawn: &[[f64; 3]]) -> [f64; 2] {
        let mut part = [0.0; 3];
        for unit in drawn {
            for (sum, value) in part.iter_mut().zip(unit) {
                *sum += value;
            }
        }
        let rest = [self.sums[0] - part[0], self.sums[1] - part[1], self.sums[2] - part[2]];
        let sign = if self.drawn_are_treated {
            self.share
        } else {
            -self.share
        };
        // An assignment whose arm has no weight at all has no value there either.
        let ratio = |above: f64, below: f64| if below > 0.0 { above / below } else { 0.0 };
        [
            sign * (ratio(part[0], part[1]) - ratio(rest[0], rest[1])),
            sign * (ratio(part[2], part[1]) - ratio(rest[2], rest[1])),
        ]
    }
}
