//! Grows one tree after the other: each on the gradient of the log-loss at the margins so far.

use rayon::prelude::*;

use super::{
    super::{chance::Chance, metrics::sigmoid},
    Bins, Node, Split, Tree, TreeSettings, Trees,
};

/// Sums of a bin: gradient, curvature, rows.
type Sums = [f64; 3];

/// Learns from some rows of a binned frame and keeps the margins of all of them.
#[derive(Debug)]
pub struct Booster<'a> {
    bins: &'a Bins,
    labels: &'a [bool],
    rows: Vec<u32>,
    settings: TreeSettings,
    chance: Chance,
    margins: Vec<f64>,
    trees: Trees,
}

/// The best way to split a leaf.
#[derive(Clone, Copy, Debug)]
struct Best {
    gain: f64,
    feature: usize,
    bin: usize,
    gap_left: bool,
}

struct Leaf {
    node: usize,
    depth: usize,
    rows: Vec<u32>,
    /// Of every feature that the tree looks at.
    histograms: Vec<Vec<Sums>>,
    best: Option<Best>,
}

impl<'a> Booster<'a> {
    /// A booster that learns from `rows`.
    pub fn new(bins: &'a Bins, labels: &'a [bool], rows: Vec<u32>, settings: TreeSettings, seed: u64) -> Self {
        let positives = rows.iter().filter(|row| labels[**row as usize]).count() as f64;
        let rate = (positives + 0.5) / (rows.len() as f64 + 1.0);
        let base = (rate / (1.0 - rate)).ln();
        Self {
            bins,
            labels,
            rows,
            settings,
            chance: Chance::new(seed),
            margins: vec![base; bins.rows()],
            trees: Trees {
                base,
                trees: Vec::new(),
            },
        }
    }

    /// The margin of every row of the frame, also of those it does not learn from.
    pub fn margins(&self) -> &[f64] {
        &self.margins
    }

    /// What it has learnt.
    pub fn into_trees(self) -> Trees {
        self.trees
    }

    /// Grows the next tree; false when nothing is left to gain.
    pub fn grow(&mut self) -> bool {
        let features = self.sample_features();
        let rows = self.sample_rows();
        let slopes = self.slopes();
        let mut growth = Growth {
            bins: self.bins,
            settings: &self.settings,
            features: &features,
            slopes: &slopes,
            chance: self.settings.random.then(|| Chance::new(self.chance.next())),
            nodes: Vec::new(),
            bin_of: Vec::new(),
        };
        growth.grow(rows);
        let Growth { nodes, bin_of, .. } = growth;
        if nodes.len() < 2 {
            return false;
        }
        let tree = Tree { nodes };
        let bins = self.bins;
        self.margins
            .par_iter_mut()
            .with_min_len(4096)
            .enumerate()
            .for_each(|(row, margin)| {
                *margin += binned_margin(&tree, &bin_of, bins, row);
            });
        self.trees.trees.push(tree);
        true
    }

    fn sample_features(&mut self) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.bins.width())
            .filter(|feature| self.bins.count(*feature) > 2)
            .collect();
        let wanted = ((all.len() as f64 * self.settings.features).ceil() as usize).max(1);
        if wanted < all.len() {
            self.chance.shuffle(&mut all);
            all.truncate(wanted);
            all.sort_unstable();
        }
        all
    }

    fn sample_rows(&mut self) -> Vec<u32> {
        if self.settings.rows >= 1.0 {
            return self.rows.clone();
        }
        let limit = (self.settings.rows * (u64::MAX as f64)) as u64;
        let chance = &mut self.chance;
        self.rows.iter().copied().filter(|_| chance.next() <= limit).collect()
    }

    /// Gradient and curvature of the log-loss at every row.
    fn slopes(&self) -> Vec<[f32; 2]> {
        let slope = |(margin, label): (&f64, &bool)| {
            let p = sigmoid(*margin);
            [
                (p - f64::from(u8::from(*label))) as f32,
                (p * (1.0 - p)).max(1e-12) as f32,
            ]
        };
        self.margins
            .par_iter()
            .with_min_len(4096)
            .zip(self.labels)
            .map(slope)
            .collect()
    }
}

fn binned_margin(tree: &Tree, bin_of: &[u8], bins: &Bins, row: usize) -> f64 {
    let mut at = 0;
    while let Some(split) = &tree.nodes[at].split {
        let bin = bins.column(split.feature)[row];
        let left = if bin == 0 { split.gap_left } else { bin <= bin_of[at] };
        at = if left { split.left } else { split.right };
    }
    tree.nodes[at].value
}

/// One tree while it grows.
struct Growth<'a> {
    bins: &'a Bins,
    settings: &'a TreeSettings,
    features: &'a [usize],
    slopes: &'a [[f32; 2]],
    /// Draws thresholds where they are drawn.
    chance: Option<Chance>,
    nodes: Vec<Node>,
    /// The bin that each node splits after.
    bin_of: Vec<u8>,
}

