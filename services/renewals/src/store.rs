//! The only SQL of the service. Statements use what SQLite and PostgreSQL have in common.

mod accounts;
mod analysis;
mod care;
mod contacts;
pub mod entities;
mod lists;
mod migrations;
mod pictures;
mod rows;
mod subscriptions;
mod work;

use sea_orm::{
    ConnectionTrait, EntityTrait, IdenStatic, IntoActiveModel, Iterable, PrimaryKeyToColumn, sea_query::OnConflict,
};
use upswell_runtime::{db::Tx, problem::Problem};

pub use self::{
    accounts::{account_fetch, account_lock, account_save, accounts_fetch, accounts_lock, care_due},
    analysis::{losses_fetch, prospects_each},
    care::{
        CarePicture, DayKey, ListedReview, ReviewFilter, care_account_fetch, care_due_fetch, care_load, care_save,
        plan_list, review_list,
    },
    contacts::{
        ContactFilter, ContactKey, contact_fetch, contact_insert, contact_list, contact_save, contacts_due_fetch,
    },
    lists::{
        DealFilter, DealKey, ListedDeal, ListedTask, TaskFilter, TaskKey, deal_fetch, deal_list, task_fetch, task_list,
    },
    migrations::Migrator,
    pictures::{Picture, Settled, deal_subscription_fetch, pictures_load, settled_save, task_subject_fetch},
    subscriptions::{
        account_subscriptions_lock, subscription_due, subscriptions_due, subscriptions_due_fetch, subscriptions_lock,
        version_save,
    },
    work::{
        AbsenceFilter, AbsenceKey, LateTask, NoticeKey, absence_delete, absence_fetch, absence_insert, absence_list,
        absence_replace, add_on_save, alerts_save, late_tasks_fetch, notice_list, notices_insert,
    },
};

/// What reads work on: the reader pool or an open transaction.
pub trait Reads: ConnectionTrait {}
impl<C: ConnectionTrait> Reads for C {}

/// Most parameters of one statement; both databases take more.
const PARAMETERS: usize = 30_000;
/// Most rows of one statement.
const ROWS: usize = 512;

/// Inserts `rows`, or replaces those whose key is there, some hundred a statement. A key is there once.
async fn upsert<E>(tx: &Tx, rows: Vec<E::Model>) -> Result<(), Problem>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let keys: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let is_key = |column: &E::Column| keys.iter().any(|key| key.as_str() == column.as_str());
    let rest: Vec<E::Column> = E::Column::iter().filter(|column| !is_key(column)).collect();
    let mut left = rows.len();
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    while left > 0 {
        // Statements of few lengths stay prepared: powers of two, the largest that fits first.
        let some = left.min(ROWS).min(PARAMETERS / (keys.len() + rest.len()));
        let some = 1 << some.ilog2();
        left -= some;
        let conflict = OnConflict::columns(keys.clone())
            .update_columns(rest.clone())
            .to_owned();
        E::insert_many(rows.by_ref().take(some))
            .on_conflict(conflict)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}
