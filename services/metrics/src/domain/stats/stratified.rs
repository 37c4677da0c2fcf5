//! The difference of two arms within strata: accounts are compared with their like only.

use std::collections::BTreeMap;

use super::{
    Interval,
    cuped::{Paired, theta_within},
    dist::{t_critical, t_two_sided},
};

/// Strata with fewer accounts in an arm are put together.
pub const CELL_MIN: usize = 3;

/// An account in an arm. Its arm's value is `Σ value / Σ weight`: a mean or a share with weight 1, NRR with the MRR at
/// the start as weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Number of its stratum.
    pub stratum: usize,
    /// Treatment, else control.
    pub treated: bool,
    /// What counts above the line.
    pub value: f64,
    /// What counts below it, 0 or more.
    pub weight: f64,
}

/// The stratified difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Treatment − control, strata weighted by their share of all weight.
    pub difference: f64,
    /// Standard error.
    pub se: f64,
    /// Degrees of freedom (Satterthwaite over all cells).
    pub dof: f64,
    /// Strata that were compared.
    pub strata: usize,
}

impl Estimate {
    /// Interval at confidence `1 - alpha`; a point when there is no spread.
    pub fn interval(&self, alpha: f64) -> Interval {
        if self.se == 0.0 {
            return Interval::around(self.difference, 0.0);
        }
        Interval::around(self.difference, t_critical(alpha, self.dof) * self.se)
    }

    /// Two-sided p-value.
    pub fn p(&self) -> f64 {
        match (self.difference == 0.0, self.se == 0.0) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            (false, false) => t_two_sided(self.difference / self.se, self.dof),
        }
    }
}

/// Renumbers strata from 0 and puts those with fewer than [`CELL_MIN`] accounts in an arm together; when what is put
/// together is still too small, it joins the smallest of the others. Looks at arms and strata alone, never at outcomes.
pub fn collapse(units: &mut [Unit]) {
    let mut cells: BTreeMap<usize, [usize; 2]> = BTreeMap::new();
    for unit in units.iter() {
        cells.entry(unit.stratum).or_default()[usize::from(unit.treated)] += 1;
    }
    let is_large = |cell: &[usize; 2]| cell.iter().all(|count| *count >= CELL_MIN);
    let (large, small): (Vec<_>, Vec<_>) = cells.into_iter().partition(|(_, cell)| is_large(cell));
    let rest = small
        .iter()
        .fold([0, 0], |sum, (_, cell)| [sum[0] + cell[0], sum[1] + cell[1]]);
    let smallest = large.iter().enumerate().min_by_key(|(_, (_, cell))| cell[0] + cell[1]);
    let home = match smallest {
        Some((index, _)) if !is_large(&rest) => index,
        _ => large.len(),
    };
    let number: BTreeMap<usize, usize> = large
        .iter()
        .enumerate()
        .map(|(index, (old, _))| (*old, index))
        .collect();
    for unit in units {
        unit.stratum = number.get(&unit.stratum).copied().unwrap_or(home);
    }
}

/// Takes out of every value what `before` foretells of it, with one coefficient out of what varies within the cells.
/// The mean of `before` is put back, so that levels stay readable. Returns the coefficient and the correlation that it
/// used, both 0 when `before` foretells nothing.
pub fn adjust(units: &mut [Unit], before: &[f64]) -> (f64, f64) {
    let mut cells: BTreeMap<(usize, bool), Vec<(f64, f64)>> = BTreeMap::new();
    for (unit, pre) in units.iter().zip(before) {
        cells
            .entry((unit.stratum, unit.treated))
            .or_default()
            .push((*pre, unit.value));
    }
    let cells: Vec<Paired> = cells.into_values().map(Paired::of).collect();
    let theta = theta_within(&cells);
    let squares = |pick: fn(&Paired) -> f64| cells.iter().map(pick).sum::<f64>();
    let (pre, post) = (squares(|cell| cell.pre.squares()), squares(|cell| cell.post.squares()));
    let correlation = if post > 0.0 { theta * (pre / post).sqrt() } else { 0.0 };
    let mean = before.iter().sum::<f64>() / before.len().max(1) as f64;
    for (unit, pre) in units.iter_mut().zip(before) {
        unit.value -= theta * (pre - mean);
    }
    (theta, correlation.clamp(-1.0, 1.0))
}

/// The stratified difference of collapsed units. `None` when an arm has fewer than two accounts or no weight.
pub fn estimate(units: &[Unit]) -> Option<Estimate> {
    let strata = units.iter().map(|unit| unit.stratum + 1).max()?;
    let mut cells = vec![[Cell::default(); 2]; strata];
    for unit in units {
        cells[unit.stratum][usize::from(unit.treated)].add(unit);
    }
    for unit in units {
        cells[unit.stratum][usize::from(unit.treated)].spread(unit);
    }
    let total: f64 = cells.iter().flatten().map(|cell| cell.weight).sum();
    let (mut difference, mut variance, mut freedom, mut compared) = (0.0, 0.0, 0.0, 0);
    for [control, treatment] in &cells {
        let share = (control.weight + treatment.weight) / total;
        if control.n + treatment.n == 0 || share == 0.0 {
            continue;
        }
        difference += share * (treatment.ratio()? - control.ratio()?);
        for cell in [control, treatment] {
            let part = share * share * cell.variance()?;
            variance += part;
            freedom += part * part / (cell.n - 1) as f64;
        }
        compared += 1;
    }
    let accounts = cells.iter().flatten().map(|cell| cell.n).sum::<usize>();
    let fallback = accounts.saturating_sub(2 * compared).max(1) as f64;
    (compared > 0 && difference.is_finite()).then(|| Estimate {
        difference,
        se: variance.sqrt(),
        dof: if freedom > 0.0 {
            variance * variance / freedom
        } else {
            fallback
        },
        strata: compared,
    })
}

/// The value of one arm, over all strata by their share: `(control, treatment)`.
pub fn levels(units: &[Unit]) -> Option<(f64, f64)> {
    let level = |treated| {
        let (mut value, mut weight) = (0.0, 0.0);
        for unit in units.iter().filter(|unit| unit.treated == treated) {
            value += unit.value;
            weight += unit.weight;
        }
        (weight > 0.0).then(|| value / weight)
    };
    level(false).zip(level(true))
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    n: usize,
    value: f64,
    weight: f64,
    squares: f64,
}

impl Cell {
    fn add(&mut self, unit: &Unit) {
        self.n += 1;
        self.value += unit.value;
        self.weight += unit.weight;
    }

    fn spread(&mut self, unit: &Unit) {
        self.squares += (unit.value - self.value / self.weight * unit.weight).powi(2);
    }

    fn ratio(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.value / self.weight)
    }

    /// Of the ratio, by linearisation; of a mean the usual one.
    fn variance(&self) -> Option<f64> {
        let n = self.n as f64;
        (self.n > 1 && self.weight > 0.0).then(|| n / (n - 1.0) * self.squares / (self.weight * self.weight))
    }
}
