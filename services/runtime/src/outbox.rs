//! The transactional outbox: events are written in the transaction that changes the state they tell of.
//!
//! The log is append-only, one row per event and destination; a key always falls into the same shard. Sequence numbers count 1, 2, 3, … per (destination,
//! key), because topics that a destination does not take would look like gaps to it. See [`crate::relay`] for how the
//! rows travel.

use std::collections::BTreeMap;

use jiff::Timestamp;
use prost::{Message, Name};
use sea_orm::{ConnectionTrait as _, DbBackend, Value};

use crate::{
    db::{Column, Rows, Tx, micros},
    failpoints::failpoint,
    ids,
    problem::Problem,
    telemetry::TraceContext,
};

/// Rows per statement.
const CHUNK: usize = 500;
/// Shards on PostgreSQL: what several relays can share and one can send at the same time. Never to be changed, because
/// a key would move between lanes. SQLite has one process, which is faster without.
const SHARDS: u64 = 8;
/// The largest payload, in bytes. An event is a snapshot of one thing, not a file.
pub const MAX_PAYLOAD: usize = 256 * 1024;

/// Which destinations take which topic.
#[derive(Clone, Debug, Default)]
pub struct Routes(BTreeMap<String, Vec<&'static str>>);

impl Routes {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends `topic` (the full protobuf name) to `destinations`; an empty list says that nobody takes it yet.
    #[must_use]
    pub fn to(mut self, topic: &str, destinations: &[&'static str]) -> Self {
        self.0
            .entry(topic.to_owned())
            .or_default()
            .extend_from_slice(destinations);
        self
    }

    fn of(&self, topic: &str) -> Option<&[&'static str]> {
        self.0.get(topic).map(Vec::as_slice)
    }
}

/// An event to append.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What the event is about, e.g. an account id; order is kept per key.
    pub key: String,
    /// Full protobuf name of the payload's message.
    pub topic: String,
    /// The encoded message, at most [`MAX_PAYLOAD`] bytes.
    pub payload: Vec<u8>,
    /// When the thing happened.
    pub occurred_at: Timestamp,
    /// The span in which the event was made.
    pub trace: TraceContext,
}

impl NewEvent {
    /// An event with `message` as its payload, made in the current span.
    pub fn of<M: Message + Name>(key: impl Into<String>, occurred_at: Timestamp, message: &M) -> Self {
        Self {
            key: key.into(),
            topic: M::full_name(),
            payload: message.encode_to_vec(),
            occurred_at,
            trace: TraceContext::current(),
        }
    }
}

/// Appends `events` to the log of `source`, the sending service, once per destination of their topic, in the given
/// order per key. Errors: INTERNAL for a topic without route, an empty key or a payload that is too large.
pub async fn append(tx: &Tx, source: &str, routes: &Routes, events: Vec<NewEvent>) -> Result<(), Problem> {
    let mut copies = Vec::with_capacity(events.len());
    for event in &events {
        for &dest in destinations(routes, event)? {
            copies.push((dest, event));
        }
    }
    if copies.is_empty() {
        return Ok(());
    }
    lanes_ensure(tx, &copies).await?;
    let mut last = sequences_reserve(tx, &copies).await?;
    // Piece by piece, so that the payloads are copied a few at a time.
    for chunk in copies.chunks(CHUNK) {
        rows_insert(tx, source, chunk, &mut last).await?;
    }
    tx.mark_appended();
    failpoint!("outbox.append");
    Ok(())
}

type Copy<'a> = (&'static str, &'a NewEvent);
type Sequences = BTreeMap<(String, String), Last>;

/// The last number of a key, and the transaction number that its rows carry: see [`crate::relay`].
#[derive(Clone, Copy, Default)]
struct Last {
    seq: i64,
    txid: i64,
}

/// The shard of a key.
fn shard(backend: DbBackend, key: &str) -> i32 {
    if backend != DbBackend::Postgres {
        return 0;
    }
    // FNV-1a, which is the same everywhere and for ever.
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The low bits alone mix little of a short key.
    ((hash ^ (hash >> 32)) % SHARDS) as i32
}

fn destinations<'a>(routes: &'a Routes, event: &NewEvent) -> Result<&'a [&'static str], Problem> {
    if event.key.is_empty() {
        return Err(Problem::internal(format!("an event of {} has no key", event.topic)));
    }
    if event.payload.len() > MAX_PAYLOAD {
        let size = event.payload.len();
        return Err(Problem::internal(format!(
            "an event of {} has {size} bytes",
            event.topic
        )));
    }
    routes
        .of(&event.topic)
        .ok_or_else(|| Problem::internal(format!("topic {} has no route", event.topic)))
}