impl Growth<'_> {
    fn grow(&mut self, rows: Vec<u32>) {
        let histograms = self.histograms(&rows);
        let root = self.leaf(rows, histograms, 0);
        let mut open = vec![root];
        let mut leaves = 1;
        while leaves < self.settings.leaves {
            let candidates = open
                .iter()
                .enumerate()
                .filter_map(|(at, leaf)| leaf.best.map(|best| (at, best.gain)));
            // Of equal gains the first stands, so that the order is the same everywhere.
            let best = candidates.reduce(|best, next| if next.1 > best.1 { next } else { best });
            let Some((at, _)) = best else { break };
            let leaf = open.swap_remove(at);
            let (left, right) = self.split(leaf);
            open.extend([left, right]);
            leaves += 1;
        }
        self.mean_branches();
    }

    /// A branch carries the mean answer below it, from the leaves up: a child stands behind its parent.
    fn mean_branches(&mut self) {
        for at in (0..self.nodes.len()).rev() {
            if let Some(split) = self.nodes[at].split {
                self.nodes[at].value = mean_value(&self.nodes[split.left], &self.nodes[split.right]);
            }
        }
    }

    /// A leaf of `rows`, entered as a node with its answer.
    fn leaf(&mut self, rows: Vec<u32>, histograms: Vec<Vec<Sums>>, depth: usize) -> Leaf {
        let sums = histograms
            .first()
            .map_or([0.0; 3], |bins| bins.iter().fold([0.0; 3], add));
        let value = -sums[0] / (sums[1] + self.settings.ridge) * self.settings.rate;
        self.nodes.push(Node {
            cover: sums[2],
            value,
            split: None,
        });
        self.bin_of.push(0);
        let may_split = depth < self.settings.depth && sums[1] >= 2.0 * self.settings.least;
        let best = if may_split { self.best(&histograms, sums) } else { None };
        Leaf {
            node: self.nodes.len() - 1,
            depth,
            rows,
            histograms,
            best,
        }
    }

    fn split(&mut self, leaf: Leaf) -> (Leaf, Leaf) {
        let Leaf {
            node,
            depth,
            rows,
            histograms,
            best,
        } = leaf;
        let best = best.unwrap_or(Best {
            gain: 0.0,
            feature: 0,
            bin: 0,
            gap_left: true,
        });
        let column = self.bins.column(best.feature);
        let (left, right): (Vec<u32>, Vec<u32>) = rows.into_iter().partition(|row| {
            let bin = usize::from(column[*row as usize]);
            if bin == 0 { best.gap_left } else { bin <= best.bin }
        });
        // Only the smaller side is counted; the other is the difference.
        let is_left_small = left.len() <= right.len();
        let small = self.histograms(if is_left_small { &left } else { &right });
        let mut large = histograms;
        for (rest, counted) in large.iter_mut().zip(&small) {
            for (rest, counted) in rest.iter_mut().zip(counted) {
                for (rest, counted) in rest.iter_mut().zip(counted) {
                    *rest -= counted;
                }
            }
        }
        let (of_left, of_right) = if is_left_small { (small, large) } else { (large, small) };
        let left = self.leaf(left, of_left, depth + 1);
        let right = self.leaf(right, of_right, depth + 1);
        self.bin_of[node] = u8::try_from(best.bin).unwrap_or(u8::MAX);
        self.nodes[node].split = Some(Split {
            feature: best.feature,
            threshold: self.bins.threshold(best.feature, best.bin),
            gap_left: best.gap_left,
            left: left.node,
            right: right.node,
        });
        (left, right)
    }

    fn histograms(&self, rows: &[u32]) -> Vec<Vec<Sums>> {
        let slopes: Vec<[f32; 2]> = rows.iter().map(|row| self.slopes[*row as usize]).collect();
        let count = |feature: &usize| {
            let column = self.bins.column(*feature);
            let mut sums = vec![[0.0; 3]; self.bins.count(*feature)];
            for (row, slope) in rows.iter().zip(&slopes) {
                let bin = &mut sums[usize::from(column[*row as usize])];
                bin[0] += f64::from(slope[0]);
                bin[1] += f64::from(slope[1]);
                bin[2] += 1.0;
            }
            sums
        };
        self.features.par_iter().with_min_len(8).map(count).collect()
    }

    fn best(&mut self, histograms: &[Vec<Sums>], total: Sums) -> Option<Best> {
        let mut best: Option<Best> = None;
        for (feature, bins) in self.features.iter().zip(histograms) {
            let cuts = bins.len().saturating_sub(2);
            let only = self.chance.as_mut().map(|chance| 1 + chance.below(cuts));
            let next = self.best_of(*feature, bins, total, only);
            if next.is_some_and(|next| best.is_none_or(|best| next.gain > best.gain)) {
                best = next;
            }
        }
        best
    }

    /// The best split of a feature; with `only`, of that bin.
    fn best_of(&self, feature: usize, bins: &[Sums], total: Sums, only: Option<usize>) -> Option<Best> {
        let score = |sums: Sums| sums[0] * sums[0] / (sums[1] + self.settings.ridge);
        let (gap, base) = (bins[0], score(total));
        let mut best: Option<Best> = None;
        let mut below = [0.0; 3];
        for (bin, sums) in bins.iter().enumerate().skip(1).take(bins.len() - 2) {
            below = add(below, sums);
            if only.is_some_and(|only| only != bin) {
                continue;
            }
            for gap_left in [false, true] {
                if gap_left && gap[2] < 0.5 {
                    continue;
                }
                let left = if gap_left { add(below, &gap) } else { below };
                let right = [total[0] - left[0], total[1] - left[1], total[2] - left[2]];
                if left[1] < self.settings.least || right[1] < self.settings.least {
                    continue;
                }
                let gain = score(left) + score(right) - base;
                if gain > best.map_or(1e-7, |best| best.gain) {
                    // A gap that was never seen here goes where most rows go.
                    let gap_left = if gap[2] < 0.5 { left[2] >= right[2] } else { gap_left };
                    best = Some(Best {
                        gain,
                        feature,
                        bin,
                        gap_left,
                    });
                }
            }
        }
        best
    }
}

fn add(sum: Sums, more: &Sums) -> Sums {
    [sum[0] + more[0], sum[1] + more[1], sum[2] + more[2]]
}

fn mean_value(left: &Node, right: &Node) -> f64 {
    (left.value * left.cover + right.value * right.cover) / (left.cover + right.cover)
}
