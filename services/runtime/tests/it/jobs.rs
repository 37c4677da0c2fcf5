//! Background work of several processes over one store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use upswell_runtime::{
    clock::Clock,
    db::Db,
    jobs::{self, Job},
    problem::Problem,
    testing::TempDb,
};

use crate::world::{Migrator, number, sql};

/// Counts its runs, and how many were under way at the same time.
#[derive(Default)]
struct Alone {
    inside: AtomicUsize,
    most: AtomicUsize,
    runs: AtomicUsize,
}

#[async_trait]
impl Job for Alone {
    fn name(&self) -> &'static str {
        "test.alone"
    }

    fn period(&self) -> Duration {
        Duration::from_millis(1)
    }

    async fn run_once(&self, _now: Timestamp) -> Result<usize, Problem> {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
        self.runs.fetch_add(1, Ordering::SeqCst);
        Ok(0)
    }
}

fn spawn(job: &Arc<Alone>, db: &Db, shutdown: &CancellationToken) -> JoinHandle<()> {
    let job: Arc<dyn Job> = Arc::<Alone>::clone(job);
    jobs::spawn(
        job,
        db.clone(),
        Clock::system(),
        Arc::new(Notify::new()),
        shutdown.clone(),
    )
}

async fn reached(job: &Alone, runs: usize) {
    let waiting = async {
        while job.runs.load(Ordering::SeqCst) < runs {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_replicas_one_at_a_time_runs_a_job() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_postgres() {
        return;
    }
    let (job, shutdown) = (Arc::new(Alone::default()), CancellationToken::new());
    let replicas: Vec<_> = (0..4).map(|_| spawn(&job, &temp.db, &shutdown)).collect();
    reached(&job, 40).await;
    shutdown.cancel();
    for replica in replicas {
        replica.await.unwrap();
    }
    assert_eq!(job.most.load(Ordering::SeqCst), 1);
    assert_eq!(
        number(&temp.db, "SELECT COUNT(*) FROM lease").await,
        0,
        "leases are given back"
    );
}

#[tokio::test]
async fn the_job_of_a_replica_that_died_is_run_when_its_lease_ends() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_postgres() {
        return;
    }
    let now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
    sql(
        &temp.db,
        &format!("INSERT INTO lease (name, owner, until_at) VALUES ('job:test.alone', 'dead', {now} + 300000)"),
    )
    .await;
    let (job, shutdown) = (Arc::new(Alone::default()), CancellationToken::new());
    let replica = spawn(&job, &temp.db, &shutdown);
    reached(&job, 1).await;
    let ended = format!("SELECT COUNT(*) FROM lease WHERE owner = 'dead' AND until_at >= {now}");
    assert_eq!(number(&temp.db, &ended).await, 0, "not before");
    shutdown.cancel();
    replica.await.unwrap();
}
