//! Merges of accounts. A merge is open while `undone_at` is null; an account has at most one open merge that makes it part
//! of another, which the lock on its row guards.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ConnectionTrait, ExprTrait as _, QueryResult,
    sea_query::{Cond, Expr, Order, Query, SelectStatement},
};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};

use super::{CHUNK, tables::Merge as Columns};
use crate::domain::merge::{Merge, Roots, Undone};

/// Who stands for whom among `account_ids`, everything above them and everything below.
pub async fn roots_fetch(connection: &impl ConnectionTrait, account_ids: &[&str]) -> Result<Roots, Problem> {
    let mut parts = BTreeMap::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut next: BTreeSet<String> = account_ids.iter().map(|id| (*id).to_owned()).collect();
    while !next.is_empty() {
        let asked: Vec<String> = next.iter().cloned().collect();
        seen.append(&mut next);
        for chunk in asked.chunks(CHUNK) {
            for (part, whole) in open_around(connection, chunk).await? {
                next.extend([&part, &whole].into_iter().filter(|id| !seen.contains(*id)).cloned());
                parts.insert(part, whole);
            }
        }
    }
    Ok(Roots::of(&parts))
}

/// Open merges with any of the accounts on either side: part and whole.
async fn open_around(
    connection: &impl ConnectionTrait,
    account_ids: &[String],
) -> Result<Vec<(String, String)>, Problem> {
    let ids = || account_ids.iter().map(String::as_str);
    let either = Cond::any()
        .add(Expr::col(Columns::MergedAccountId).is_in(ids()))
        .add(Expr::col(Columns::AccountId).is_in(ids()));
    let mut select = Query::select();
    select
        .columns([Columns::MergedAccountId, Columns::AccountId])
        .from(Columns::Table)
        .and_where(Expr::col(Columns::UndoneAt).is_null())
        .cond_where(either);
    let rows = connection.query_all(&select).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "merged_account_id")?, row.try_get("", "account_id")?)))
        .collect()
}

/// Notes a merge.
pub async fn merge_insert(tx: &Tx, merge: &Merge) -> Result<(), Problem> {
    let mut insert = Query::insert();
    insert
        .into_table(Columns::Table)
        .columns([
            Columns::MergeId,
            Columns::AccountId,
            Columns::MergedAccountId,
            Columns::Actor,
            Columns::MergedAt,
            Columns::Reason,
            Columns::UndoActor,
            Columns::UndoReason,
        ])
        .values_panic([
            merge.merge_id.as_str().into(),
            merge.account_id.as_str().into(),
            merge.merged_account_id.as_str().into(),
            merge.actor.as_str().into(),
            micros(merge.at).into(),
            merge.reason.as_str().into(),
            "".into(),
            "".into(),
        ]);
    tx.execute(&insert).await?;
    Ok(())
}

/// Notes that a merge is undone; false when it was.
pub async fn merge_undo(tx: &Tx, merge_id: &str, undone: &Undone) -> Result<bool, Problem> {
    let mut update = Query::update();
    update
        .table(Columns::Table)
        .values([
            (Columns::UndoneAt, micros(undone.at).into()),
            (Columns::UndoActor, undone.actor.as_str().into()),
            (Columns::UndoReason, undone.reason.as_str().into()),
        ])
        .and_where(Expr::col(Columns::MergeId).eq(merge_id))
        .and_where(Expr::col(Columns::UndoneAt).is_null());
    Ok(tx.execute(&update).await?.rows_affected() == 1)
}

/// The merge of an id.
pub async fn merge_fetch(connection: &impl ConnectionTrait, merge_id: &str) -> Result<Option<Merge>, Problem> {
    let mut select = merges_select();
    select.and_where(Expr::col(Columns::MergeId).eq(merge_id));
    let row = connection.query_one(&select).await?;
    row.as_ref().map(|row| Ok(read(row)?.1)).transpose()
}

/// Up to `limit` merges before number `before`, the newest first, with this account on either side or (empty) all.
pub async fn merges_list(
    connection: &impl ConnectionTrait,
    account_id: &str,
    before: i64,
    limit: u64,
) -> Result<Vec<(i64, Merge)>, Problem> {
    let either = Cond::any()
        .add(Expr::col(Columns::MergedAccountId).eq(account_id))
        .add(Expr::col(Columns::AccountId).eq(account_id));
    let mut select = merges_select();
    select
        .and_where(Expr::col(Columns::Id).lt(before))
        .cond_where(if account_id.is_empty() { Cond::all() } else { either })
        .order_by(Columns::Id, Order::Desc)
        .limit(limit);
    connection.query_all(&select).await?.iter().map(read).collect()
}

fn merges_select() -> SelectStatement {
    Query::select()
        .columns([
            Columns::Id,
            Columns::MergeId,
            Columns::AccountId,
            Columns::MergedAccountId,
            Columns::Actor,
            Columns::MergedAt,
            Columns::Reason,
            Columns::UndoneAt,
            Columns::UndoActor,
            Columns::UndoReason,
        ])
        .from(Columns::Table)
        .take()
}

fn read(row: &QueryResult) -> Result<(i64, Merge), Problem> {
    let undone_at: Option<i64> = row.try_get("", "undone_at")?;
    let (actor, reason): (String, String) = (row.try_get("", "undo_actor")?, row.try_get("", "undo_reason")?);
    let undone = undone_at.map(|at| Undone {
        actor,
        at: from_micros(at),
        reason,
    });
    let merge = Merge {
        merge_id: row.try_get("", "merge_id")?,
        account_id: row.try_get("", "account_id")?,
        merged_account_id: row.try_get("", "merged_account_id")?,
        actor: row.try_get("", "actor")?,
        at: from_micros(row.try_get("", "merged_at")?),
        reason: row.try_get("", "reason")?,
        undone,
    };
    Ok((row.try_get("", "id")?, merge))
}
