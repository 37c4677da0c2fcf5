//! Which accounts changed and were scored. An account is dirty while its change version is above the version that was
//! scored; versions only grow, so that a change during the scoring is never lost.

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
    telemetry::TraceContext,
};

use super::{
    CHUNK,
    entities::account::{ActiveModel, Column, Entity, Model},
};

/// An account to score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub account_id: String,
    /// Grows with every change.
    pub change_version: i64,
    /// The change version that the newest score stands on.
    pub scored_version: i64,
    /// The last change's trace, continued by the scoring.
    pub trace: TraceContext,
}

/// An account that was scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    /// The account.
    pub account_id: String,
    /// The change version read before its facts were asked for.
    pub version: i64,
    /// When its windows move on.
    pub due_at: Timestamp,
}

impl From<Model> for Account {
    fn from(row: Model) -> Self {
        let Model {
            account_id,
            change_version,
            scored_version,
            traceparent,
            tracestate,
            ..
        } = row;
        Self {
            account_id,
            change_version,
            scored_version,
            trace: TraceContext {
                traceparent,
                tracestate,
            },
        }
    }
}

/// Marks an account as changed; of several changes the last one's trace is kept.
pub async fn accounts_mark_changed(
    tx: &Tx,
    account_id: &str,
    at: Timestamp,
    trace: TraceContext,
) -> Result<(), Problem> {
    let row = ActiveModel {
        account_id: Set(account_id.to_owned()),
        change_version: Set(1),
        scored_version: Set(0),
        is_dirty: Set(true),
        changed_at: Set(micros(at)),
        due_at: Set(None),
        traceparent: Set(trace.traceparent),
        tracestate: Set(trace.tracestate),
    };
    let again = OnConflict::column(Column::AccountId)
        .update_columns([
            Column::IsDirty,
            Column::ChangedAt,
            Column::Traceparent,
            Column::Tracestate,
        ])
        .value(Column::ChangeVersion, Expr::cust("accounts.change_version + 1"))
        .to_owned();
    Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// True when the windows of an account that is not marked have moved by `now`.
pub async fn accounts_are_due(conn: &impl ConnectionTrait, now: Timestamp) -> Result<bool, Problem> {
    let due = Entity::find()
        .filter(Column::DueAt.lte(micros(now)))
        .filter(Column::IsDirty.eq(false));
    Ok(due.limit(1).count(conn).await? > 0)
}

/// Marks every account whose windows have moved by `now`; the number of accounts marked.
pub async fn accounts_mark_due(tx: &Tx, now: Timestamp) -> Result<u64, Problem> {
    let marked = Entity::update_many()
        .col_expr(Column::IsDirty, Expr::value(true))
        .col_expr(Column::ChangeVersion, Expr::cust("change_version + 1"))
        .col_expr(Column::ChangedAt, Expr::value(micros(now)))
        .col_expr(Column::Traceparent, Expr::value(""))
        .col_expr(Column::Tracestate, Expr::value(""))
        .filter(Column::DueAt.lte(micros(now)))
        .filter(Column::IsDirty.eq(false))
        .exec(&**tx)
        .await?;
    Ok(marked.rows_affected)
}

/// Up to `limit` dirty accounts, the longest-waiting first.
pub async fn accounts_list_dirty(conn: &impl ConnectionTrait, limit: u64) -> Result<Vec<Account>, Problem> {
    let dirty = Entity::find().filter(Column::IsDirty.eq(true));
    let rows = dirty
        .order_by_asc(Column::ChangedAt)
        .order_by_asc(Column::AccountId)
        .limit(limit)
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// Up to `limit` accounts after `after`, by id.
pub async fn accounts_list_ids(conn: &impl ConnectionTrait, after: &str, limit: u64) -> Result<Vec<String>, Problem> {
    let rows = Entity::find().filter(Column::AccountId.gt(after));
    let rows = rows.order_by_asc(Column::AccountId).limit(limit).all(conn).await?;
    Ok(rows.into_iter().map(|row| row.account_id).collect())
}

/// Number of accounts.
pub async fn accounts_count(conn: &impl ConnectionTrait) -> Result<u64, Problem> {
    Ok(Entity::find().count(conn).await?)
}

/// The rows of `account_ids`, locked in the order of their ids where the store has row locks; unknown ones are left out.
pub async fn accounts_fetch_for_update(
    conn: &impl ConnectionTrait,
    account_ids: &[String],
) -> Result<Vec<Account>, Problem> {
    let rows = Entity::find()
        .filter(Column::AccountId.is_in(account_ids))
        .order_by_asc(Column::AccountId);
    Ok(rows
        .lock_exclusive()
        .all(conn)
        .await?
        .into_iter()
        .map(Account::from)
        .collect())
}

/// The rows of `account_ids`; unknown ones are left out.
pub async fn accounts_fetch(conn: &impl ConnectionTrait, account_ids: &[String]) -> Result<Vec<Account>, Problem> {
    let rows = Entity::find()
        .filter(Column::AccountId.is_in(account_ids))
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// Notes up to which version accounts were scored; one that changed meanwhile stays dirty.
pub async fn accounts_mark_scored(tx: &Tx, scored: &[Scored]) -> Result<(), Problem> {
    let row = |scored: &Scored| ActiveModel {
        account_id: Set(scored.account_id.clone()),
        change_version: Set(scored.version),
        scored_version: Set(scored.version),
        is_dirty: Set(false),
        changed_at: Set(0),
        due_at: Set(Some(micros(scored.due_at))),
        traceparent: Set(String::new()),
        tracestate: Set(String::new()),
    };
    for chunk in scored.chunks(CHUNK) {
        let known = OnConflict::column(Column::AccountId)
            .update_columns([Column::ScoredVersion, Column::DueAt])
            .value(
                Column::IsDirty,
                Expr::cust("accounts.change_version > excluded.scored_version"),
            )
            .to_owned();
        Entity::insert_many(chunk.iter().map(row))
            .on_conflict(known)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}
