//! Dated exchange rates.

use jiff::{Timestamp, civil::Date};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use serde::{Deserialize, Serialize};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day, from_micros, micros},
    money::Currency,
    problem::Problem,
};

use super::rows::{Target, select, stored_currency};
use crate::domain::{
    exchange::{Rate, Rates},
    window::Window,
};

const EXCHANGE: Target = Target {
    table: "exchange_rates",
    key: &["currency", "quote", "on_day"],
    columns: &["pico", "recorded_at"],
};

/// A rate with its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeRow {
    /// Of which one unit is priced.
    pub currency: Currency,
    /// In which it is priced.
    pub quote: Currency,
    /// First day on which it holds.
    pub day: Date,
    /// The rate.
    pub rate: Rate,
    /// When it was recorded; not read when it is written.
    pub recorded_at: Timestamp,
}

/// Where a rate stands in the list: by currency, quote and day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeKey(String, String, i32);

impl ExchangeRow {
    /// Where it stands.
    pub fn key(&self) -> ExchangeKey {
        ExchangeKey(self.currency.to_string(), self.quote.to_string(), epoch_day(self.day))
    }
}

/// Writes rates, none twice; how many are new or differ from what was there.
pub async fn exchange_upsert(tx: &Tx, rates: &[ExchangeRow], now: Timestamp) -> Result<usize, Problem> {
    let mut fresh = Vec::new();
    for rate in rates {
        let ExchangeKey(currency, quote, day) = rate.key();
        let query = "SELECT currency, quote, on_day, pico, recorded_at FROM exchange_rates \
                     WHERE currency = $1 AND quote = $2 AND on_day = $3";
        let known: Vec<Row> = select(
            &**tx,
            query,
            [currency.clone().into(), quote.clone().into(), day.into()],
        )
        .await?;
        if known.first().is_none_or(|known| known.pico != rate.rate.pico()) {
            let row: Vec<Value> = vec![
                currency.into(),
                quote.into(),
                day.into(),
                rate.rate.pico().into(),
                micros(now).into(),
            ];
            fresh.push(row);
        }
    }
    EXCHANGE.upsert(&**tx, &fresh).await?;
    Ok(fresh.len())
}

/// At most `size` rates after `after`; of one currency or of all.
pub async fn exchange_list(
    connection: &impl ConnectionTrait,
    currency: Option<Currency>,
    after: Option<ExchangeKey>,
    size: u32,
) -> Result<Vec<ExchangeRow>, Problem> {
    let query = "SELECT currency, quote, on_day, pico, recorded_at FROM exchange_rates \
                 WHERE ($1 = '' OR currency = $1) AND (currency, quote, on_day) > ($2, $3, $4) \
                 ORDER BY currency, quote, on_day LIMIT $5";
    let ExchangeKey(code, quote, day) = after.unwrap_or(ExchangeKey(String::new(), String::new(), i32::MIN));
    let only = currency.map(|currency| currency.to_string()).unwrap_or_default();
    let values: [Value; 5] = [
        only.into(),
        code.into(),
        quote.into(),
        day.into(),
        i64::from(size).into(),
    ];
    let rows: Vec<Row> = select(connection, query, values).await?;
    rows.into_iter().map(ExchangeRow::try_from).collect()
}

/// The rates into `quote` that a window may need: those up to the day after its last.
pub async fn rates_fetch(connection: &impl ConnectionTrait, quote: Currency, window: Window) -> Result<Rates, Problem> {
    let query = "SELECT currency, quote, on_day, pico, recorded_at FROM exchange_rates \
                 WHERE quote = $1 AND on_day <= $2 AND on_day >= COALESCE((SELECT MAX(e.on_day) FROM exchange_rates e \
                 WHERE e.quote = exchange_rates.quote AND e.currency = exchange_rates.currency AND e.on_day <= $3), $3)";
    let values: [Value; 3] = [
        quote.to_string().into(),
        epoch_day(window.end()).into(),
        epoch_day(window.start()).into(),
    ];
    let rows: Vec<Row> = select(connection, query, values).await?;
    let mut rates = Rates::new(quote);
    for row in rows {
        let row = ExchangeRow::try_from(row)?;
        rates.insert(row.currency, row.day, row.rate);
    }
    Ok(rates)
}

#[derive(FromQueryResult)]
struct Row {
    currency: String,
    quote: String,
    on_day: i32,
    pico: i64,
    recorded_at: i64,
}

impl TryFrom<Row> for ExchangeRow {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let rate = Rate::from_pico(row.pico);
        Ok(Self {
            currency: stored_currency(&row.currency)?,
            quote: stored_currency(&row.quote)?,
            day: from_epoch_day(row.on_day),
            rate: rate.ok_or_else(|| Problem::internal(format!("the store has a rate of {}", row.pico)))?,
            recorded_at: from_micros(row.recorded_at),
        })
    }
}
