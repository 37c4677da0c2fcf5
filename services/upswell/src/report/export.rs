//! The rows behind the figures, for spreadsheets (CSV) and for analysts (Parquet). Money is in integer minor units.

use std::{io::Write, sync::Arc};

use anyhow::{Context as _, Result};
use parquet::{
    data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use upswell_proto::{
    gtype,
    metrics::v1::{AccountRevenue, Movement, MovementKind},
    vocabulary::v1::Motion,
};
use upswell_runtime::money;

use crate::wire::{date, word};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// A column of a table.
enum Column {
    Text(&'static str, Vec<String>),
    Number(&'static str, Vec<i64>),
    /// Days since 1970-01-01.
    Day(&'static str, Vec<i32>),
}

/// Writes movements, one a row, the facts behind them with blanks between.
///
/// # Errors
/// An amount cannot be read, or `out` cannot be written.
pub fn movements(rows: &[Movement], format: Format, out: impl Write + Send) -> Result<()> {
    let text = |value: &dyn Fn(&Movement) -> String| rows.iter().map(value).collect();
    let number = |value: &dyn Fn(&Movement) -> Option<gtype::Money>| {
        rows.iter()
            .map(|row| minor(value(row).as_ref()))
            .collect::<Result<Vec<_>>>()
    };
    let columns = vec![
        Column::Day("day", rows.iter().map(|row| epoch_day(row.day.as_ref())).collect()),
        Column::Text("account_id", text(&|row| row.account_id.clone())),
        Column::Text("kind", text(&|row| word(row.kind().as_str_name(), "MOVEMENT_KIND"))),
        Column::Text("cause", text(&|row| word(row.cause().as_str_name(), "MOVEMENT_CAUSE"))),
        Column::Text("currency", text(&|row| currency(row.amount.as_ref()))),
        Column::Number("amount_minor", number(&|row| row.amount.clone())?),
        Column::Number("mrr_after_minor", number(&|row| row.mrr_after.clone())?),
        Column::Text("order_id", text(&|row| row.order_id.clone())),
        Column::Text("motion", text(&|row| motion(row.motion()))),
        Column::Text("facts", text(&|row| row.version_ids.join(" "))),
    ];
    write(&columns, rows.len(), format, out)
}

/// Writes what each account brings, one account and currency a row.
///
/// # Errors
/// An amount cannot be read, or `out` cannot be written.
pub fn accounts(rows: &[AccountRevenue], format: Format, out: impl Write + Send) -> Result<()> {
    let kinds = [
        ("new_minor", MovementKind::New),
        ("reactivation_minor", MovementKind::Reactivation),
        ("expansion_minor", MovementKind::Expansion),
        ("contraction_minor", MovementKind::Contraction),
        ("churn_minor", MovementKind::Churn),
    ];
    let mut columns = vec![
        Column::Text("account_id", rows.iter().map(|row| row.account_id.clone()).collect()),
        Column::Text(
            "currency",
            rows.iter().map(|row| currency(row.mrr_end.as_ref())).collect(),
        ),
        Column::Number(
            "mrr_start_minor",
            rows.iter()
                .map(|row| minor(row.mrr_start.as_ref()))
                .collect::<Result<_>>()?,
        ),
    ];
    for (name, kind) in kinds {
        let sum = |row: &AccountRevenue| {
            let own = row.movements.iter().filter(|movement| movement.kind() == kind);
            own.map(|movement| minor(movement.amount.as_ref())).sum::<Result<i64>>()
        };
        columns.push(Column::Number(name, rows.iter().map(sum).collect::<Result<_>>()?));
    }
    columns.push(Column::Number(
        "mrr_end_minor",
        rows.iter()
            .map(|row| minor(row.mrr_end.as_ref()))
            .collect::<Result<_>>()?,
    ));
    write(&columns, rows.len(), format, out)
}

fn write(columns: &[Column], rows: usize, format: Format, out: impl Write + Send) -> Result<()> {
    match format {
        Format::Csv => write_csv(columns, rows, out),
        Format::Parquet => write_parquet(columns, out),
    }
}

fn write_csv(columns: &[Column], rows: usize, out: impl Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns.iter().map(Column::name))?;
    for row in 0..rows {
        writer.write_record(columns.iter().map(|column| column.shown(row)))?;
    }
    writer.flush().context("writing the rows")
}

fn write_parquet(columns: &[Column], out: impl Write + Send) -> Result<()> {
    let fields: Vec<String> = columns.iter().map(Column::field).collect();
    let schema = parse_message_type(&format!("message rows {{ {} }}", fields.join(" ")))?;
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema), properties)?;
    let mut group = writer.next_row_group()?;
    for column in columns {
        let mut into = group.next_column()?.context("the schema has a column too few")?;
        match column {
            Column::Text(_, values) => {
                let values: Vec<ByteArray> = values.iter().map(|value| value.as_str().into()).collect();
                into.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            }
            Column::Number(_, values) => {
                into.typed::<Int64Type>().write_batch(values, None, None)?;
            }
            Column::Day(_, values) => {
                into.typed::<Int32Type>().write_batch(values, None, None)?;
            }
        }
        into.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

impl Column {
    fn name(&self) -> &'static str {
        match self {
            Self::Text(name, _) | Self::Number(name, _) | Self::Day(name, _) => name,
        }
    }

    fn field(&self) -> String {
        match self {
            Self::Text(name, _) => format!("REQUIRED BYTE_ARRAY {name} (STRING);"),
            Self::Number(name, _) => format!("REQUIRED INT64 {name};"),
            Self::Day(name, _) => format!("REQUIRED INT32 {name} (DATE);"),
        }
    }

    fn shown(&self, row: usize) -> String {
        match self {
            Self::Text(_, values) => inert(&values[row]),
            Self::Number(_, values) => values[row].to_string(),
            Self::Day(_, values) => upswell_runtime::db::from_epoch_day(values[row]).to_string(),
        }
    }
}

/// Text that a spreadsheet would take for a formula begins with an apostrophe.
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn motion(motion: Motion) -> String {
    match motion {
        Motion::Unspecified => String::new(),
        motion => word(motion.as_str_name(), "MOTION"),
    }
}

fn currency(money: Option<&gtype::Money>) -> String {
    money.map_or_else(String::new, |money| money.currency_code.clone())
}

fn minor(amount: Option<&gtype::Money>) -> Result<i64> {
    let Some(amount) = amount else { return Ok(0) };
    let amount = money::from_proto(amount).map_err(|fault| anyhow::anyhow!("an amount of the service: {fault}"))?;
    Ok(amount.minor)
}

fn epoch_day(day: Option<&gtype::Date>) -> i32 {
    date(day).map_or(0, upswell_runtime::db::epoch_day)
}
