//! The tables of the relay.

use std::{collections::HashSet, fmt};

use sea_orm::{
    ConnectionTrait, DbBackend, FromQueryResult,
    sea_query::{OnConflict, Query},
};
use uuid::Uuid;

use super::settle::Stand;
use crate::{
    db::{Db, LAZILY, Tx, execute, micros, migrations::OutboxBlocked, select},
    ids,
    problem::Problem,
};

/// The events to one destination whose keys fall into one shard: what is sent in order, by one relay at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, FromQueryResult)]
pub(super) struct LaneId {
    pub(super) dest: String,
    pub(super) shard: i32,
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.dest, self.shard)
    }
}

/// A place in the log; see [`super`] for why it has two parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) txid: i64,
    pub(super) id: i64,
}

/// A row of the log to send.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) txid: i64,
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

impl Row {
    pub(super) fn position(&self) -> Position {
        Position {
            txid: self.txid,
            id: self.id,
        }
    }
}

/// Rows whose transaction number is below this are all there and will never be joined by others. SQLite has one
/// writer, so that all rows are. On PostgreSQL it is the oldest transaction still running; those of other databases of
/// the cluster are left out where the server says whose they are, because they cannot write here.
pub(super) async fn horizon(db: &Db) -> Result<i64, Problem> {
    if db.backend() == DbBackend::Sqlite {
        return Ok(i64::MAX);
    }
    let query = "WITH s AS MATERIALIZED (SELECT pg_current_snapshot() AS snap), \
                 running AS (SELECT pg_snapshot_xip(snap) AS xid FROM s) \
                 SELECT COALESCE((SELECT MIN(CAST(CAST(r.xid AS TEXT) AS BIGINT)) FROM running r WHERE NOT EXISTS (\
                 SELECT 1 FROM pg_stat_activity a WHERE a.backend_xid = CAST(r.xid AS xid) \
                 AND a.datname <> current_database())), \
                 (SELECT CAST(CAST(pg_snapshot_xmax(snap) AS TEXT) AS BIGINT) FROM s)) AS number";
    let rows: Vec<Number> = select(db.reader(), query, []).await?;
    Ok(rows.first().map_or(0, |row| row.number))
}

/// True while rows that were committed must wait for a transaction that began before them.
pub(super) async fn held_back(db: &Db, horizon: i64) -> Result<bool, Problem> {
    let query = "SELECT COUNT(*) AS number FROM outbox_lane l WHERE EXISTS (SELECT 1 FROM outbox o \
                 WHERE o.dest = l.dest AND o.shard = l.shard AND (o.txid, o.id) > (l.txid, l.position) \
                 AND o.txid >= $1)";
    let rows: Vec<Number> = select(db.reader(), query, [horizon.into()]).await?;
    Ok(rows.first().is_some_and(|row| row.number > 0))
}

/// The lanes with something to send at `now`, sorted; `held_by_others` is a condition that leaves some out.
pub(super) async fn lanes_due(db: &Db, horizon: i64, now: i64, free: &str) -> Result<Vec<LaneId>, Problem> {
    let query = format!(
        "SELECT l.dest, l.shard FROM outbox_lane l WHERE {free} AND (EXISTS (SELECT 1 FROM outbox o \
         WHERE o.dest = l.dest AND o.shard = l.shard AND (o.txid, o.id) > (l.txid, l.position) AND o.txid < $1) \
         OR EXISTS (SELECT 1 FROM outbox_blocked b WHERE b.dest = l.dest AND b.shard = l.shard \
         AND b.parked_at IS NULL AND b.retry_at <= $2)) ORDER BY l.dest, l.shard"
    );
    select(db.reader(), &query, [horizon.into(), now.into()]).await
}

/// The events of the lagging keys whose time has come, up to `position`, in log order.
pub(super) async fn due(db: &Db, lane: &LaneId, position: Position, now: i64, limit: u64) -> Result<Vec<Row>, Problem> {
    let query = "SELECT o.*, CASE WHEN o.seq = b.seq THEN b.attempts ELSE 0 END AS attempts \
                 FROM outbox_blocked b JOIN outbox o ON o.dest = b.dest AND o.key = b.key AND o.seq >= b.seq \
                 WHERE b.dest = $1 AND b.shard = $2 AND b.parked_at IS NULL AND b.retry_at <= $3 \
                 AND (o.txid, o.id) <= ($4, $5) ORDER BY o.txid, o.id LIMIT $6";
    let values = [
        lane.dest.as_str().into(),
        lane.shard.into(),
        now.into(),
        position.txid.into(),
        position.id.into(),
        limit.cast_signed().into(),
    ];
    select(db.reader(), query, values).await
}

