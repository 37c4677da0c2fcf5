//! Answers: one view of a thing serves both the table for people and the JSON for programs.

mod csv;

use std::io::{self, Write as _};

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::Table;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;
use upswell_proto::gtype;
use upswell_runtime::money::{self, Money};

use crate::{amounts, tables};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    Table,
    /// For programs: one JSON document; money in minor units, instants in RFC 3339.
    Json,
    /// For spreadsheets: one line per row, with the names of the JSON.
    Csv,
}

/// Something that can be shown. Its JSON is its serde form.
pub(super) trait View: Serialize {
    /// For people.
    fn render(&self) -> String;
}

/// Something that is shown in lists.
pub(super) trait Row: Serialize {
    /// Columns of the table.
    const COLUMNS: &'static [Column];

    /// One cell a column.
    fn cells(&self) -> Vec<String>;
}

/// A list; `more` when it was cut at the limit.
#[derive(Debug, Serialize)]
pub(super) struct Listing<T> {
    pub(super) items: Vec<T>,
    pub(super) more: bool,
}

impl<T: Row> View for Listing<T> {
    fn render(&self) -> String {
        if self.items.is_empty() {
            return "nothing found".to_owned();
        }
        let more = if self.more {
            "\nthere is more: raise --limit, or --limit 0 for everything"
        } else {
            ""
        };
        format!("{}{more}", rows(&self.items))
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    name: &'static str,
    right: bool,
}

/// A column of words.
pub(super) const fn left(name: &'static str) -> Column {
    Column { name, right: false }
}

/// A column of numbers.
pub(super) const fn right(name: &'static str) -> Column {
    Column { name, right: true }
}

/// Writes the answer to standard output. A reader that went away (`| head`) is no failure.
pub(super) fn show(output: Output, view: &impl View) -> Result<()> {
    let mut text = match output {
        Output::Table => view.render(),
        Output::Json => serde_json::to_string_pretty(view)?,
        Output::Csv => csv::text(&serde_json::to_value(view)?)?,
    };
    if output != Output::Csv {
        text.push('\n');
    }
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// A table of rows.
pub(super) fn rows<T: Row>(rows: &[T]) -> Table {
    let mut table = tables::table(T::COLUMNS.iter().map(|column| (column.name, column.right)));
    for row in rows {
        table.add_row(row.cells());
    }
    table
}

/// A titled table, or nothing where there are no rows.
pub(super) fn part<T: Row>(title: &str, items: &[T]) -> String {
    if items.is_empty() {
        String::new()
    } else {
        format!("\n\n{title}\n{}", rows(items))
    }
}

/// Names with values below each other; empty values are left out.
pub(super) fn card(lines: &[(&str, String)]) -> String {
    let shown = || lines.iter().filter(|(_, value)| !value.is_empty());
    let width = shown().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let indent = format!("\n{:width$}  ", "");
    let line = |(name, value): &(&str, String)| format!("{name:width$}  {}", value.replace('\n', &indent));
    shown().map(line).collect::<Vec<_>>().join("\n")
}

/// Minutes of UTC, empty where there is none.
pub(super) fn time(at: Option<Timestamp>) -> String {
    at.map_or(String::new(), |at| {
        at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%MZ").to_string()
    })
}

/// ISO 8601, empty where there is none.
pub(super) fn day(day: Option<Date>) -> String {
    day.map_or(String::new(), |day| day.to_string())
}

/// An amount for people, empty where there is none.
pub(super) fn cash(amount: Option<Money>) -> String {
    amount.map_or(String::new(), amounts::money)
}

/// Amounts of several currencies.
pub(super) fn cashes(amounts: &[Money]) -> String {
    amounts
        .iter()
        .map(|amount| amounts::money(*amount))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A share with one decimal, a dash where there is none.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// A number with one decimal, a dash where there is none.
pub(super) fn decimal(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.1}"))
}

/// A mark where something holds.
pub(super) fn yes(value: bool) -> String {
    if value { "yes".to_owned() } else { String::new() }
}

/// An amount from the wire; services send none that cannot be read.
pub(super) fn wire_money(amount: Option<&gtype::Money>) -> Option<Money> {
    amount.and_then(|amount| money::from_proto(amount).ok())
}

/// Amounts from the wire.
pub(super) fn wire_moneys(amounts: &[gtype::Money]) -> Vec<Money> {
    amounts.iter().filter_map(|amount| wire_money(Some(amount))).collect()
}
