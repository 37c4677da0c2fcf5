//! Carries the outbox to the other services: at least once, in order per key, without a transaction over the network.
//!
//! ```text
//!            position
//! log   1 2 3 4 5 6 │ 7 8 9          one cursor per lane; rows are never changed
//! key   a b a c b a │ a d b
//! lags  a stands at 3                 one row per key that could not keep up
//! ```
//!
//! The log is append-only. A *lane* holds the events to one destination whose keys fall into one shard: 8 shards on
//! PostgreSQL, one on SQLite. A cursor says up to which row the lane was *sent*; a key whose event failed is written
//! down with the event at which it stands, and the cursor goes on, so that the other keys flow. Rows of such a key are
//! passed over by the cursor and read again from the log when the key's time has come; when it has caught up with the
//! cursor it is forgotten. This was chosen over a status per row because nothing in the log changes: there is one small
//! update per batch however long it is, and nobody has to hold rows back while they are in flight.
//!
//! A position is (transaction number, row id). Ids alone will not do on PostgreSQL: a transaction that commits late
//! brings rows with ids below others that were sent long ago. So rows are read only below the oldest transaction that
//! still runs, where nothing can be added any more. A row carries the number of its transaction or of the last one that
//! wrote to its key, whichever is higher, because a transaction may begin before another and write to a key after it:
//! so the order of positions is the order of sequence numbers per key. On SQLite, whose writers take turns, the number
//! is always 0 and the id says it all.
//!
//! The cursor and the standing keys move after the receiver has answered. A crash before it sends the batch again, and
//! the receiver drops the duplicates. An event that is refused, or fails `max_attempts` times, is parked: its key waits
//! until somebody requeues it. The lease epoch lets only the newest relay move the cursor of a lane, and the receiver
//! refuses the batches of an older one; see [`claim`].
//!
//! The log is one table and not one per day: old rows leave it by chunked deletes below the cursors, so that there is
//! no partition to be made in time or found missing, and nothing to detach under the hands of a slow destination.

mod claim;
mod lane;
mod origin;
mod prune;
mod send;
mod settle;
mod status;
mod store;

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::FutureExt as _;
use jiff::Timestamp;
use sea_orm::DbBackend;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, Semaphore},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

pub use self::status::Backlog;
use self::{lane::Lane, store::LaneId};
pub(crate) use self::{send::wire_time, status::backlog};
use crate::{
    client::Peers,
    clock::Clock,
    db::{Db, micros},
    lease::Leases,
    problem::{Problem, Violations},
};

/// Payload bytes per batch; one event may be larger than what is left of them.
const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// Batches under way to one destination at the same time, which bounds memory and connections. Each has places of its own,
/// so that one that answers nothing holds up no other.
const BATCHES_MAX: usize = 4;
/// Batches of a lane before it is asked again whether it is this relay's.
const BATCHES_A_TURN: usize = 20;
/// The shortest pause between two looks at the log; it doubles up to `poll_ms` while there is nothing.
const POLL_MIN: Duration = Duration::from_millis(5);
/// The shortest time between two looks of a relay that runs by itself: what is committed meanwhile goes in one batch. A
/// look costs the same for one event as for hundreds, and so does a batch for whoever takes it.
const PACE: Duration = Duration::from_millis(25);
/// How long a driver waits for transactions that keep committed events back, and between looks.
const HELD_BACK_MAX: Duration = Duration::from_secs(20);
const HELD_BACK_PAUSE: Duration = Duration::from_millis(2);

/// Section `[<service>.relay]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelaySettings {
    /// Events per call, 1 to 1,000.
    pub batch: u64,
    /// How often in ms the log is looked at when nothing wakes the relay; more often while events come.
    pub poll_ms: u64,
    /// After how many failures an event is parked.
    pub max_attempts: i32,
    /// Pause in ms after the first failure of an event or a destination; it doubles, up to 15 minutes for an event and up
    /// to 5 s for a destination.
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
        if self.keep_days < 1 {
            // Answers to repeated requests are kept by it, too.
            violations.add("keep_days", "must be at least 1");
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
    leases: Leases,
    lanes: Mutex<BTreeMap<LaneId, Arc<Mutex<Lane>>>>,
    tended_at: Mutex<Option<Instant>>,
    pruned_at: Mutex<Option<Timestamp>>,
    origin_known: AtomicBool,
    /// False while nothing is known to wait; see [`Relay::run_if_pending`].
    pending: AtomicBool,
}

