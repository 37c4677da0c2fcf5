//! What came before a row within its account. What a contract says now tells less than how long it has said so; a table
//! of months holds that between its rows. Only earlier rows are read, and never a label, so that nothing leaks from what
//! came after.

use serde::{Deserialize, Serialize};

use super::super::frame::Frame;

/// Share of steps at which a feature moves, from which on its last move tells nothing.
const RESTLESS: f64 = 0.35;
/// Moves below which there is nothing to learn from.
const LEAST_MOVES: usize = 20;
/// Features at most.
const MOST: usize = 40;
/// Rows before a row, on average, from which on there is a past.
const LEAST_DEPTH: f64 = 1.0;

/// Features whose moves are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Of each is told how many rows ago it last rose, and last fell.
    pub features: Vec<String>,
    /// Rows before a row in training, on average.
    pub depth: f64,
}

/// Where a row stands within its account: numbers that are compared one after the other.
pub(super) type Place = Vec<i64>;

/// Rows in the order of their accounts and places.
pub(super) struct Order {
    sequence: Vec<usize>,
    /// True where another row of the account comes before.
    follows: Vec<bool>,
    depth: f64,
}

impl Order {
    /// Orders rows; `None` when the place of a row is not known, or two rows of an account have the same: one of them would
    /// read the other as its past.
    pub(super) fn of(groups: &[u32], places: Vec<Option<Place>>) -> Option<Self> {
        let places: Vec<Place> = places.into_iter().collect::<Option<_>>()?;
        let mut sequence: Vec<usize> = (0..groups.len()).collect();
        sequence.sort_by(|a, b| groups[*a].cmp(&groups[*b]).then_with(|| places[*a].cmp(&places[*b])));
        let mut follows = vec![false; groups.len()];
        let (mut before, mut sum) = (0_usize, 0_usize);
        for pair in sequence.windows(2) {
            follows[pair[1]] = groups[pair[0]] == groups[pair[1]];
            if follows[pair[1]] && places[pair[0]] == places[pair[1]] {
                return None;
            }
            before = if follows[pair[1]] { before + 1 } else { 0 };
            sum += before;
        }
        let depth = sum as f64 / groups.len().max(1) as f64;
        Some(Self {
            sequence,
            follows,
            depth,
        })
    }

    /// Steps at which both values are known, and those of them at which the value moved.
    fn moves(&self, column: &[f64]) -> (usize, usize) {
        let steps = self.sequence.windows(2).filter(|pair| self.follows[pair[1]]);
        let known = steps.map(|pair| (column[pair[0]], column[pair[1]]));
        known
            .filter(|(then, now)| !then.is_nan() && !now.is_nan())
            .fold((0, 0), |(steps, moved), (then, now)| {
                (steps + 1, moved + usize::from(then < now || now < then))
            })
    }

    /// For every row the rows since `column` rose and since it fell; a gap where it is not known to have.
    fn since(&self, column: &[f64]) -> [Vec<f64>; 2] {
        let mut out = [vec![f64::NAN; column.len()], vec![f64::NAN; column.len()]];
        let (mut last, mut rose, mut fell) = (f64::NAN, f64::NAN, f64::NAN);
        for row in &self.sequence {
            let now = column[*row];
            if self.follows[*row] {
                (rose, fell) = (rose + 1.0, fell + 1.0);
            } else {
                (last, rose, fell) = (f64::NAN, f64::NAN, f64::NAN);
            }
            if now > last {
                rose = 0.0;
            } else if now < last {
                fell = 0.0;
            }
            if !now.is_nan() {
                last = now;
            }
            (out[0][*row], out[1][*row]) = (rose, fell);
        }
        out
    }
}

impl Past {
    /// Finds the features that stand for a while and move then; `None` when there are none, or rows stand alone.
    pub(super) fn of(frame: &Frame, order: &Order) -> Option<Self> {
        if order.depth < LEAST_DEPTH {
            return None;
        }
        let is_told = |column: &[f64]| {
            let (steps, moved) = order.moves(column);
            moved >= LEAST_MOVES && (moved as f64) < steps as f64 * RESTLESS
        };
        let told = frame
            .names()
            .iter()
            .zip(frame.columns())
            .filter(|(_, column)| is_told(column));
        let features: Vec<String> = told.map(|(name, _)| name.clone()).take(MOST).collect();
        (!features.is_empty()).then_some(Self {
            features,
            depth: order.depth,
        })
    }

    /// The frame with what came before beside it; `None` when rows have far fewer rows before them than in training, so
    /// that what is missing would be taken for what never was.
    pub(super) fn beside(&self, frame: &Frame, order: &Order) -> Option<Frame> {
        if order.depth < self.depth / 2.0 {
            return None;
        }
        let mut names = frame.names().to_vec();
        let mut columns: Vec<Vec<f64>> = frame.columns().map(<[f64]>::to_vec).collect();
        for feature in &self.features {
            let index = frame.names().iter().position(|name| name == feature)?;
            let [rose, fell] = order.since(frame.column(index));
            names.push(format!("{feature} (rows since it rose)"));
            names.push(format!("{feature} (rows since it fell)"));
            columns.extend([rose, fell]);
        }
        Some(Frame::new(names, columns))
    }
}

/// The numbers in what stands behind the account in an id: 12 of `A3_m12`, 2026 and 1 of `A3_2026-01`.
pub(super) fn place_in(period: &str) -> Option<Place> {
    let numbers = period
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty());
    let place: Place = numbers.map(|part| part.parse().ok()).collect::<Option<_>>()?;
    (!place.is_empty()).then_some(place)
}
