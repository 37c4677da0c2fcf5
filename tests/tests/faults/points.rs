//! Failpoints on processes: every named point fails, panics, stands still and dies, on PostgreSQL and on SQLite, and after
//! each the same fleet comes to rest with nothing lost, doubled or out of order.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{Instant, interval};
use upswell_runtime::failpoints::{MET, POINTS};

use crate::{
    fleet::{Fleet, PATIENCE, Plan},
    load::{Load, settings},
    oracles,
};

/// Answered calls after the last fault.
const SOME: u64 = 60;

/// Points that were met since the logs were that long.
fn met(fleet: &Fleet, lengths: &[usize]) -> BTreeSet<String> {
    let told = lengths
        .iter()
        .enumerate()
        .map(|(index, length)| fleet.told(index)[*length..].to_owned());
    told.flat_map(|told| {
        let lines = told.lines().filter_map(|line| line.strip_prefix(MET));
        lines
            .map(|line| line.split(':').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    })
    .collect()
}

fn lengths(fleet: &Fleet) -> Vec<usize> {
    (0..fleet.replicas.len()).map(|index| fleet.told(index).len()).collect()
}

/// Starts every process anew with the same orders.
fn order(fleet: &mut Fleet, orders: &str) {
    for index in 0..fleet.replicas.len() {
        if fleet.has_ended(index) {
            fleet.forget(index);
        } else {
            fleet.kill(index);
        }
        fleet.spawn_with(index, &[("FAILPOINTS", orders)]);
    }
    for index in 0..fleet.replicas.len() {
        fleet.wait_open_or_end(index);
    }
}

/// Waits until every point in `wanted` was met by some process.
async fn all_met(fleet: &Fleet, before: &[usize], wanted: &BTreeSet<String>) {
    let (begun, mut each) = (Instant::now(), interval(Duration::from_millis(50)));
    while !met(fleet, before).is_superset(wanted) {
        let missing: Vec<_> = wanted.difference(&met(fleet, before)).cloned().collect();
        assert!(begun.elapsed() < PATIENCE, "points are never met: {missing:?}");
        each.tick().await;
    }
}

/// Every point obeys `word` a few times in each process, all of them in one run.
async fn all_at_once(plan: Plan, word: &str) {
    let Some(mut fleet) = Fleet::prepare(plan.with_failpoints()) else {
        return;
    };
    fleet.open();
    let load = Load::start(&fleet.peers(&settings())).await;
    let before = lengths(&fleet);
    let orders = POINTS.map(|point| format!("{point}=2*off->2*return({word})"));
    order(&mut fleet, &orders.join(";"));
    all_met(&fleet, &before, &POINTS.map(str::to_owned).into()).await;
    load.answers(SOME).await;
    let tally = load.end().await;
    eprintln!("F29 {word}: {}", tally.summary());
    oracles::check(&fleet, &tally).await;
}

/// The process that meets the point dies there: one point after the other.
async fn one_by_one(plan: Plan) {
    let Some(mut fleet) = Fleet::prepare(plan.with_failpoints()) else {
        return;
    };
    fleet.open();
    let load = Load::start(&fleet.peers(&settings())).await;
    for point in POINTS {
        let before = lengths(&fleet);
        order(&mut fleet, &format!("{point}=3*off->1*return(kill)"));
        all_met(&fleet, &before, &BTreeSet::from([point.to_owned()])).await;
    }
    order(&mut fleet, "");
    load.answers(SOME).await;
    let tally = load.end().await;
    eprintln!("F29 kill: {}", tally.summary());
    oracles::check(&fleet, &tally).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_every_point_fails() {
    all_at_once(Plan::of(1), "error").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_every_point_fails_on_sqlite() {
    all_at_once(Plan::of(1).on_sqlite(), "error").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_every_point_panics() {
    all_at_once(Plan::of(1), "panic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_every_point_panics_on_sqlite() {
    all_at_once(Plan::of(1).on_sqlite(), "panic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_every_point_stands_still_for_a_while() {
    all_at_once(Plan::of(1), "delay").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_every_point_stands_still_for_a_while_on_sqlite() {
    all_at_once(Plan::of(1).on_sqlite(), "delay").await;
}

/// F29 with SIGKILL; among them F10 (a receiver that dies before its commit, and between commit and answer) and F11 (a
/// relay that dies between the answer and its cursor).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_f10_f11_a_process_dies_at_every_point() {
    one_by_one(Plan::of(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_f10_f11_a_process_dies_at_every_point_on_sqlite() {
    one_by_one(Plan::of(1).on_sqlite()).await;
}
