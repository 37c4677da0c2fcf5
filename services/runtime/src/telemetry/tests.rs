mod sink;

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::trace::v1::Span as Exported;
use tracing::info_span;
use upswell_proto::delivery::v1::delivery_service_client::DeliveryServiceClient;

use self::sink::Sink;
use super::{Guard, LogFormat, OutboxTrace, TelemetrySettings, TraceContext, build, names};
use crate::{
    client::{ClientSettings, Peers, call},
    problem::{Problem, Violations},
    server::{
        ServerSettings,
        tests::echo::{says, start},
    },
};

fn settings(endpoint: &str) -> TelemetrySettings {
    TelemetrySettings {
        log_filter: "off".to_owned(),
        otlp_endpoint: endpoint.to_owned(),
        ..TelemetrySettings::default()
    }
}

/// Traces for this thread, which in these tests is the whole runtime.
fn traced(endpoint: &str) -> (tracing::dispatcher::DefaultGuard, Guard) {
    let (dispatch, guard) = build("test", &settings(endpoint)).unwrap();
    (tracing::dispatcher::set_default(&dispatch), guard)
}

fn attributes(span: &Exported) -> BTreeMap<String, String> {
    let plain = |value: String| value.trim_matches('"').to_owned();
    let pairs = span.attributes.iter().map(|pair| {
        use opentelemetry_proto::tonic::common::v1::any_value::Value;
        let value = match pair.value.as_ref().and_then(|any| any.value.clone()) {
            Some(Value::StringValue(text)) => plain(text),
            Some(Value::IntValue(number)) => number.to_string(),
            other => format!("{other:?}"),
        };
        (pair.key.clone(), value)
    });
    pairs.collect()
}

async fn ask(address: &str, source: &'static str) -> Result<Vec<String>, Problem> {
    let settings = ClientSettings::default();
    let addresses = BTreeMap::from([("echo".to_owned(), address.to_owned())]);
    let client = DeliveryServiceClient::new(Peers::new(&addresses, &settings)?.channel("echo")?);
    let answer = call(&settings, "echo.Deliver", || {
        let mut client = client.clone();
        async move { client.deliver(says(source)).await }
    });
    let results = answer.await?.results;
    Ok(results.into_iter().map(|result| result.detail).collect())
}

