//! Renewal marks that renewals told of.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    sea_query::OnConflict,
};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day},
    problem::Problem,
};

use super::entities::mark::{ActiveModel, Column, Entity};
use crate::domain::facts::Mark;

/// Keeps a mark; the same mark of a deal again replaces it (its renewal moved).
pub async fn marks_upsert(tx: &Tx, account_id: &str, mark: &Mark) -> Result<(), Problem> {
    let row = ActiveModel {
        account_id: Set(account_id.to_owned()),
        deal_id: Set(mark.deal_id.clone()),
        mark_days: Set(mark.days),
        renewal_on: Set(epoch_day(mark.renewal)),
        reached_on: Set(epoch_day(mark.reached)),
    };
    let moved = OnConflict::columns([Column::AccountId, Column::DealId, Column::MarkDays])
        .update_columns([Column::RenewalOn, Column::ReachedOn])
        .to_owned();
    Entity::insert(row)
        .on_conflict(moved)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// The marks of `account_ids`, by account.
pub async fn marks_list(
    conn: &impl ConnectionTrait,
    account_ids: &[String],
) -> Result<BTreeMap<String, Vec<Mark>>, Problem> {
    let rows = Entity::find().filter(Column::AccountId.is_in(account_ids));
    let mut marks: BTreeMap<String, Vec<Mark>> = BTreeMap::new();
    for row in rows
        .order_by_asc(Column::DealId)
        .order_by_desc(Column::MarkDays)
        .all(conn)
        .await?
    {
        marks.entry(row.account_id).or_default().push(Mark {
            deal_id: row.deal_id,
            days: row.mark_days,
            renewal: from_epoch_day(row.renewal_on),
            reached: from_epoch_day(row.reached_on),
        });
    }
    Ok(marks)
}
