//! What is tried, and how each candidate does on rows that it did not see.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{
    super::{
        folds::Fold,
        frame::{Dataset, Frame},
        logistic::Logistic,
        trees::{Bins, Booster, TreeSettings, Trees},
    },
    loss,
};

/// One way to learn.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Candidate {
    /// Ridge logistic regression.
    Logistic { ridge: f64, logarithm: bool },
    /// Boosted trees; `rounds` is what the folds found best.
    Trees {
        name: &'static str,
        settings: TreeSettings,
        rounds: usize,
    },
    /// A mean of two margins.
    Blend {
        trees: Box<Candidate>,
        linear: Box<Candidate>,
        share: f64,
    },
}

impl Candidate {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Logistic { ridge, logarithm } => {
                format!(
                    "logistic{} ridge {ridge}",
                    if *logarithm { " on signed log" } else { "" }
                )
            }
            Self::Trees { name, rounds, .. } => format!("{name} trees, {rounds} rounds"),
            Self::Blend { trees, linear, share } => {
                format!(
                    "{:.0} % {} + {:.0} % {}",
                    share * 100.0,
                    trees.name(),
                    (1.0 - share) * 100.0,
                    linear.name()
                )
            }
        }
    }

    /// The parts with their shares of the margin.
    pub(super) fn parts(&self) -> Vec<(f64, &Self)> {
        match self {
            Self::Blend { trees, linear, share } => vec![(*share, trees), (1.0 - share, linear)],
            alone => vec![(1.0, alone)],
        }
    }
}

/// The most rounds of trees.
const MOST_ROUNDS: usize = 1200;
/// Rounds without gain after which boosting ends.
const PATIENCE: usize = 40;

/// What is tried. Few rows bear a strong penalty only.
pub(super) fn candidates(with_trees: bool) -> Vec<Candidate> {
    let mut all = vec![
        Candidate::Logistic {
            ridge: 3.0,
            logarithm: true,
        },
        Candidate::Logistic {
            ridge: 3.0,
            logarithm: false,
        },
    ];
    if with_trees {
        let small = TreeSettings {
            leaves: 8,
            depth: 3,
            rate: 0.05,
            ridge: 1.0,
            least: 5.0,
            features: 0.5,
            rows: 1.0,
            random: false,
        };
        let random = TreeSettings {
            leaves: 15,
            depth: 8,
            rate: 0.1,
            ridge: 1.0,
            least: 1.5,
            features: 0.5,
            rows: 1.0,
            random: true,
        };
        all.push(Candidate::Trees {
            name: "small",
            settings: small,
            rounds: 0,
        });
        all.push(Candidate::Trees {
            name: "random",
            settings: random,
            rounds: 0,
        });
    } else {
        all.push(Candidate::Logistic {
            ridge: 30.0,
            logarithm: true,
        });
    }
    all
}

/// The held-out rows of all folds, end to end, and what candidates say of them.
pub(super) struct Margins<'a> {
    dataset: &'a Dataset,
    splits: &'a [Fold],
    bins: Option<Bins>,
    seed: u64,
    /// The trees that the folds grew, by the name of the candidate, up to the best round.
    grown: BTreeMap<&'static str, Vec<Trees>>,
    /// Their outcomes.
    pub(super) labels: Vec<bool>,
    /// Their groups.
    pub(super) groups: Vec<u32>,
    /// Their folds.
    pub(super) folds: Vec<usize>,
    /// They come later than what was learnt from.
    pub(super) is_in_time: bool,
}

impl<'a> Margins<'a> {
    pub(super) fn new(dataset: &'a Dataset, splits: &'a [Fold], seed: u64) -> Self {
        let held = || splits.iter().flat_map(|fold| &fold.held).map(|row| *row as usize);
        let folds = splits
            .iter()
            .enumerate()
            .flat_map(|(index, fold)| std::iter::repeat_n(index, fold.held.len()));
        let earlier = |fold: &Fold, times: &[i32]| {
            let last = fold.train.iter().map(|row| times[*row as usize]).max();
            let first = fold.held.iter().map(|row| times[*row as usize]).min();
            last < first
        };
        Self {
            dataset,
            splits,
            bins: None,
            seed,
            grown: BTreeMap::new(),
            labels: held().map(|row| dataset.labels[row]).collect(),
            groups: held().map(|row| dataset.groups[row]).collect(),
            folds: folds.collect(),
            is_in_time: dataset
                .times
                .as_ref()
                .is_some_and(|times| splits.iter().all(|fold| earlier(fold, times))),
        }
    }