impl Relay {
    /// A relay for the outbox of `source` in `db`, to the peers that have the destinations' names.
    pub fn new(db: Db, source: &'static str, peers: Peers, settings: RelaySettings, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            leases: Leases::new(db.clone()),
            db,
            source,
            peers,
            settings,
            clock,
            lanes: Mutex::default(),
            tended_at: Mutex::default(),
            pruned_at: Mutex::default(),
            origin_known: AtomicBool::new(false),
            pending: AtomicBool::new(true),
        }))
    }

    /// Sends one batch of every lane that is due at `now` and not another relay's; the number of events acknowledged. A
    /// destination that cannot be reached counts 0 and is left alone for a while. Errors: those of the own store.
    pub async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let (lanes, horizon) = self.0.lanes_due(now).await?;
        let runs = lanes
            .iter()
            .map(async |(id, lane)| self.0.lane_run(id, &mut *lane.lock().await, horizon, now).await);
        let mut acknowledged = 0;
        for result in futures::future::join_all(runs).await {
            acknowledged += result?;
        }
        self.0.prune_daily(now).await?;
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

    /// Runs when woken and at its poll period until `shutdown`. Each lane goes at its own pace: one whose destination
    /// hangs holds up no other.
    pub fn spawn(&self, shutdown: CancellationToken) -> JoinHandle<()> {
        let relay = self.clone();
        tokio::spawn(async move {
            let mut slots = BTreeMap::new();
            let mut work = JoinSet::new();
            let (mut failed, mut pause) = (false, POLL_MIN);
            while !shutdown.is_cancelled() {
                let looked_at = Instant::now();
                // A panic must not end the relay while its process looks well.
                let started = AssertUnwindSafe(relay.0.lanes_start(&mut work, &mut slots, &shutdown))
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_| Err(Problem::internal("the relay panicked")));
                if let Err(problem) = &started
                    && !failed
                {
                    // A store that is away for a moment needs nobody.
                    if problem.is_transient() {
                        tracing::warn!(upswell.service = relay.0.source, error = %problem, "the relay failed");
                    } else {
                        tracing::error!(upswell.service = relay.0.source, error = %problem, "the relay failed");
                    }
                }
                failed = started.is_err();
                let woken = async {
                    if failed {
                        std::future::pending::<()>().await;
                    }
                    relay.0.db.outbox_wake().notified().await;
                };
                pause = if wait(&mut work, pause, woken, &shutdown).await {
                    POLL_MIN
                } else {
                    (pause * 2).min(Duration::from_millis(relay.0.settings.poll_ms))
                };
                tokio::select! {
                    () = shutdown.cancelled() => {},
                    () = sleep_until(looked_at + PACE) => {},
                }
            }
            while work.join_next().await.is_some() {}
            if let Err(problem) = relay.0.retire().await {
                tracing::debug!(error = %problem, "the leases were not given back");
            }
        })
    }
}

/// Waits for `pause`, or shorter when there is something to do: then the answer is true. A lane that sent nothing is taken
/// in and ends no wait, or the lanes of a destination that is away would keep the relay running in a circle.
async fn wait(
    work: &mut JoinSet<Result<usize, Problem>>,
    pause: Duration,
    woken: impl Future<Output = ()>,
    shutdown: &CancellationToken,
) -> bool {
    let (mut woken, mut over) = (pin!(woken), pin!(sleep(pause)));
    let busy = loop {
        tokio::select! {
            () = shutdown.cancelled() => break true,
            () = &mut over => break false,
            () = &mut woken => break true,
            Some(done) = work.join_next() => if matches!(done, Ok(Ok(count)) if count > 0) {
                break true;
            },
        }
    };
    while work.try_join_next().is_some() {}
    busy
}

type LaneHandle = (LaneId, Arc<Mutex<Lane>>);

impl Inner {
    /// The lanes with something to send, and up to where they may be read.
    async fn lanes_due(&self, now: Timestamp) -> Result<(Vec<LaneHandle>, i64), Problem> {
        self.origin_check(now).await?;
        self.tend().await?;
        let horizon = self.horizon().await?;
        let due = store::lanes_due(&self.db, horizon, micros(now), &self.free()).await?;
        let mut lanes = self.lanes.lock().await;
        let handles = due.into_iter().map(|id| {
            let lane = Arc::clone(lanes.entry(id.clone()).or_default());
            (id, lane)
        });
        Ok((handles.collect(), horizon))
    }

