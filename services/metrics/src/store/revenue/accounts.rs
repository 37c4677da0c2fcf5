//! What each account brings into the revenue of a window.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use upswell_runtime::{
    db::epoch_day,
    money::{Currency, Money},
    problem::Problem,
};

use super::Slices;
use crate::{
    domain::{kept::Dimension, movement::MovementKind, revenue::Total, window::Window},
    store::{
        movements::stored_kind,
        rows::{money, select, stored_currency},
    },
};

/// An account's share in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRevenue {
    /// The account.
    pub account_id: String,
    /// MRR at the start.
    pub mrr_start: Money,
    /// MRR at the end.
    pub mrr_end: Money,
    /// Its movements by kind; only those that there are.
    pub totals: Vec<Total>,
}

/// The accounts after `after`, at most `size`, that pay at some time of the window or on the day before, with their
/// shares by currency.
pub async fn account_revenue_list(
    connection: &impl ConnectionTrait,
    window: Window,
    slices: &Slices,
    after: &str,
    size: u32,
) -> Result<Vec<Vec<AccountRevenue>>, Problem> {
    let page = page_sql(slices);
    let on = |day: &str| format!("CASE WHEN l.from_on < {day} AND l.to_on >= {day} THEN l.mrr_minor ELSE 0 END");
    let sql = format!(
        "WITH page AS ({page}) \
         SELECT l.account_id, l.currency, 0 AS kind, CAST(SUM({first}) AS BIGINT) AS a, \
         CAST(SUM({last}) AS BIGINT) AS b FROM mrr_levels l JOIN page ON page.account_id = l.account_id \
         WHERE l.from_on < $2 AND l.to_on >= $1 GROUP BY l.account_id, l.currency \
         UNION ALL SELECT m.account_id, m.currency, m.kind, CAST(SUM(m.amount_minor) AS BIGINT), \
         CAST(COUNT(*) AS BIGINT) FROM movements m JOIN page ON page.account_id = m.account_id \
         WHERE m.day >= $1 AND m.day < $2 GROUP BY m.account_id, m.currency, m.kind ORDER BY 1, 2, 3",
        first = on("$1"),
        last = on("$2"),
    );
    let slice = match slices {
        Slices::One(_, slice) => slice.as_str(),
        Slices::Each(_) => "",
    };
    let values: [Value; 5] = [
        epoch_day(window.start()).into(),
        epoch_day(window.end()).into(),
        after.into(),
        i64::from(size).into(),
        slice.into(),
    ];
    let rows: Vec<Row> = select(connection, &sql, values).await?;
    let mut accounts: BTreeMap<String, BTreeMap<Currency, AccountRevenue>> = BTreeMap::new();
    for row in rows {
        let currency = stored_currency(&row.currency)?;
        let account = accounts.entry(row.account_id.clone()).or_default();
        let share = account.entry(currency).or_insert_with(|| AccountRevenue {
            account_id: row.account_id.clone(),
            mrr_start: Money::zero(currency),
            mrr_end: Money::zero(currency),
            totals: Vec::new(),
        });
        row.add_to(share)?;
    }
    let shares = accounts
        .into_values()
        .map(|by_currency| by_currency.into_values().collect());
    Ok(shares.collect())
}

fn page_sql(slices: &Slices) -> String {
    let condition = match slices.dimension() {
        Dimension::All => "CAST($5 AS TEXT) IS NOT NULL",
        Dimension::Segment => "p.segment = $5",
        Dimension::Plan => "p.plan = $5",
        Dimension::Country => "p.country = $5",
        Dimension::Cohort => "p.cohort = $5",
    };
    format!(
        "SELECT p.account_id FROM revenue_places p WHERE p.account_id > $3 AND {condition} \
         AND EXISTS (SELECT 1 FROM mrr_levels e WHERE e.account_id = p.account_id AND e.from_on < $2 AND e.to_on >= $1) \
         ORDER BY p.account_id LIMIT $4"
    )
}

#[derive(FromQueryResult)]
struct Row {
    account_id: String,
    currency: String,
    kind: i32,
    a: i64,
    b: i64,
}

impl Row {
    fn add_to(&self, share: &mut AccountRevenue) -> Result<(), Problem> {
        let first = money(self.a, &self.currency)?;
        if self.kind == 0 {
            (share.mrr_start, share.mrr_end) = (first, money(self.b, &self.currency)?);
            return Ok(());
        }
        let kind: MovementKind = stored_kind(self.kind)?;
        share.totals.push(Total {
            kind,
            amount: first,
            count: self.b,
        });
        Ok(())
    }
}
