//! Sums over levels and movements of a window.

use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use upswell_runtime::{db::epoch_day, problem::Problem};

use super::rows::{select, stored_currency};
use crate::domain::{
    movement::MovementKind,
    revenue::{Ends, KindSum},
    window::Window,
};

/// One statement, so that both halves see the same state of the store: the identity of K-1 may not fail because an
/// event arrived between them. The first half has one row per currency out of the levels (kind 0), the second one per
/// currency and kind out of the movements. `$1`/`$2` are the first day and the day after the last, `$3`/`$4` the days
/// before them, on whose levels the window starts and ends, `$5` the segment. Sums are cast, as PostgreSQL would give
/// them as numeric.
const SUMS: &str = "\
WITH members AS (
    SELECT account_id FROM accounts WHERE segment = $5
), ends AS (
    SELECT account_id, currency,
        CAST(SUM(CASE WHEN from_on <= $3 AND to_on > $3 THEN mrr_minor ELSE 0 END) AS BIGINT) AS start_minor,
        CAST(SUM(CASE WHEN from_on <= $4 AND to_on > $4 THEN mrr_minor ELSE 0 END) AS BIGINT) AS end_minor
    FROM mrr_levels
    WHERE ((from_on <= $3 AND to_on > $3) OR (from_on <= $4 AND to_on > $4))
        AND ($5 = '' OR account_id IN (SELECT account_id FROM members))
    GROUP BY account_id, currency
), stayed AS (
    SELECT DISTINCT account_id FROM ends WHERE end_minor > 0
)
SELECT e.currency AS currency, 0 AS kind,
    CAST(SUM(e.start_minor) AS BIGINT) AS a,
    CAST(SUM(e.end_minor) AS BIGINT) AS b,
    CAST(SUM(CASE WHEN e.start_minor > 0 THEN 1 ELSE 0 END) AS BIGINT) AS c,
    CAST(SUM(CASE WHEN e.end_minor > 0 THEN 1 ELSE 0 END) AS BIGINT) AS d,
    CAST(SUM(CASE WHEN e.start_minor > 0 THEN e.end_minor ELSE 0 END) AS BIGINT) AS e,
    CAST(SUM(CASE WHEN e.end_minor < e.start_minor THEN e.end_minor ELSE e.start_minor END) AS BIGINT) AS f,
    CAST(SUM(CASE WHEN e.start_minor > 0 AND s.account_id IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS g
FROM ends e LEFT JOIN stayed s ON s.account_id = e.account_id
GROUP BY e.currency
UNION ALL
SELECT m.currency AS currency, m.kind AS kind,
    CAST(SUM(m.amount_minor) AS BIGINT) AS a,
    CAST(COUNT(*) AS BIGINT) AS b,
    CAST(SUM(CASE WHEN o.order_id IS NULL THEN 0 ELSE m.amount_minor END) AS BIGINT) AS c,
    CAST(SUM(m.amount_minor * (CASE WHEN m.earns_until < $2 THEN m.earns_until ELSE $2 END - m.day)) AS BIGINT) AS d,
    CAST(0 AS BIGINT) AS e, CAST(0 AS BIGINT) AS f, CAST(0 AS BIGINT) AS g
FROM movements m LEFT JOIN orders o ON o.order_id = m.order_id AND o.account_id = m.account_id
WHERE m.day >= $1 AND m.day < $2 AND ($5 = '' OR m.account_id IN (SELECT account_id FROM members))
GROUP BY m.currency, m.kind
ORDER BY 1, 2";

/// What [`crate::domain::revenue::revenue`] needs of a window; an empty segment means all accounts.
pub async fn revenue_sums_fetch(
    connection: &impl ConnectionTrait,
    window: Window,
    segment: &str,
) -> Result<(Vec<Ends>, Vec<KindSum>), Problem> {
    let (start, end) = (epoch_day(window.start()), epoch_day(window.end()));
    let values: [Value; 5] = [
        start.into(),
        end.into(),
        (start - 1).into(),
        (end - 1).into(),
        segment.into(),
    ];
    let rows: Vec<Row> = select(connection, SUMS, values).await?;
    let mut ends = Vec::new();
    let mut sums = Vec::new();
    for row in rows {
        match row.kind {
            0 => ends.push(row.ends()?),
            _ => sums.push(row.kind_sum()?),
        }
    }
    Ok((ends, sums))
}

#[derive(FromQueryResult)]
struct Row {
    currency: String,
    kind: i32,
    a: i64,
    b: i64,
    c: i64,
    d: i64,
    e: i64,
    f: i64,
    g: i64,
}

impl Row {
    fn ends(&self) -> Result<Ends, Problem> {
        Ok(Ends {
            currency: stored_currency(&self.currency)?,
            mrr_start: self.a,
            mrr_end: self.b,
            paying_start: self.c,
            paying_end: self.d,
            retained_end: self.e,
            retained_gross: self.f,
            churned_accounts: self.g,
        })
    }

    fn kind_sum(&self) -> Result<KindSum, Problem> {
        let kind = MovementKind::from_number(self.kind)
            .ok_or_else(|| Problem::internal(format!("the store has movements of kind {}", self.kind)))?;
        Ok(KindSum {
            currency: stored_currency(&self.currency)?,
            kind,
            amount: self.a,
            count: self.b,
            attributed: self.c,
            amount_days: self.d,
        })
    }
}
