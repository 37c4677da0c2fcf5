//! Tables of text from outside: what each column is, and how it becomes numbers. What was learnt about the columns is
//! kept with the model, so that a later table is read the same way.

mod column;
mod label;
mod past;
mod taught;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::past::{Order, Place};
pub use self::{
    column::{Column, Encoder},
    label::{Label, LabelFault, is_gap},
    past::Past,
    taught::{Asked, Taught},
};
use super::frame::{Dataset, Frame, number_groups};

/// Cells of text by column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub header: Vec<String>,
    /// Their cells, trimmed.
    pub columns: Vec<Vec<String>>,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// A column by name; exact, or else without regard to case.
    pub fn column(&self, name: &str) -> Option<&[String]> {
        let exact = self.header.iter().position(|known| known == name);
        let index = exact.or_else(|| self.header.iter().position(|known| known.eq_ignore_ascii_case(name)))?;
        self.columns.get(index).map(Vec::as_slice)
    }
}

/// Which columns are no features.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// What happened.
    pub label: String,
    /// Names the row.
    pub id: Option<String>,
    /// Whose row it is.
    pub group: Option<String>,
    /// When the row stood; a day or a number.
    pub time: Option<String>,
}

/// How tables become rows for a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Which columns are no features.
    pub roles: Roles,
    /// Which words of the label mean that it happened.
    pub label: Label,
    /// One encoder per column that is used.
    pub encoders: Vec<Encoder>,
    /// Columns that are not used, each with the reason.
    pub left_out: Vec<(String, String)>,
    /// What came before a row within its account, where rows have an order.
    #[serde(default)]
    pub past: Option<Past>,
}

/// A table that cannot be learnt from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableFault {
    /// Columns that are needed and not there.
    #[error("the table has no column {}", .0.join(", "))]
    Missing(Vec<String>),
    /// The label does not say yes or no.
    #[error(transparent)]
    Label(#[from] LabelFault),
    /// Nothing to learn from.
    #[error("no row has a label")]
    Empty,
    /// Every column is left out.
    #[error("no column can be used as a feature")]
    NoFeature,
    /// The column of times holds neither days nor numbers.
    #[error("column {0} holds neither days (2026-01-31) nor numbers")]
    Time(String),
}

/// Accounts below which a column that might name them is taken for a feature.
const LEAST_GROUPS: usize = 20;

/// Finds the column that names rows: `id`, `row_id`, or one ending in `_id` or `id`, without a repeat.
pub fn guess_id(table: &Table) -> Option<String> {
    let is_name = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == "id" || name.ends_with("_id") || name == "customerid" || name == "rowid" || name == "accountid"
    };
    let unique = |index: usize| {
        let cells = &table.columns[index];
        cells.iter().collect::<BTreeSet<_>>().len() == cells.len()
    };
    let found = table
        .header
        .iter()
        .enumerate()
        .find(|(index, name)| is_name(name) && unique(*index));
    found.map(|(_, name)| name.clone())
}

/// Finds the column that names the account of a row, where no id says it: `account_id` and the like, with repeats.
pub fn guess_group(table: &Table) -> Option<String> {
    const OWNERS: [&str; 9] = [
        "account",
        "customer",
        "company",
        "client",
        "tenant",
        "organization",
        "organisation",
        "subscriber",
        "user",
    ];
    let is_name = |name: &str| {
        let name = name.to_ascii_lowercase();
        let stem = name.strip_suffix("id").unwrap_or(&name).trim_end_matches('_');
        OWNERS.contains(&stem)
    };
    let repeats = |index: usize| {
        let cells = &table.columns[index];
        let different = cells.iter().collect::<BTreeSet<_>>().len();
        different < cells.len() && different >= LEAST_GROUPS
    };
    let found = table
        .header
        .iter()
        .enumerate()
        .find(|(index, name)| is_name(name) && repeats(*index));
    found.map(|(_, name)| name.clone())
}

/// The account of a row id such as `A3_m1`: what stands before the last `_`, when a period stands after it.
fn account_of(id: &str) -> &str {
    parts_of(id).map_or(id, |(account, _)| account)
}

fn parts_of(id: &str) -> Option<(&str, &str)> {
    let is_period = |period: &str| period.chars().any(|c| c.is_ascii_digit()) && period.len() <= 10;
    id.rsplit_once('_')
        .filter(|(account, period)| !account.is_empty() && is_period(period))
}

/// Learns how to read `table` and reads it. `positive` is the word that means yes, where it is not plain. Rows without
/// a label are left out; their number is the last part of the answer. Errors: see [`TableFault`].
pub fn learn(table: &Table, roles: Roles, positive: Option<&str>) -> Result<(Reading, Dataset, usize), TableFault> {
    let named = [
        Some(&roles.label),
        roles.id.as_ref(),
        roles.group.as_ref(),
        roles.time.as_ref(),
    ];
    let missing: Vec<String> = named
        .into_iter()
        .flatten()
        .filter(|name| table.column(name).is_none())
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Err(TableFault::Missing(missing));
    }
    let words = table.column(&roles.label).unwrap_or(&[]);
    let label = Label::of(&roles.label, words, positive)?;
    let mut reading = Reading {
        roles,
        label,
        encoders: Vec::new(),
        left_out: Vec::new(),
        past: None,
    };
    let rows = reading.labelled(table);
    if rows.is_empty() {
        return Err(TableFault::Empty);
    }
    for (name, cells) in table.header.iter().zip(&table.columns) {
        if reading.roles.holds(name) {
            continue;
        }
        let known: Vec<&str> = rows.iter().map(|row| cells[*row].as_str()).collect();
        match Column::of(&known) {
            Ok(column) => reading.encoders.push(Encoder {
                name: name.clone(),
                column,
            }),
            Err(reason) => reading.left_out.push((name.clone(), reason)),
        }
    }
    if reading.encoders.is_empty() {
        return Err(TableFault::NoFeature);
    }
    let dataset = reading.dataset(table, &rows)?;
    let order = reading.order(table);
    reading.past = order.and_then(|order| Past::of(&reading.frame(table).ok()?, &order));
    Ok((reading, dataset, table.rows() - rows.len()))
}