/// Makes each lane known to the relay, if it is not known to be there.
async fn lanes_ensure(tx: &Tx, copies: &[Copy<'_>]) -> Result<(), Problem> {
    let backend = tx.get_database_backend();
    let lanes = copies.iter().map(|(dest, event)| (*dest, shard(backend, &event.key)));
    let lanes = tx.lanes_unknown(lanes.collect());
    if lanes.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new([
        ("dest", Column::Text),
        ("shard", Column::Int),
        ("txid", Column::BigInt),
        ("position", Column::BigInt),
        ("lease_epoch", Column::BigInt),
        ("lease_owner", Column::Text),
        ("lease_until", Column::BigInt),
    ]);
    for &(dest, shard) in &lanes {
        let zero = || Value::from(0_i64);
        rows.push([dest.into(), shard.into(), zero(), zero(), zero(), "".into(), zero()]);
    }
    let tail = "ON CONFLICT (dest, shard) DO NOTHING";
    rows.insert(tx, "outbox_lane", tail).await?;
    tx.mark_lanes(lanes);
    Ok(())
}

/// Reserves a run of numbers for each (destination, key) and returns the number before each run. Keys are locked in
/// sorted order, so that two writers cannot wait for each other.
async fn sequences_reserve(tx: &Tx, copies: &[Copy<'_>]) -> Result<Sequences, Problem> {
    let (greatest, txid) = match tx.get_database_backend() {
        DbBackend::Postgres => ("GREATEST", "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"),
        _ => ("MAX", "0"),
    };
    let mut counts: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for (dest, event) in copies {
        *counts.entry((dest, &event.key)).or_default() += 1;
    }
    let columns = [("dest", Column::Text), ("key", Column::Text), ("count", Column::BigInt)];
    let mut rows = Rows::new(columns);
    for ((dest, key), count) in &counts {
        rows.push([(*dest).into(), (*key).into(), (*count).into()]);
    }
    let upsert = |rows: &str| {
        format!(
            "INSERT INTO outbox_seq (dest, key, last_seq, last_txid) \
             SELECT dest, key, count, {txid} FROM {rows} WHERE 1 = 1 \
             ON CONFLICT (dest, key) DO UPDATE SET last_seq = outbox_seq.last_seq + excluded.last_seq, \
             last_txid = {greatest}(outbox_seq.last_txid, excluded.last_txid) \
             RETURNING dest, key, last_seq, last_txid"
        )
    };
    let mut before = Sequences::new();
    for row in rows.read(tx, upsert).await? {
        let (dest, key): (String, String) = (row.try_get("", "dest")?, row.try_get("", "key")?);
        let last = Last {
            seq: row.try_get("", "last_seq")?,
            txid: row.try_get("", "last_txid")?,
        };
        before.insert((dest, key), last);
    }
    for ((dest, key), count) in counts {
        if let Some(last) = before.get_mut(&(dest.to_owned(), key.to_owned())) {
            last.seq -= count;
        }
    }
    Ok(before)
}

async fn rows_insert(tx: &Tx, source: &str, copies: &[Copy<'_>], last: &mut Sequences) -> Result<(), Problem> {
    let mut rows = Rows::new([
        ("event_id", Column::Uuid),
        ("dest", Column::Text),
        ("key", Column::Text),
        ("seq", Column::BigInt),
        ("topic", Column::Text),
        ("payload", Column::Bytes),
        ("occurred_at", Column::BigInt),
        ("traceparent", Column::Text),
        ("tracestate", Column::Text),
        ("shard", Column::Int),
        ("txid", Column::BigInt),
    ]);
    let backend = tx.get_database_backend();
    for (dest, event) in copies {
        let last = last.entry(((*dest).to_owned(), event.key.clone())).or_default();
        last.seq += 1;
        let seq = last.seq;
        let event_id = ids::derive("event", &[source, dest, &event.key, &seq.to_string()]);
        rows.push([
            event_id.into(),
            (*dest).into(),
            event.key.as_str().into(),
            seq.into(),
            event.topic.as_str().into(),
            event.payload.clone().into(),
            micros(event.occurred_at).into(),
            event.trace.traceparent.as_str().into(),
            event.trace.tracestate.as_str().into(),
            shard(backend, &event.key).into(),
            last.txid.into(),
        ]);
    }
    rows.insert(tx, "outbox", "").await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{DbBackend, SHARDS, shard};

    #[test]
    fn a_key_keeps_its_shard_and_keys_spread_over_all() {
        let of = |key: &str| shard(DbBackend::Postgres, key);
        // Stored rows rest on these.
        assert_eq!([of("acct-01"), of("acct-02"), of("a"), of("")], [1, 4, 0, 1]);
        let used: BTreeSet<i32> = (0..200).map(|index| of(&format!("acct-{index}"))).collect();
        assert_eq!(used.len() as u64, SHARDS);
        assert_eq!(shard(DbBackend::Sqlite, "acct-01"), 0);
    }
}
