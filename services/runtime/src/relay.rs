//! Carries the outbox to the other services: at least once, in order per key, without a transaction over the network.
//!
//! ```text
//!            position
//! log   1 2 3 4 5 6 │ 7 8 9          one cursor per destination; rows are never changed
//! key   a b a c b a │ a d b
//! lags  a stands at 3                 one row per key that could not keep up
//! ```
//!
//! The log is append-only. A cursor says up to which row it was *sent*; a key whose event failed is written down with
//! the event at which it stands, and the cursor goes on, so that the other keys flow. Rows of such a key are passed
//! over by the cursor and read again from the log when the key's time has come; when it has caught up with the cursor
//! it is forgotten. This was chosen over a status per row because nothing in the log changes: there is one small
//! update per batch however long it is, the same reads serve PostgreSQL with (transaction id, id) as the position, and
//! nobody has to hold rows back while they are in flight.
//!
//! The cursor and the standing keys move in one transaction after the receiver has answered. A crash before it sends
//! the batch again, and the receiver drops the duplicates. An event that is refused, or fails `max_attempts` times, is
//! parked: its key waits until somebody requeues it. The lease epoch lets only the newest relay move the cursor, and
//! the receiver refuses the batches of an older one.

mod send;
mod settle;
mod status;
mod store;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

pub use self::status::Backlog;
use self::store::Row;
pub(crate) use self::{send::wire_time, status::backlog};
use crate::{
    client::Peers,
    clock::Clock,
    db::{Db, micros},
    problem::{Problem, Violations},
};