    /// The margins of the held-out rows; of trees also how many rounds were best.
    pub(super) fn judge(&mut self, candidate: Candidate) -> (Candidate, Vec<f64>) {
        match candidate {
            Candidate::Logistic { ridge, logarithm } => {
                let held = self.linear(ridge, logarithm);
                (candidate, held)
            }
            Candidate::Trees { name, settings, .. } => {
                let (rounds, held) = self.trees(name, settings);
                (Candidate::Trees { name, settings, rounds }, held)
            }
            Candidate::Blend { .. } => (candidate, Vec::new()),
        }
    }

    fn linear(&self, ridge: f64, logarithm: bool) -> Vec<f64> {
        let frame = &self.dataset.frame;
        let held = |fold: &Fold| {
            let rows: Vec<usize> = fold.train.iter().map(|row| *row as usize).collect();
            let labels: Vec<bool> = rows.iter().map(|row| self.dataset.labels[*row]).collect();
            let model = Logistic::fit(&frame.select(&rows), &labels, ridge, logarithm);
            fold.held
                .iter()
                .map(|row| model.margin(&frame.row(*row as usize)))
                .collect::<Vec<f64>>()
        };
        self.splits.par_iter().map(held).collect::<Vec<_>>().concat()
    }

    /// All folds boost in step; the number of rounds is where their common log-loss is lowest, so no fold chooses for
    /// itself. Bins are taken from all rows: they tell of features only, never of an outcome.
    fn trees(&mut self, name: &'static str, settings: TreeSettings) -> (usize, Vec<f64>) {
        let frame: &Frame = &self.dataset.frame;
        let bins = self.bins.get_or_insert_with(|| Bins::of(frame));
        let labels = &self.dataset.labels;
        let booster = |fold: &Fold| Booster::new(bins, labels, fold.train.clone(), settings, self.seed);
        let mut boosters: Vec<Booster<'_>> = self.splits.iter().map(booster).collect();
        let held = |boosters: &[Booster<'_>]| -> Vec<f64> {
            let of = |(booster, fold): (&Booster<'_>, &Fold)| {
                fold.held
                    .iter()
                    .map(|row| booster.margins()[*row as usize])
                    .collect::<Vec<_>>()
            };
            boosters.iter().zip(self.splits).flat_map(of).collect()
        };
        let mut best = (0, held(&boosters));
        let mut least = loss(&self.labels, &best.1);
        for round in 1..=MOST_ROUNDS {
            let grown: Vec<bool> = boosters.par_iter_mut().map(Booster::grow).collect();
            let margins = held(&boosters);
            let loss = loss(&self.labels, &margins);
            if loss < least {
                (best, least) = ((round, margins), loss);
            }
            if round >= best.0 + PATIENCE || !grown.contains(&true) {
                break;
            }
        }
        let trees = boosters.into_iter().map(|booster| {
            let mut trees = booster.into_trees();
            trees.truncate(best.0);
            trees
        });
        self.grown.insert(name, trees.collect());
        best
    }

    /// The mean of what the folds grew. Every part of the groups was learnt from by all folds but one, and a mean of
    /// models that saw different accounts tells more than one that saw all. `None` in time, where only the last fold saw
    /// nearly everything.
    pub(super) fn mean_trees(&mut self, name: &str) -> Option<Trees> {
        let members = self.grown.remove(name).filter(|_| !self.is_in_time)?;
        (members.len() > 1).then(|| Trees::mean(members))
    }
}

/// The best mean of the best trees and the best regression.
pub(super) fn blend(judged: &[(Candidate, Vec<f64>, f64)], labels: &[bool]) -> Option<(Candidate, Vec<f64>, f64)> {
    let best = |is_wanted: fn(&Candidate) -> bool| {
        judged
            .iter()
            .filter(|(candidate, ..)| is_wanted(candidate))
            .min_by(|a, b| a.2.total_cmp(&b.2))
    };
    let (trees, of_trees, _) = best(|candidate| matches!(candidate, Candidate::Trees { .. }))?;
    let (linear, of_linear, _) = best(|candidate| matches!(candidate, Candidate::Logistic { .. }))?;
    let mixed = |share: f64| {
        let margins: Vec<f64> = of_trees
            .iter()
            .zip(of_linear)
            .map(|(t, l)| share * t + (1.0 - share) * l)
            .collect();
        let loss = loss(labels, &margins);
        let (trees, linear) = (Box::new(trees.clone()), Box::new(linear.clone()));
        (Candidate::Blend { trees, linear, share }, margins, loss)
    };
    [0.25, 0.5, 0.75]
        .into_iter()
        .map(mixed)
        .min_by(|a, b| a.2.total_cmp(&b.2))
}
