//! Arms of the holdout (C-12).

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Iterable, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{OnConflict, Query},
};
use upswell_runtime::{db::Tx, problem::Problem};

use super::{
    Reads,
    entities::{account, arm},
};

/// Arms in one statement.
const CHUNK: usize = 500;

/// Adds arms and returns those that were new: an arm that is there never changes (C-12).
pub async fn arms_add(tx: &Tx, arms: Vec<arm::Model>) -> Result<Vec<arm::Model>, Problem> {
    let mut added = Vec::with_capacity(arms.len());
    for chunk in arms.chunks(CHUNK) {
        let mut insert = Query::insert();
        insert
            .into_table(arm::Entity)
            .columns(arm::Column::iter())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .returning(Query::returning().columns(arm::Column::iter()));
        for row in chunk.iter().cloned() {
            let arm::Model {
                epoch,
                account_id,
                holdout,
                stratum,
                assigned_at,
            } = row;
            insert.values_panic([
                epoch.into(),
                account_id.into(),
                holdout.into(),
                stratum.into(),
                assigned_at.into(),
            ]);
        }
        for row in tx.query_all(&insert).await? {
            added.push(arm::Model::from_query_result(&row, "")?);
        }
    }
    added.sort_by(|a, b| a.account_id.cmp(&b.account_id));
    Ok(added)
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

/// Whether there is an account without an arm in an epoch.
pub async fn accounts_lack_arm(db: &impl Reads, epoch: i32) -> Result<bool, Problem> {
    let mut arms = Query::select();
    arms.column(arm::Column::AccountId)
        .from(arm::Entity)
        .and_where(arm::Column::Epoch.eq(epoch));
    let found = account::Entity::find().filter(account::Column::AccountId.not_in_subquery(arms));
    Ok(found.one(db).await?.is_some())
}
