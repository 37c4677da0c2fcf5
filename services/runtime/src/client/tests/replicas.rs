//! Calls over several replicas of one peer.

use std::{collections::BTreeMap, path::Path, time::Duration};

use tempfile::TempDir;
use tokio::time::Instant;

use super::{ask, calls, peer, settings};
use crate::{
    client::{ClientSettings, Peers, balance::Target, call},
    problem::{Kind, Problem},
    server::{
        ServerSettings,
        tests::echo::{Running, says, start},
    },
};

async fn three() -> [Running; 3] {
    let settings = ServerSettings::default;
    [
        start(settings()).await,
        start(settings()).await,
        start(settings()).await,
    ]
}

fn list(replicas: &[&Running], separator: &str) -> String {
    let addresses: Vec<_> = replicas.iter().map(|replica| replica.address.as_str()).collect();
    addresses.join(separator)
}

async fn asks(address: &str, times: usize) -> Vec<Problem> {
    let settings = settings();
    let client = peer(address, &settings);
    let mut failed = Vec::new();
    for _ in 0..times {
        let answer = call(&settings, "echo.Deliver", || {
            let mut client = client.clone();
            async move { client.deliver(says("ok")).await }
        });
        failed.extend(answer.await.err());
    }
    failed
}

#[tokio::test]
async fn every_replica_gets_its_share() {
    let replicas = three().await;
    let [a, b, c] = &replicas;
    assert!(asks(&list(&[a, b, c], ","), 300).await.is_empty());
    for replica in &replicas {
        assert!(calls(replica) > 50, "{} calls", calls(replica));
    }
}

/// F32, on the caller's side: replicas go one after the other, and no call fails.
#[tokio::test]
async fn f32_a_replica_that_goes_costs_no_call() {
    let [a, b, c] = three().await;
    let address = list(&[&a, &b, &c], ",");
    let asking = tokio::spawn(async move {
        // Many at once, so that calls are in flight when a connection is told to go away.
        let callers = (0..16).map(|_| asks(&address, 200));
        futures::future::join_all(callers).await.concat()
    });
    for replica in [a, b] {
        while calls(&replica) < 20 {
            tokio::task::yield_now().await;
        }
        replica.shutdown.cancel();
        replica.serving.await.unwrap().unwrap();
    }
    let failed = asking.await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(calls(&c) > 100);
}

/// F50: with no address calls end in time, and they work as soon as there is one.
#[tokio::test]
async fn f50_addresses_appear_and_change_without_a_restart() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("replicas");
    std::fs::write(&file, "").unwrap();
    let settings = ClientSettings {
        resolve_ms: 20,
        deadline_ms: 300,
        ..settings()
    };
    let client = peer(&format!("file:{}", file.display()), &settings);
    let ask = || {
        call(&settings, "echo.Deliver", || {
            let mut client = client.clone();
            async move { client.deliver(says("ok")).await }
        })
    };
    let begun = Instant::now();
    assert_eq!(ask().await.unwrap_err().kind(), Kind::Unavailable);
    assert!(begun.elapsed() < Duration::from_secs(5));

    let [a, b, _] = three().await;
    for replica in [&a, &b] {
        write(&file, &list(&[replica], "\n"));
        until(|| async { ask().await.is_ok() && calls(replica) > 0 }).await;
    }
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let running = start(ServerSettings::default()).await;
    let port = running.address.rsplit(':').next().unwrap().to_owned();
    assert!(
        ask(&format!("http://localhost:{port}"), &settings(), "ok")
            .await
            .is_ok()
    );
    let nobody = ask("http://nobody.invalid:1", &settings(), "ok").await.unwrap_err();
    // A name service may also be slow to say no.
    assert!(
        matches!(nobody.kind(), Kind::Unavailable | Kind::DeadlineExceeded),
        "{nobody}"
    );
}

#[tokio::test]
async fn addresses_are_read_or_told() {
    assert!(matches!(Target::parse("http://offers:50053"), Ok(Target::Name(_))));
    assert!(matches!(Target::parse("http://127.0.0.1:50053"), Ok(Target::Fixed(_))));
    assert!(matches!(Target::parse("http://[::1]:1"), Ok(Target::Fixed(_))));
    assert!(matches!(Target::parse("http://a:1, http://b:1"), Ok(Target::Fixed(two)) if two.len() == 2));
    assert!(matches!(Target::parse("file:replicas"), Ok(Target::File(_))));
    let encrypted = Target::parse("https://offers:1").unwrap();
    assert!(encrypted.is_encrypted() && encrypted.is_private());
    for (address, private) in [
        ("http://offers:1", false),
        ("http://[::1]:1", true),
        ("http://localhost:1", true),
    ] {
        let target = Target::parse(address).unwrap();
        assert_eq!(
            (target.is_encrypted(), target.is_private()),
            (false, private),
            "{address}"
        );
    }
    let known = BTreeMap::from([("offers".to_owned(), "https://offers:1".to_owned())]);
    let untrusting = Peers::new(&known, &settings()).unwrap_err();
    assert!(untrusting.to_string().contains("security.tls.ca_file"), "{untrusting}");
    for wrong in ["", "offers:50053", "http://a:1,", "ftp://a"] {
        assert!(Target::parse(wrong).is_err(), "{wrong:?}");
    }
}

/// Replaces the file in one step, as an operator's tool does.
fn write(file: &Path, text: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, file).unwrap();
}

async fn until<F: Future<Output = bool>>(mut done: impl FnMut() -> F) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < Duration::from_secs(10), "it did not happen in time");
        tokio::task::yield_now().await;
    }
}
