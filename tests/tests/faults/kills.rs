//! Processes that die, stand still or are replaced.

use std::{
    io::Read as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use tokio::time::interval;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use upswell_runtime::ids;

use crate::{
    fleet::{Fleet, Plan, is_quiet},
    load::{Load, duration, settings},
    oracles,
};

/// Replicas of each service.
const REPLICAS: usize = 3;
/// Answered calls between two faults.
const SOME: u64 = 60;

fn pick(below: usize, round: u32) -> usize {
    let number = ids::derive("kill", &[&round.to_string()]).as_u128();
    usize::try_from(number % u128::try_from(below).unwrap()).unwrap()
}

/// F31: SIGKILL of a random process every two seconds under load. Nothing is lost, doubled or over its limits, and the
/// load gets back to what it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f31_processes_are_killed_under_load() {
    let Some(mut fleet) = Fleet::start(Plan::of(REPLICAS)) else {
        return;
    };
    let load = Load::start(&fleet.peers(&settings())).await;
    load.runs(Duration::from_secs(8)).await;
    let quiet = load.begun.elapsed().as_secs() as usize;
    let (begun, mut round, mut each) = (Instant::now(), 0, interval(Duration::from_secs(1)));
    while begun.elapsed() < duration() {
        let victim = pick(fleet.replicas.len(), round);
        fleet.kill(victim);
        each.tick().await;
        fleet.spawn(victim);
        each.tick().await;
        round += 1;
    }
    let ended = load.begun.elapsed().as_secs() as usize;
    load.runs(Duration::from_secs(11)).await;
    let before = load.tally.rate(quiet - 4..quiet);
    let best = (ended..ended + 8)
        .map(|second| load.tally.rate(second..second + 3))
        .fold(0.0, f64::max);
    let tally = load.end().await;
    eprintln!(
        "F31: {round} kills; {before:.1} calls/s before, {best:.1} within 10 s after; {}",
        tally.summary()
    );
    assert!(!is_quiet() || best >= 0.95 * before);
    oracles::check(&fleet, &tally).await;
}

/// F32: every process is ended in good order and started again, one after the other. No logical call fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_a_rolling_restart_costs_no_call() {
    let Some(mut fleet) = Fleet::start(Plan::of(2)) else {
        return;
    };
    let load = Load::start(&fleet.peers(&settings())).await;
    load.answers(SOME).await;
    for index in 0..fleet.replicas.len() {
        let took = fleet.terminate(index);
        assert!(took < Duration::from_secs(25), "the drain took {took:?}");
        fleet.spawn(index);
        fleet.wait_open(index);
    }
    load.answers(SOME).await;
    let tally = load.end().await;
    eprintln!("F32: {}", tally.summary());
    assert_eq!(tally.failed(), Vec::<String>::new());
    oracles::check(&fleet, &tally).await;
}

/// F33: a connection that never says a word and a stream that never ends do not hold a process that is to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f33_idle_connections_and_open_streams_do_not_hold_the_drain() {
    let plan = ["DEFAULT_DEADLINE_MS", "MAX_DEADLINE_MS", "DRAIN_MS"]
        .into_iter()
        .fold(Plan::of(1), |plan, key| {
            plan.with(&format!("INGESTION__SERVER__{key}"), "3000")
        });
    let Some(mut fleet) = Fleet::start(plan) else { return };
    let mut idle = TcpStream::connect(fleet.address("ingestion")).unwrap();
    // The first byte shows that the process has taken the connection.
    idle.read_exact(&mut [0]).unwrap();
    let channel = fleet.peers(&settings()).channel("ingestion").unwrap();
    let request = HealthCheckRequest::default();
    let mut stream = HealthClient::new(channel).watch(request).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let took = fleet.terminate(0);
    eprintln!("F33: the process ended {took:?} after SIGTERM");
    assert!(took < Duration::from_secs(25), "{took:?}");
}

/// F9 on the whole: a process that stands still past its leases and comes back does no harm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f9_a_process_that_stood_still_is_fenced() {
    let Some(fleet) = Fleet::start(Plan::of(2)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    load.answers(SOME).await;
    for index in [0, 4] {
        fleet.signal(index, "STOP");
    }
    load.runs(duration().max(Duration::from_secs(8))).await;
    for index in [0, 4] {
        fleet.signal(index, "CONT");
    }
    load.answers(SOME).await;
    let tally = load.end().await;
    eprintln!("F9: {}", tally.summary());
    oracles::check(&fleet, &tally).await;
}
