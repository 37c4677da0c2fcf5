//! What a sum over several currencies is made of, day by day.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, FromQueryResult};
use upswell_runtime::{db::from_epoch_day, money::Currency, problem::Problem};

use super::{Slices, account_ends, earned, earned_sum, values};
use crate::{
    domain::{
        restate::{AccountEnds, Native, Paying},
        revenue::KindSum,
        window::Window,
    },
    store::{
        movements::{stored_cause, stored_kind},
        rows::{select, stored_currency},
    },
};

/// What [`crate::domain::restate::restate`] needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Natives {
    /// By currency.
    pub natives: Vec<Native>,
    /// Every account that moved in the window.
    pub moved: Vec<AccountEnds>,
    /// Accounts that pay in any currency.
    pub paying: Paying,
}

/// The parts of one slice in a window; memory holds the days of the window and the accounts that moved in it.
pub async fn natives_fetch(
    connection: &impl ConnectionTrait,
    window: Window,
    slices: &Slices,
) -> Result<Natives, Problem> {
    let kept = slices.kept();
    let flows = format!(
        "SELECT currency, 1 AS part, CAST(0 AS INTEGER) AS on_day, 0 AS kind, 0 AS cause, \
         CAST(SUM(amount) AS BIGINT) AS a, CAST(SUM(events) AS BIGINT) AS b, CAST(0 AS BIGINT) AS c \
         FROM revenue_flows WHERE {kept} AND kind = 0 AND ((grain = 1 AND on_day < $5) \
         OR (grain = 0 AND on_day >= $5 AND on_day < $3)) GROUP BY currency \
         UNION ALL SELECT currency, 2, on_day, kind, cause, amount, events, attributed \
         FROM revenue_flows WHERE {kept} AND grain = 0 AND on_day >= $3 AND on_day < $4 \
         UNION ALL SELECT currency, part, 0, kind, cause, a, b, c FROM ({earned}) earned",
        earned = earned(slices),
    );
    let bound: Vec<_> = values(slices, window).into_iter().take(5).collect();
    let rows: Vec<Row> = select(connection, &flows, bound).await?;
    let mut natives = Natives::default();
    let mut by_currency: BTreeMap<Currency, Native> = BTreeMap::new();
    for row in rows {
        if row.currency.is_empty() {
            natives.paying.add(&row);
            continue;
        }
        let currency = stored_currency(&row.currency)?;
        let native = by_currency.entry(currency).or_insert_with(|| Native {
            currency,
            mrr_start: 0,
            turns: BTreeMap::new(),
            moved: Vec::new(),
        });
        row.add_to(native, window)?;
    }
    natives.natives = by_currency.into_values().collect();
    natives.moved = moved(connection, window, slices).await?;
    Ok(natives)
}

#[derive(FromQueryResult)]
struct Row {
    currency: String,
    part: i32,
    on_day: i32,
    kind: i32,
    cause: i32,
    a: i64,
    b: i64,
    c: i64,
}

impl Row {
    fn add_to(&self, native: &mut Native, window: Window) -> Result<(), Problem> {
        let day = from_epoch_day(self.on_day);
        match (self.part, self.kind) {
            (1, _) => native.mrr_start = self.a,
            (2, 0) => {
                native.turns.insert(day, self.a);
            }
            (2, kind) => {
                let sum = KindSum {
                    amount: self.a,
                    count: self.b,
                    attributed: self.c,
                    ..KindSum::nothing(native.currency, stored_kind(kind)?, stored_cause(self.cause)?)
                };
                native.moved.push((day, sum));
            }
            _ => native.moved.push((window.start(), earned_sum(native.currency, self.a))),
        }
        Ok(())
    }
}

impl Paying {
    fn add(&mut self, row: &Row) {
        if row.kind == 0 {
            self.start += if row.part == 1 { row.b } else { 0 };
            self.end += row.b;
        }
    }
}

async fn moved(
    connection: &impl ConnectionTrait,
    window: Window,
    slices: &Slices,
) -> Result<Vec<AccountEnds>, Problem> {
    // `$1` is not used by the account's own tables, but has to have a type.
    let sql = format!(
        "SELECT account_id, currency, first, last FROM ({}) ends \
         WHERE CAST($1 AS INTEGER) >= 0 AND CAST($2 AS TEXT) IS NOT NULL ORDER BY account_id, currency",
        account_ends(slices)
    );
    let bound: Vec<_> = values(slices, window).into_iter().take(4).collect();
    let rows: Vec<EndsRow> = select(connection, &sql, bound).await?;
    let mut accounts: Vec<AccountEnds> = Vec::new();
    let mut last_id = None;
    for row in rows {
        let ends = (stored_currency(&row.currency)?, row.first, row.last);
        match accounts.last_mut() {
            Some(account) if last_id.as_ref() == Some(&row.account_id) => account.0.push(ends),
            _ => accounts.push(AccountEnds(vec![ends])),
        }
        last_id = Some(row.account_id);
    }
    Ok(accounts)
}

#[derive(FromQueryResult)]
struct EndsRow {
    account_id: String,
    currency: String,
    first: i64,
    last: i64,
}
