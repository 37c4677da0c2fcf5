//! Playbooks that wait (C-15).

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use upswell_runtime::{db::Tx, problem::Problem};
use uuid::Uuid;

use super::{
    Reads,
    entities::pause::{Column, Entity, Model},
    upsert,
};

/// Stores pauses.
pub async fn pauses_save(tx: &Tx, pauses: Vec<Model>) -> Result<(), Problem> {
    upsert::<Entity>(tx, pauses).await
}

/// The pauses that stand, the oldest first.
pub async fn pause_list_active(db: &impl Reads) -> Result<Vec<Model>, Problem> {
    let found = Entity::find().filter(Column::ResumedAt.is_null());
    Ok(found
        .order_by_asc(Column::PausedAt)
        .order_by_asc(Column::PauseId)
        .all(db)
        .await?)
}

/// The playbooks that wait, with the reason.
pub async fn paused(db: &impl Reads) -> Result<BTreeMap<String, String>, Problem> {
    let standing = pause_list_active(db).await?;
    Ok(standing
        .into_iter()
        .map(|pause| (pause.playbook, pause.reason))
        .collect())
}

/// A page of pauses, the newest first, after the one that began at this time and has this id.
pub async fn pause_list(
    db: &impl Reads,
    active_only: bool,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>, Problem> {
    let mut found = Entity::find();
    if active_only {
        found = found.filter(Column::ResumedAt.is_null());
    }
    if let Some((at, id)) = after {
        let same = Condition::all()
            .add(Column::PausedAt.eq(at))
            .add(Column::PauseId.gt(id));
        found = found.filter(Condition::any().add(Column::PausedAt.lt(at)).add(same));
    }
    let found = found.order_by_desc(Column::PausedAt).order_by_asc(Column::PauseId);
    Ok(found.limit(limit).all(db).await?)
}