impl Roles {
    fn holds(&self, name: &str) -> bool {
        let Self { label, id, group, time } = self;
        let is = |role: &str| role.eq_ignore_ascii_case(name);
        is(label) || [id, group, time].into_iter().flatten().any(|role| is(role))
    }
}

impl Reading {
    /// The features of a table, in the model's order. Errors: every column that is missing.
    pub fn frame(&self, table: &Table) -> Result<Frame, TableFault> {
        let absent = |encoder: &&Encoder| table.column(&encoder.name).is_none();
        let missing: Vec<String> = self
            .encoders
            .iter()
            .filter(absent)
            .map(|encoder| encoder.name.clone())
            .collect();
        if !missing.is_empty() {
            return Err(TableFault::Missing(missing));
        }
        let mut names = Vec::new();
        let mut columns = Vec::new();
        for encoder in &self.encoders {
            encoder.encode(table.column(&encoder.name).unwrap_or(&[]), &mut names, &mut columns);
        }
        Ok(Frame::new(names, columns))
    }

    /// The rows that have a label; none without its column.
    pub fn labelled(&self, table: &Table) -> Vec<usize> {
        let words = table.column(&self.roles.label).unwrap_or(&[]);
        (0..words.len()).filter(|row| !is_gap(&words[*row])).collect()
    }

    /// The features of a table with what came before each row; `None` where nothing is to be told, or the table does not
    /// hold it.
    pub(super) fn past_frame(&self, table: &Table, frame: &Frame) -> Option<Frame> {
        self.past.as_ref()?.beside(frame, &self.order(table)?)
    }

    /// Rows in the order of their accounts and times; `None` where that is not known.
    fn order(&self, table: &Table) -> Option<Order> {
        let column = |name: &Option<String>| name.as_ref().and_then(|name| table.column(name));
        let places: Vec<Option<Place>> = match (column(&self.roles.time), column(&self.roles.id)) {
            (Some(times), _) => times.iter().map(|cell| Some(vec![time_of(cell)? as i64])).collect(),
            (None, Some(ids)) => {
                let place = |id: &String| past::place_in(parts_of(id)?.1);
                ids.iter().map(place).collect()
            }
            (None, None) => return None,
        };
        let groups = self.groups(table);
        Order::of(&number_groups(groups.iter().map(String::as_str)), places)
    }

    /// Columns of a table that the model does not know.
    pub fn unknown(&self, table: &Table) -> Vec<String> {
        let is_known = |name: &String| {
            self.roles.holds(name)
                || self
                    .encoders
                    .iter()
                    .any(|encoder| encoder.name.eq_ignore_ascii_case(name))
                || self.left_out.iter().any(|(left, _)| left == name)
        };
        table.header.iter().filter(|name| !is_known(name)).cloned().collect()
    }

    /// The account of every row: the column of groups, or what the id says, or the row itself.
    pub fn groups(&self, table: &Table) -> Vec<String> {
        let column = |name: &Option<String>| name.as_ref().and_then(|name| table.column(name));
        match (column(&self.roles.group), column(&self.roles.id)) {
            (Some(groups), _) => groups.to_vec(),
            (None, Some(ids)) => ids.iter().map(|id| account_of(id).to_owned()).collect(),
            (None, None) => (0..table.rows()).map(|row| row.to_string()).collect(),
        }
    }

    /// The labelled `rows` of a table. Errors: columns that are missing, labels and times that cannot be read.
    pub fn dataset(&self, table: &Table, rows: &[usize]) -> Result<Dataset, TableFault> {
        let words = table
            .column(&self.roles.label)
            .ok_or_else(|| TableFault::Missing(vec![self.roles.label.clone()]))?;
        let groups = self.groups(table);
        let labels: Result<Vec<bool>, LabelFault> = rows.iter().map(|row| self.label.read(&words[*row])).collect();
        Ok(Dataset {
            frame: self.frame(table)?.select(rows),
            labels: labels?,
            groups: number_groups(rows.iter().map(|row| groups[*row].as_str())),
            times: self.times(table, rows)?,
        })
    }

    fn times(&self, table: &Table, rows: &[usize]) -> Result<Option<Vec<i32>>, TableFault> {
        let Some(name) = &self.roles.time else { return Ok(None) };
        let Some(cells) = table.column(name) else {
            return Err(TableFault::Missing(vec![name.clone()]));
        };
        let times: Option<Vec<i32>> = rows
            .iter()
            .map(|row| time_of(&cells[*row]).map(|time| time as i32))
            .collect();
        times.map(Some).ok_or_else(|| TableFault::Time(name.clone()))
    }
}

/// A day, or else a number.
fn time_of(cell: &str) -> Option<f64> {
    column::day(cell).or_else(|| column::number(cell))
}
