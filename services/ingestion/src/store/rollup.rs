//! Daily rollups.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use sea_orm::{
    ConnectionTrait, ExprTrait as _, QueryResult,
    sea_query::{Expr, Order, Query, SelectStatement},
};
use upswell_runtime::{
    db::{Column, Rows, Tx, epoch_day, from_epoch_day, from_micros, micros},
    problem::Problem,
};

use super::{CHUNK, tables::Rollup};
use crate::domain::{
    account360::Days,
    rollup::{Cell, SUM_CAP, Tally},
    words::Kind,
};

/// Whether a tally is added to what is there, or replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// New facts came.
    Add,
    /// The day was folded again.
    Replace,
}

/// Writes tallies. An added tally joins what is there as [`Tally::merge`] does.
pub async fn rollups_write(tx: &Tx, tallies: &BTreeMap<Cell, Tally>, write: Write) -> Result<(), Problem> {
    let mut rows = Rows::new([
        ("account_id", Column::Text),
        ("kind", Column::SmallInt),
        ("name", Column::Text),
        ("day", Column::Int),
        ("count_sum", Column::BigInt),
        ("count_max", Column::BigInt),
        ("fact_count", Column::BigInt),
        ("first_recorded_at", Column::BigInt),
        ("last_recorded_at", Column::BigInt),
    ]);
    for (cell, tally) in tallies {
        rows.push([
            cell.account_id.as_str().into(),
            cell.kind.code().into(),
            cell.name.as_str().into(),
            epoch_day(cell.day).into(),
            tally.sum.into(),
            tally.max.into(),
            tally.fact_count.into(),
            micros(tally.first_recorded).into(),
            micros(tally.last_recorded).into(),
        ]);
    }
    rows.insert(tx, "\"rollup\"", &taken_over(write)).await?;
    Ok(())
}

const COLUMNS: [Rollup; 9] = [
    Rollup::AccountId,
    Rollup::Kind,
    Rollup::Name,
    Rollup::Day,
    Rollup::CountSum,
    Rollup::CountMax,
    Rollup::FactCount,
    Rollup::FirstRecordedAt,
    Rollup::LastRecordedAt,
];

/// Both databases know CASE; the smaller or larger of two values they call by different names.
fn taken_over(write: Write) -> String {
    let changing = [
        "count_sum",
        "count_max",
        "fact_count",
        "first_recorded_at",
        "last_recorded_at",
    ];
    let value = |column: &str| {
        let (old, new) = (format!("\"rollup\".{column}"), format!("excluded.{column}"));
        let sum = format!("{old} + {new}");
        match (write, column) {
            (Write::Replace, _) => new,
            (Write::Add, "count_sum") => format!("CASE WHEN {sum} > {SUM_CAP} THEN {SUM_CAP} ELSE {sum} END"),
            (Write::Add, "fact_count") => sum,
            (Write::Add, "first_recorded_at") => format!("CASE WHEN {new} < {old} THEN {new} ELSE {old} END"),
            (Write::Add, _) => format!("CASE WHEN {new} > {old} THEN {new} ELSE {old} END"),
        }
    };
    let set = changing.map(|column| format!("{column} = {}", value(column)));
    format!(
        "ON CONFLICT (account_id, kind, name, day) DO UPDATE SET {}",
        set.join(", ")
    )
}

/// When the first and last of the facts behind any of `cells` were recorded, or a wider span.
pub async fn rollups_span(tx: &Tx, cells: &[Cell]) -> Result<Option<(Timestamp, Timestamp)>, Problem> {
    let mut span: Option<(Timestamp, Timestamp)> = None;
    for chunk in cells.chunks(CHUNK) {
        let mut select = rollups_select();
        select
            .and_where(Expr::col(Rollup::AccountId).is_in(chunk.iter().map(|cell| cell.account_id.as_str())))
            .and_where(Expr::col(Rollup::Day).is_in(chunk.iter().map(|cell| epoch_day(cell.day))));
        for row in tx.query_all(&select).await? {
            let (cell, tally) = line(&row)?;
            if chunk.binary_search(&cell).is_ok() {
                let (first, last) = span.unwrap_or((tally.first_recorded, tally.last_recorded));
                span = Some((first.min(tally.first_recorded), last.max(tally.last_recorded)));
            }
        }
    }
    Ok(span)
}

/// The days of these accounts from `first` to `last`, both included. Days without counting facts are absent.
pub async fn rollups_fetch(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
    (first, last): (Date, Date),
) -> Result<BTreeMap<String, Days>, Problem> {
    let mut accounts: BTreeMap<String, Days> = BTreeMap::new();
    for chunk in account_ids.chunks(CHUNK) {
        let mut select = rollups_select();
        select
            .and_where(Expr::col(Rollup::AccountId).is_in(chunk.iter().copied()))
            .and_where(Expr::col(Rollup::Day).between(epoch_day(first), epoch_day(last)))
            .and_where(Expr::col(Rollup::FactCount).gt(0));
        for row in connection.query_all(&select).await? {
            let (
                Cell {
                    account_id,
                    kind,
                    name,
                    day,
                },
                tally,
            ) = line(&row)?;
            accounts
                .entry(account_id)
                .or_default()
                .entry((kind, name))
                .or_default()
                .insert(day, tally);
        }
    }
    Ok(accounts)
}

/// The newest day with a count of every series of these accounts, without its tally.
pub async fn rollups_newest(connection: &impl ConnectionTrait, account_ids: &[&str]) -> Result<Days, Problem> {
    let mut newest = Query::select();
    newest
        .columns([Rollup::Kind, Rollup::Name])
        .expr_as(Expr::col(Rollup::Day).max(), "day")
        .from(Rollup::Table)
        .and_where(Expr::col(Rollup::AccountId).is_in(account_ids.iter().copied()))
        .and_where(Expr::col(Rollup::FactCount).gt(0))
        .group_by_columns([Rollup::Kind, Rollup::Name])
        .order_by(Rollup::Kind, Order::Asc);
    let mut days = Days::new();
    for row in connection.query_all(&newest).await? {
        let (kind, day) = (kind_of(&row)?, from_epoch_day(row.try_get("", "day")?));
        let tally = Tally::nothing(Timestamp::UNIX_EPOCH);
        days.entry((kind, row.try_get("", "name")?))
            .or_default()
            .insert(day, tally);
    }
    Ok(days)
}

fn rollups_select() -> SelectStatement {
    Query::select().columns(COLUMNS).from(Rollup::Table).take()
}

fn line(row: &QueryResult) -> Result<(Cell, Tally), Problem> {
    let (account_id, name) = (row.try_get("", "account_id")?, row.try_get("", "name")?);
    let cell = Cell {
        account_id,
        kind: kind_of(row)?,
        name,
        day: from_epoch_day(row.try_get("", "day")?),
    };
    let tally = Tally {
        sum: row.try_get("", "count_sum")?,
        max: row.try_get("", "count_max")?,
        fact_count: row.try_get("", "fact_count")?,
        first_recorded: from_micros(row.try_get("", "first_recorded_at")?),
        last_recorded: from_micros(row.try_get("", "last_recorded_at")?),
    };
    Ok((cell, tally))
}

fn kind_of(row: &QueryResult) -> Result<Kind, Problem> {
    let code: i16 = row.try_get("", "kind")?;
    Kind::from_code(code).ok_or_else(|| Problem::internal(format!("a rollup has the unknown kind {code}")))
}
