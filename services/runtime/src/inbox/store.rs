//! The tables of the inbox.

use std::collections::{BTreeSet, HashSet};

use sea_orm::QueryResult;
use uuid::Uuid;

use super::{Inbound, decide::Positions, envelope::Batch};
use crate::{
    db::{Column, Rows, Tx, execute, micros},
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
    let mut rows = Rows::new([("source", Column::Text), ("key", Column::Text)]);
    keys.into_iter().for_each(|key| rows.push([source.into(), key.into()]));
    let query = |rows: &str| {
        format!(
            "SELECT p.key AS key, p.seq AS seq FROM {rows} \
             CROSS JOIN inbox_pos p WHERE p.source = r.source AND p.key = r.key"
        )
    };
    let found = rows.read(tx, query).await?;
    let position = |row: &QueryResult| Ok((row.try_get("", "key")?, row.try_get("", "seq")?));
    found.iter().map(position).collect()
}

/// Marks `events` as applied; the ids that were not marked before.
pub(super) async fn inbox_insert(tx: &Tx, source: &str, events: &[&Inbound]) -> Result<HashSet<Uuid>, Problem> {
    let columns = [
        ("source", Column::Text),
        ("event_id", Column::Uuid),
        ("occurred_at", Column::BigInt),
    ];
    let mut rows = Rows::new(columns);
    for event in events {
        rows.push([source.into(), event.event_id.into(), micros(event.occurred_at).into()]);
    }
    let tail = "ON CONFLICT (source, event_id) DO NOTHING RETURNING event_id";
    let found = rows.insert_returning(tx, "inbox", tail).await?;
    let ids: Result<HashSet<Uuid>, _> = found.iter().map(|row| row.try_get("", "event_id")).collect();
    Ok(ids?)
}

/// Moves the keys to where they now stand.
pub(super) async fn positions_upsert(tx: &Tx, source: &str, positions: &Positions) -> Result<(), Problem> {
    let mut rows = Rows::new([("source", Column::Text), ("key", Column::Text), ("seq", Column::BigInt)]);
    for (key, seq) in positions {
        rows.push([source.into(), key.as_str().into(), (*seq).into()]);
    }
    let tail = "ON CONFLICT (source, key) DO UPDATE SET seq = excluded.seq";
    rows.insert(tx, "inbox_pos", tail).await?;
    Ok(())
}
