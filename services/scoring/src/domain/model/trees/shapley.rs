//! Exact Shapley values of one tree for one row (Lundberg's polynomial algorithm): what a feature adds to the answer,
//! averaged over every order in which the features could become known. An unknown feature goes down both sides, in
//! proportion to the rows of training.

use super::Tree;

/// One feature on the way down, with the share of ways that run through it.
#[derive(Clone, Copy)]
struct Step {
    feature: usize,
    /// Share of rows that go this way when the feature is unknown.
    unknown: f64,
    /// 1 when the row itself goes this way, else 0.
    known: f64,
    weight: f64,
}

const NONE: usize = usize::MAX;

/// Adds the values of `tree` for `row` to `parts`.
pub(super) fn add(tree: &Tree, row: &[f64], parts: &mut [f64]) {
    descend(
        tree,
        0,
        row,
        parts,
        Vec::new(),
        Step {
            feature: NONE,
            unknown: 1.0,
            known: 1.0,
            weight: 0.0,
        },
    );
}

fn descend(tree: &Tree, at: usize, row: &[f64], parts: &mut [f64], mut path: Vec<Step>, step: Step) {
    extend(&mut path, step);
    let node = &tree.nodes[at];
    let Some(split) = node.split else {
        for index in 1..path.len() {
            let Step {
                feature,
                unknown,
                known,
                ..
            } = path[index];
            parts[feature] += unwound_sum(&path, index) * (known - unknown) * node.value;
        }
        return;
    };
    let hot = split.child(row[split.feature]);
    let cold = if hot == split.left { split.right } else { split.left };
    let (mut unknown, mut known) = (1.0, 1.0);
    if let Some(seen) = path.iter().position(|step| step.feature == split.feature) {
        (unknown, known) = (path[seen].unknown, path[seen].known);
        unwind(&mut path, seen);
    }
    for (child, follows) in [(hot, known), (cold, 0.0)] {
        let share = tree.nodes[child].cover / node.cover;
        let step = Step {
            feature: split.feature,
            unknown: unknown * share,
            known: follows,
            weight: 0.0,
        };
        descend(tree, child, row, parts, path.clone(), step);
    }
}

fn extend(path: &mut Vec<Step>, step: Step) {
    let depth = path.len();
    path.push(Step {
        weight: if depth == 0 { 1.0 } else { 0.0 },
        ..step
    });
    let all = (depth + 1) as f64;
    for i in (0..depth).rev() {
        path[i + 1].weight += step.known * path[i].weight * (i + 1) as f64 / all;
        path[i].weight = step.unknown * path[i].weight * (depth - i) as f64 / all;
    }
}

fn unwind(path: &mut Vec<Step>, index: usize) {
    let depth = path.len() - 1;
    let all = (depth + 1) as f64;
    let Step { unknown, known, .. } = path[index];
    let mut next = path[depth].weight;
    for i in (0..depth).rev() {
        if known == 0.0 {
            path[i].weight = path[i].weight * all / (unknown * (depth - i) as f64);
        } else {
            let weight = path[i].weight;
            path[i].weight = next * all / ((i + 1) as f64 * known);
            next = weight - path[i].weight * unknown * (depth - i) as f64 / all;
        }
    }
    for i in index..depth {
        path[i] = Step {
            weight: path[i].weight,
            ..path[i + 1]
        };
    }
    path.pop();
}

fn unwound_sum(path: &[Step], index: usize) -> f64 {
    let depth = path.len() - 1;
    let all = (depth + 1) as f64;
    let Step { unknown, known, .. } = path[index];
    let (mut next, mut sum) = (path[depth].weight, 0.0);
    for i in (0..depth).rev() {
        if known == 0.0 {
            sum += path[i].weight / (unknown * (depth - i) as f64 / all);
        } else {
            let part = next * all / ((i + 1) as f64 * known);
            sum += part;
            next = path[i].weight - part * unknown * (depth - i) as f64 / all;
        }
    }
    sum
}
