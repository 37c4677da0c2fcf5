//! The touch ledger. Whoever changes touches of an account takes [`account_touch_lock`] first and reads them after it.

pub mod entities;
mod rows;
mod standing;

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use upswell_runtime::{
    db::{Tx, epoch_day, from_micros, micros},
    problem::Problem,
};
use uuid::Uuid;

use self::entities::{log, state, touch};
pub use self::standing::standing_fetch;
use super::{Reads, upsert};
use crate::domain::{
    ledger::{HORIZON, Touch},
    vocabulary::TouchState,
};

/// Which touches a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TouchFilter {
    /// Only of this account; empty means all.
    pub account_id: String,
    /// Planned from here on.
    pub start: Option<Timestamp>,
    /// Planned before here.
    pub end: Option<Timestamp>,
}

/// One step for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// The touch after the step.
    pub touch: &'a Touch,
    /// What is worth knowing of it; empty for nothing.
    pub note: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Takes the account's row lock until the transaction ends, and returns the account's time: `now`, or the latest time
/// that was recorded, so that a clock which steps back frees no place.
pub async fn account_touch_lock(tx: &Tx, account_id: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let row = state::ActiveModel {
        account_id: Set(account_id.to_owned()),
        version: Set(1),
        recorded_at: Set(micros(now)),
    };
    let version = Expr::col((state::Entity, state::Column::Version)).add(1);
    let known = OnConflict::column(state::Column::AccountId)
        .value(state::Column::Version, version)
        .to_owned();
    state::Entity::insert(row)
        .on_conflict(known)
        .exec_without_returning(&**tx)
        .await?;
    let later = state::Entity::update_many()
        .col_expr(state::Column::RecordedAt, Expr::value(micros(now)))
        .filter(state::Column::AccountId.eq(account_id))
        .filter(state::Column::RecordedAt.lt(micros(now)));
    if later.exec(&**tx).await?.rows_affected > 0 {
        return Ok(now);
    }
    account_touch_time(&**tx, account_id, now).await
}

/// The account's time: `now`, or the latest time that was recorded.
pub async fn account_touch_time(db: &impl Reads, account_id: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let known = state::Entity::find_by_id(account_id).one(db).await?;
    Ok(known.map_or(now, |known| from_micros(known.recorded_at).max(now)))
}

/// One touch.
pub async fn touch_fetch(db: &impl Reads, id: Uuid) -> Result<Option<Touch>, Problem> {
    touch::Entity::find_by_id(id)
        .one(db)
        .await?
        .map(Touch::try_from)
        .transpose()
}

/// The account's touches that use their places at or after `since`, by instant.
pub async fn touch_list_counting(db: &impl Reads, account_id: &str, since: Timestamp) -> Result<Vec<Touch>, Problem> {
    let counting = TouchState::ALL
        .iter()
        .filter(|state| state.counts())
        .map(|state| state.as_str());
    let found = touch::Entity::find()
        .filter(touch::Column::AccountId.eq(account_id))
        .filter(touch::Column::CountsAt.gte(micros(since)))
        .filter(touch::Column::State.is_in(counting))
        .order_by_asc(touch::Column::CountsAt)
        .order_by_asc(touch::Column::TouchId);
    touches(found.all(db).await?)
}

/// The account's reservations whose time was over at `now`.
pub async fn touch_list_over(db: &impl Reads, account_id: &str, now: Timestamp) -> Result<Vec<Touch>, Problem> {
    let found = touch::Entity::find()
        .filter(touch::Column::AccountId.eq(account_id))
        .filter(touch::Column::State.eq(TouchState::Reserved.as_str()))
        .filter(touch::Column::ExpiresAt.lte(micros(now)))
        .order_by_asc(touch::Column::TouchId);
    touches(found.all(db).await?)
}

