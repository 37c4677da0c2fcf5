//! Accounts: known once any fact about them was recorded.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{
    ConnectionTrait, ExprTrait as _, QueryResult,
    sea_query::{Expr, OnConflict, Order, Query, SelectStatement},
};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};

use super::{CHUNK, tables::Account};

/// An account and when its first fact was recorded.
pub type AccountRow = (String, Timestamp);

/// Creates what is new, and locks all of them until the end of the transaction: corrections and what they correct are
/// judged one batch after the other. The ids come sorted, so that no two writers wait for each other.
pub async fn accounts_lock(tx: &Tx, account_ids: &[&str], now: Timestamp) -> Result<(), Problem> {
    for chunk in account_ids.chunks(CHUNK) {
        let mut upsert = Query::insert();
        upsert
            .into_table(Account::Table)
            .columns([
                Account::AccountId,
                Account::CreatedAt,
                Account::LastRecordedAt,
                Account::Segment,
            ])
            .on_conflict(
                OnConflict::column(Account::AccountId)
                    .update_column(Account::LastRecordedAt)
                    .to_owned(),
            );
        for account_id in chunk {
            upsert.values_panic([(*account_id).into(), micros(now).into(), micros(now).into(), "".into()]);
        }
        tx.execute(&upsert).await?;
    }
    Ok(())
}

/// Sets the segments of known accounts, by which lists are filtered.
pub async fn segments_write(tx: &Tx, segments: &BTreeMap<&str, &str>, now: Timestamp) -> Result<(), Problem> {
    let segments: Vec<_> = segments.iter().collect();
    for chunk in segments.chunks(CHUNK) {
        let mut upsert = Query::insert();
        upsert
            .into_table(Account::Table)
            .columns([
                Account::AccountId,
                Account::CreatedAt,
                Account::LastRecordedAt,
                Account::Segment,
            ])
            .on_conflict(
                OnConflict::column(Account::AccountId)
                    .update_column(Account::Segment)
                    .to_owned(),
            );
        for (account_id, segment) in chunk {
            let at = micros(now);
            upsert.values_panic([(**account_id).into(), at.into(), at.into(), (**segment).into()]);
        }
        tx.execute(&upsert).await?;
    }
    Ok(())
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

/// Up to `limit` accounts after `after`, by id, of one segment or of all.
pub async fn accounts_list(
    connection: &impl ConnectionTrait,
    segment: &str,
    after: &str,
    limit: u64,
) -> Result<Vec<AccountRow>, Problem> {
    let mut select = accounts_select();
    select
        .and_where(Expr::col(Account::AccountId).gt(after))
        .and_where_option((!segment.is_empty()).then(|| Expr::col(Account::Segment).eq(segment)))
        .order_by(Account::AccountId, Order::Asc)
        .limit(limit);
    read(connection, &select).await
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
