//! Recorded decisions (C-16).

use jiff::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    Reads,
    entities::decision::{Column, Entity, Model},
    insert,
};

/// Records decisions. Errors: ALREADY_EXISTS; what was recorded, and maybe sealed, never changes.
pub async fn decisions_save(tx: &Tx, decisions: Vec<Model>) -> Result<(), Problem> {
    insert::<Entity>(tx, decisions).await
}

/// One decision.
pub async fn decision_fetch(db: &impl Reads, id: Uuid) -> Result<Option<Model>, Problem> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// The newest decision on an account that was made at or before `at`.
pub async fn decision_fetch_at(db: &impl Reads, account: &str, at: Timestamp) -> Result<Option<Model>, Problem> {
    let found = Entity::find()
        .filter(Column::AccountId.eq(account))
        .filter(Column::DecidedAt.lte(micros(at)));
    Ok(found
        .order_by_desc(Column::DecidedAt)
        .order_by_desc(Column::SlotAt)
        .one(db)
        .await?)
}

/// A page of decisions, the newest first, after the one with this time and id.
pub async fn decision_list(
    db: &impl Reads,
    account_id: &str,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>, Problem> {
    let mut found = Entity::find();
    if !account_id.is_empty() {
        found = found.filter(Column::AccountId.eq(account_id));
    }
    if let Some((at, id)) = after {
        let same = Condition::all()
            .add(Column::DecidedAt.eq(at))
            .add(Column::DecisionId.gt(id));
        found = found.filter(Condition::any().add(Column::DecidedAt.lt(at)).add(same));
    }
    let found = found.order_by_desc(Column::DecidedAt).order_by_asc(Column::DecisionId);
    Ok(found.limit(limit).all(db).await?)
}

/// Up to `limit` of the decisions on an account that were made from the begin of a span until before its end and can be made
/// again, the oldest first, after so many of them. The list only grows at its end.
pub async fn decision_list_between(
    db: &impl Reads,
    account_id: &str,
    (start, end): (Timestamp, Timestamp),
    after: u64,
    limit: u64,
) -> Result<Vec<Model>, Problem> {
    let found = Entity::find()
        .filter(Column::AccountId.eq(account_id))
        .filter(Column::DecidedAt.gte(micros(start)))
        .filter(Column::DecidedAt.lt(micros(end)))
        .filter(Column::PictureHash.ne(""));
    Ok(found
        .order_by_asc(Column::DecidedAt)
        .order_by_asc(Column::SlotAt)
        .order_by_asc(Column::DecisionId)
        .offset(after)
        .limit(limit)
        .all(db)
        .await?)
}
