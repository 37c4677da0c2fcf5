//! Suppressions (C-10).

use jiff::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{Reads, entities::suppression, upsert};

/// One suppression.
pub async fn suppression_fetch(db: &impl Reads, id: Uuid) -> Result<Option<suppression::Model>, Problem> {
    Ok(suppression::Entity::find_by_id(id).one(db).await?)
}

/// Stores a suppression.
pub async fn suppression_save(tx: &Tx, suppression: suppression::Model) -> Result<(), Problem> {
    upsert::<suppression::Entity>(tx, vec![suppression]).await
}

/// What stops touches to these accounts at `now`; the one that holds longest first.
pub async fn suppression_list_active(
    db: &impl Reads,
    account_ids: &[String],
    now: Timestamp,
) -> Result<Vec<suppression::Model>, Problem> {
    let found = suppression::Entity::find()
        .filter(suppression::Column::AccountId.is_in(account_ids))
        .filter(in_force(now))
        .order_by_desc(suppression::Column::ExpiresAt)
        .order_by_asc(suppression::Column::SuppressionId);
    Ok(found.all(db).await?)
}

/// A page of suppressions, the newest first, after the one created at `after`.
pub async fn suppression_list(
    db: &impl Reads,
    account_id: &str,
    active_at: Option<Timestamp>,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<suppression::Model>, Problem> {
    let mut found = suppression::Entity::find();
    if !account_id.is_empty() {
        found = found.filter(suppression::Column::AccountId.eq(account_id));
    }
    if let Some(now) = active_at {
        found = found.filter(in_force(now));
    }
    if let Some((at, id)) = after {
        found = found.filter(
            Condition::any().add(suppression::Column::CreatedAt.lt(at)).add(
                Condition::all()
                    .add(suppression::Column::CreatedAt.eq(at))
                    .add(suppression::Column::SuppressionId.gt(id)),
            ),
        );
    }
    let found = found
        .order_by_desc(suppression::Column::CreatedAt)
        .order_by_asc(suppression::Column::SuppressionId);
    Ok(found.limit(limit).all(db).await?)
}

fn in_force(now: Timestamp) -> Condition {
    let unexpired = Condition::any()
        .add(suppression::Column::ExpiresAt.is_null())
        .add(suppression::Column::ExpiresAt.gt(micros(now)));
    Condition::all()
        .add(suppression::Column::LiftedAt.is_null())
        .add(unexpired)
}
