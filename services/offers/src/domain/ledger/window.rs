//! Counting in sliding windows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Cap, Row, WindowCap};

/// The rows of `members` that leave no place at `at`: those of every half-open window around it that would hold more
/// than the cap. `None` when there is a place; an empty list when the cap itself is 0.
pub(super) fn overfull<'a>(
    members: impl Iterator<Item = &'a Row>,
    at: Timestamp,
    cap: WindowCap,
) -> Option<BTreeSet<Uuid>> {
    let Cap::AtMost(max) = cap.max else { return None };
    let near: Vec<&Row> = members
        .filter(|row| row.at.duration_since(at).abs() < cap.window)
        .collect();
    // A fullest window around `at` can be moved to begin at one of its touches.
    let starts = near.iter().map(|row| row.at).filter(|start| *start <= at).chain([at]);
    let mut blocking = BTreeSet::new();
    let mut full = max == 0;
    for start in starts {
        let inside = near
            .iter()
            .filter(|row| row.at >= start && row.at.duration_since(start) < cap.window);
        let inside: Vec<Uuid> = inside.map(|row| row.touch_id).collect();
        if inside.len() >= max as usize {
            full = true;
            blocking.extend(inside);
        }
    }
    full.then_some(blocking)
}
