//! What people of ours did with the tasks of their queue.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{Reads, upsert, word};
use crate::domain::task::Marks;

/// The table.
pub mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tasks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub touch_id: Uuid,
        pub offer_id: Uuid,
        pub account_id: String,
        /// Empty until somebody takes it.
        pub claimed_by: String,
        pub snoozed_until_at: Option<i64>,
        pub completed_at: Option<i64>,
        /// Empty until it is completed.
        pub outcome: String,
        #[sea_orm(column_type = "Text")]
        pub comment: String,
        pub version: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{Column, Entity, Model};

/// What was done with a task; the beginning when nothing was.
pub async fn task_fetch(db: &impl Reads, touch_id: Uuid) -> Result<Marks, Problem> {
    let found = Entity::find_by_id(touch_id).one(db).await?;
    found.map_or(Ok(Marks::default()), from_row)
}

/// What was done with these tasks, by task; those with which nothing was done are not in it.
pub async fn task_list(db: &impl Reads, touch_ids: &[Uuid]) -> Result<Vec<(Uuid, Marks)>, Problem> {
    let mut marks = Vec::new();
    for some in touch_ids.chunks(super::ROWS) {
        let found = Entity::find().filter(Column::TouchId.is_in(some.iter().copied()));
        for row in found.all(db).await? {
            marks.push((row.touch_id, from_row(row)?));
        }
    }
    Ok(marks)
}

/// Stores what was done with a task; it counts one change more.
pub async fn task_save(
    tx: &Tx,
    touch_id: Uuid,
    offer_id: Uuid,
    account_id: &str,
    marks: &mut Marks,
) -> Result<(), Problem> {
    marks.version += 1;
    let row = Model {
        touch_id,
        offer_id,
        account_id: account_id.to_owned(),
        claimed_by: marks.claimed_by.clone(),
        snoozed_until_at: marks.snoozed_until.map(micros),
        completed_at: marks.completed_at.map(micros),
        outcome: marks.outcome.map_or_else(String::new, |outcome| outcome.to_string()),
        comment: marks.comment.clone(),
        version: marks.version,
    };
    upsert::<Entity>(tx, vec![row]).await
}

fn from_row(row: Model) -> Result<Marks, Problem> {
    let outcome = if row.outcome.is_empty() {
        None
    } else {
        Some(word(&row.outcome)?)
    };
    Ok(Marks {
        claimed_by: row.claimed_by,
        snoozed_until: row.snoozed_until_at.map(from_micros),
        completed_at: row.completed_at.map(from_micros),
        outcome,
        comment: row.comment,
        version: row.version,
    })
}
