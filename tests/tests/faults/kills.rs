//! Processes that die, stand still or are replaced.

use std::time::{Duration, Instant};

use upswell_runtime::ids;

use crate::{
    fleet::{Fleet, Plan},
    load::{Load, duration, settings},
    oracles,
};

/// Replicas of each service.
const REPLICAS: usize = 3;

async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

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
    sleep(Duration::from_secs(6)).await;
    let quiet = load.begun.elapsed().as_secs() as usize;
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() < duration() {
        let victim = pick(fleet.replicas.len(), round);
        fleet.kill(victim);
        sleep(Duration::from_secs(1)).await;
        fleet.spawn(victim);
        sleep(Duration::from_secs(1)).await;
        round += 1;
    }
    let ended = load.begun.elapsed().as_secs() as usize;
    sleep(Duration::from_secs(11)).await;
    let tally = load.end().await;
    let before = tally.rate(quiet - 4..quiet);
    let best = (ended..ended + 8)
        .map(|second| tally.rate(second..second + 3))
        .fold(0.0, f64::max);
    eprintln!(
        "F31: {round} kills; {before:.0} calls/s before, {best:.0} calls/s within 10 s after; {} facts acknowledged, {} \
         touches granted, {} failed attempts at logical calls; by second {:?}",
        tally.facts.lock().unwrap().len(),
        tally.granted.lock().unwrap().len(),
        tally.failed.lock().unwrap().len(),
        tally.answered(),
    );
    oracles::check(&fleet, &tally).await;
}

/// F32: every process is ended in good order and started again, one after the other. No logical call fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_a_rolling_restart_costs_no_call() {
    let Some(mut fleet) = Fleet::start(Plan::of(2)) else {
        return;
    };
    let load = Load::start(&fleet.peers(&settings())).await;
    sleep(Duration::from_secs(2)).await;
    for index in 0..fleet.replicas.len() {
        let took = fleet.terminate(index);
        assert!(took < Duration::from_secs(25), "the drain took {took:?}");
        fleet.spawn(index);
        fleet.wait_open(index);
    }
    sleep(Duration::from_secs(2)).await;
    let tally = load.end().await;
    assert_eq!(*tally.failed.lock().unwrap(), Vec::<String>::new());
    oracles::check(&fleet, &tally).await;
}

/// F9 on the whole: a process that stands still past its leases and comes back does no harm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f9_a_process_that_stood_still_is_fenced() {
    let Some(fleet) = Fleet::start(Plan::of(2)) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    sleep(Duration::from_secs(2)).await;
    for index in [0, 4] {
        fleet.signal(index, "STOP");
    }
    sleep(duration()).await;
    for index in [0, 4] {
        fleet.signal(index, "CONT");
    }
    sleep(Duration::from_secs(2)).await;
    let tally = load.end().await;
    oracles::check(&fleet, &tally).await;
}
