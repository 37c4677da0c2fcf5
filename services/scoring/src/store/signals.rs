//! Signals, all episodes of them. The newest episode of a key carries `is_newest`.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day, from_micros, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    CHUNK,
    entities::signal::{ActiveModel, Column, Entity, Model},
    from_json, maybe_instant, maybe_micros, to_json,
};
use crate::domain::signal::{Key, Signal, State};

/// Which signals to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignalFilter {
    /// Only this account.
    pub account_id: Option<String>,
    /// Only these states; empty means all.
    pub states: Vec<State>,
}

/// The newest episode of every key of `account_ids`.
pub async fn signals_list_newest(conn: &impl ConnectionTrait, account_ids: &[String]) -> Result<Vec<Signal>, Problem> {
    let rows = Entity::find()
        .filter(Column::AccountId.is_in(account_ids))
        .filter(Column::IsNewest.eq(true));
    rows.all(conn).await?.into_iter().map(signal).collect()
}

/// The signals of these ids, by id; unknown ones are left out.
pub async fn signals_fetch(conn: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Signal>, Problem> {
    let rows = Entity::find()
        .filter(Column::SignalId.is_in(ids.iter().copied()))
        .order_by_asc(Column::SignalId);
    rows.all(conn).await?.into_iter().map(signal).collect()
}

/// A page of signals, the newest first; `after` is (opening instant in µs, id) of the last signal of the page before.
pub async fn signal_list(
    conn: &impl ConnectionTrait,
    filter: &SignalFilter,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<Signal>, Problem> {
    let mut rows = Entity::find();
    if let Some(account_id) = &filter.account_id {
        rows = rows.filter(Column::AccountId.eq(account_id));
    }
    if !filter.states.is_empty() {
        rows = rows.filter(Column::State.is_in(filter.states.iter().map(|state| state.as_str())));
    }
    if let Some((opened_at, id)) = after {
        let same_instant = Condition::all()
            .add(Column::OpenedAt.eq(opened_at))
            .add(Column::SignalId.lt(id));
        rows = rows.filter(Condition::any().add(Column::OpenedAt.lt(opened_at)).add(same_instant));
    }
    let newest = rows.order_by_desc(Column::OpenedAt).order_by_desc(Column::SignalId);
    newest.limit(limit).all(conn).await?.into_iter().map(signal).collect()
}

/// Writes signals; a new episode makes the one before it no longer the newest.
pub async fn signals_upsert(tx: &Tx, signals: &[Signal]) -> Result<(), Problem> {
    episodes_close(tx, signals).await?;
    for chunk in signals.chunks(CHUNK) {
        let rows: Result<Vec<_>, Problem> = chunk.iter().map(row).collect();
        let changed = OnConflict::column(Column::SignalId)
            .update_columns([
                Column::State,
                Column::Grade,
                Column::Strength,
                Column::ToldStrength,
                Column::Evidence,
                Column::LastSeenAt,
                Column::ClosedAt,
                Column::OfferId,
                Column::QuietSinceOn,
            ])
            .to_owned();
        Entity::insert_many(rows?)
            .on_conflict(changed)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

async fn episodes_close(tx: &Tx, signals: &[Signal]) -> Result<(), Problem> {
    let again: Vec<&Signal> = signals.iter().filter(|signal| signal.episode > 1).collect();
    for chunk in again.chunks(CHUNK) {
        let earlier = chunk.iter().fold(Condition::any(), |any, signal| {
            let key = Condition::all()
                .add(Column::AccountId.eq(&signal.account_id))
                .add(Column::Kind.eq(signal.key.kind.as_str()))
                .add(Column::Subject.eq(&signal.key.subject))
                .add(Column::Episode.eq(signal.episode - 1));
            any.add(key)
        });
        let update = Entity::update_many()
            .col_expr(Column::IsNewest, Expr::value(false))
            .filter(earlier);
        update.exec(&**tx).await?;
    }
    Ok(())
}

fn row(signal: &Signal) -> Result<ActiveModel, Problem> {
    Ok(ActiveModel {
        signal_id: Set(signal.id),
        account_id: Set(signal.account_id.clone()),
        kind: Set(signal.key.kind.to_string()),
        subject: Set(signal.key.subject.clone()),
        episode: Set(signal.episode),
        is_newest: Set(true),
        state: Set(signal.state.to_string()),
        grade: Set(signal.grade.to_string()),
        strength: Set(signal.strength),
        told_strength: Set(signal.told_strength),
        evidence: Set(to_json(&signal.evidence)?),
        opened_at: Set(micros(signal.opened_at)),
        last_seen_at: Set(micros(signal.last_seen_at)),
        closed_at: Set(maybe_micros(signal.closed_at)),
        offer_id: Set(signal.offer_id.clone()),
        quiet_since_on: Set(signal.quiet_since.map(epoch_day)),
        raised_by: Set(signal.raised_by.clone()),
        outcome: NotSet,
    })
}

fn signal(row: Model) -> Result<Signal, Problem> {
    Ok(Signal {
        id: row.signal_id,
        account_id: row.account_id,
        key: Key::new(row.kind.parse().map_err(Problem::internal)?, row.subject),
        episode: row.episode,
        state: row.state.parse().map_err(Problem::internal)?,
        grade: row.grade.parse().map_err(Problem::internal)?,
        strength: row.strength,
        evidence: from_json(&row.evidence)?,
        opened_at: from_micros(row.opened_at),
        last_seen_at: from_micros(row.last_seen_at),
        closed_at: maybe_instant(row.closed_at),
        offer_id: row.offer_id,
        quiet_since: row.quiet_since_on.map(from_epoch_day),
        told_strength: row.told_strength,
        raised_by: row.raised_by,
    })
}
