//! Accounts and the clockwork of their decisions.

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};

use super::{Reads, entities::account, upsert};

/// One account, if it is known.
pub async fn account_fetch(db: &impl Reads, account_id: &str) -> Result<Option<account::Model>, Problem> {
    Ok(account::Entity::find_by_id(account_id).one(db).await?)
}

/// Whether the account is known.
pub async fn account_exists(db: &impl Reads, account_id: &str) -> Result<bool, Problem> {
    Ok(account::Entity::find_by_id(account_id).count(db).await? > 0)
}

/// These accounts; unknown ones are left out.
pub async fn accounts_fetch(db: &impl Reads, account_ids: &[String]) -> Result<Vec<account::Model>, Problem> {
    let known = account::Entity::find().filter(account::Column::AccountId.is_in(account_ids));
    Ok(known.order_by_asc(account::Column::AccountId).all(db).await?)
}

/// Every account, by id.
pub async fn account_list(db: &impl Reads) -> Result<Vec<account::Model>, Problem> {
    Ok(account::Entity::find()
        .order_by_asc(account::Column::AccountId)
        .all(db)
        .await?)
}

/// Up to `limit` accounts by id, after the one with the id `after`.
pub async fn account_list_after(db: &impl Reads, after: &str, limit: u64) -> Result<Vec<account::Model>, Problem> {
    let found = account::Entity::find().filter(account::Column::AccountId.gt(after));
    Ok(found
        .order_by_asc(account::Column::AccountId)
        .limit(limit)
        .all(db)
        .await?)
}

/// Stores an account as it stands now.
pub async fn account_save(tx: &Tx, account: account::Model) -> Result<(), Problem> {
    upsert::<account::Entity>(tx, vec![account]).await
}

/// Takes the account's row lock; every use case that changes an account's offers does so first, so that they
/// happen one after the other on every database. False when the account is not known.
pub async fn account_lock(tx: &Tx, account_id: &str) -> Result<bool, Problem> {
    let update = account::Entity::update_many()
        .col_expr(account::Column::NextSlotAt, Expr::col(account::Column::NextSlotAt))
        .filter(account::Column::AccountId.eq(account_id));
    Ok(update.exec(&**tx).await?.rows_affected > 0)
}

/// Up to `limit` accounts whose decision slot has come, the longest waiting first.
pub async fn accounts_due(db: &impl Reads, now: Timestamp, limit: u64) -> Result<Vec<account::Model>, Problem> {
    let due = account::Entity::find().filter(account::Column::NextSlotAt.lte(micros(now)));
    let due = due
        .order_by_asc(account::Column::NextSlotAt)
        .order_by_asc(account::Column::AccountId);
    Ok(due.limit(limit).all(db).await?)
}

/// Up to `limit` accounts with a signal that may not wait.
pub async fn accounts_urgent(db: &impl Reads, limit: u64) -> Result<Vec<account::Model>, Problem> {
    let urgent = account::Entity::find().filter(account::Column::DecideNow.eq(true));
    Ok(urgent
        .order_by_asc(account::Column::AccountId)
        .limit(limit)
        .all(db)
        .await?)
}

/// Moves the account from the slot `from` to `to`. False when another run was first.
pub async fn account_slot_advance(tx: &Tx, account_id: &str, from: i64, to: Timestamp) -> Result<bool, Problem> {
    let update = account::Entity::update_many()
        .col_expr(account::Column::NextSlotAt, Expr::value(micros(to)))
        .filter(account::Column::AccountId.eq(account_id))
        .filter(account::Column::NextSlotAt.eq(from));
    Ok(update.exec(&**tx).await?.rows_affected > 0)
}

/// Notes whether the account has a signal that may not wait for the slot. False when that was noted already.
pub async fn account_urgency_set(tx: &Tx, account_id: &str, urgent: bool) -> Result<bool, Problem> {
    let update = account::Entity::update_many()
        .col_expr(account::Column::DecideNow, Expr::value(urgent))
        .filter(account::Column::AccountId.eq(account_id))
        .filter(account::Column::DecideNow.ne(urgent));
    Ok(update.exec(&**tx).await?.rows_affected > 0)
}
