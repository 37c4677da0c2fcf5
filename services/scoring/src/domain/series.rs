//! Daily series and the windows they are compared in. A day without a fact is absent, which is not zero.

use jiff::civil::Date;

use super::moment::days_before;

/// Counts by day, ascending, each day once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series(Vec<(Date, i64)>);

/// Days from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
}

/// What a series holds in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Sum of the counts.
    pub sum: i128,
    /// Days that have a count.
    pub days: i32,
}

impl Window {
    /// The `days` days that end with `last`.
    pub fn ending(last: Date, days: i32) -> Self {
        Self {
            first: days_before(last, days - 1),
            last,
        }
    }

    /// The `days` days just before this window.
    pub fn before(self, days: i32) -> Self {
        Self::ending(days_before(self.first, 1), days)
    }

    /// True for a day inside.
    pub fn contains(self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }
}

impl Tally {
    /// Mean per day that has a count; `None` without any.
    pub fn mean(self) -> Option<f64> {
        (self.days > 0).then(|| self.sum as f64 / f64::from(self.days))
    }
}

impl FromIterator<(Date, i64)> for Series {
    fn from_iter<T: IntoIterator<Item = (Date, i64)>>(counts: T) -> Self {
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(day, _)| *day);
        counts.dedup_by_key(|(day, _)| *day);
        Self(counts)
    }
}

impl Series {
    /// Sum and number of the days of `window` that have a count.
    pub fn tally(&self, window: Window) -> Tally {
        let counts = self.within(window);
        let sum = counts.iter().map(|(_, count)| i128::from(*count)).sum();
        Tally {
            sum,
            days: i32::try_from(counts.len()).unwrap_or(i32::MAX),
        }
    }

    /// The days of `window` that have a count, ascending.
    pub fn within(&self, window: Window) -> &[(Date, i64)] {
        let start = self.0.partition_point(|(day, _)| *day < window.first);
        let end = self.0.partition_point(|(day, _)| *day <= window.last);
        self.0.get(start..end).unwrap_or_default()
    }

    /// Days of `window` with a count of at least `least`.
    pub fn days_with(&self, window: Window, least: i64) -> i32 {
        let days = self.within(window).iter().filter(|(_, count)| *count >= least).count();
        i32::try_from(days).unwrap_or(i32::MAX)
    }

    /// The largest count in `window`.
    pub fn peak(&self, window: Window) -> Option<i64> {
        self.within(window).iter().map(|(_, count)| *count).max()
    }

    /// The first day that has a count.
    pub fn earliest(&self) -> Option<Date> {
        self.0.first().map(|(day, _)| *day)
    }

    /// The newest count on or before `day`.
    pub fn latest(&self, day: Date) -> Option<(Date, i64)> {
        let end = self.0.partition_point(|(known, _)| *known <= day);
        end.checked_sub(1).and_then(|last| self.0.get(last)).copied()
    }

    /// Adds days that are not known yet.
    pub fn extend(&mut self, other: Self) {
        let known = std::mem::take(&mut self.0);
        // The sort is stable, so that of one day the count known first stays.
        *self = known.into_iter().chain(other.0).collect();
    }

    /// All days that have a count, ascending.
    pub fn all(&self) -> &[(Date, i64)] {
        &self.0
    }

    /// True without any count.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// By how many percent the mean of `now` lies above the mean of `before`; negative below. Exact up to the last
/// division, so that +15 % is 15.0. `None` when a mean is missing or the baseline is not positive.
pub fn growth_percent(now: Tally, before: Tally) -> Option<f64> {
    if now.days == 0 || before.days == 0 || before.sum <= 0 {
        return None;
    }
    let base = before.sum.checked_mul(i128::from(now.days))?;
    let grown = now.sum.checked_mul(i128::from(before.days))?.checked_sub(base)?;
    Some(grown.checked_mul(100)? as f64 / base as f64)
}
