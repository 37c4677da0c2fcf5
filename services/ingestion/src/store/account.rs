//! Accounts: known once any fact about them was recorded.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{
    ConnectionTrait, ExprTrait as _, QueryResult, Statement,
    sea_query::{Expr, Order, Query, SelectStatement},
};
use upswell_runtime::{
    db::{Column, Rows, Tx, from_micros, micros},
    problem::Problem,
};

use super::{
    CHUNK,
    tables::{Account, Merge},
};
use crate::domain::{
    fact::AccountProfile,
    name::{normalised, skeleton},
};

/// An account and when its first fact was recorded.
pub type AccountRow = (String, Timestamp);

/// Creates what is new, and locks all of them until the end of the transaction: corrections and what they correct are
/// judged one batch after the other. The ids come sorted, so that no two writers wait for each other.
pub async fn accounts_lock(tx: &Tx, account_ids: &[&str], now: Timestamp) -> Result<(), Problem> {
    let mut rows = Rows::new([
        ("account_id", Column::Text),
        ("created_at", Column::BigInt),
        ("last_recorded_at", Column::BigInt),
        ("segment", Column::Text),
    ]);
    for account_id in account_ids {
        rows.push([(*account_id).into(), micros(now).into(), micros(now).into(), "".into()]);
    }
    let tail = "ON CONFLICT (account_id) DO UPDATE SET last_recorded_at = excluded.last_recorded_at";
    rows.insert(tx, "account", tail).await?;
    Ok(())
}

/// Keeps of the profiles of known accounts what lists and suggestions look for.
pub async fn profiles_write(
    tx: &Tx,
    profiles: &BTreeMap<&str, &AccountProfile>,
    now: Timestamp,
) -> Result<(), Problem> {
    let mut rows = Rows::new([
        ("account_id", Column::Text),
        ("created_at", Column::BigInt),
        ("last_recorded_at", Column::BigInt),
        ("segment", Column::Text),
        ("display_name", Column::Text),
        ("name_key", Column::Text),
        ("name_skeleton", Column::Text),
    ]);
    for (account_id, profile) in profiles {
        let key = normalised(&profile.display_name);
        rows.push([
            (*account_id).into(),
            micros(now).into(),
            micros(now).into(),
            profile.segment.as_str().into(),
            profile.display_name.as_str().into(),
            key.as_str().into(),
            skeleton(&key).into(),
        ]);
    }
    let tail = "ON CONFLICT (account_id) DO UPDATE SET segment = excluded.segment, \
                display_name = excluded.display_name, name_key = excluded.name_key, \
                name_skeleton = excluded.name_skeleton";
    rows.insert(tx, "account", tail).await?;
    Ok(())
}

/// True when a profile of the account is kept: a profile has a name.
pub async fn account_is_named(connection: &impl ConnectionTrait, account_id: &str) -> Result<bool, Problem> {
    let select = Query::select()
        .column(Account::AccountId)
        .from(Account::Table)
        .and_where(Expr::col(Account::AccountId).eq(account_id))
        .and_where(Expr::col(Account::DisplayName).ne(""))
        .take();
    Ok(connection.query_one(&select).await?.is_some())
}

/// Two accounts whose names share their skeleton.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookalike {
    /// What the names share.
    pub skeleton: String,
    /// The smallest id of those that share it.
    pub first_id: String,
    /// Its name.
    pub first_name: String,
    /// Its normalised name.
    pub first_key: String,
    /// Another id.
    pub other_id: String,
    /// Its name.
    pub other_name: String,
    /// Its normalised name.
    pub other_key: String,
}

impl Lookalike {
    /// Where it stands in the list.
    pub fn key(&self) -> String {
        format!("{} {}", self.skeleton, self.other_id)
    }
}

