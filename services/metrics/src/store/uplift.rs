//! Accounts with their arms, and what became of them.

use jiff::{Timestamp, civil::Date};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use upswell_runtime::{
    db::{epoch_day, from_micros, micros},
    problem::Problem,
};

use super::rows::select;
use crate::domain::{movement::MovementKind, uplift::Member};

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// An epoch of the holdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Its number.
    pub number: i32,
    /// When its first account was assigned.
    pub started_at: Timestamp,
}

/// The epoch with this number, or the latest; `None` when no account has an arm in it.
pub async fn epoch_fetch(connection: &impl ConnectionTrait, number: Option<i32>) -> Result<Option<Epoch>, Problem> {
    let query = "SELECT epoch, MIN(assigned_at) AS started_at FROM holdout_arms WHERE $1 IN (0, epoch) \
                 GROUP BY epoch ORDER BY epoch DESC LIMIT 1";
    let rows: Vec<EpochRow> = select(connection, query, [number.unwrap_or_default().into()]).await?;
    Ok(rows.first().map(|row| Epoch {
        number: row.epoch,
        started_at: from_micros(row.started_at),
    }))
}

#[derive(FromQueryResult)]
struct EpochRow {
    epoch: i32,
    started_at: i64,
}

/// The currency in which most accounts of the epoch ever paid; of equals the first by code.
pub async fn currency_fetch(connection: &impl ConnectionTrait, epoch: i32) -> Result<Option<String>, Problem> {
    let query = "SELECT l.currency AS currency, COUNT(DISTINCT l.account_id) AS accounts FROM mrr_levels l \
                 JOIN holdout_arms h ON h.account_id = l.account_id AND h.epoch = $1 \
                 GROUP BY l.currency ORDER BY 2 DESC, 1 LIMIT 1";
    let rows: Vec<CurrencyRow> = select(connection, query, [epoch.into()]).await?;
    Ok(rows.into_iter().next().map(|row| row.currency))
}

#[derive(FromQueryResult)]
struct CurrencyRow {
    currency: String,
}

/// Which accounts count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberFilter {
    /// Epoch of the holdout.
    pub epoch: i32,
    /// Amounts in this currency; others count as none.
    pub currency: String,
    /// Only this segment; empty means all.
    pub segment: String,
    /// Only accounts that were assigned before the end of this day.
    pub assigned_until: Date,
    /// What happened before the start of this day counts.
    pub on: Date,
}

/// `$1` epoch, `$2` currency, `$3` segment, `$4` the start of the day after the last assignment, `$5` and `$6` the
/// reading as instant and day, `$7` a day, `$8` the kind that expands.
const MEMBERS: &str = "\
SELECT h.stratum AS stratum, h.holdout AS holdout,
    EXISTS (SELECT 1 FROM offers f WHERE f.account_id = h.account_id AND f.priced
        AND f.sent_at >= h.assigned_at AND f.sent_at < $5) AS offered,
    EXISTS (SELECT 1 FROM movements m WHERE m.account_id = h.account_id AND m.kind = $8
        AND m.day > h.assigned_at / $7 AND m.day < $6) AS expanded,
    CAST(COALESCE((SELECT SUM(b.mrr_minor) FROM mrr_levels b WHERE b.account_id = h.account_id AND b.currency = $2
        AND b.from_on <= h.assigned_at / $7 AND b.to_on > h.assigned_at / $7), 0) AS BIGINT) AS before_minor,
    CAST(COALESCE((SELECT SUM(a.mrr_minor) FROM mrr_levels a WHERE a.account_id = h.account_id AND a.currency = $2
        AND a.from_on < $6 AND a.to_on >= $6), 0) AS BIGINT) AS after_minor
FROM holdout_arms h
WHERE h.epoch = $1 AND h.assigned_at < $4
    AND ($3 = '' OR h.account_id IN (SELECT s.account_id FROM accounts s WHERE s.segment = $3))
ORDER BY h.account_id";

/// The accounts that count, by id.
pub async fn member_list(connection: &impl ConnectionTrait, filter: &MemberFilter) -> Result<Vec<Member>, Problem> {
    let MemberFilter {
        epoch,
        currency,
        segment,
        assigned_until,
        on,
    } = filter;
    let day_start = |day: Date| i64::from(epoch_day(day)) * DAY_MICROS;
    let values: [Value; 8] = [
        (*epoch).into(),
        currency.as_str().into(),
        segment.as_str().into(),
        (day_start(*assigned_until) + DAY_MICROS).into(),
        micros(from_micros(day_start(*on))).into(),
        epoch_day(*on).into(),
        DAY_MICROS.into(),
        MovementKind::Expansion.number().into(),
    ];
    let rows: Vec<MemberRow> = select(connection, MEMBERS, values).await?;
    let member = |row: MemberRow| Member {
        stratum: row.stratum,
        holdout: row.holdout,
        offered: row.offered,
        before: row.before_minor,
        after: row.after_minor,
        expanded: row.expanded,
    };
    Ok(rows.into_iter().map(member).collect())
}

#[derive(FromQueryResult)]
struct MemberRow {
    stratum: String,
    holdout: bool,
    offered: bool,
    expanded: bool,
    before_minor: i64,
    after_minor: i64,
}
