//! Rows to learn from: one per account and month of its history.

use std::collections::BTreeMap;

use jiff::{Span, civil::Date};

use super::{
    super::frame::{Dataset, Frame},
    Day, History, Kind, outcome, point,
};

/// Features that are kept: those known in the most rows.
const MOST: usize = 160;

/// Rows gathered account by account; histories need not be kept.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    columns: BTreeMap<String, Vec<f64>>,
    groups: Vec<u32>,
    days: Vec<Day>,
    outcomes: BTreeMap<Kind, Vec<bool>>,
    accounts: u32,
}

impl Corpus {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// True without a row.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// Accounts that gave rows.
    pub fn accounts(&self) -> u32 {
        self.accounts
    }

    /// Takes the rows of an account: the last day before each month of its contract is over, while it is a customer and
    /// what followed in `horizon` days is known by the end of `known_until`. The days of the rows.
    pub fn take(&mut self, history: &History, horizon: Day, known_until: Day) -> Vec<Day> {
        let Some(first) = history.first_day() else {
            return Vec::new();
        };
        let before = self.days.len();
        for month in 1.. {
            let Some(day) = month_end(first, month).filter(|day| day.saturating_add(horizon) <= known_until) else {
                break;
            };
            if let Some(outcomes) = outcomes(history, day, horizon, known_until) {
                self.push(history, day, outcomes);
            }
        }
        self.accounts += u32::from(self.days.len() > before);
        self.days[before..].to_vec()
    }

    fn push(&mut self, history: &History, day: Day, outcomes: [(Kind, bool); 2]) {
        let row = self.days.len();
        for (name, value) in point(history, day) {
            let column = self.columns.entry(name).or_default();
            column.resize(row, f64::NAN);
            column.push(value);
        }
        for (kind, happened) in outcomes {
            self.outcomes.entry(kind).or_default().push(happened);
        }
        self.groups.push(self.accounts);
        self.days.push(day);
    }

    /// The rows with the outcome `kind`, in time.
    pub fn dataset(&self, kind: Kind) -> Dataset {
        let mut columns: Vec<(&String, &Vec<f64>)> = self.columns.iter().collect();
        let known = |column: &Vec<f64>| column.iter().filter(|value| !value.is_nan()).count();
        columns.retain(|(_, column)| known(column) * 100 >= self.len());
        columns.sort_by_key(|(_, column)| std::cmp::Reverse(known(column)));
        columns.truncate(MOST);
        columns.sort_by_key(|(name, _)| *name);
        let (names, mut values): (Vec<String>, Vec<Vec<f64>>) = columns
            .into_iter()
            .map(|(name, column)| (name.clone(), column.clone()))
            .unzip();
        for column in &mut values {
            column.resize(self.len(), f64::NAN);
        }
        Dataset {
            frame: Frame::new(names, values),
            labels: self.outcomes.get(&kind).cloned().unwrap_or_default(),
            groups: self.groups.clone(),
            times: Some(self.days.clone()),
        }
    }
}

/// The last day of the `month`th month that began on `first`.
fn month_end(first: Day, month: i32) -> Option<Day> {
    let epoch = Date::constant(1970, 1, 1);
    let start = epoch.checked_add(Span::new().try_days(first).ok()?).ok()?;
    let next = start.checked_add(Span::new().try_months(month).ok()?).ok()?;
    Some(next.since(epoch).ok()?.get_days() - 1)
}

fn outcomes(history: &History, day: Day, horizon: Day, known_until: Day) -> Option<[(Kind, bool); 2]> {
    let churn = outcome(history, Kind::Churn, day, horizon, known_until)?;
    let expansion = outcome(history, Kind::Expansion, day, horizon, known_until)?;
    Some([(Kind::Churn, churn), (Kind::Expansion, expansion)])
}