/// The events behind `position` and below `horizon`, in log order.
pub(super) async fn fresh(
    db: &Db,
    lane: &LaneId,
    position: Position,
    horizon: i64,
    limit: u64,
) -> Result<Vec<Row>, Problem> {
    let query = "SELECT o.*, CAST(NULL AS INTEGER) AS attempts FROM outbox o \
                 WHERE o.dest = $1 AND o.shard = $2 AND (o.txid, o.id) > ($3, $4) AND o.txid < $5 \
                 ORDER BY o.txid, o.id LIMIT $6";
    let values = [
        lane.dest.as_str().into(),
        lane.shard.into(),
        position.txid.into(),
        position.id.into(),
        horizon.into(),
        limit.cast_signed().into(),
    ];
    select(db.reader(), query, values).await
}

/// The keys that lag behind the cursor of the lane.
pub(super) async fn blocked_keys(db: &Db, lane: &LaneId) -> Result<HashSet<String>, Problem> {
    let query = "SELECT key FROM outbox_blocked WHERE dest = $1 AND shard = $2";
    let rows: Vec<Key> = select(db.reader(), query, [lane.dest.as_str().into(), lane.shard.into()]).await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// Moves the cursor of the lane; false when another relay has the lease.
pub(super) async fn cursor_move(
    connection: &impl ConnectionTrait,
    lane: &LaneId,
    position: Position,
    epoch: i64,
) -> Result<bool, Problem> {
    cursor_move_by(connection, CURSOR_MOVE, lane, position, epoch).await
}

/// [`cursor_move`] in a transaction of its own, which does not wait for the disk on PostgreSQL: when the server loses it,
/// the batch is sent again and the receiver drops it.
pub(super) async fn cursor_move_alone(db: &Db, lane: &LaneId, position: Position, epoch: i64) -> Result<bool, Problem> {
    let update = match db.backend() {
        DbBackend::Postgres => format!(
            "{LAZILY} UPDATE outbox_lane SET txid = $1, position = $2 FROM lazily \
             WHERE mode = 'off' AND dest = $3 AND shard = $4 AND lease_epoch = $5"
        ),
        _ => CURSOR_MOVE.to_owned(),
    };
    cursor_move_by(db.writer(), &update, lane, position, epoch).await
}

const CURSOR_MOVE: &str =
    "UPDATE outbox_lane SET txid = $1, position = $2 WHERE dest = $3 AND shard = $4 AND lease_epoch = $5";

async fn cursor_move_by(
    connection: &impl ConnectionTrait,
    update: &str,
    lane: &LaneId,
    position: Position,
    epoch: i64,
) -> Result<bool, Problem> {
    let values = [
        position.txid.into(),
        position.id.into(),
        lane.dest.as_str().into(),
        lane.shard.into(),
        epoch.into(),
    ];
    Ok(execute(connection, update, values).await? == 1)
}

/// Writes where the keys stand, and forgets those that have caught up with `position`.
pub(super) async fn stands_write(
    tx: &Tx,
    source: &str,
    lane: &LaneId,
    position: Position,
    stands: &[Stand],
) -> Result<(), Problem> {
    use OutboxBlocked::{Attempts, Dest, Error, EventId, Key, ParkedAt, RetryAt, Seq, Shard, Table};
    let mut upsert = Query::insert();
    upsert
        .into_table(Table)
        .columns([Dest, Shard, Key, Seq, EventId, Attempts, Error, RetryAt, ParkedAt])
        .on_conflict(
            OnConflict::columns([Dest, Key])
                .update_columns([Seq, EventId, Attempts, Error, RetryAt, ParkedAt])
                .to_owned(),
        );
    for stand in stands {
        let event_id = ids::derive("event", &[source, &lane.dest, &stand.key, &stand.seq.to_string()]);
        upsert.values_panic([
            lane.dest.as_str().into(),
            lane.shard.into(),
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
    let forget = "DELETE FROM outbox_blocked WHERE dest = $1 AND shard = $2 AND attempts = 0 AND parked_at IS NULL \
                  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.dest = outbox_blocked.dest \
                  AND o.key = outbox_blocked.key AND o.seq >= outbox_blocked.seq AND (o.txid, o.id) <= ($3, $4))";
    let values = [
        lane.dest.as_str().into(),
        lane.shard.into(),
        position.txid.into(),
        position.id.into(),
    ];
    execute(&**tx, forget, values).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Key {
    key: String,
}

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}