/// The touches of these accounts that use their places at `now` and may matter to any rule, by instant.
pub async fn touch_list_counting_of(
    db: &impl Reads,
    account_ids: &[String],
    now: Timestamp,
) -> Result<Vec<Touch>, Problem> {
    let counting = TouchState::ALL
        .iter()
        .filter(|state| state.counts())
        .map(|state| state.as_str());
    let since = now.saturating_sub(HORIZON).unwrap_or(Timestamp::MIN);
    let found = touch::Entity::find()
        .filter(touch::Column::AccountId.is_in(account_ids))
        .filter(touch::Column::CountsAt.gte(micros(since)))
        .filter(touch::Column::State.is_in(counting))
        .order_by_asc(touch::Column::CountsAt)
        .order_by_asc(touch::Column::TouchId);
    let mut found = touches(found.all(db).await?)?;
    found.retain(|touch| !touch.is_over(now));
    Ok(found)
}

/// Up to `limit` reservations whose time was over at `now`, the longest overdue first.
pub async fn touch_list_overdue(db: &impl Reads, now: Timestamp, limit: u64) -> Result<Vec<Touch>, Problem> {
    let found = touch::Entity::find()
        .filter(touch::Column::State.eq(TouchState::Reserved.as_str()))
        .filter(touch::Column::ExpiresAt.lte(micros(now)))
        .order_by_asc(touch::Column::ExpiresAt)
        .order_by_asc(touch::Column::TouchId)
        .limit(limit);
    touches(found.all(db).await?)
}

/// A page of touches by planned time and id, after the key `after`.
pub async fn touch_list(
    db: &impl Reads,
    filter: &TouchFilter,
    after: Option<(Timestamp, Uuid)>,
    limit: u64,
) -> Result<Vec<Touch>, Problem> {
    let mut found = touch::Entity::find();
    if !filter.account_id.is_empty() {
        found = found.filter(touch::Column::AccountId.eq(&filter.account_id));
    }
    if let Some(start) = filter.start {
        found = found.filter(touch::Column::PlannedAt.gte(micros(start)));
    }
    if let Some(end) = filter.end {
        found = found.filter(touch::Column::PlannedAt.lt(micros(end)));
    }
    if let Some((at, id)) = after {
        let at = micros(at);
        let same = Condition::all()
            .add(touch::Column::PlannedAt.eq(at))
            .add(touch::Column::TouchId.gt(id));
        found = found.filter(Condition::any().add(touch::Column::PlannedAt.gt(at)).add(same));
    }
    let found = found
        .order_by_asc(touch::Column::PlannedAt)
        .order_by_asc(touch::Column::TouchId)
        .limit(limit);
    touches(found.all(db).await?)
}

/// Stores touches as they stand now.
pub async fn touches_save(tx: &Tx, touches: &[Touch]) -> Result<(), Problem> {
    upsert::<touch::Entity>(tx, touches.iter().map(touch::Model::from).collect()).await
}

/// Adds steps to the log.
pub async fn touch_log_append(tx: &Tx, entries: &[LogEntry<'_>]) -> Result<(), Problem> {
    let rows = entries.iter().map(|LogEntry { touch, note, at }| log::ActiveModel {
        entry_id: NotSet,
        touch_id: Set(touch.id),
        account_id: Set(touch.account_id.clone()),
        state: Set(touch.state.to_string()),
        counts_at: Set(micros(touch.counts_at())),
        renewal_on: Set(touch.renewal_on.map(epoch_day)),
        policy_version: Set(touch.policy_version.clone()),
        note: Set((*note).to_owned()),
        logged_at: Set(micros(*at)),
    });
    log::Entity::insert_many(rows).exec_without_returning(&**tx).await?;
    Ok(())
}

/// The steps of one touch, the first one first: state and note.
pub async fn touch_log_list(db: &impl Reads, id: Uuid) -> Result<Vec<log::Model>, Problem> {
    let found = log::Entity::find()
        .filter(log::Column::TouchId.eq(id))
        .order_by_asc(log::Column::EntryId);
    Ok(found.all(db).await?)
}

fn touches(rows: Vec<touch::Model>) -> Result<Vec<Touch>, Problem> {
    rows.into_iter().map(Touch::try_from).collect()
}
