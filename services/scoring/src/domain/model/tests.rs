//! Tests of the models, by topic.

mod champions;
mod goldens;
mod histories;
mod learning;
mod parts;
mod tables;

use super::{
    chance::Chance,
    frame::{Dataset, Frame},
    metrics::sigmoid,
};

/// Rows whose outcome depends on two of four features; every third cell of the third is a gap, four rows an account.
pub(super) fn rows(count: usize, seed: u64) -> Dataset {
    let mut chance = Chance::new(seed);
    let mut unit = move || chance.below(1_000_000) as f64 / 1e6;
    let (mut columns, mut labels) = (vec![Vec::new(); 4], Vec::new());
    for row in 0..count {
        let (a, b, c) = (unit() * 4.0 - 2.0, unit() * 4.0 - 2.0, unit());
        columns[0].push(a);
        columns[1].push(b);
        columns[2].push(if row % 3 == 0 { f64::NAN } else { c });
        columns[3].push(7.0);
        labels.push(unit() < sigmoid(1.5 * a - if b > 0.5 { 2.0 } else { 0.0 } - 0.5));
    }
    let names = ["a", "b", "gaps", "constant"].map(str::to_owned).to_vec();
    let groups = (0..count).map(|row| u32::try_from(row / 4).unwrap()).collect();
    Dataset {
        frame: Frame::new(names, columns),
        labels,
        groups,
        times: None,
    }
}