/// Up to `limit` pairs after a key, by skeleton and id: the first account of a skeleton with each of the others. Accounts
/// that are part of another are left out.
pub async fn lookalikes_list(
    connection: &impl ConnectionTrait,
    after: &str,
    limit: u64,
) -> Result<Vec<Lookalike>, Problem> {
    const PAIRS: &str = "WITH whole AS (\
           SELECT account_id, display_name, name_key, name_skeleton FROM account a WHERE name_skeleton <> '' \
           AND NOT EXISTS (SELECT 1 FROM merge m WHERE m.merged_account_id = a.account_id AND m.undone_at IS NULL)), \
         shared AS (\
           SELECT name_skeleton, MIN(account_id) AS first_id FROM whole GROUP BY name_skeleton HAVING COUNT(*) > 1) \
         SELECT s.name_skeleton, f.account_id AS first_id, f.display_name AS first_name, f.name_key AS first_key, \
                o.account_id AS other_id, o.display_name AS other_name, o.name_key AS other_key \
         FROM shared s JOIN whole f ON f.account_id = s.first_id JOIN whole o ON o.name_skeleton = s.name_skeleton \
         WHERE o.account_id <> s.first_id AND (s.name_skeleton > $1 OR (s.name_skeleton = $1 AND o.account_id > $2)) \
         ORDER BY s.name_skeleton, o.account_id LIMIT $3";
    let (skeleton, other_id) = after.split_once(' ').unwrap_or((after, ""));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [skeleton.into(), other_id.into(), limit.into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), PAIRS, values);
    let rows = connection.query_all_raw(statement).await?;
    let read = rows.iter().map(|row| {
        Ok(Lookalike {
            skeleton: row.try_get("", "name_skeleton")?,
            first_id: row.try_get("", "first_id")?,
            first_name: row.try_get("", "first_name")?,
            first_key: row.try_get("", "first_key")?,
            other_id: row.try_get("", "other_id")?,
            other_name: row.try_get("", "other_name")?,
            other_key: row.try_get("", "other_key")?,
        })
    });
    read.collect()
}

/// Those of the accounts that are known.
pub async fn accounts_fetch(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
) -> Result<Vec<AccountRow>, Problem> {
    let mut rows = Vec::with_capacity(account_ids.len());
    for chunk in account_ids.chunks(CHUNK) {
        let mut select = accounts_select();
        select.and_where(Expr::col(Account::AccountId).is_in(chunk.iter().copied()));
        rows.extend(read(connection, &select).await?);
    }
    Ok(rows)
}

/// Up to `limit` accounts after `after`, by id, of one segment or of all. Those that are part of another are left out.
pub async fn accounts_list(
    connection: &impl ConnectionTrait,
    segment: &str,
    after: &str,
    limit: u64,
) -> Result<Vec<AccountRow>, Problem> {
    let mut select = accounts_select();
    select
        .and_where(Expr::col((Account::Table, Account::AccountId)).gt(after))
        .and_where(Expr::exists(part_of_another()).not())
        .and_where_option((!segment.is_empty()).then(|| Expr::col(Account::Segment).eq(segment)))
        .order_by((Account::Table, Account::AccountId), Order::Asc)
        .limit(limit);
    read(connection, &select).await
}

fn part_of_another() -> SelectStatement {
    let merge = |column| Expr::col((Merge::Table, column));
    Query::select()
        .expr(Expr::val(1))
        .from(Merge::Table)
        .and_where(merge(Merge::MergedAccountId).equals((Account::Table, Account::AccountId)))
        .and_where(merge(Merge::UndoneAt).is_null())
        .take()
}

fn accounts_select() -> SelectStatement {
    Query::select()
        .columns([Account::AccountId, Account::CreatedAt])
        .from(Account::Table)
        .take()
}

async fn read(connection: &impl ConnectionTrait, select: &SelectStatement) -> Result<Vec<AccountRow>, Problem> {
    connection.query_all(select).await?.iter().map(account).collect()
}

fn account(row: &QueryResult) -> Result<AccountRow, Problem> {
    Ok((
        row.try_get("", "account_id")?,
        from_micros(row.try_get("", "created_at")?),
    ))
}
