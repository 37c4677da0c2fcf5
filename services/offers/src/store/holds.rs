//! Holds (C-17).

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    Reads,
    entities::hold::{Column, Entity, Model},
    upsert,
};

/// One hold.
pub async fn hold_fetch(db: &impl Reads, id: Uuid) -> Result<Option<Model>, Problem> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Stores a hold.
pub async fn hold_save(tx: &Tx, hold: Model) -> Result<(), Problem> {
    upsert::<Entity>(tx, vec![hold]).await
}

/// The holds on these accounts that stand and end after `since`, by their beginning.
pub async fn hold_list(db: &impl Reads, account_ids: &[String], since: Timestamp) -> Result<Vec<Model>, Problem> {
    let found = Entity::find()
        .filter(Column::AccountId.is_in(account_ids))
        .filter(Column::LiftedAt.is_null())
        .filter(Column::EndAt.gt(micros(since)));
    Ok(found
        .order_by_asc(Column::StartAt)
        .order_by_asc(Column::HoldId)
        .all(db)
        .await?)
}
