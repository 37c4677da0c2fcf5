//! Who stands in for whom (C-14).

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day, from_micros, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    Reads,
    entities::delegation::{Column, Entity, Model},
    upsert, word,
};
use crate::domain::approval::Delegation;

/// One delegation.
pub async fn delegation_fetch(db: &impl Reads, id: Uuid) -> Result<Option<Delegation>, Problem> {
    Entity::find_by_id(id).one(db).await?.map(from_row).transpose()
}

/// Stores a delegation.
pub async fn delegation_save(tx: &Tx, delegation: &Delegation) -> Result<(), Problem> {
    let row = Model {
        delegation_id: delegation.id,
        person_id: delegation.person_id.clone(),
        delegate_id: delegation.delegate_id.clone(),
        kind: delegation.kind.to_string(),
        start_on: epoch_day(delegation.start_on),
        end_on: delegation.end_on.map(epoch_day),
        author: delegation.author.clone(),
        created_at: micros(delegation.created_at),
        ended_at: delegation.ended_at.map(micros),
    };
    upsert::<Entity>(tx, vec![row]).await
}

/// Every delegation that was not ended by hand: a few for each manager.
pub async fn delegation_list_open(db: &impl Reads) -> Result<Vec<Delegation>, Problem> {
    let found = Entity::find().filter(Column::EndedAt.is_null());
    let found = found.order_by_asc(Column::CreatedAt).order_by_asc(Column::DelegationId);
    found.all(db).await?.into_iter().map(from_row).collect()
}

/// A page of delegations, the newest first, after the one with this time and id.
pub async fn delegation_list(
    db: &impl Reads,
    person_id: &str,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<Delegation>, Problem> {
    let mut found = Entity::find();
    if !person_id.is_empty() {
        found = found.filter(Column::PersonId.eq(person_id));
    }
    if let Some((at, id)) = after {
        let same = Condition::all()
            .add(Column::CreatedAt.eq(at))
            .add(Column::DelegationId.gt(id));
        found = found.filter(Condition::any().add(Column::CreatedAt.lt(at)).add(same));
    }
    let found = found
        .order_by_desc(Column::CreatedAt)
        .order_by_asc(Column::DelegationId);
    found.limit(limit).all(db).await?.into_iter().map(from_row).collect()
}

fn from_row(row: Model) -> Result<Delegation, Problem> {
    Ok(Delegation {
        id: row.delegation_id,
        person_id: row.person_id,
        delegate_id: row.delegate_id,
        kind: word(&row.kind)?,
        start_on: from_epoch_day(row.start_on),
        end_on: row.end_on.map(from_epoch_day),
        author: row.author,
        created_at: from_micros(row.created_at),
        ended_at: row.ended_at.map(from_micros),
    })
}
