use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes as Rpcs;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use upswell_runtime::{
    admin::admin_server,
    clock::Clock,
    jobs::{self, Job},
    problem::Problem,
    server::{self, READINESS, ServerSettings},
    service::Service,
};

use crate::world::*;

/// Has `left` things to do, one a run.
struct Countdown {
    left: AtomicUsize,
    event_driven: bool,
    ran: Arc<Notify>,
}

impl Countdown {
    fn new(left: usize, event_driven: bool) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicUsize::new(left),
            event_driven,
            ran: Arc::new(Notify::new()),
        })
    }
}

#[async_trait]
impl Job for Countdown {
    fn name(&self) -> &'static str {
        "test.countdown"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn event_driven(&self) -> bool {
        self.event_driven
    }

    async fn run_once(&self, _now: Timestamp) -> Result<usize, Problem> {
        self.ran.notify_one();
        let left = self.left.load(Ordering::SeqCst);
        self.left.store(left.saturating_sub(1), Ordering::SeqCst);
        Ok(left.min(1))
    }
}

fn service(world: &World, jobs: Vec<Arc<dyn Job>>) -> Service {
    Service {
        name: SENDER,
        db: world.sender.db.clone(),
        routes: Rpcs::new(admin_server(world.sender.db.clone(), Clock::manual(start()))),
        jobs,
        relay: world.relay.clone(),
        wake: Arc::new(Notify::new()),
    }
}

#[tokio::test]
async fn draining_ends_when_nothing_is_left() {
    let world = World::new().await;
    let service = service(&world, vec![Countdown::new(3, true), Countdown::new(5, false)]);
    world.append(&["a", "b"]).await;
    assert_eq!(
        service.drain(start()).await.unwrap(),
        5,
        "two events and three things of the event-driven job"
    );
    assert_eq!(service.drain(start()).await.unwrap(), 0);
    assert_eq!(service.tick(start()).await.unwrap(), 1);
}

#[tokio::test]
async fn draining_what_never_ends_is_an_error() {
    let world = World::new().await;
    let service = service(&world, vec![Countdown::new(usize::MAX, true)]);
    let problem = service.drain(start()).await.unwrap_err();
    assert!(problem.to_string().contains("sender is not idle"), "{problem}");
}

#[tokio::test]
async fn a_service_gets_ready_serves_and_ends() {
    let world = World::new().await;
    let shutdown = CancellationToken::new();
    let settings = ServerSettings {
        drain_ms: 100,
        ..ServerSettings::default()
    };
    let bound = server::bind(&settings).await.unwrap();
    let address = format!("http://{}", bound.local_addr());
    let running = tokio::spawn(service(&world, Vec::new()).run(bound, shutdown.clone()));
    let channel = peers(&[("self", &address)]).channel("self").unwrap();
    let ready = async {
        let mut client = HealthClient::new(channel);
        let request = HealthCheckRequest {
            service: READINESS.into(),
        };
        while client.check(request.clone()).await.unwrap().into_inner().status() != ServingStatus::Serving {}
    };
    tokio::time::timeout(Duration::from_secs(20), ready).await.unwrap();
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(20), running)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(world.sender.db.begin().await.is_err(), "the store is closed");
}

/// Panics when it runs for the first time.
struct Clumsy(Arc<Countdown>);

#[async_trait]
impl Job for Clumsy {
    fn name(&self) -> &'static str {
        "test.clumsy"
    }

    fn period(&self) -> Duration {
        Duration::from_millis(1)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let done = self.0.run_once(now).await?;
        assert_eq!(done, 0, "on purpose");
        Ok(done)
    }
}

/// F29: a panic ends one run of a job, and not the job.
#[tokio::test]
async fn f29_a_job_that_panics_runs_again() {
    let inner = Countdown::new(1, false);
    let shutdown = CancellationToken::new();
    let world = World::new().await;
    let job = Arc::new(Clumsy(Arc::clone(&inner)));
    let (db, wake) = (world.sender.db.clone(), Arc::new(Notify::new()));
    let worker = jobs::spawn(job, db, Clock::system(), wake, shutdown.clone());
    for _ in 0..2 {
        tokio::time::timeout(Duration::from_secs(20), inner.ran.notified())
            .await
            .unwrap();
    }
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn an_event_driven_job_is_woken() {
    let job = Countdown::new(0, true);
    let (wake, shutdown) = (Arc::new(Notify::new()), CancellationToken::new());
    let world = World::new().await;
    let worker = jobs::spawn(
        Arc::<Countdown>::clone(&job),
        world.sender.db.clone(),
        Clock::system(),
        Arc::clone(&wake),
        shutdown.clone(),
    );
    let ran = async || {
        tokio::time::timeout(Duration::from_secs(20), job.ran.notified())
            .await
            .unwrap()
    };
    ran().await;
    wake.notify_waiters();
    ran().await;
    shutdown.cancel();
    worker.await.unwrap();
}
