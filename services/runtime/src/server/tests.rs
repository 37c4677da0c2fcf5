pub(crate) mod echo;

use std::time::Duration;

use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    time::{Instant, timeout},
};
use tonic::{Code, Request, Status, body::Body, service::Routes, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;
use tower_layer::Layer as _;
use upswell_proto::delivery::v1::{
    delivery_service_client::DeliveryServiceClient, delivery_service_server::DeliveryServiceServer,
};

use self::echo::{Running, says, start};
use super::{ACTOR_METADATA, ServerSettings};
use crate::{problem::Violations, security::Security};

const PATIENCE: Duration = Duration::from_secs(10);

async fn connect(running: &Running) -> DeliveryServiceClient<Channel> {
    DeliveryServiceClient::connect(running.address.clone()).await.unwrap()
}

async fn is_serving(running: &Running, service: &str) -> bool {
    let channel = Channel::from_shared(running.address.clone()).unwrap().connect_lazy();
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(channel).check(request).await;
    answer.is_ok_and(|answer| answer.into_inner().status == 1)
}

#[tokio::test]
async fn the_default_deadline_answers_deadline_exceeded() {
    let running = start(ServerSettings {
        default_deadline_ms: 50,
        ..ServerSettings::default()
    })
    .await;
    let status = connect(&running).await.deliver(says("slow")).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(status.get_details_error_info().unwrap().reason, "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_callers_deadline_reaches_the_handler_capped() {
    let running = start(ServerSettings::default()).await;
    let mut client = connect(&running).await;
    for (asked, least, most) in [(2, 1, 2_000), (3_600, 5_001, 15_000)] {
        let mut request = Request::new(says("ok"));
        request.set_timeout(Duration::from_secs(asked));
        let answer = client.deliver(request).await.unwrap().into_inner();
        let remaining: u64 = answer.results[1].detail.parse().unwrap();
        assert!((least..=most).contains(&remaining), "{asked} s gave {remaining} ms");
    }
}

#[tokio::test]
async fn more_requests_than_places_are_refused_at_once_but_health_answers() {
    let running = start(ServerSettings {
        max_concurrent_requests: 1,
        ..ServerSettings::default()
    })
    .await;
    let mut client = connect(&running).await;
    let mut other = connect(&running).await;
    let slow = tokio::spawn(async move { client.deliver(says("slow")).await });
    while running.calls.load(std::sync::atomic::Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let status = other.deliver(says("ok")).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "200");
    let delay = status.get_details_retry_info().unwrap().retry_delay;
    assert_eq!(delay, Some(Duration::from_millis(200)));
    assert!(is_serving(&running, "").await);
    slow.abort();
}

#[tokio::test]
async fn a_panic_and_an_internal_fault_tell_nothing() {
    let running = start(ServerSettings::default()).await;
    let mut client = connect(&running).await;
    for fault in ["panic", "internal"] {
        let status = client.deliver(says(fault)).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
        assert!(!format!("{status:?}").contains("hunter2"));
    }
    assert!(client.deliver(says("ok")).await.is_ok());
}

#[tokio::test]
async fn the_actor_of_a_loopback_peer_is_believed() {
    let running = start(ServerSettings::default()).await;
    let mut request = Request::new(says("ok"));
    let name = "Anna@Example.com".parse().unwrap();
    request.metadata_mut().insert(ACTOR_METADATA, name);
    let answer = connect(&running).await.deliver(request).await.unwrap().into_inner();
    assert_eq!(answer.results[0].detail, "anna@example.com");
}

#[tokio::test]
async fn the_drain_ends_although_a_connection_is_idle() {
    let running = start(ServerSettings {
        drain_ms: 100,
        ..ServerSettings::default()
    })
    .await;
    let address = running.address.trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(address).await.unwrap();
    // The first frame shows that the server has taken the connection.
    idle.read_u8().await.unwrap();
    let begun = Instant::now();
    running.shutdown.cancel();
    timeout(PATIENCE, running.serving).await.unwrap().unwrap().unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn streams_and_headers_are_limited_on_the_wire() {
    let running = start(ServerSettings::default()).await;
    let address = running.address.trim_start_matches("http://").to_owned();
    let mut raw = TcpStream::connect(address).await.unwrap();
    let mut head = [0; 9];
    raw.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "the first frame of HTTP/2 is SETTINGS");
    let mut settings = vec![0; usize::from(head[2])];
    raw.read_exact(&mut settings).await.unwrap();
    let value = |id: u8| {
        let entry = settings.chunks(6).find(|entry| entry[1] == id).unwrap();
        u32::from_be_bytes(entry[2..].try_into().unwrap())
    };
    assert_eq!(value(3), 128, "MAX_CONCURRENT_STREAMS");
    assert_eq!(value(6), 16 * 1024, "MAX_HEADER_LIST_SIZE");
}

/// Without the wire: tonic's client ends such a call by its own timer.
#[tokio::test]
async fn an_expired_grpc_timeout_answers_deadline_exceeded() {
    let limits = super::Limits::new(&ServerSettings::default());
    let local = "127.0.0.1:1".parse().unwrap();
    let layer = super::PipelineLayer::new(limits, Security::default(), "echo", local);
    let routes = Routes::new(DeliveryServiceServer::new(echo::Echo::default()));
    let mut body = vec![0, 0, 0, 0, 6, 10, 4];
    body.extend_from_slice(b"slow");
    let request = http::Request::post("/upswell.delivery.v1.DeliveryService/Deliver")
        .header("content-type", "application/grpc")
        .header("grpc-timeout", "50m")
        .body(Body::new(http_body_util::Full::from(body)))
        .unwrap();
    let response = layer.layer(routes).oneshot(request).await.unwrap();
    let status = Status::from_header_map(response.headers()).unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_request_in_work_ends_before_the_drain_does() {
    let running = start(ServerSettings {
        default_deadline_ms: 200,
        ..ServerSettings::default()
    })
    .await;
    let mut client = connect(&running).await;
    let calls = running.calls.clone();
    let slow = tokio::spawn(async move { client.deliver(says("slow")).await });
    while calls.load(std::sync::atomic::Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    running.shutdown.cancel();
    let status = slow.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    timeout(PATIENCE, running.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn health_tells_alive_from_ready() {
    let running = start(ServerSettings::default()).await;
    for service in ["", super::LIVENESS, super::READINESS] {
        assert!(is_serving(&running, service).await, "{service:?}");
    }
    assert!(!is_serving(&running, "unknown").await);
}

#[test]
fn settings_which_cannot_work_are_told() {
    let mut violations = Violations::new();
    ServerSettings::default().validate(&mut violations);
    assert!(violations.is_empty());
    let settings = ServerSettings {
        listen: "here".to_owned(),
        max_concurrent_requests: 0,
        max_deadline_ms: 1,
        ..ServerSettings::default()
    };
    settings.validate(&mut violations);
    assert_eq!(violations.into_vec().len(), 3);
}
