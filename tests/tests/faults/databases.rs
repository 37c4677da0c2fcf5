//! PostgreSQL restarts, ends sessions, runs out of them or stands still.

use std::time::{Duration, Instant};

use crate::{
    fleet::{Fleet, Plan},
    load::{Load, duration, settings},
    oracles,
};

async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// F39: PostgreSQL restarts under load, in good order and by a crash.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f39_postgresql_restarts_under_load() {
    let Some(fleet) = Fleet::start(Plan::of(2)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    for mode in ["fast", "immediate"] {
        sleep(Duration::from_secs(3)).await;
        fleet.postgres.restart(mode);
        let back = Instant::now();
        let facts = || load.tally.facts.lock().unwrap().len();
        let before = facts();
        while facts() == before {
            assert!(
                back.elapsed() < Duration::from_secs(20),
                "no fact is taken after a restart"
            );
            sleep(Duration::from_millis(20)).await;
        }
        eprintln!("F39: {mode}: facts are taken {:?} after the restart", back.elapsed());
    }
    sleep(Duration::from_secs(3)).await;
    let tally = load.end().await;
    oracles::check(&fleet, &tally).await;
}

/// F40: ten sessions a second are ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f40_sessions_are_terminated_under_load() {
    let Some(fleet) = Fleet::start(Plan::of(2)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    sleep(Duration::from_secs(3)).await;
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() < duration() {
        let sessions = fleet.postgres.sessions();
        let victims: Vec<_> = sessions
            .iter()
            .skip(round % 3)
            .step_by(sessions.len() / 2 + 1)
            .collect();
        for victim in victims {
            fleet
                .postgres
                .query("postgres", &format!("SELECT pg_terminate_backend({victim})"));
        }
        sleep(Duration::from_millis(200)).await;
        round += 1;
    }
    let tally = load.end().await;
    eprintln!(
        "F40: {round} rounds, {} failed attempts",
        tally.failed.lock().unwrap().len()
    );
    oracles::check(&fleet, &tally).await;
}

/// F42: every session stands still for a while. Calls end by their deadlines, and all goes on afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f42_postgresql_stands_still() {
    let Some(fleet) = Fleet::start(Plan::of(1)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    sleep(Duration::from_secs(2)).await;
    let sessions = fleet.postgres.sessions();
    signal(&sessions, "STOP");
    sleep(Duration::from_secs(10)).await;
    signal(&sessions, "CONT");
    sleep(Duration::from_secs(3)).await;
    let tally = load.end().await;
    oracles::check(&fleet, &tally).await;
}

fn signal(pids: &[u32], name: &str) {
    for pid in pids {
        let sent = std::process::Command::new("kill")
            .args(["-s", name, &pid.to_string()])
            .status();
        assert!(sent.is_ok());
    }
}

/// F5: a write transaction stays open. Events wait for it, and none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f5_an_open_transaction_delays_and_loses_nothing() {
    let Some(fleet) = Fleet::start(Plan::of(2)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    let held = fleet.postgres.hold("ingestion", duration());
    sleep(duration()).await;
    held.join().unwrap();
    let tally = load.end().await;
    oracles::check(&fleet, &tally).await;
}

/// F41: other clients take nearly all sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f41_sessions_run_out() {
    let plan = Plan::of(1)
        .with("INGESTION__DB__READERS", "2")
        .with("OFFERS__DB__READERS", "2");
    let Some(fleet) = Fleet::start(plan) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    let hogs: Vec<_> = (0..100).map(|_| fleet.postgres.hold("postgres", duration())).collect();
    sleep(duration()).await;
    for hog in hogs {
        hog.join().unwrap();
    }
    let tally = load.end().await;
    oracles::check(&fleet, &tally).await;
}
