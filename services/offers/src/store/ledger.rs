//! The touch ledger. Whoever changes touches of an account takes [`account_touch_lock`] first and reads them after it.

pub mod entities;
mod locks;
mod rows;
mod standing;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, FromQueryResult as _, QueryFilter, QueryOrder, QuerySelect};
use upswell_runtime::{
    db::{Column, Rows, Tx, epoch_day, micros},
    problem::{Kind, Problem},
};
use uuid::Uuid;

use self::entities::{log, touch};
pub use self::{
    locks::{Family, account_touch_families, account_touch_lock, account_touch_root_set},
    standing::{opted_out_list, standings_fetch},
};
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
    // One list carries both: no account is called nothing, and no touch has the id of zeros.
    let columns = [
        ("account_id", Column::Text),
        ("since", Column::BigInt),
        ("touch_id", Column::Uuid),
    ];
    let mut rows = Rows::new(columns);
    for place in 0..account_ids.len().max(ids.len()) {
        let account_id = account_ids.get(place).map_or("", String::as_str);
        let id = ids.get(place).copied().unwrap_or_default();
        rows.push([account_id.into(), micros(since).into(), id.into()]);
    }
    let states: Vec<_> = TouchState::ALL
        .iter()
        .filter(|state| state.counts())
        .map(|state| state.as_str())
        .collect();
    let states = states.join("', '");
    // Each half by its own index; a cross join is the order in which SQLite looks.
    let select = |rows: &str| {
        format!(
            "WITH asked AS (SELECT account_id, since, touch_id FROM {rows}) \
             SELECT t.* FROM asked a CROSS JOIN touches t \
             WHERE t.account_id = a.account_id AND t.counts_at >= a.since AND t.state IN ('{states}') \
             UNION ALL SELECT t.* FROM asked a CROSS JOIN touches t WHERE t.touch_id = a.touch_id"
        )
    };
    let mut found = BTreeMap::new();
    for row in rows.select(db, select).await? {
        let row = touch::Model::from_query_result(&row, "")?;
        found.insert((row.counts_at, row.touch_id), row);
    }
    touches(found.into_values())
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
    let mut touches: Vec<touch::Model> = touches.iter().map(touch::Model::from).collect();
    // In one order, so that no two writers of the same touches wait for each other.
    touches.sort_unstable_by_key(|row| row.touch_id);
    let mut rows = Rows::new(rows::COLUMNS);
    touches.into_iter().for_each(|row| rows.push(rows::values(row)));
    rows.insert(tx, "touches", "").await.map_err(known)?;
    Ok(())
}

/// Stores touches that are there as they stand now.
pub async fn touches_save(tx: &Tx, touches: &[Touch]) -> Result<(), Problem> {
    upsert::<touch::Entity>(tx, touches.iter().map(touch::Model::from).collect()).await
}

/// Adds steps to the log.
pub async fn touch_log_append(tx: &Tx, entries: impl Iterator<Item = LogEntry<'_>>) -> Result<(), Problem> {
    let mut rows = Rows::new([
        ("touch_id", Column::Uuid),
        ("account_id", Column::Text),
        ("state", Column::Text),
        ("counts_at", Column::BigInt),
        ("renewal_on", Column::IntOrNull),
        ("policy_version", Column::Text),
        ("note", Column::Text),
        ("logged_at", Column::BigInt),
    ]);
    for LogEntry { touch, note, at } in entries {
        rows.push([
            touch.id.into(),
            touch.account_id.as_str().into(),
            touch.state.as_str().into(),
            micros(touch.counts_at()).into(),
            touch.renewal_on.map(epoch_day).into(),
            touch.policy_version.as_str().into(),
            note.into(),
            micros(at).into(),
        ]);
    }
    rows.insert(tx, "touch_log", "").await?;
    Ok(())
}

/// The steps of one touch, the first one first: state and note.
pub async fn touch_log_list(db: &impl Reads, id: Uuid) -> Result<Vec<log::Model>, Problem> {
    let found = log::Entity::find()
        .filter(log::Column::TouchId.eq(id))
        .order_by_asc(log::Column::EntryId);
    Ok(found.all(db).await?)
}

fn touches(rows: impl IntoIterator<Item = touch::Model>) -> Result<Vec<Touch>, Problem> {
    rows.into_iter().map(Touch::try_from).collect()
}
