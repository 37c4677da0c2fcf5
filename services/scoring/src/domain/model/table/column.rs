//! What a column of text is, and how its cells become numbers.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use super::is_gap;

/// Levels of a category that get a column of their own; the rest is told apart by how common it is.
const LEVELS: usize = 24;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Numbers.
    Number,
    /// Numbers with `,` before the fraction and `.` between thousands.
    CommaNumber,
    /// Yes and no.
    Boolean,
    /// Days, read as days since 1970-01-01.
    Day,
    /// Words: one column per common level, and one for how common the level was in training (0 for an unknown one).
    Category {
        /// The levels with columns of their own.
        levels: Vec<String>,
        /// The share of every level; only where there are more levels than columns.
        shares: BTreeMap<String, f64>,
    },
}

/// A column that is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub column: Column,
}

/// A number, also with `,` between thousands; `None` for what is not finite.
pub(super) fn number(cell: &str) -> Option<f64> {
    let plain = || cell.parse::<f64>().ok();
    let grouped = || {
        let (head, tail) = cell.split_once(',')?;
        let first = head.trim_start_matches('-');
        // 0,125 is no number of thousands.
        let fits = tail.split('.').next()?.split(',').all(|part| part.len() == 3)
            && (1..=3).contains(&first.len())
            && !first.starts_with('0');
        fits.then(|| cell.replace(',', "").parse::<f64>().ok()).flatten()
    };
    let percent = || cell.strip_suffix('%')?.trim_end().parse::<f64>().ok();
    plain()
        .or_else(grouped)
        .or_else(percent)
        .filter(|value| value.is_finite())
}

/// A number as it is written where a comma stands before the fraction: `1,5`, `1.250,75`.
fn comma_number(cell: &str) -> Option<f64> {
    let (head, fraction) = cell.split_once(',').unwrap_or((cell, ""));
    let mut parts = head.trim_start_matches('-').split('.');
    let fits = parts.next().is_some_and(|first| !first.is_empty()) && parts.all(|part| part.len() == 3);
    if !fits || fraction.contains(['.', ',', '-', '+']) {
        return None;
    }
    let plain = format!("{}.{fraction}", head.replace('.', ""));
    plain.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Days since 1970-01-01 of `2026-01-31`, with or without a time of day.
pub(super) fn day(cell: &str) -> Option<f64> {
    if cell.len() < 10 || !cell.contains(['-', '/']) {
        return None;
    }
    let cell = cell.replace('/', "-");
    let date = cell
        .parse::<Date>()
        .ok()
        .or_else(|| cell.parse::<DateTime>().ok().map(DateTime::date));
    let date = date.or_else(|| {
        cell.parse::<jiff::Timestamp>()
            .ok()
            .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date())
    })?;
    let epoch = Date::constant(1970, 1, 1);
    Some(f64::from(date.since(epoch).ok()?.get_days()))
}

fn boolean(cell: &str) -> Option<f64> {
    match cell.to_ascii_lowercase().as_str() {
        "yes" | "true" | "y" | "t" => Some(1.0),
        "no" | "false" | "n" | "f" => Some(0.0),
        _ => None,
    }
}

impl Column {
    /// What the cells are. Errors: why they cannot be used.
    pub(super) fn of(cells: &[&str]) -> Result<Self, String> {
        let known: Vec<&str> = cells.iter().copied().filter(|cell| !is_gap(cell)).collect();
        if known.is_empty() {
            return Err("every cell is empty".to_owned());
        }
        let share = |read: fn(&str) -> Option<f64>| {
            known.iter().filter(|cell| read(cell).is_some()).count() as f64 / known.len() as f64
        };
        // A few cells of text among numbers are gaps, not a reason to take the rest for words.
        if share(number) >= 0.9 {
            return Ok(Self::Number);
        }
        if share(comma_number) >= 0.9 {
            return Ok(Self::CommaNumber);
        }
        if share(boolean) == 1.0 {
            return Ok(Self::Boolean);
        }
        if share(day) >= 0.9 {
            return Ok(Self::Day);
        }
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for cell in &known {
            *counts.entry((*cell).to_owned()).or_default() += 1;
        }
        if counts.len() > LEVELS && counts.len() * 2 > known.len() {
            return Err(format!(
                "{} different words in {} rows: it names rows and groups none",
                counts.len(),
                known.len()
            ));
        }
        let mut common: Vec<(&String, &usize)> = counts.iter().collect();
        common.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let levels: Vec<String> = common.iter().take(LEVELS).map(|(level, _)| (*level).clone()).collect();
        let shares = if counts.len() > LEVELS {
            counts
                .iter()
                .map(|(level, count)| (level.clone(), *count as f64 / known.len() as f64))
                .collect()
        } else {
            BTreeMap::new()
        };
        Ok(Self::Category { levels, shares })
    }
}

impl Encoder {
    /// Appends the columns of numbers that the cells make.
    pub(super) fn encode(&self, cells: &[String], names: &mut Vec<String>, columns: &mut Vec<Vec<f64>>) {
        let read = |read: fn(&str) -> Option<f64>| cells.iter().map(|cell| read(cell).unwrap_or(f64::NAN)).collect();
        match &self.column {
            Column::Number => columns.push(read(number)),
            Column::CommaNumber => columns.push(read(comma_number)),
            Column::Boolean => columns.push(read(|cell| boolean(cell).or_else(|| number(cell)))),
            Column::Day => columns.push(read(day)),
            Column::Category { levels, shares } => {
                for level in levels {
                    names.push(format!("{}={level}", self.name));
                    let is = |cell: &String| {
                        if is_gap(cell) {
                            f64::NAN
                        } else {
                            f64::from(u8::from(cell == level))
                        }
                    };
                    columns.push(cells.iter().map(is).collect());
                }
                if !shares.is_empty() {
                    names.push(format!("{} (share)", self.name));
                    let share = |cell: &String| {
                        if is_gap(cell) {
                            f64::NAN
                        } else {
                            shares.get(cell).copied().unwrap_or(0.0)
                        }
                    };
                    columns.push(cells.iter().map(share).collect());
                }
                return;
            }
        }
        names.push(self.name.clone());
    }
}
