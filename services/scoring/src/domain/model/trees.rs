//! Gradient-boosted trees for a yes or no, written for what is learnt here: wide tables of numbers with gaps, ten
//! thousand to a million rows. Features are binned once and shared by every fold; a gap goes down the side that
//! lowers the loss; trees grow where the gain is largest. The same seed gives the same trees on any number of threads.

mod bins;
mod grow;
mod shapley;

use serde::{Deserialize, Serialize};

pub use self::{bins::Bins, grow::Booster};
use super::frame::Frame;

/// How trees grow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeSettings {
    /// Leaves of a tree, 2 or more.
    pub leaves: usize,
    /// Splits on the longest way down.
    pub depth: usize,
    /// Share of a tree's answer that counts (shrinkage).
    pub rate: f64,
    /// Penalty on the squared answer of a leaf.
    pub ridge: f64,
    /// Least curvature (rows × p × (1 − p)) of a leaf.
    pub least: f64,
    /// Share of the features that one tree may look at.
    pub features: f64,
    /// Share of the rows that one tree learns from.
    pub rows: f64,
    /// A leaf tries one threshold of each feature, drawn by chance, instead of all: single trees fit less to noise, and
    /// their sum tells more where a few features do most of the work.
    pub random: bool,
}

/// A sum of trees on the log-odds scale.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trees {
    /// The margin without a tree.
    pub base: f64,
    /// The trees.
    pub trees: Vec<Tree>,
}

/// One tree; the first node is the root.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    /// Rows of training below it.
    #[serde(rename = "n")]
    cover: f64,
    /// The answer of a leaf, the mean answer of a branch.
    #[serde(rename = "v")]
    value: f64,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    split: Option<Split>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Split {
    #[serde(rename = "f")]
    feature: usize,
    /// Values up to it go left.
    #[serde(rename = "t")]
    threshold: f64,
    /// A gap goes left.
    #[serde(rename = "g")]
    gap_left: bool,
    #[serde(rename = "l")]
    left: usize,
    #[serde(rename = "r")]
    right: usize,
}

impl Split {
    fn child(&self, value: f64) -> usize {
        let left = if value.is_nan() {
            self.gap_left
        } else {
            value <= self.threshold
        };
        if left { self.left } else { self.right }
    }
}

impl Tree {
    /// The answer to a row.
    pub fn margin(&self, row: &[f64]) -> f64 {
        let mut node = &self.nodes[0];
        while let Some(split) = &node.split {
            node = &self.nodes[split.child(row[split.feature])];
        }
        node.value
    }

    /// True when every child stands behind its parent, within the tree, and no feature is past `width`: what is read
    /// from a file must neither loop nor panic.
    fn is_sound(&self, width: usize) -> bool {
        let sound = |(index, node): (usize, &Node)| {
            node.split.is_none_or(|split| {
                let inside = |child: usize| child > index && child < self.nodes.len();
                inside(split.left) && inside(split.right) && split.feature < width
            })
        };
        !self.nodes.is_empty() && self.nodes.iter().enumerate().all(sound)
    }
}

impl Trees {
    /// Learns `rounds` trees from all rows.
    pub fn fit(frame: &Frame, labels: &[bool], settings: &TreeSettings, rounds: usize, seed: u64) -> Self {
        let bins = Bins::of(frame);
        let rows: Vec<u32> = (0..u32::try_from(frame.rows()).unwrap_or(u32::MAX)).collect();
        let mut booster = Booster::new(&bins, labels, rows, *settings, seed);
        for _ in 0..rounds {
            if !booster.grow() {
                break;
            }
        }
        booster.into_trees()
    }

    /// The trees that answer the mean of what `members` answer; nothing of no members.
    pub fn mean(members: Vec<Self>) -> Self {
        let share = 1.0 / members.len().max(1) as f64;
        let mut mean = Self::default();
        for Self { base, mut trees } in members {
            mean.base += base * share;
            for node in trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
                node.value *= share;
            }
            mean.trees.append(&mut trees);
        }
        mean
    }

    /// Only the first `rounds` trees.
    pub(super) fn truncate(&mut self, rounds: usize) {
        self.trees.truncate(rounds);
    }

    /// The margin of a row of features.
    pub fn margin(&self, row: &[f64]) -> f64 {
        self.base + self.trees.iter().map(|tree| tree.margin(row)).sum::<f64>()
    }

    /// The exact Shapley values of a row's features and the mean margin; together they sum to the margin.
    pub fn contributions(&self, row: &[f64]) -> (Vec<f64>, f64) {
        let mut parts = vec![0.0; row.len()];
        let mut rest = self.base;
        for tree in &self.trees {
            shapley::add(tree, row, &mut parts);
            rest += tree.nodes[0].value;
        }
        (parts, rest)
    }

    /// True when the trees can answer rows of `width` features.
    pub fn is_sound(&self, width: usize) -> bool {
        self.base.is_finite() && self.trees.iter().all(|tree| tree.is_sound(width))
    }
}
