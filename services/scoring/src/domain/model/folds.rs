//! Splits rows so that what judges a model was not seen by it: by group, or in the order of time.

use std::collections::BTreeMap;

use super::{chance::Chance, frame::Dataset};

/// Rows to learn from and rows to judge by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Learn from these.
    pub train: Vec<u32>,
    /// Judge by these.
    pub held: Vec<u32>,
}

/// The folds of a dataset: in time where it is known (SC-5), else by group. `gap` is the length of the outcome in days:
/// a row is learnt from only when its outcome was known before the first row that judges.
pub fn folds(dataset: &Dataset, count: usize, gap: i32, seed: u64) -> Vec<Fold> {
    let in_time = dataset
        .times
        .as_ref()
        .map(|times| by_time(times, count, gap))
        .unwrap_or_default();
    if in_time.len() > 1 {
        in_time
    } else {
        by_group(dataset, count, seed)
    }
}

/// Whole groups are dealt out, those with most positives first, each to the fold with the fewest positives and rows.
fn by_group(dataset: &Dataset, count: usize, seed: u64) -> Vec<Fold> {
    let mut sizes: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for (group, label) in dataset.groups.iter().zip(&dataset.labels) {
        let size = sizes.entry(*group).or_default();
        size.0 += usize::from(*label);
        size.1 += 1;
    }
    let mut groups: Vec<(u32, (usize, usize))> = sizes.into_iter().collect();
    Chance::new(seed).shuffle(&mut groups);
    groups.sort_by_key(|group| std::cmp::Reverse(group.1));
    let count = count.min(groups.len()).max(1);
    let mut filled = vec![(0, 0); count];
    let mut fold_of: BTreeMap<u32, usize> = BTreeMap::new();
    for (group, (positives, rows)) in groups {
        // Groups without a positive even out the rows; the others came first and evened out the positives.
        let load = |fold: &usize| {
            if positives > 0 {
                filled[*fold]
            } else {
                (filled[*fold].1, 0)
            }
        };
        let least = (0..count).min_by_key(load).unwrap_or(0);
        filled[least].0 += positives;
        filled[least].1 += rows;
        fold_of.insert(group, least);
    }
    let split = |fold: usize| {
        let (held, train) = numbers(dataset.len()).partition(|row| fold_of[&dataset.groups[*row as usize]] == fold);
        Fold { train, held }
    };
    (0..count)
        .map(split)
        .filter(|fold| !fold.train.is_empty() && !fold.held.is_empty())
        .collect()
}

/// The later half of the rows in `count` blocks; each is judged by what was learnt from rows whose outcome was known.
fn by_time(times: &[i32], count: usize, gap: i32) -> Vec<Fold> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |share: usize| sorted[(sorted.len() * share / (2 * count)).min(sorted.len() - 1)];
    if sorted.is_empty() || sorted.first() == sorted.last() {
        return Vec::new();
    }
    let mut starts: Vec<i32> = (count..2 * count).map(at).collect();
    starts.dedup();
    let mut folds = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(i32::MAX);
        let rows = || numbers(times.len());
        let train: Vec<u32> = rows()
            .filter(|row| times[*row as usize].saturating_add(gap) <= *start)
            .collect();
        let held: Vec<u32> = rows()
            .filter(|row| {
                (*start..end).contains(&times[*row as usize]) || (end == i32::MAX && times[*row as usize] == end)
            })
            .collect();
        // A model that saw next to nothing says nothing about one that saw everything.
        if train.len() * 10 >= times.len() && !held.is_empty() {
            folds.push(Fold { train, held });
        }
    }
    folds
}

fn numbers(rows: usize) -> impl Iterator<Item = u32> {
    0..u32::try_from(rows).unwrap_or(u32::MAX)
}
