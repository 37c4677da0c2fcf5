//! What lies between the processes: a database behind a bad line, peers that are slow, deaf or away.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    fleet::{Fleet, Plan},
    load::{Load, duration, settings},
    oracles,
    proxy::Proxy,
};

async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// F12: the connection is cut right after COMMIT was sent, again and again. The caller asks again under the same key,
/// and everything has one effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_a_commit_without_an_answer_has_one_effect() {
    let Some(mut fleet) = Fleet::prepare(Plan::of(2)) else {
        return;
    };
    let proxy = Proxy::start(fleet.postgres.address()).await;
    fleet.reach_database_at(proxy.address);
    fleet.open();
    let load = Load::start(&fleet.peers(&settings())).await;
    let rounds = duration().as_secs() * 5;
    for _ in 0..rounds {
        proxy.cut_after_commit(1);
        sleep(Duration::from_millis(200)).await;
    }
    let left = proxy.commits_to_cut();
    proxy.cut_after_commit(0);
    let tally = load.end().await;
    let failed = tally.failed.lock().unwrap().len();
    eprintln!("F12: {} commits cut, {failed} failed attempts", rounds - left);
    assert!(left < rounds / 2, "the proxy saw no COMMIT");
    oracles::check(&fleet, &tally).await;
}

/// F47: the way to scoring and renewals is slow, cut, deaf and closed in turn. The others go on, and it catches up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f47_a_bad_line_between_services_loses_nothing() {
    let Some(mut fleet) = Fleet::prepare(Plan::of(1)) else {
        return;
    };
    let mut proxies = BTreeMap::new();
    for service in ["scoring", "renewals", "metrics"] {
        let proxy = Proxy::start(fleet.address(service)).await;
        fleet.reach_service_at(service, proxy.address);
        proxies.insert(service, proxy);
    }
    fleet.open();
    let load = Load::start(&fleet.peers(&settings())).await;
    for (round, proxy) in proxies.values().cycle().take(6).enumerate() {
        match round % 4 {
            0 => proxy.delay(Duration::from_millis(700)),
            1 => proxy.black_hole(true),
            2 => proxy.cut(),
            _ => proxy.refuse(true),
        }
        sleep(duration() / 6).await;
        proxy.delay(Duration::ZERO);
        proxy.black_hole(false);
        proxy.refuse(false);
        // A line that lost bytes is of no use any more.
        proxy.cut();
    }
    let tally = load.end().await;
    oracles::check(&fleet, &tally).await;
}