    /// Up to where the log can be read. A driver that turns services by hand takes "nothing to send" as the end, so it
    /// waits until nothing that was committed is kept back.
    async fn horizon(&self) -> Result<i64, Problem> {
        let since = Instant::now();
        loop {
            let horizon = store::horizon(&self.db).await?;
            let waits = self.db.backend() == DbBackend::Postgres && self.clock.is_manual();
            if !waits || since.elapsed() > HELD_BACK_MAX || !store::held_back(&self.db, horizon).await? {
                return Ok(horizon);
            }
            sleep(HELD_BACK_PAUSE).await;
        }
    }

    /// Sets every due lane to work that is not at it already.
    async fn lanes_start(
        self: &Arc<Self>,
        work: &mut JoinSet<Result<usize, Problem>>,
        slots: &mut BTreeMap<String, Arc<Semaphore>>,
        shutdown: &CancellationToken,
    ) -> Result<(), Problem> {
        let (lanes, horizon) = self.lanes_due(self.clock.now()).await?;
        for (id, lane) in lanes {
            let Ok(lane) = lane.try_lock_owned() else { continue };
            let slots = slots.entry(id.dest.clone());
            let slots = Arc::clone(slots.or_insert_with(|| Arc::new(Semaphore::new(BATCHES_MAX))));
            let (inner, shutdown) = (Arc::clone(self), shutdown.clone());
            work.spawn(async move { inner.lane_drain(id, lane, horizon, &slots, &shutdown).await });
        }
        // Beside the lanes, whose leases would end while a long log is shortened.
        let (inner, shutdown) = (Arc::clone(self), shutdown.clone());
        work.spawn(async move {
            let pruned = tokio::select! {
                () = shutdown.cancelled() => return Ok(0),
                pruned = inner.prune_daily(inner.clock.now()) => pruned,
            };
            if let Err(problem) = &pruned {
                tracing::warn!(upswell.service = inner.source, error = %problem, "old events were not removed");
            }
            pruned.map(|()| 0)
        });
        Ok(())
    }

    /// Sends a lane while its batches are full, the first up to `horizon`; the number of events acknowledged. What came
    /// meanwhile and is less than a batch waits for the next look.
    async fn lane_drain(
        &self,
        id: LaneId,
        mut lane: OwnedMutexGuard<Lane>,
        mut horizon: i64,
        slots: &Semaphore,
        shutdown: &CancellationToken,
    ) -> Result<usize, Problem> {
        let (mut total, full) = (0, self.settings.batch.div_ceil(2) as usize);
        for turn in 0..BATCHES_A_TURN {
            let Ok(_slot) = slots.acquire().await else { break };
            if turn > 0 {
                horizon = store::horizon(&self.db).await?;
            }
            let sent = self.lane_run(&id, &mut lane, horizon, self.clock.now()).await;
            match sent {
                Ok(count) if count >= full && !shutdown.is_cancelled() => total += count,
                Ok(count) => return Ok(total + count),
                Err(problem) => {
                    tracing::debug!(event.destination = id.dest, error = %problem, "a lane was given up for now");
                    return Err(problem);
                }
            }
        }
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::poll;

    use super::*;

    #[tokio::test]
    async fn f47_lanes_that_send_nothing_end_no_wait_and_are_taken_in() {
        let (mut work, shutdown) = (JoinSet::new(), CancellationToken::new());
        for _ in 0..5 {
            work.spawn(async { Ok(0) });
        }
        work.spawn(async { Err(Problem::unavailable("AWAY", "the destination is away")) });
        {
            let mut waits = pin!(wait(&mut work, Duration::from_secs(3_600), pending(), &shutdown));
            for _ in 0..100 {
                assert!(poll!(&mut waits).is_pending());
                tokio::task::yield_now().await;
            }
        }
        assert!(work.is_empty(), "{} tasks are held", work.len());
        work.spawn(async { Ok(0) });
        work.spawn(async { Ok(3) });
        work.spawn(async { Ok(0) });
        let hour = Duration::from_secs(3_600);
        assert!(
            wait(&mut work, hour, pending(), &shutdown).await,
            "a lane that sent something may have more"
        );
        assert!(wait(&mut JoinSet::new(), hour, std::future::ready(()), &shutdown).await);
    }
}
