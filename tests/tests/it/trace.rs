//! One trace: a usage fact travels ingestion → scoring → offers → metrics. The binary sends its
//! spans to a real OTLP endpoint in this process, where they are read back.

use std::{
    collections::BTreeMap,
    process::Command,
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
use upswell_tests::binary;

use crate::support::cut_case;

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

// The real binary in a process of its own: a subscriber is a thing of a whole process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_follows_a_usage_fact_through_four_services() {
    let sink = Sink::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(sink.clone()));
    let collector = tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    cut_case("model", &case, 1, |line| line.contains("\"account\":\"acct-01\""));
    let played = tokio::task::spawn_blocking(move || {
        Command::new(binary())
            .args(["demo", "--case"])
            .arg(&case)
            .arg("--data")
            .arg(folder.path().join("data"))
            .env("UPSWELL__TELEMETRY__OTLP_ENDPOINT", endpoint)
            .env("UPSWELL__TELEMETRY__OUTBOX", "parent")
            .output()
            .unwrap()
    });
    let played = played.await.unwrap();
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    collector.abort();

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
}
