//! Daily rollups: what the counting facts of a day add up to. A tally is a commutative monoid, so that facts may come
//! in any order and in any batches; a correction makes the day be folded again.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::{fact::Body, words::Kind};

/// Where a day's sum stops growing: far above any real count, far below what 64 bits hold.
pub const SUM_CAP: i64 = 1_000_000_000_000_000_000;

/// One day of one series of one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// The account.
    pub account_id: String,
    /// Usage, activity, feature use, trial use or exports.
    pub kind: Kind,
    /// Metric, feature or tool; empty for activity.
    pub name: String,
    /// The day.
    pub day: Date,
}

/// What one fact says about its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What is added up: the amount, logins or uses.
    pub sum: i64,
    /// Of what the largest is kept: the amount, active people or users.
    pub max: i64,
}

impl Body {
    /// The day and count of a series fact; None for everything else.
    pub fn count(&self) -> Option<(Date, Count)> {
        match self {
            Self::Usage(usage) => Some((
                usage.day,
                Count {
                    sum: usage.value,
                    max: usage.value,
                },
            )),
            Self::Activity(activity) => Some((
                activity.day,
                Count {
                    sum: activity.logins,
                    max: activity.active_users,
                },
            )),
            Self::FeatureUse(feature) => Some((
                feature.day,
                Count {
                    sum: feature.uses,
                    max: feature.users,
                },
            )),
            Self::TrialUse(used) => Some((
                used.day,
                Count {
                    sum: used.uses,
                    max: used.users,
                },
            )),
            Self::Export(export) => Some((
                export.day,
                Count {
                    sum: export.exports,
                    max: export.exports,
                },
            )),
            _ => None,
        }
    }
}

/// What the facts of a day add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Sum, at most [`SUM_CAP`].
    pub sum: i64,
    /// Largest.
    pub max: i64,
    /// Facts behind it.
    pub fact_count: i64,
    /// When the first of them was recorded.
    pub first_recorded: Timestamp,
    /// When the last of them was recorded.
    pub last_recorded: Timestamp,
}

impl Tally {
    /// The tally of one fact.
    pub fn of(count: Count, recorded: Timestamp) -> Self {
        let Count { sum, max } = count;
        Self {
            sum: sum.min(SUM_CAP),
            max,
            fact_count: 1,
            first_recorded: recorded,
            last_recorded: recorded,
        }
    }

    /// The tally of no fact at all, which is what a day holds after its last fact was corrected away.
    pub fn nothing(recorded: Timestamp) -> Self {
        Self {
            sum: 0,
            max: 0,
            fact_count: 0,
            first_recorded: recorded,
            last_recorded: recorded,
        }
    }

    /// The tally of the facts behind both.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            sum: self.sum.saturating_add(other.sum).min(SUM_CAP),
            max: self.max.max(other.max),
            fact_count: self.fact_count + other.fact_count,
            first_recorded: self.first_recorded.min(other.first_recorded),
            last_recorded: self.last_recorded.max(other.last_recorded),
        }
    }
}

/// One tally per cell.
pub fn fold(tallies: impl IntoIterator<Item = (Cell, Tally)>) -> BTreeMap<Cell, Tally> {
    let mut cells: BTreeMap<Cell, Tally> = BTreeMap::new();
    for (cell, tally) in tallies {
        cells
            .entry(cell)
            .and_modify(|sum| *sum = sum.merge(tally))
            .or_insert(tally);
    }
    cells
}
