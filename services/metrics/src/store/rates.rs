//! Counts and times on the way from a signal to money.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use upswell_runtime::{
    db::{epoch_day, from_micros, micros},
    problem::Problem,
};

use super::rows::{money, select};
use crate::domain::{
    journey::{Approval, ApprovalState},
    movement::MovementKind,
    rates::{Conversion, Pressure},
    window::Window,
};

/// What became of the offers sent in the window, by motion; the expansion of their orders whenever it came.
pub async fn conversion_list(connection: &impl ConnectionTrait, window: Window) -> Result<Vec<Conversion>, Problem> {
    let query = "SELECT f.motion AS motion, COUNT(*) AS sent, COUNT(f.accepted_at) AS accepted, \
                 COUNT(o.paid_at) AS paid, COUNT(DISTINCT f.account_id) AS accounts, \
                 CAST(SUM(CASE WHEN f.live THEN 0 ELSE 1 END) AS BIGINT) AS settled \
                 FROM offers f LEFT JOIN (SELECT offer_id, MAX(paid_at) AS paid_at FROM orders GROUP BY offer_id) o \
                 ON o.offer_id = f.offer_id WHERE f.sent_at >= $1 AND f.sent_at < $2 \
                 GROUP BY f.motion ORDER BY f.motion";
    let rows: Vec<ConversionRow> = select(connection, query, instants(window)).await?;
    let mut expansion = expansion_by_motion(connection, window).await?;
    let conversions = rows.into_iter().map(|row| {
        let ConversionRow {
            motion,
            sent,
            accepted,
            paid,
            accounts,
            settled,
        } = row;
        let expansion = expansion.remove(&motion).unwrap_or_default();
        Conversion {
            motion,
            sent,
            accepted,
            paid,
            accounts,
            settled,
            expansion,
        }
    });
    Ok(conversions.collect())
}

#[derive(FromQueryResult)]
struct ConversionRow {
    motion: String,
    sent: i64,
    accepted: i64,
    paid: i64,
    accounts: i64,
    settled: i64,
}

type ByMotion = BTreeMap<String, Vec<upswell_runtime::money::Money>>;

async fn expansion_by_motion(connection: &impl ConnectionTrait, window: Window) -> Result<ByMotion, Problem> {
    let query = "SELECT f.motion AS motion, m.currency AS currency, CAST(SUM(m.amount_minor) AS BIGINT) AS amount \
                 FROM offers f JOIN orders o ON o.offer_id = f.offer_id \
                 JOIN movements m ON m.order_id = o.order_id AND m.account_id = o.account_id AND m.kind = $3 \
                 WHERE f.sent_at >= $1 AND f.sent_at < $2 GROUP BY f.motion, m.currency ORDER BY f.motion, m.currency";
    let [start, end] = instants(window);
    let values = [start, end, MovementKind::Expansion.number().into()];
    let rows: Vec<ExpansionRow> = select(connection, query, values).await?;
    let mut found = ByMotion::new();
    for row in rows {
        found
            .entry(row.motion)
            .or_default()
            .push(money(row.amount, &row.currency)?);
    }
    Ok(found)
}

#[derive(FromQueryResult)]
struct ExpansionRow {
    motion: String,
    currency: String,
    amount: i64,
}

/// Touches that count and the accounts that paid at some time in the window (K-13).
pub async fn pressure_fetch(connection: &impl ConnectionTrait, window: Window) -> Result<Pressure, Problem> {
    let by_account = "SELECT account_id, COUNT(*) AS touches, CAST(SUM(COUNT(*)) OVER () AS BIGINT) AS total \
                      FROM touches WHERE counts AND touched_at >= $1 AND touched_at < $2 \
                      GROUP BY account_id ORDER BY 2 DESC, 1 LIMIT 1";
    let busiest: Vec<TouchRow> = select(connection, by_account, instants(window)).await?;
    let active = "SELECT COUNT(DISTINCT account_id) AS accounts FROM mrr_levels WHERE to_on > $1 AND from_on < $2";
    let active: Vec<ActiveRow> = select(connection, active, days(window)).await?;
    let busiest = busiest.into_iter().next();
    Ok(Pressure {
        touches: busiest.as_ref().map_or(0, |row| row.total),
        accounts: active.first().map_or(0, |row| row.accounts),
        weeks: window.length_in_weeks(),
        busiest: busiest.map(|row| (row.account_id, row.touches)),
    })
}

#[derive(FromQueryResult)]
struct TouchRow {
    account_id: String,
    touches: i64,
    total: i64,
}

#[derive(FromQueryResult)]
struct ActiveRow {
    accounts: i64,
}

/// The ways whose signal opened in the window: how long the paid ones took, and since when the others are open. Open are the
/// orders that are not paid and the priced offers that may still become one (K-7).
pub async fn lead_list(
    connection: &impl ConnectionTrait,
    window: Window,
) -> Result<(Vec<SignedDuration>, Vec<Timestamp>), Problem> {
    let query = "SELECT signal_at, paid_at FROM orders WHERE signal_at >= $1 AND signal_at < $2 \
                 UNION ALL \
                 SELECT signal_at, NULL FROM offers WHERE signal_at >= $1 AND signal_at < $2 AND priced AND live";
    let rows: Vec<LeadRow> = select(connection, query, instants(window)).await?;
    let way = |row: &LeadRow| Some(SignedDuration::from_micros(row.paid_at? - row.signal_at).max(SignedDuration::ZERO));
    let complete: Vec<_> = rows.iter().filter_map(way).collect();
    let still_open = rows.iter().filter(|row| row.paid_at.is_none());
    let open = still_open.map(|row| from_micros(row.signal_at)).collect();
    Ok((complete, open))
}

#[derive(FromQueryResult)]
struct LeadRow {
    signal_at: i64,
    paid_at: Option<i64>,
}

/// The requests for approval that were asked in the window.
pub async fn approval_list(connection: &impl ConnectionTrait, window: Window) -> Result<Vec<Approval>, Problem> {
    let query = "SELECT approval_id, account_id, approver_id, state, requested_at, settled_at FROM approvals \
                 WHERE requested_at >= $1 AND requested_at < $2 ORDER BY approval_id";
    let rows: Vec<ApprovalRow> = select(connection, query, instants(window)).await?;
    rows.into_iter().map(Approval::try_from).collect()
}

#[derive(FromQueryResult)]
struct ApprovalRow {
    approval_id: String,
    account_id: String,
    approver_id: String,
    state: String,
    requested_at: i64,
    settled_at: Option<i64>,
}

impl TryFrom<ApprovalRow> for Approval {
    type Error = Problem;

    fn try_from(row: ApprovalRow) -> Result<Self, Problem> {
        let state = ApprovalState::from_name(&row.state)
            .ok_or_else(|| Problem::internal(format!("the store has an approval in state {}", row.state)))?;
        Ok(Self {
            approval_id: row.approval_id,
            account_id: row.account_id,
            approver_id: row.approver_id,
            state,
            requested_at: from_micros(row.requested_at),
            settled_at: row.settled_at.map(from_micros),
        })
    }
}

fn instants(window: Window) -> [Value; 2] {
    [window.start_time(), window.end_time()].map(|time: Timestamp| micros(time).into())
}

fn days(window: Window) -> [Value; 2] {
    [window.start(), window.end()].map(|day: Date| epoch_day(day).into())
}
