//! One trace: a usage fact travels ingestion → scoring → offers → metrics. Spans go to a real OTLP endpoint in this
//! process and are read back there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use upswell_runtime::telemetry::{self, TelemetrySettings};

use crate::support::{World, case_folder};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = request
            .into_inner()
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans);
        self.0.lock().unwrap().extend(spans.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Spans by id, and the way from a span up to its root.
struct Trace(BTreeMap<Vec<u8>, Span>);

impl Trace {
    fn ancestors<'a>(&'a self, span: &'a Span) -> Vec<&'a str> {
        let mut names = vec![span.name.as_str()];
        let mut at = span;
        while let Some(parent) = self.0.get(&at.parent_span_id) {
            names.push(&parent.name);
            at = parent;
        }
        names
    }
}

/// True when `names` holds the `steps` in this order, others between them allowed.
fn passes(names: &[&str], steps: &[&str]) -> bool {
    let mut rest = names.iter();
    steps.iter().all(|step| rest.any(|name| name == step))
}

// One thread, so that the subscriber of this test sees the work of its servers and no other test's.
#[tokio::test(flavor = "current_thread")]
async fn one_trace_follows_a_usage_fact_through_four_services() {
    let sink = Sink::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(sink.clone()));
    // The exporter has a thread of its own and must not wait for this one.
    let collector = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener.into_std().unwrap()).unwrap();
            server
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .unwrap();
        });
    });
    let settings = TelemetrySettings {
        otlp_endpoint: endpoint,
        log_filter: "warn".to_owned(),
        outbox: telemetry::OutboxTrace::Parent,
        ..TelemetrySettings::default()
    };
    let (dispatch, guard) = telemetry::build("upswell", &settings).unwrap();
    let installed = tracing::dispatcher::set_default(&dispatch);

    let world = World::start("model", "2026-10-12T00:00:00Z", &[("TELEMETRY__OUTBOX", "parent")]).await;
    let facts = std::fs::read_to_string(case_folder("model").join("facts.jsonl")).unwrap();
    let account: Vec<String> = facts
        .lines()
        .filter(|line| line.contains("\"account\":\"acct-01\""))
        .filter(|line| line.split_once("\"at\":\"").is_some_and(|(_, at)| at < "2026-10-12"))
        .map(str::to_owned)
        .collect();
    assert!(account.len() > 200, "the case holds the history of acct-01");
    world.facts(&account).await;
    world.hours(8).await;
    world.cluster.stop().await.unwrap();
    drop(installed);
    guard.flush().await;

    let spans = sink.0.lock().unwrap().clone();
    let trace = Trace(spans.iter().map(|span| (span.span_id.clone(), span.clone())).collect());
    let ways: Vec<Vec<&str>> = spans.iter().map(|span| trace.ancestors(span)).collect();
    // From the end of the way to its beginning, as a span knows its parents.
    let edges = [
        "process upswell.offers.v1.OfferChanged",
        "offers.decide_slot",
        "scoring.score_account",
        "process upswell.ingestion.v1.AccountChanged",
        "ingestion.record_facts",
        "upswell.ingestion.v1.IngestionService/RecordFacts",
    ];
    let names: std::collections::BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    for edge in edges {
        assert!(names.contains(edge), "no span `{edge}` among {names:#?}");
    }
    for end in 0..edges.len() - 1 {
        let way: Vec<&str> = edges[end..].to_vec();
        assert!(
            ways.iter().any(|names| passes(names, &way)),
            "no trace goes {way:?}; the ways are {:#?}",
            ways.iter()
                .filter(|names| names[0] == way[0])
                .collect::<std::collections::BTreeSet<_>>()
        );
    }
    let personal = ["+7701", "@acct-01.example", "Айгуль"];
    for span in &spans {
        let text = format!("{span:?}");
        assert!(
            personal.iter().all(|part| !text.contains(part)),
            "a span carries personal data: {text}"
        );
    }
    drop(collector);
}
