//! Scores as they stood whenever something in them moved.

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, sea_query::OnConflict,
};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};

use super::{
    CHUNK,
    entities::score_history::{ActiveModel, Column, Entity, Model},
    from_json, to_json,
};
use crate::domain::score::Score;

/// Keeps scores that moved.
pub async fn history_upsert(tx: &Tx, scores: &[Score]) -> Result<(), Problem> {
    for chunk in scores.chunks(CHUNK) {
        let row = |score: &Score| -> Result<ActiveModel, Problem> {
            Ok(ActiveModel {
                account_id: Set(score.account_id.clone()),
                changed_at: Set(micros(score.scored_at)),
                document: Set(to_json(score)?),
            })
        };
        let rows: Result<Vec<_>, Problem> = chunk.iter().map(row).collect();
        let again = OnConflict::columns([Column::AccountId, Column::ChangedAt])
            .update_column(Column::Document)
            .to_owned();
        Entity::insert_many(rows?)
            .on_conflict(again)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

/// The score as it stood at `since` and the newest `limit` that moved later, the oldest first.
pub async fn history_list(
    conn: &impl ConnectionTrait,
    account_id: &str,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<Score>, Problem> {
    let of_account = || Entity::find().filter(Column::AccountId.eq(account_id));
    let later = of_account()
        .filter(Column::ChangedAt.gt(micros(since)))
        .order_by_desc(Column::ChangedAt)
        .limit(limit);
    let mut rows: Vec<Model> = later.all(conn).await?;
    if (rows.len() as u64) < limit {
        let before = of_account()
            .filter(Column::ChangedAt.lte(micros(since)))
            .order_by_desc(Column::ChangedAt);
        rows.extend(before.one(conn).await?);
    }
    rows.iter().rev().map(|row| from_json(&row.document)).collect()
}

/// The risk and the propensity as they stood, of `account_ids`: (account, when they moved, both), by account and time, not
/// after `until`.
pub async fn history_told(
    conn: &impl ConnectionTrait,
    account_ids: &[String],
    until: Timestamp,
) -> Result<Vec<(String, Timestamp, [f64; 2])>, Problem> {
    #[derive(serde::Deserialize)]
    struct Told {
        churn_risk: f64,
        expansion_propensity: f64,
    }
    let rows = Entity::find()
        .filter(Column::AccountId.is_in(account_ids))
        .filter(Column::ChangedAt.lte(micros(until)))
        .order_by_asc(Column::AccountId)
        .order_by_asc(Column::ChangedAt);
    let told = |row: Model| {
        let told: Told = from_json(&row.document)?;
        let pair = [told.churn_risk, told.expansion_propensity];
        Ok((row.account_id, from_micros(row.changed_at), pair))
    };
    rows.all(conn).await?.into_iter().map(told).collect()
}

/// Forgets what stood before `before`, but keeps the newest of every account; the number of rows.
pub async fn history_prune(tx: &Tx, before: Timestamp) -> Result<u64, Problem> {
    let sql = "DELETE FROM score_history WHERE changed_at < $1 AND changed_at < \
               (SELECT MAX(newer.changed_at) FROM score_history newer WHERE newer.account_id = score_history.account_id)";
    super::execute(tx, sql, [micros(before).into()]).await
}
