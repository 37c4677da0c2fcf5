//! Classes by growth potential (SC-7) and coverage (SC-4): one statement each over all accounts.

use jiff::{Timestamp, civil::Date};
use sea_orm::FromQueryResult;
use upswell_runtime::{
    db::{Tx, epoch_day, micros},
    problem::Problem,
};

use crate::domain::stage::TierRules;

/// Gives every account its class. `share` is the account's place by potential, in percent of all. An account without a
/// class takes the one it stands in; another changes when it stands beyond the border by the margin. The number of
/// accounts whose class changed, which are marked as changed so that others hear of it.
pub async fn tiers_recompute(tx: &Tx, rules: &TierRules, now: Timestamp) -> Result<u64, Problem> {
    let (a, b, margin) = (rules.a_percent, rules.a_percent + rules.b_percent, rules.margin_percent);
    let sql = "WITH placed AS (SELECT account_id, tier, \
                 CAST(ROW_NUMBER() OVER (ORDER BY potential DESC, account_id) AS DOUBLE PRECISION) * 100 \
                 / COUNT(*) OVER () AS share FROM scores), \
               borders AS (SELECT CAST($1 AS DOUBLE PRECISION) AS a, CAST($2 AS DOUBLE PRECISION) AS b, \
                 CAST($3 AS DOUBLE PRECISION) AS margin), \
               classed AS (SELECT account_id, CASE \
                 WHEN tier = 'A' AND share <= a + margin THEN 'A' \
                 WHEN tier = 'B' AND share > a - margin AND share <= b + margin THEN 'B' \
                 WHEN tier = 'C' AND share > b - margin THEN 'C' \
                 WHEN share <= a THEN 'A' WHEN share <= b THEN 'B' ELSE 'C' END AS class FROM placed, borders) \
               UPDATE scores SET tier = classed.class FROM classed WHERE classed.account_id = scores.account_id \
               AND (scores.tier IS NULL OR scores.tier <> classed.class)";
    let changed = super::execute(tx, sql, [a.into(), b.into(), margin.into()]).await?;
    if changed > 0 {
        told_again(tx, now).await?;
    }
    Ok(changed)
}

/// Marks the accounts whose class is another than the one told last.
async fn told_again(tx: &Tx, now: Timestamp) -> Result<u64, Problem> {
    let sql = "UPDATE accounts SET is_dirty = TRUE, change_version = change_version + 1, changed_at = $1, \
               traceparent = '', tracestate = '' \
               WHERE is_dirty = FALSE AND account_id IN \
               (SELECT account_id FROM scores WHERE told_tier IS NULL OR told_tier <> tier)";
    super::execute(tx, sql, [micros(now).into()]).await
}

/// The day of the last round of `name`, days since 1970-01-01.
pub async fn round_read(conn: &impl sea_orm::ConnectionTrait, name: &str) -> Result<Option<i32>, Problem> {
    let rows: Vec<Round> = super::select(conn, "SELECT done_on FROM rounds WHERE name = $1", [name.into()]).await?;
    Ok(rows.first().map(|row| row.done_on))
}

/// Notes a round of `name`.
pub async fn round_upsert(tx: &Tx, name: &str, day: Date) -> Result<(), Problem> {
    let sql = "INSERT INTO rounds (name, done_on) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET done_on = excluded.done_on";
    super::execute(tx, sql, [name.into(), epoch_day(day).into()]).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Round {
    done_on: i32,
}

/// How many accounts have a fresh score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Coverage {
    /// Accounts that are known here.
    pub accounts: i64,
    /// Those scored since the limit.
    pub fresh: i64,
    /// When the oldest of the scores was computed, in µs.
    pub oldest_at: Option<i64>,
}

/// Accounts with a score since `since` (SC-4).
pub async fn coverage_fetch(conn: &impl sea_orm::ConnectionTrait, since: Timestamp) -> Result<Coverage, Problem> {
    let sql = "SELECT COUNT(*) AS accounts, \
               CAST(SUM(CASE WHEN scores.scored_at >= $1 THEN 1 ELSE 0 END) AS BIGINT) AS fresh, \
               MIN(scores.scored_at) AS oldest_at \
               FROM accounts LEFT JOIN scores ON scores.account_id = accounts.account_id";
    let rows: Vec<CoverageRow> = super::select(conn, sql, [micros(since).into()]).await?;
    let row = rows.into_iter().next();
    Ok(row.map_or(
        Coverage {
            accounts: 0,
            fresh: 0,
            oldest_at: None,
        },
        |row| Coverage {
            accounts: row.accounts,
            fresh: row.fresh.unwrap_or_default(),
            oldest_at: row.oldest_at,
        },
    ))
}

#[derive(FromQueryResult)]
struct CoverageRow {
    accounts: i64,
    fresh: Option<i64>,
    oldest_at: Option<i64>,
}