/// Payload bytes per batch; one event may be larger than what is left of them.
const BATCH_BYTES: usize = 2 * 1024 * 1024;
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Section `[<service>.relay]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelaySettings {
    /// Events per call, 1 to 1,000.
    pub batch: u64,
    /// How often in ms the log is looked at when nothing wakes the relay.
    pub poll_ms: u64,
    /// After how many failures an event is parked.
    pub max_attempts: i32,
    /// Pause in ms after the first failure of an event or a destination; it doubles, up to 15 minutes.
    pub backoff_ms: u64,
    /// Deadline in ms of one call.
    pub deadline_ms: u64,
    /// How many days a delivered event is kept after it happened.
    pub keep_days: u32,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            batch: 500,
            poll_ms: 250,
            max_attempts: 8,
            backoff_ms: 1000,
            deadline_ms: 10_000,
            keep_days: 7,
        }
    }
}

impl RelaySettings {
    /// Notes every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        if !(1..=1000).contains(&self.batch) {
            violations.add("batch", "must be 1 to 1000");
        }
        if self.poll_ms == 0 || self.deadline_ms == 0 {
            violations.add("", "poll_ms and deadline_ms must be positive");
        }
        if self.max_attempts < 1 {
            violations.add("max_attempts", "must be at least 1");
        }
    }
}

/// The relay of one service. Clones are the same relay.
#[derive(Clone)]
pub struct Relay(Arc<Inner>);

struct Inner {
    db: Db,
    source: &'static str,
    peers: Peers,
    settings: RelaySettings,
    clock: Clock,
    lanes: Mutex<Lanes>,
    /// False while nothing is known to wait; see [`Relay::run_if_pending`].
    pending: AtomicBool,
}

#[derive(Default)]
struct Lanes {
    by_dest: BTreeMap<String, Lane>,
    pruned_at: Option<Timestamp>,
}

/// What this relay remembers of a destination; a new process begins without it.
#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    epoch: Option<i64>,
    failures: i32,
    not_before: Option<Timestamp>,
}

impl Relay {
    /// A relay for the outbox of `source` in `db`, to the peers that have the destinations' names.
    pub fn new(db: Db, source: &'static str, peers: Peers, settings: RelaySettings, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            db,
            source,
            peers,
            settings,
            clock,
            lanes: Mutex::default(),
            pending: AtomicBool::new(true),
        }))
    }

    /// Sends one batch to every destination that is due at `now`; the number of events acknowledged. A destination
    /// that cannot be reached counts 0 and is left alone for a while. Errors: those of the own store.
    pub async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let mut lanes = self.0.lanes.lock().await;
        for dest in store::destinations(&self.0.db).await? {
            lanes.by_dest.entry(dest).or_default();
        }
        let runs = lanes
            .by_dest
            .iter_mut()
            .map(|(dest, lane)| self.0.lane_run(dest, lane, now));
        let mut acknowledged = 0;
        for result in futures::future::join_all(runs).await {
            acknowledged += result?;
        }
        if lanes
            .pruned_at
            .is_none_or(|last| now.duration_since(last) >= PRUNE_EVERY)
        {
            let keep = SignedDuration::from_hours(24 * i64::from(self.0.settings.keep_days));
            let before = now.saturating_sub(keep).unwrap_or(Timestamp::MIN);
            store::prune(&self.0.db, micros(before)).await?;
            lanes.pruned_at = Some(now);
        }
        Ok(acknowledged)
    }

    /// As [`Relay::run_once`], for a driver that asks often: once everything was delivered, the log is not looked at
    /// until this process appends to it again. Not for a log that other processes write too.
    pub(crate) async fn run_if_pending(&self, now: Timestamp) -> Result<usize, Problem> {
        if self.0.db.outbox_wake().notified().now_or_never().is_some() {
            self.0.pending.store(true, Ordering::Relaxed);
        }
        if !self.0.pending.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let acknowledged = self.run_once(now).await?;
        if acknowledged == 0 {
            let empty = |dest: &Backlog| dest.waiting == 0 && dest.parked == 0;
            self.0
                .pending
                .store(!self.backlog().await?.iter().all(empty), Ordering::Relaxed);
        }
        Ok(acknowledged)
    }

    /// Makes a spawned relay look at the log now. A commit after [`crate::outbox::append`] does it by itself.
    pub fn wake(&self) {
        self.0.db.outbox_wake().notify_one();
    }

    /// How far the events have got, per destination.
    pub async fn backlog(&self) -> Result<Vec<Backlog>, Problem> {
        backlog(&self.0.db).await
    }

    /// The clock that this relay was given.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Runs when woken and at its poll period until `shutdown`.
    pub fn spawn(&self, shutdown: CancellationToken) -> JoinHandle<()> {
        let relay = self.clone();
        tokio::spawn(async move {
            let mut failed = false;
            while !shutdown.is_cancelled() {
                let result = relay.run_once(relay.0.clock.now()).await;
                if let Err(problem) = &result
                    && !failed
                {
                    tracing::error!(upswell.service = relay.0.source, error = %problem, "the relay failed");
                }
                failed = result.is_err();
                if result.is_ok_and(|count| count > 0) {
                    continue;
                }
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = sleep(Duration::from_millis(relay.0.settings.poll_ms)) => {}
                    () = relay.0.db.outbox_wake().notified(), if !failed => {}
                }
            }
        })
    }
}

/// What to send to a destination next.
struct Batch {
    /// Rows to send: those of lagging keys first.
    rows: Vec<Row>,
    /// Where the cursor stands, and where it stands after the batch.
    from: i64,
    to: i64,
}

impl Inner {
    async fn lane_run(&self, dest: &str, lane: &mut Lane, now: Timestamp) -> Result<usize, Problem> {
        if lane.not_before.is_some_and(|until| now < until) {
            return Ok(0);
        }
        loop {
            let batch = self.batch_read(dest, now).await?;
            if batch.rows.is_empty() && batch.to == batch.from {
                return Ok(0);
            }
            let epoch = match lane.epoch {
                Some(epoch) => epoch,
                None => *lane.epoch.insert(store::lease_claim(&self.db, dest).await?),
            };
            let results = match self.send(dest, epoch, &batch.rows).await {
                Ok(results) => results,
                Err(problem) => {
                    self.lane_rest(dest, lane, now, &problem);
                    return Ok(0);
                }
            };
            let (acknowledged, stands) = settle::settle(&batch.rows, &results, now, &self.settings);
            if !self.batch_settle(dest, epoch, batch.to, &stands).await? {
                let overtaken = Problem::failed_precondition("RELAY_FENCED", "a newer relay has taken over");
                self.lane_rest(dest, lane, now, &overtaken);
                return Ok(0);
            }
            lane.failures = 0;
            if acknowledged > 0 || batch.to == batch.from {
                return Ok(acknowledged);
            }
            // The cursor passed rows of waiting or failing keys only; behind them there may be others.
        }
    }

    async fn batch_read(&self, dest: &str, now: Timestamp) -> Result<Batch, Problem> {
        let limit = self.settings.batch.clamp(1, 1000);
        let from = store::position(&self.db, dest).await?;
        let mut bytes = 0;
        let mut fits = |row: &Row| {
            let first = bytes == 0;
            bytes += row.payload.len().max(1);
            first || bytes <= BATCH_BYTES
        };
        let mut rows = store::due(&self.db, dest, from, micros(now), limit.div_ceil(2)).await?;
        rows.truncate(rows.iter().take_while(|row| fits(row)).count());
        let blocked = store::blocked_keys(&self.db, dest).await?;
        let mut to = from;
        for row in store::fresh(&self.db, dest, from, limit - rows.len() as u64).await? {
            let waits = blocked.contains(&row.key);
            if !waits && !fits(&row) {
                break;
            }
            to = row.id;
            if !waits {
                rows.push(row);
            }
        }
        Ok(Batch { rows, from, to })
    }

    async fn batch_settle(&self, dest: &str, epoch: i64, to: i64, stands: &[settle::Stand]) -> Result<bool, Problem> {
        let tx = self.db.begin().await?;
        if !store::cursor_move(&tx, dest, to, epoch).await? {
            return Ok(false);
        }
        store::stands_write(&tx, self.source, dest, to, stands).await?;
        tx.commit().await?;
        for stand in stands.iter().filter(|stand| stand.parked_at.is_some()) {
            tracing::error!(
                upswell.service = self.source,
                event.destination = dest,
                event.sequence = stand.seq,
                event.attempts = stand.attempts,
                error = stand.error,
                "an event was parked and its key waits"
            );
        }
        Ok(true)
    }

    /// Leaves a destination alone for a while. After a fence the lease is claimed again: when the store was restored
    /// from a copy, its epochs are behind those that the receiver has seen.
    fn lane_rest(&self, dest: &str, lane: &mut Lane, now: Timestamp, problem: &Problem) {
        if problem.reason() == "RELAY_FENCED" {
            lane.epoch = None;
        }
        lane.failures = lane.failures.saturating_add(1);
        lane.not_before = Some(settle::later(now, lane.failures, &self.settings));
        let failures = lane.failures;
        if failures == 1 {
            tracing::warn!(
                upswell.service = self.source,
                event.destination = dest,
                error = %problem,
                "a destination does not take events and is tried again later"
            );
        } else {
            tracing::debug!(event.destination = dest, failures, error = %problem, "the destination is still away");
        }
    }
}
