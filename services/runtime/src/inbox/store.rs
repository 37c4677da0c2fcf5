//! The tables of the inbox.

use std::collections::{BTreeSet, HashSet};

use sea_orm::{
    ConnectionTrait, FromQueryResult, Value,
    sea_query::{OnConflict, Query},
};
use uuid::Uuid;

use super::{Inbound, decide::Positions, envelope::Batch};
use crate::{
    db::{
        Tx, execute, micros,
        migrations::{Inbox, InboxPos},
        placeholders, select,
    },
    problem::Problem,
};

/// Refuses a relay which was overtaken, and remembers the newest. The row also makes the batches of one relay wait
/// for each other. Errors: FAILED_PRECONDITION `RELAY_FENCED`.
pub(super) async fn lease_check(tx: &Tx, batch: &Batch) -> Result<(), Problem> {
    let upsert = "INSERT INTO inbox_lease (source, shard, epoch) VALUES ($1, $2, $3) \
                  ON CONFLICT (source, shard) DO UPDATE SET epoch = excluded.epoch \
                  WHERE inbox_lease.epoch <= excluded.epoch";
    let values = [
        batch.source.as_str().into(),
        batch.shard.into(),
        batch.lease_epoch.into(),
    ];
    match execute(&**tx, upsert, values).await? {
        0 => Err(
            Problem::failed_precondition("RELAY_FENCED", "a newer relay has taken over")
                .with("source", &batch.source)
                .with("lease_epoch", batch.lease_epoch),
        ),
        _ => Ok(()),
    }
}

/// The positions of the events' keys; a key without one is new.
pub(super) async fn positions_fetch(tx: &Tx, source: &str, events: &[&Inbound]) -> Result<Positions, Problem> {
    let keys: BTreeSet<&str> = events.iter().map(|event| event.key.as_str()).collect();
    let list = placeholders(2, keys.len());
    let query = format!("SELECT key, seq FROM inbox_pos WHERE source = $1 AND key IN ({list})");
    let values = std::iter::once(source).chain(keys).map(Value::from);
    let rows: Vec<PositionRow> = select(&**tx, &query, values).await?;
    Ok(rows.into_iter().map(|row| (row.key, row.seq)).collect())
}

/// Marks `events` as applied; the ids that were not marked before.
pub(super) async fn inbox_insert(tx: &Tx, source: &str, events: &[&Inbound]) -> Result<HashSet<Uuid>, Problem> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let mut insert = Query::insert();
    insert
        .into_table(Inbox::Table)
        .columns([Inbox::Source, Inbox::EventId, Inbox::OccurredAt])
        .on_conflict(
            OnConflict::columns([Inbox::Source, Inbox::EventId])
                .do_nothing()
                .to_owned(),
        )
        .returning(Query::returning().column(Inbox::EventId));
    for event in events {
        insert.values_panic([source.into(), event.event_id.into(), micros(event.occurred_at).into()]);
    }
    let rows = tx.query_all(&insert).await?;
    let ids: Result<HashSet<Uuid>, _> = rows.iter().map(|row| row.try_get("", "event_id")).collect();
    Ok(ids?)
}

/// Moves the keys to where they now stand.
pub(super) async fn positions_upsert(tx: &Tx, source: &str, positions: &Positions) -> Result<(), Problem> {
    if positions.is_empty() {
        return Ok(());
    }
    let mut upsert = Query::insert();
    upsert
        .into_table(InboxPos::Table)
        .columns([InboxPos::Source, InboxPos::Key, InboxPos::Seq])
        .on_conflict(
            OnConflict::columns([InboxPos::Source, InboxPos::Key])
                .update_column(InboxPos::Seq)
                .to_owned(),
        );
    for (key, seq) in positions {
        upsert.values_panic([source.into(), key.as_str().into(), (*seq).into()]);
    }
    tx.execute(&upsert).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct PositionRow {
    key: String,
    seq: i64,
}
