//! Arms of the holdout (C-12).

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use upswell_runtime::{db::Tx, problem::Problem};

use super::{
    Reads,
    entities::{account, arm},
    upsert,
};

/// Stores new arms; an arm that is there is never changed by the callers (C-12).
pub async fn arms_save(tx: &Tx, arms: Vec<arm::Model>) -> Result<(), Problem> {
    upsert::<arm::Entity>(tx, arms).await
}

/// The arms of these accounts in an epoch.
pub async fn arm_list_of(db: &impl Reads, epoch: i32, account_ids: &[String]) -> Result<Vec<arm::Model>, Problem> {
    let found = arm::Entity::find()
        .filter(arm::Column::Epoch.eq(epoch))
        .filter(arm::Column::AccountId.is_in(account_ids));
    Ok(found.all(db).await?)
}

/// The arms of an epoch by account, after `after`.
pub async fn arm_list(
    db: &impl Reads,
    epoch: i32,
    holdout_only: bool,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<arm::Model>, Problem> {
    let mut found = arm::Entity::find().filter(arm::Column::Epoch.eq(epoch));
    if holdout_only {
        found = found.filter(arm::Column::Holdout.eq(true));
    }
    if let Some(after) = after {
        found = found.filter(arm::Column::AccountId.gt(after));
    }
    Ok(found.order_by_asc(arm::Column::AccountId).limit(limit).all(db).await?)
}

/// Every arm of an epoch, by account.
pub async fn arm_list_all(db: &impl Reads, epoch: i32) -> Result<Vec<arm::Model>, Problem> {
    let found = arm::Entity::find().filter(arm::Column::Epoch.eq(epoch));
    Ok(found.order_by_asc(arm::Column::AccountId).all(db).await?)
}

/// The accounts without an arm in an epoch, by id.
pub async fn accounts_without_arm(db: &impl Reads, epoch: i32) -> Result<Vec<account::Model>, Problem> {
    let mut arms = sea_orm::sea_query::Query::select();
    arms.column(arm::Column::AccountId)
        .from(arm::Entity)
        .and_where(arm::Column::Epoch.eq(epoch));
    let found = account::Entity::find().filter(account::Column::AccountId.not_in_subquery(arms));
    Ok(found.order_by_asc(account::Column::AccountId).all(db).await?)
}
