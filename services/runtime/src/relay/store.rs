//! The tables of the relay.

use std::collections::HashSet;

use sea_orm::{
    ConnectionTrait, FromQueryResult,
    sea_query::{OnConflict, Query},
};
use uuid::Uuid;

use super::settle::Stand;
use crate::{
    db::{Db, Tx, execute, micros, migrations::OutboxBlocked, select},
    ids,
    problem::Problem,
};

/// Rows removed per transaction.
const PRUNE_CHUNK: u64 = 1000;

/// A row of the log to send.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) event_id: Uuid,
    pub(super) key: String,
    pub(super) seq: i64,
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) occurred_at: i64,
    pub(super) traceparent: String,
    pub(super) tracestate: String,
    /// How often it was sent in vain; `None` for a row that the cursor has not passed.
    pub(super) attempts: Option<i32>,
}

/// The destinations that ever had an event, sorted.
pub(super) async fn destinations(db: &Db) -> Result<Vec<String>, Problem> {
    let rows: Vec<Dest> = select(db.reader(), "SELECT dest FROM outbox_cursor ORDER BY dest", []).await?;
    Ok(rows.into_iter().map(|row| row.dest).collect())
}

/// Takes the lease on `dest`: whoever held it before can no longer move the cursor.
pub(super) async fn lease_claim(db: &Db, dest: &str) -> Result<i64, Problem> {
    let tx = db.begin().await?;
    let update =
        "UPDATE outbox_cursor SET lease_epoch = lease_epoch + 1 WHERE dest = $1 RETURNING lease_epoch AS number";
    let rows: Vec<Number> = select(&*tx, update, [dest.into()]).await?;
    tx.commit().await?;
    rows.first()
        .map(|row| row.number)
        .ok_or_else(|| Problem::internal(format!("no cursor for {dest}")))
}

/// Up to which row the log was sent to `dest`.
pub(super) async fn position(db: &Db, dest: &str) -> Result<i64, Problem> {
    let query = "SELECT position AS number FROM outbox_cursor WHERE dest = $1";
    let rows: Vec<Number> = select(db.reader(), query, [dest.into()]).await?;
    Ok(rows.first().map_or(0, |row| row.number))
}

/// The events of the lagging keys whose time has come, up to `position`, in log order.
pub(super) async fn due(db: &Db, dest: &str, position: i64, now: i64, limit: u64) -> Result<Vec<Row>, Problem> {
    let query = "SELECT o.*, CASE WHEN o.seq = b.seq THEN b.attempts ELSE 0 END AS attempts \
                 FROM outbox_blocked b JOIN outbox o ON o.dest = b.dest AND o.key = b.key AND o.seq >= b.seq \
                 WHERE b.dest = $1 AND b.parked_at IS NULL AND b.retry_at <= $2 AND o.id <= $3 \
                 ORDER BY o.id LIMIT $4";
    select(
        db.reader(),
        query,
        [dest.into(), now.into(), position.into(), limit.cast_signed().into()],
    )
    .await
}

/// The events behind the cursor, in log order.
pub(super) async fn fresh(db: &Db, dest: &str, position: i64, limit: u64) -> Result<Vec<Row>, Problem> {
    let query = "SELECT o.*, CAST(NULL AS INTEGER) AS attempts FROM outbox o \
                 WHERE o.dest = $1 AND o.id > $2 ORDER BY o.id LIMIT $3";
    select(
        db.reader(),
        query,
        [dest.into(), position.into(), limit.cast_signed().into()],
    )
    .await
}

/// The keys that lag behind the cursor of `dest`.
pub(super) async fn blocked_keys(db: &Db, dest: &str) -> Result<HashSet<String>, Problem> {
    let query = "SELECT key FROM outbox_blocked WHERE dest = $1";
    let rows: Vec<Key> = select(db.reader(), query, [dest.into()]).await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// Moves the cursor of `dest`; false when another relay has the lease.
pub(super) async fn cursor_move(tx: &Tx, dest: &str, position: i64, epoch: i64) -> Result<bool, Problem> {
    let update = "UPDATE outbox_cursor SET position = $1 WHERE dest = $2 AND lease_epoch = $3";
    Ok(execute(&**tx, update, [position.into(), dest.into(), epoch.into()]).await? == 1)
}

/// Writes where the keys stand, and forgets those that have caught up with `position`.
pub(super) async fn stands_write(
    tx: &Tx,
    source: &str,
    dest: &str,
    position: i64,
    stands: &[Stand],
) -> Result<(), Problem> {
    use OutboxBlocked::{Attempts, Dest, Error, EventId, Key, ParkedAt, RetryAt, Seq, Table};
    if stands.is_empty() {
        return Ok(());
    }
    let mut upsert = Query::insert();
    upsert
        .into_table(Table)
        .columns([Dest, Key, Seq, EventId, Attempts, Error, RetryAt, ParkedAt])
        .on_conflict(
            OnConflict::columns([Dest, Key])
                .update_columns([Seq, EventId, Attempts, Error, RetryAt, ParkedAt])
                .to_owned(),
        );
    for stand in stands {
        let event_id = ids::derive("event", &[source, dest, &stand.key, &stand.seq.to_string()]);
        upsert.values_panic([
            dest.into(),
            stand.key.as_str().into(),
            stand.seq.into(),
            event_id.into(),
            stand.attempts.into(),
            stand.error.as_str().into(),
            micros(stand.retry_at).into(),
            stand.parked_at.map(micros).into(),
        ]);
    }
    tx.execute(&upsert).await?;
    let forget = "DELETE FROM outbox_blocked WHERE dest = $1 AND attempts = 0 AND NOT EXISTS (\
                  SELECT 1 FROM outbox o WHERE o.dest = outbox_blocked.dest AND o.key = outbox_blocked.key \
                  AND o.seq >= outbox_blocked.seq AND o.id <= $2)";
    execute(&**tx, forget, [dest.into(), position.into()]).await?;
    Ok(())
}

/// Removes events that were delivered and happened before `before`; how many.
pub(super) async fn prune(db: &Db, before: i64) -> Result<u64, Problem> {
    let delete = "DELETE FROM outbox WHERE id IN (\
                  SELECT o.id FROM outbox o JOIN outbox_cursor c ON c.dest = o.dest AND o.id <= c.position \
                  LEFT JOIN outbox_blocked b ON b.dest = o.dest AND b.key = o.key \
                  WHERE o.occurred_at < $1 AND (b.key IS NULL OR o.seq < b.seq) LIMIT $2)";
    let mut removed = 0;
    loop {
        let tx = db.begin().await?;
        let count = execute(&*tx, delete, [before.into(), PRUNE_CHUNK.cast_signed().into()]).await?;
        tx.commit().await?;
        removed += count;
        if count < PRUNE_CHUNK {
            return Ok(removed);
        }
    }
}

#[derive(FromQueryResult)]
struct Dest {
    dest: String,
}

#[derive(FromQueryResult)]
struct Key {
    key: String,
}

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}
