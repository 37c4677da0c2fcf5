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
    rates::{Conversion, Counts, Pressure, Week},
    window::Window,
};

const WEEK_MICROS: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// The steps of the funnel, each counted when it happened.
pub async fn counts_fetch(connection: &impl ConnectionTrait, window: Window) -> Result<Counts, Problem> {
    let query = "SELECT \
         (SELECT COUNT(*) FROM signals WHERE opened_at >= $1 AND opened_at < $2 AND NOT withdrawn) AS signals, \
         (SELECT COUNT(*) FROM offers WHERE sent_at >= $1 AND sent_at < $2) AS offers_sent, \
         (SELECT COUNT(*) FROM offers WHERE accepted_at >= $1 AND accepted_at < $2) AS accepted, \
         (SELECT COUNT(*) FROM orders WHERE paid_at >= $1 AND paid_at < $2) AS paid";
    let rows: Vec<CountRow> = select(connection, query, instants(window)).await?;
    let row = rows
        .into_iter()
        .next()
        .ok_or_else(|| Problem::internal("counting gave no row"))?;
    let CountRow {
        signals,
        offers_sent,
        accepted,
        paid,
    } = row;
    Ok(Counts {
        signals,
        offers_sent,
        accepted,
        paid,
    })
}

#[derive(FromQueryResult)]
struct CountRow {
    signals: i64,
    offers_sent: i64,
    accepted: i64,
    paid: i64,
}

/// One row per measure, week and (for money) currency that has something.
const WEEKS: &str = "\
SELECT 'signals' AS measure, (opened_at - $1) / $3 AS week, '' AS currency, COUNT(*) AS amount FROM signals
WHERE opened_at >= $1 AND opened_at < $2 AND NOT withdrawn GROUP BY 2
UNION ALL
SELECT 'offers_sent', (sent_at - $1) / $3, '', COUNT(*) FROM offers
WHERE sent_at >= $1 AND sent_at < $2 GROUP BY 2
UNION ALL
SELECT 'accepted', (accepted_at - $1) / $3, '', COUNT(*) FROM offers
WHERE accepted_at >= $1 AND accepted_at < $2 GROUP BY 2
UNION ALL
SELECT 'paid', (paid_at - $1) / $3, '', COUNT(*) FROM orders
WHERE paid_at >= $1 AND paid_at < $2 GROUP BY 2
UNION ALL
SELECT 'touches', (touched_at - $1) / $3, '', COUNT(*) FROM touches
WHERE touched_at >= $1 AND touched_at < $2 AND counts GROUP BY 2
UNION ALL
SELECT 'expansion', CAST((day - $4) / 7 AS BIGINT), currency, CAST(SUM(amount_minor) AS BIGINT) FROM movements
WHERE day >= $4 AND day < $5 AND kind = $6 GROUP BY 2, 3
ORDER BY 2, 1, 3";

/// The weeks of the window, also the empty ones.
pub async fn week_list(connection: &impl ConnectionTrait, window: Window) -> Result<Vec<Week>, Problem> {
    let [start, end] = instants(window);
    let [first, last] = days(window);
    let values = [
        start,
        end,
        WEEK_MICROS.into(),
        first,
        last,
        MovementKind::Expansion.number().into(),
    ];
    let rows: Vec<WeekRow> = select(connection, WEEKS, values).await?;
    let mut weeks: Vec<Week> = window.weeks().into_iter().map(empty_week).collect();
    for row in rows {
        let week = usize::try_from(row.week).ok().and_then(|index| weeks.get_mut(index));
        let week = week.ok_or_else(|| Problem::internal(format!("week {} is outside the window", row.week)))?;
        row.add_to(week)?;
    }
    Ok(weeks)
}

fn empty_week(start: Date) -> Week {
    Week {
        start,
        counts: Counts::default(),
        touches: 0,
        expansion: Vec::new(),
    }
}

#[derive(FromQueryResult)]
struct WeekRow {
    measure: String,
    week: i64,
    currency: String,
    amount: i64,
}

impl WeekRow {
    fn add_to(&self, week: &mut Week) -> Result<(), Problem> {
        match self.measure.as_str() {
            "signals" => week.counts.signals = self.amount,
            "offers_sent" => week.counts.offers_sent = self.amount,
            "accepted" => week.counts.accepted = self.amount,
            "paid" => week.counts.paid = self.amount,
            "touches" => week.touches = self.amount,
            _ => week.expansion.push(money(self.amount, &self.currency)?),
        }
        Ok(())
    }
}

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
pub async fn way_list(
    connection: &impl ConnectionTrait,
    window: Window,
) -> Result<(Vec<SignedDuration>, Vec<Timestamp>), Problem> {
    let query = "SELECT signal_at, paid_at FROM orders WHERE signal_at >= $1 AND signal_at < $2 \
                 UNION ALL \
                 SELECT signal_at, NULL FROM offers WHERE signal_at >= $1 AND signal_at < $2 AND priced AND live";
    let rows: Vec<WayRow> = select(connection, query, instants(window)).await?;
    let way = |row: &WayRow| Some(SignedDuration::from_micros(row.paid_at? - row.signal_at).max(SignedDuration::ZERO));
    let complete: Vec<_> = rows.iter().filter_map(way).collect();
    let still_open = rows.iter().filter(|row| row.paid_at.is_none());
    let open = still_open.map(|row| from_micros(row.signal_at)).collect();
    Ok((complete, open))
}

#[derive(FromQueryResult)]
struct WayRow {
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
