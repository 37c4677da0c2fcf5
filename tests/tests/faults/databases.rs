//! PostgreSQL restarts, ends sessions, runs out of them, stands still, or others get in the way.

use std::{process::Command, time::Duration};

use sea_orm::{ConnectOptions, Database};
use tokio::time::{Instant, interval};

use crate::{
    fleet::{Fleet, Plan, is_quiet},
    load::{Load, duration, settings},
    oracles,
};

/// Answered calls between two faults.
const SOME: u64 = 60;

async fn end(fleet: &Fleet, load: Load, what: &str) {
    let tally = load.end().await;
    eprintln!("{what}: {}", tally.summary());
    oracles::check(fleet, &tally).await;
}

/// F39: PostgreSQL restarts under load, in good order and by a crash.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f39_postgresql_restarts_under_load() {
    let Some(fleet) = Fleet::start(Plan::of(2)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    for mode in ["fast", "immediate"] {
        load.answers(SOME).await;
        fleet.postgres().restart(mode);
        let back = Instant::now();
        load.answers(1).await;
        let took = back.elapsed();
        eprintln!("F39: {mode}: calls are answered {took:?} after the restart");
        assert!(!is_quiet() || took < Duration::from_secs(5), "{took:?}");
        load.answers(SOME).await;
    }
    end(&fleet, load, "F39").await;
}

/// F40: ten sessions a second are ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f40_sessions_are_terminated_under_load() {
    let Some(fleet) = Fleet::start(Plan::of(2)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    load.answers(SOME).await;
    let victims = "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE backend_type = \
                   'client backend' AND datname <> 'postgres' ORDER BY random() LIMIT 10) AS chosen";
    let (begun, mut rounds, mut each) = (Instant::now(), 0, interval(Duration::from_secs(1)));
    while begun.elapsed() < duration() {
        each.tick().await;
        fleet.postgres().query("postgres", victims);
        rounds += 1;
    }
    load.answers(SOME).await;
    end(&fleet, load, &format!("F40: {} sessions ended", rounds * 10)).await;
}

/// F42: every session stands still for a while. Calls end by their deadlines, and all goes on afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f42_postgresql_stands_still() {
    let Some(fleet) = Fleet::start(Plan::of(1)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    load.answers(SOME).await;
    let sessions = fleet.postgres().sessions();
    signal(&sessions, "STOP");
    load.runs(Duration::from_secs(10)).await;
    signal(&sessions, "CONT");
    load.answers(SOME).await;
    end(&fleet, load, "F42").await;
}

fn signal(pids: &[u32], name: &str) {
    for pid in pids {
        let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
        assert!(sent.is_ok());
    }
}

/// F5: a write transaction stays open. Events wait for it, and none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f5_an_open_transaction_delays_and_loses_nothing() {
    let Some(fleet) = Fleet::start(Plan::of(2)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    let held = fleet.postgres().hold("ingestion", duration());
    load.runs(duration()).await;
    held.join().unwrap();
    end(&fleet, load, "F5").await;
}

/// F6: four readers keep old snapshots of the log and scan it. They hold nothing up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f6_readers_with_old_snapshots_hold_nothing_up() {
    let Some(fleet) = Fleet::start(Plan::of(1)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    load.runs(duration() / 2).await;
    let before = load.begun.elapsed().as_secs() as usize;
    let scan = "SELECT COUNT(*) FROM outbox; SELECT pg_sleep(0.2); ".repeat(duration().as_secs() as usize * 5);
    let readers: Vec<_> = (0..4)
        .map(|_| format!("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ; {scan} COMMIT"))
        .map(|statements| fleet.postgres().run("ingestion", statements))
        .collect();
    load.runs(duration()).await;
    let after = load.begun.elapsed().as_secs() as usize;
    for reader in readers {
        reader.join().unwrap();
    }
    let seconds = duration().as_secs() as usize / 2;
    let rates = [before, after].map(|end| load.tally.rate(end - seconds..end));
    eprintln!("F6: {rates:?} calls a second before and beside four scanners");
    assert!(!is_quiet() || rates[1] >= 0.95 * rates[0], "{rates:?}");
    end(&fleet, load, "F6").await;
}

/// F41: other clients take 300 sessions, and offers and ingestion may open two each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f41_sessions_run_out() {
    let plan = Plan::of(1)
        .with("INGESTION__DB__CONNECTIONS", "2")
        .with("OFFERS__DB__CONNECTIONS", "2");
    let Some(fleet) = Fleet::start(plan) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    let mut options = ConnectOptions::new(fleet.postgres().database("postgres"));
    options.min_connections(300).max_connections(300).sqlx_logging(false);
    let hogs = Database::connect(options).await.unwrap();
    load.runs(duration()).await;
    hogs.close().await.unwrap();
    load.answers(SOME).await;
    end(&fleet, load, "F41").await;
}

/// F43: somebody else locks the same accounts in the other order, again and again. Conflicts are repeated, and what is
/// given up says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f43_deadlocks_are_injected_under_load() {
    let Some(fleet) = Fleet::start(Plan::of(1)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    load.answers(SOME).await;
    // Nothing is changed: the rows are only locked, the last account first.
    let locks: String = (0..60)
        .rev()
        .map(|account| format!("SELECT 1 FROM account_touch_state WHERE account_id = 'load-{account}' FOR UPDATE; "))
        .collect();
    let script = format!("BEGIN; {locks} SELECT pg_sleep(0.1); ROLLBACK");
    let (begun, mut others, mut each) = (Instant::now(), Vec::new(), interval(Duration::from_millis(300)));
    while begun.elapsed() < duration() {
        each.tick().await;
        others.push(fleet.postgres().run("offers", script.clone()));
    }
    for other in others {
        other.join().unwrap();
    }
    load.answers(SOME).await;
    let inner: Vec<_> = load
        .tally
        .failed()
        .into_iter()
        .filter(|text| text.starts_with("INTERNAL"))
        .collect();
    assert_eq!(inner, Vec::<String>::new(), "a conflict is no fault of ours");
    end(&fleet, load, "F43").await;
}
