//! What lies between the processes: a database behind a bad line, peers that are slow, deaf or away.

use std::{collections::BTreeMap, fs, time::Duration};

use tokio::time::{Instant, interval};
use upswell_proto::ingestion::v1::{RecordFactsRequest, ingestion_service_client::IngestionServiceClient};
use upswell_runtime::{
    client::{self, ClientSettings, Peers},
    problem::Kind,
};

use crate::{
    fleet::{Fleet, Plan},
    load::{Load, duration, settings},
    oracles,
    proxy::Proxy,
};

/// Answered calls between two faults.
const SOME: u64 = 60;

async fn end(fleet: &Fleet, load: Load, what: &str) {
    let tally = load.end().await;
    eprintln!("{what}: {}", tally.summary());
    oracles::check(fleet, &tally).await;
}

/// F12: the connection is cut right after COMMIT was sent, again and again. The caller asks again under the same key,
/// and everything has one effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_a_commit_without_an_answer_has_one_effect() {
    let Some(mut fleet) = Fleet::prepare(Plan::of(2)) else {
        return;
    };
    let proxy = Proxy::start(fleet.postgres().address()).await;
    fleet.reach_database_at(proxy.address);
    fleet.open();
    let load = Load::start(&fleet.peers(&settings())).await;
    let rounds = duration().as_secs() * 5;
    let mut each = interval(Duration::from_millis(200));
    for _ in 0..rounds {
        each.tick().await;
        proxy.cut_after_commit(1);
    }
    let left = proxy.commits_to_cut();
    proxy.cut_after_commit(0);
    assert!(left < rounds / 2, "the proxy saw no COMMIT");
    end(&fleet, load, "F12").await;
}

/// F47: the ways to scoring, renewals and metrics are slow, thin, black, cut, reset and closed in turn. The others go on,
/// and everything catches up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f47_a_bad_line_between_services_loses_nothing() {
    let Some(mut fleet) = Fleet::prepare(Plan::of(1)) else {
        return;
    };
    let mut proxies = BTreeMap::new();
    for service in ["scoring", "renewals", "metrics"] {
        let proxy = Proxy::start(fleet.address(service)).await;
        fleet.reach_service_at(service, format!("http://{}", proxy.address));
        proxies.insert(service, proxy);
    }
    fleet.open();
    let load = Load::start(&fleet.peers(&settings())).await;
    let faults: [fn(&Proxy); 6] = [
        |proxy| proxy.delay(Duration::from_secs(5)),
        |proxy| proxy.bytes_a_second(1024),
        |proxy| proxy.black_hole(true),
        Proxy::cut,
        Proxy::reset,
        |proxy| proxy.refuse(true),
    ];
    for (proxy, fault) in proxies.values().cycle().zip(faults) {
        fault(proxy);
        load.runs(duration() / 6).await;
        proxy.heal();
    }
    load.answers(SOME).await;
    end(&fleet, load, "F47").await;
}

/// F47: nobody knows the name of a peer. The others go on; with the right name everything arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f47_a_name_that_nobody_knows_holds_nobody_else_up() {
    let Some(mut fleet) = Fleet::prepare(Plan::of(1)) else {
        return;
    };
    fleet.reach_service_at("metrics", "http://nobody.invalid:50055");
    fleet.open();
    let load = Load::start(&fleet.peers(&settings())).await;
    load.answers(SOME).await;
    fleet.reach_service_at("metrics", fleet.addresses("metrics"));
    for index in 0..fleet.replicas.len() {
        fleet.terminate(index);
        fleet.spawn(index);
        fleet.wait_open(index);
    }
    end(&fleet, load, "F47").await;
}

/// F49: a peer takes the connection and never speaks HTTP/2. Calls end by their deadline, and what waits for it arrives
/// when it speaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f49_a_peer_that_never_speaks_costs_no_more_than_the_deadline() {
    let Some(mut fleet) = Fleet::prepare(Plan::of(1)) else {
        return;
    };
    let proxy = Proxy::start(fleet.address("scoring")).await;
    proxy.deaf(true);
    let address = format!("http://{}", proxy.address);
    fleet.reach_service_at("scoring", address.as_str());
    fleet.open();
    let load = Load::start(&fleet.peers(&settings())).await;
    let impatient = ClientSettings {
        deadline_ms: 1_000,
        ..ClientSettings::default()
    };
    let deaf = Peers::new(&[("deaf".to_owned(), address)].into(), &impatient).unwrap();
    let client = IngestionServiceClient::new(deaf.channel("deaf").unwrap());
    let begun = Instant::now();
    let answer = client::call(&impatient, "deaf.RecordFacts", || {
        let mut client = client.clone();
        async move { client.record_facts(RecordFactsRequest::default()).await }
    });
    let kind = answer.await.unwrap_err().kind();
    assert!(matches!(kind, Kind::DeadlineExceeded | Kind::Unavailable), "{kind:?}");
    eprintln!("F49: a call with a deadline of 1 s ended after {:?}", begun.elapsed());
    load.answers(SOME).await;
    proxy.heal();
    end(&fleet, load, "F49").await;
}

/// F50: at first a peer has no address. What is meant for it waits, and arrives without a restart once there is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f50_addresses_appear_without_a_restart() {
    let Some(mut fleet) = Fleet::prepare(Plan::of(2).with("CLIENT__RESOLVE_MS", "200")) else {
        return;
    };
    let file = fleet.file("renewals.addresses");
    fs::write(&file, "").unwrap();
    fleet.reach_service_at("renewals", format!("file:{}", file.display()));
    fleet.open();
    let load = Load::start(&fleet.peers(&settings())).await;
    load.answers(SOME).await;
    let new = file.with_extension("new");
    fs::write(&new, fleet.addresses("renewals").replace(',', "\n")).unwrap();
    fs::rename(new, file).unwrap();
    load.answers(SOME).await;
    end(&fleet, load, "F50").await;
}