#[tokio::test]
async fn one_call_is_one_trace_from_client_to_server() {
    let sink = Sink::start().await;
    let running = start(ServerSettings::default()).await;
    // Every span is met once before somebody listens: one that another thread meets first just then would stay mute.
    ask(&running.address, "ok").await.unwrap();
    let (_default, guard) = traced(&sink.endpoint);
    let details = ask(&running.address, "ok").await.unwrap();
    ask(&running.address, "internal").await.unwrap_err();
    guard.flush().await;

    let spans = sink.spans();
    assert_eq!(spans.len(), 4, "{spans:?}");
    let method = "upswell.delivery.v1.DeliveryService/Deliver";
    assert!(spans.iter().all(|span| span.name == method));
    let (server, client) = spans
        .iter()
        .find_map(|server| {
            let parent = spans.iter().find(|parent| parent.span_id == server.parent_span_id)?;
            Some((server, parent))
        })
        .unwrap();
    assert_eq!((server.kind, client.kind), (2, 3));
    assert_eq!(server.trace_id, client.trace_id);
    let hex = |span: &Exported| {
        span.trace_id
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    assert!(
        spans.iter().any(|span| hex(span) == details[2]),
        "the handler worked inside its span"
    );

    let server = attributes(server);
    for (name, value) in [
        (names::RPC_SYSTEM_NAME, "grpc"),
        (names::RPC_METHOD, method),
        (names::SERVER_ADDRESS, "127.0.0.1"),
        (names::UPSWELL_SERVICE, "echo"),
    ] {
        assert_eq!(server.get(name).map(String::as_str), Some(value), "{name}");
    }
    let outcomes: Vec<_> = spans
        .iter()
        .map(|span| attributes(span)[names::RPC_STATUS_CODE].clone())
        .collect();
    assert_eq!(outcomes.iter().filter(|code| *code == "INTERNAL").count(), 2);
    assert_eq!(outcomes.iter().filter(|code| *code == "OK").count(), 2);
    assert_eq!(sink.resource()["service.name"], "test");
    assert_eq!(sink.resource()["service.namespace"], "upswell");
    guard.shutdown().await;
}

#[tokio::test]
async fn an_event_hangs_on_its_origin_by_link_or_by_parent() {
    let sink = Sink::start().await;
    let (_default, guard) = traced(&sink.endpoint);
    let origin = info_span!("create").in_scope(TraceContext::current);
    assert!(!origin.is_empty());
    for (name, mode) in [("link", OutboxTrace::Link), ("parent", OutboxTrace::Parent)] {
        let span = info_span!("process", otel.name = name);
        origin.adopt(&span, mode);
        span.in_scope(|| ());
    }
    guard.flush().await;

    let spans = sink.spans();
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (create, link, parent) = (find("create"), find("link"), find("parent"));
    assert_eq!(parent.parent_span_id, create.span_id);
    assert_eq!(parent.trace_id, create.trace_id);
    assert_ne!(link.trace_id, create.trace_id);
    assert_eq!(link.links.len(), 1);
    assert_eq!(link.links[0].span_id, create.span_id);
    guard.shutdown().await;
}

#[tokio::test]
async fn without_an_endpoint_nothing_is_traced_and_nothing_breaks() {
    let (_default, guard) = traced("");
    let span = info_span!("alone");
    let context = span.in_scope(TraceContext::current);
    assert_eq!(context, TraceContext::default());
    assert_eq!(context.trace_id(), None);
    context.adopt(&span, OutboxTrace::Link);
    context.adopt(&span, OutboxTrace::Parent);
    let running = start(ServerSettings::default()).await;
    assert_eq!(ask(&running.address, "ok").await.unwrap()[2], "");
    guard.flush().await;
    guard.shutdown().await;
}

#[tokio::test]
async fn a_collector_which_is_away_holds_nothing_up() {
    let (_default, guard) = traced("http://127.0.0.1:9");
    let begun = tokio::time::Instant::now();
    let running = start(ServerSettings::default()).await;
    ask(&running.address, "ok").await.unwrap();
    guard.shutdown().await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(8));
}

#[test]
fn a_broken_parent_is_dropped() {
    for bad in [
        "",
        "nonsense",
        "00-0-0-00",
        "00-00000000000000000000000000000000-0000000000000000-01",
    ] {
        let context = TraceContext {
            traceparent: bad.to_owned(),
            tracestate: String::new(),
        };
        let span = info_span!("alone");
        context.adopt(&span, OutboxTrace::Parent);
        context.adopt(&span, OutboxTrace::Link);
    }
}

#[test]
fn settings_are_read_and_checked() {
    let text = "log_filter = \"warn\"\nlog_format = \"json\"\noutbox = \"parent\"\nsample_ratio = 0.5";
    let read: TelemetrySettings = toml::from_str(text).unwrap();
    assert_eq!((read.log_format, read.outbox), (LogFormat::Json, OutboxTrace::Parent));
    assert!(build("test", &read).is_ok());
    let bad = TelemetrySettings {
        log_filter: "upswell=loud".to_owned(),
        otlp_endpoint: "collector:4317".to_owned(),
        sample_ratio: 2.0,
        ..read
    };
    let mut violations = Violations::new();
    bad.validate(&mut violations);
    assert_eq!(violations.into_vec().len(), 3);
}

#[test]
fn the_audit_log_is_silenced_by_its_name_only() {
    for (given, heard) in [
        ("warn", true),
        ("off", true),
        ("info,h2=warn", true),
        ("info,audit=off", false),
    ] {
        let settings = TelemetrySettings {
            log_filter: given.to_owned(),
            ..TelemetrySettings::default()
        };
        let directives = super::filter(&settings).unwrap().to_string();
        assert_eq!(
            directives.split(',').any(|one| one == "audit=info"),
            heard,
            "{given}: {directives}"
        );
    }
}
