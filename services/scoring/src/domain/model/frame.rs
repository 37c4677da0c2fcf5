//! Features as columns of numbers with gaps (NaN), and the rows to learn from.

use std::collections::BTreeMap;

/// Named columns of equal length; a gap is NaN and never zero (I-2).
#[derive(Clone, Debug, Default)]
pub struct Frame {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    rows: usize,
}

impl Frame {
    /// A frame of `columns`, shorter ones filled with gaps; infinite values become gaps.
    pub fn new(names: Vec<String>, mut columns: Vec<Vec<f64>>) -> Self {
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        columns.resize(names.len(), Vec::new());
        for column in &mut columns {
            column.resize(rows, f64::NAN);
            for value in column.iter_mut().filter(|value| value.is_infinite()) {
                *value = f64::NAN;
            }
        }
        Self { names, columns, rows }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// One column; empty for one that does not exist.
    pub fn column(&self, index: usize) -> &[f64] {
        self.columns.get(index).map_or(&[], Vec::as_slice)
    }

    /// The columns in order.
    pub fn columns(&self) -> impl Iterator<Item = &[f64]> {
        self.columns.iter().map(Vec::as_slice)
    }

    /// One row.
    pub fn row(&self, row: usize) -> Vec<f64> {
        let value = |column: &Vec<f64>| column.get(row).copied().unwrap_or(f64::NAN);
        self.columns.iter().map(value).collect()
    }

    /// The named rows, in that order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let pick = |column: &Vec<f64>| rows.iter().map(|row| column[*row]).collect();
        Self {
            names: self.names.clone(),
            columns: self.columns.iter().map(pick).collect(),
            rows: rows.len(),
        }
    }

    /// The columns `names` in that order. Errors: every name that is missing.
    pub fn pick(&self, names: &[String]) -> Result<Self, Vec<String>> {
        let known: BTreeMap<&String, &Vec<f64>> = self.names.iter().zip(&self.columns).collect();
        let missing: Vec<String> = names.iter().filter(|name| !known.contains_key(name)).cloned().collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        Ok(Self {
            names: names.to_vec(),
            columns: names
                .iter()
                .filter_map(|name| known.get(name))
                .map(|column| (*column).clone())
                .collect(),
            rows: self.rows,
        })
    }
}

/// Rows to learn from: features, what happened, whose row it is, and when it stood.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// The features.
    pub frame: Frame,
    /// What happened, one per row.
    pub labels: Vec<bool>,
    /// Whose row it is (the account); rows of one group never stand on both sides of a split by group.
    pub groups: Vec<u32>,
    /// The day on which each row stood, where known; then splits are ordered in time (SC-5).
    pub times: Option<Vec<i32>>,
}

impl Dataset {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True without a row.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Rows where it happened.
    pub fn positives(&self) -> usize {
        self.labels.iter().filter(|label| **label).count()
    }

    /// The named rows, in that order.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            frame: self.frame.select(rows),
            labels: rows.iter().map(|row| self.labels[*row]).collect(),
            groups: rows.iter().map(|row| self.groups[*row]).collect(),
            times: self
                .times
                .as_ref()
                .map(|times| rows.iter().map(|row| times[*row]).collect()),
        }
    }
}

/// Numbers the groups by their first appearance.
pub fn number_groups<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u32> {
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    let number = |name: &'a str| {
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        *known.entry(name).or_insert(next)
    };
    names.into_iter().map(number).collect()
}
