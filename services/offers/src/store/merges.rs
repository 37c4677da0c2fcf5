//! Which merges of accounts stand (I-3), as ingestion tells them.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use upswell_runtime::{db::Tx, problem::Problem};

use super::{
    Reads,
    entities::merge::{Column, Entity, Model},
    upsert,
};

/// Stores a merge as it stands now.
pub async fn merge_save(tx: &Tx, merge: Model) -> Result<(), Problem> {
    upsert::<Entity>(tx, vec![merge]).await
}

/// The merges that stand among these accounts, by id.
pub async fn merge_list_among(db: &impl Reads, account_ids: &[String]) -> Result<Vec<Model>, Problem> {
    let found = Entity::find()
        .filter(Column::AccountId.is_in(account_ids))
        .filter(Column::PartId.is_in(account_ids))
        .filter(Column::Undone.eq(false));
    Ok(found.order_by_asc(Column::MergeId).all(db).await?)
}
