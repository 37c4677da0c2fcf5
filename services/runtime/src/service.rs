//! A built service: what the binary runs, and what a driver with a manual clock turns by hand.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::Notify, task::JoinHandle, time};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::server::HealthReporter;

use crate::{
    client::Peers,
    clock::Clock,
    db::{Db, micros},
    jobs::{self, Job},
    lease::Leases,
    problem::{Problem, times_full},
    relay::{self, Relay},
    server::{BoundServer, health_reporter, set_ready},
    telemetry::{Meters, OutboxTrace, meters},
};

/// More rounds than this mean that jobs or services give each other work without end.
const ROUNDS_MAX: usize = 10_000;
const PROBE_PERIOD: Duration = Duration::from_secs(5);
const PROBE_TIMEOUT: Duration = Duration::from_secs(4);
/// So many probes in a row without an answer mean that the store is away.
const PROBES_BUSY: u32 = 3;
const GAUGE_PERIOD: Duration = Duration::from_secs(10);
/// How long the background work may take to end; open requests end meanwhile.
const WORKERS_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the store may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a service is given by the process that runs it.
#[derive(Clone)]
pub struct Deps {
    /// The time.
    pub clock: Clock,
    /// Channels to the other services.
    pub peers: Peers,
    /// How the work on an event hangs on the work that wrote it.
    pub trace_mode: OutboxTrace,
}

/// A service, built and not yet running. Clones share everything, so that one can serve while another is driven.
#[derive(Clone)]
pub struct Service {
    /// Name of the service, which is also its name as a peer.
    pub name: &'static str,
    /// Its store.
    pub db: Db,
    /// Its RPCs, with delivery and admin, without health and reflection.
    pub routes: Routes,
    /// Its background work.
    pub jobs: Vec<Arc<dyn Job>>,
    /// The relay of its outbox.
    pub relay: Relay,
    /// Wakes the event-driven jobs.
    pub wake: Arc<Notify>,
}

impl Service {
    /// Serves until `shutdown`, then drains, stops the background work and closes the store. With a manual clock no
    /// background work is started: somebody calls [`Service::drain`] and [`Service::tick`] on a clone.
    pub async fn run(self, server: BoundServer, shutdown: CancellationToken) -> Result<(), Problem> {
        let health = health_reporter().await;
        // Background work ends with the server, also when the server breaks by itself.
        let ending = shutdown.child_token();
        let mut workers = vec![probe(self.db.clone(), health.clone(), ending.clone())];
        if let Some(meters) = meters() {
            workers.push(gauge(
                meters,
                self.name,
                self.db.clone(),
                self.relay.clock().clone(),
                ending.clone(),
            ));
        }
        if !self.relay.clock().is_manual() {
            workers.push(self.relay.spawn(ending.clone()));
            workers.extend(self.jobs.iter().map(|job| {
                jobs::spawn(
                    Arc::clone(job),
                    self.db.clone(),
                    self.relay.clock().clone(),
                    Arc::clone(&self.wake),
                    ending.clone(),
                )
            }));
        }
        let serving = async {
            let served = server.named(self.name).serve(self.routes, health, shutdown).await;
            ending.cancel();
            served
        };
        let working = async {
            ending.cancelled().await;
            let stopped = time::timeout(WORKERS_TIMEOUT, futures::future::join_all(&mut workers)).await;
            if stopped.is_err() {
                workers.iter().for_each(JoinHandle::abort);
                tracing::info!(upswell.service = self.name, "background work was cut off");
            }
        };
        let (served, ()) = tokio::join!(serving, working);
        // A connection that does not come back must not hold the process either.
        match time::timeout(CLOSE_TIMEOUT, self.db.close()).await {
            Ok(closed) => closed?,
            Err(_) => tracing::info!(upswell.service = self.name, "connections were still open at the end"),
        }
        served.map_err(Problem::internal)
    }

    /// Relays events and runs the event-driven jobs until a whole round does nothing; the number of things done. A
    /// driver of several services repeats this over all of them until all return 0.
    pub async fn drain(&self, now: Timestamp) -> Result<usize, Problem> {
        let mut total = 0;
        for _ in 0..ROUNDS_MAX {
            let mut done = self.relay.run_if_pending(now).await?;
            for job in self.jobs.iter().filter(|job| job.event_driven()) {
                done += job.run_once(now).await?;
            }
            if done == 0 {
                return Ok(total);
            }
            total += done;
        }
        Err(Problem::internal(format!(
            "{} is not idle after {ROUNDS_MAX} rounds",
            self.name
        )))
    }

    /// Runs every job once; the number of things done.
    pub async fn tick(&self, now: Timestamp) -> Result<usize, Problem> {
        let mut done = 0;
        for job in &self.jobs {
            done += job.run_once(now).await?;
        }
        Ok(done)
    }
}

/// Looks at the outbox and the pool from time to time, so that what stands still is seen too.
fn gauge(
    meters: &'static Meters,
    name: &'static str,
    db: Db,
    clock: Clock,
    ending: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        while !ending.is_cancelled() {
            let (idle, used, max) = db.pool();
            meters.db_pool(name, idle, used, max);
            match time::timeout(PROBE_TIMEOUT, relay::backlog(&db)).await {
                Ok(Ok(backlog)) => meters.outbox(name, &backlog, micros(clock.now())),
                _ => tracing::debug!(upswell.service = name, "the outbox could not be looked at"),
            }
            tokio::select! {
                () = ending.cancelled() => {}
                () = time::sleep(GAUGE_PERIOD) => {}
            }
        }
    })
}

/// Ready while the store can be written. A store that is only busy makes nobody unready at once: all replicas would
/// leave together, and just when there is most to do. One that was full must have room again.
fn probe(db: Db, health: HealthReporter, ending: CancellationToken) -> JoinHandle<()> {
    let leases = Leases::new(db);
    tokio::spawn(async move {
        let (mut was_ready, mut busy, mut room_at) = (true, 0, times_full());
        while !ending.is_cancelled() {
            let full = times_full();
            let written = if full == room_at {
                time::timeout(PROBE_TIMEOUT, leases.try_out()).await
            } else {
                time::timeout(PROBE_TIMEOUT, leases.try_room()).await
            };
            if matches!(written, Ok(Ok(()))) {
                room_at = full;
            }
            busy = match &written {
                Ok(Ok(())) => 0,
                Ok(Err(problem)) if !["STORE_BUSY", "STORE_LOCKED"].contains(&problem.reason()) => PROBES_BUSY,
                _ => busy + 1,
            };
            let ready = busy < PROBES_BUSY;
            if ready != was_ready {
                tracing::warn!(service.ready = ready, "readiness changed");
            }
            was_ready = ready;
            set_ready(&health, ready).await;
            tokio::select! {
                () = ending.cancelled() => {}
                () = time::sleep(PROBE_PERIOD) => {}
            }
        }
        // The last word, whatever was said while the end was called for.
        set_ready(&health, false).await;
    })
}
