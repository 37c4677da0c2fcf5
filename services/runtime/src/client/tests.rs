mod replicas;

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use tokio::{net::TcpListener, time::Instant};
use tonic::{Response, Status};
use upswell_proto::delivery::v1::{DeliverResponse, delivery_service_client::DeliveryServiceClient};

use super::{ClientSettings, Peers, Traced, call};
use crate::{
    deadline::Deadline,
    problem::{Kind, Problem},
    server::{
        ServerSettings,
        tests::echo::{Running, says, start},
    },
};

fn settings() -> ClientSettings {
    ClientSettings {
        backoff_ms: 1,
        ..ClientSettings::default()
    }
}

fn peer(address: &str, settings: &ClientSettings) -> DeliveryServiceClient<Traced> {
    let addresses = BTreeMap::from([("echo".to_owned(), address.to_owned())]);
    let peers = Peers::new(&addresses, settings).unwrap();
    DeliveryServiceClient::new(peers.channel("echo").unwrap())
}

async fn ask(address: &str, settings: &ClientSettings, source: &str) -> Result<DeliverResponse, Problem> {
    let client = peer(address, settings);
    call(settings, "echo.Deliver", || {
        let mut client = client.clone();
        async move { client.deliver(says(source)).await }
    })
    .await
}

fn calls(running: &Running) -> u32 {
    running.calls.load(Ordering::SeqCst)
}

#[tokio::test]
async fn only_unavailable_is_repeated_and_not_for_ever() {
    for (source, kind, attempts) in [
        ("away", Kind::Unavailable, 3),
        ("internal", Kind::Internal, 1),
        ("never again", Kind::Unavailable, 1),
    ] {
        let running = start(ServerSettings::default()).await;
        let problem = ask(&running.address, &settings(), source).await.unwrap_err();
        assert_eq!((problem.kind(), calls(&running)), (kind, attempts), "{source}");
    }
}

#[tokio::test]
async fn a_second_attempt_succeeds() {
    let running = start(ServerSettings::default()).await;
    ask(&running.address, &settings(), "away once").await.unwrap();
    assert_eq!(calls(&running), 2);
}

#[tokio::test]
async fn an_empty_budget_stops_repeating() {
    let running = start(ServerSettings::default()).await;
    let settings = settings();
    for _ in 0..60 {
        ask(&running.address, &settings, "away").await.unwrap_err();
    }
    let before = calls(&running);
    ask(&running.address, &settings, "away").await.unwrap_err();
    assert_eq!(calls(&running) - before, 1);
}

/// F47: a peer that answers nobody is asked little more often than its callers call.
#[tokio::test]
async fn f47_retries_of_a_sick_peer_stay_below_a_fifth() {
    let running = start(ServerSettings::default()).await;
    let settings = settings();
    for _ in 0..300 {
        ask(&running.address, &settings, "away").await.unwrap_err();
    }
    assert!(calls(&running) <= 360, "{} attempts of 300 calls", calls(&running));
}

#[tokio::test]
async fn the_deadline_of_the_settings_travels_and_ends_the_call() {
    let running = start(ServerSettings::default()).await;
    let answer = ask(&running.address, &settings(), "ok").await.unwrap();
    let remaining: u64 = answer.results[1].detail.parse().unwrap();
    assert!(remaining <= 3_000, "{remaining}");
    let settings = ClientSettings {
        deadline_ms: 200,
        ..settings()
    };
    let problem = ask(&running.address, &settings, "slow").await.unwrap_err();
    assert_eq!(problem.kind(), Kind::DeadlineExceeded);
}

#[tokio::test]
async fn a_call_gets_less_than_its_request_has_left() {
    let running = start(ServerSettings::default()).await;
    let bound = Deadline::after(Duration::from_millis(2_000));
    let settings = settings();
    let answer = bound
        .bound(ask(&running.address, &settings, "ok"))
        .await
        .unwrap()
        .unwrap();
    let remaining: u64 = answer.results[1].detail.parse().unwrap();
    assert!(remaining <= 1_980, "{remaining}");

    let before = calls(&running);
    let late = Deadline::after(Duration::from_millis(25));
    let problem = late
        .bound(ask(&running.address, &settings, "ok"))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!((problem.kind(), calls(&running)), (Kind::DeadlineExceeded, before));
}

#[tokio::test]
async fn a_peer_which_takes_the_connection_and_says_nothing_costs_only_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let settings = ClientSettings {
        deadline_ms: 200,
        ..settings()
    };
    let begun = Instant::now();
    let problem = ask(&address, &settings, "ok").await.unwrap_err();
    assert_eq!(problem.kind(), Kind::DeadlineExceeded);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_peer_which_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let problem = ask(&address, &settings(), "ok").await.unwrap_err();
    assert_eq!(
        (problem.kind(), problem.reason()),
        (Kind::Unavailable, "PEER_UNAVAILABLE")
    );
    assert!(problem.message().contains("echo.Deliver"));
}

#[tokio::test]
async fn tonics_own_timeout_means_deadline_exceeded() {
    let answer = call(&settings(), "echo.Deliver", || async {
        Err::<Response<()>, _>(Status::cancelled("Timeout expired"))
    })
    .await;
    assert_eq!(answer.unwrap_err().kind(), Kind::DeadlineExceeded);
}

#[tokio::test]
async fn bad_and_unknown_peers_are_told() {
    let address = |text: &str| BTreeMap::from([("offers".to_owned(), text.to_owned())]);
    let fault = Peers::new(&address("not a uri"), &settings()).unwrap_err();
    assert_eq!(fault.violations()[0].field, "peers.offers");
    let peers = Peers::new(&address("http://127.0.0.1:1"), &settings()).unwrap();
    assert_eq!(peers.names().collect::<Vec<_>>(), ["offers"]);
    assert_eq!(peers.channel("scoring").unwrap_err().kind(), Kind::Internal);
}
