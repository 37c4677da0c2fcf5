//! The touch ledger. Whoever changes touches of an account takes [`account_touch_lock`] first and reads them after it.

pub mod entities;
mod locks;
mod rows;
mod standing;

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use upswell_runtime::{
    db::{Tx, epoch_day, micros},
    problem::{Kind, Problem},
};
use uuid::Uuid;

use self::entities::{log, touch};
pub use self::{
    locks::{Family, account_touch_families, account_touch_lock, account_touch_root_set},
    standing::{opted_out_list, standings_fetch},
};
use super::{Reads, insert, padded, shape, upsert};
use crate::domain::{
    ledger::{HORIZON, Touch},
    vocabulary::TouchState,
};

/// Steps in one statement.
const CHUNK: usize = 500;

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
pub struct LogEntry {
    /// The touch after the step.
    pub touch: Touch,
    /// What is worth knowing of it; empty for nothing.
    pub note: &'static str,
    /// When.
    pub at: Timestamp,
}

/// One touch.
pub async fn touch_fetch(db: &impl Reads, id: Uuid) -> Result<Option<Touch>, Problem> {
    touch::Entity::find_by_id(id)
        .one(db)
        .await?
        .map(Touch::try_from)
        .transpose()
}

/// The touches of these accounts that use their places at or after `since`, and those with these ids whatever their state;
/// by instant.
pub async fn touch_list_for(
    db: &impl Reads,
    account_ids: &[String],
    since: Timestamp,
    ids: &[Uuid],
) -> Result<Vec<Touch>, Problem> {
    let counting = TouchState::ALL
        .iter()
        .filter(|state| state.counts())
        .map(|state| state.as_str());
    let using = Condition::all()
        .add(touch::Column::AccountId.is_in(padded(account_ids)))
        .add(touch::Column::CountsAt.gte(micros(since)))
        .add(touch::Column::State.is_in(counting));
    let mut wanted = Condition::any().add(using);
    if let Some(last) = ids.last() {
        let mut ids = ids.to_vec();
        ids.resize(ids.len().next_power_of_two(), *last);
        wanted = wanted.add(touch::Column::TouchId.is_in(ids));
    }
    let found = touch::Entity::find()
        .filter(wanted)
        .order_by_asc(touch::Column::CountsAt)
        .order_by_asc(touch::Column::TouchId);
    touches(found.all(db).await?)
}

/// The reservations of these accounts whose time was over at `now`.
pub async fn touch_list_over(db: &impl Reads, account_ids: &[String], now: Timestamp) -> Result<Vec<Touch>, Problem> {
    let found = touch::Entity::find()
        .filter(touch::Column::AccountId.is_in(account_ids))
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

/// Adds new touches. Errors: ABORTED `CONCURRENT_CHANGE` when one of them was added meanwhile, to whatever account: whoever
/// asks again finds it by its key (C-6).
pub async fn touches_insert(tx: &Tx, touches: &[Touch]) -> Result<(), Problem> {
    let known = |problem: Problem| match problem.kind() {
        Kind::AlreadyExists => {
            Problem::aborted("CONCURRENT_CHANGE", "the touch was granted meanwhile").caused_by(problem)
        }
        _ => problem,
    };
    let rows = touches.iter().map(touch::Model::from).collect();
    insert::<touch::Entity>(tx, rows).await.map_err(known)
}

/// Stores touches that are there as they stand now.
pub async fn touches_save(tx: &Tx, touches: &[Touch]) -> Result<(), Problem> {
    upsert::<touch::Entity>(tx, touches.iter().map(touch::Model::from).collect()).await
}

/// Adds steps to the log.
pub async fn touch_log_append(tx: &Tx, entries: impl ExactSizeIterator<Item = LogEntry>) -> Result<(), Problem> {
    let mut rows = entries.map(|LogEntry { touch, note, at }| log::ActiveModel {
        entry_id: NotSet,
        touch_id: Set(touch.id),
        account_id: Set(touch.account_id.clone()),
        state: Set(touch.state.to_string()),
        counts_at: Set(micros(touch.counts_at())),
        renewal_on: Set(touch.renewal_on.map(epoch_day)),
        policy_version: Set(touch.policy_version.clone()),
        note: Set(note.to_owned()),
        logged_at: Set(micros(at)),
    });
    while rows.len() > 0 {
        let count = shape(rows.len(), CHUNK);
        let some: Vec<log::ActiveModel> = rows.by_ref().take(count).collect();
        log::Entity::insert_many(some).exec_without_returning(&**tx).await?;
    }
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
