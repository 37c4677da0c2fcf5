//! One trace: a usage fact travels ingestion → scoring → offers → metrics. The binary sends its
//! spans, metrics and logs to a real OTLP endpoint in this process, where they are read back.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::KeyValue,
    logs::v1::LogRecord,
    metrics::v1::{Metric, metric::Data},
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use upswell_tests::binary;

use crate::{support::cut_case, telemetry};

#[derive(Clone, Default)]
struct Sink {
    spans: Arc<Mutex<Vec<Span>>>,
    metrics: Arc<Mutex<Vec<Metric>>>,
    records: Arc<Mutex<Vec<LogRecord>>>,
}

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let all = request.into_inner().resource_spans.into_iter();
        let all = all
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans);
        self.spans.lock().unwrap().extend(all);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Sink {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let all = request.into_inner().resource_metrics.into_iter();
        let all = all
            .flat_map(|resource| resource.scope_metrics)
            .flat_map(|scope| scope.metrics);
        self.metrics.lock().unwrap().extend(all);
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Sink {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let all = request.into_inner().resource_logs.into_iter();
        let all = all
            .flat_map(|resource| resource.scope_logs)
            .flat_map(|scope| scope.log_records);
        self.records.lock().unwrap().extend(all);
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

impl Sink {
    /// Every metric that came, with the attributes of its points.
    fn attributes_by_metric(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for metric in self.metrics.lock().unwrap().iter() {
            let attributes: Vec<&KeyValue> = match metric.data.as_ref().unwrap() {
                Data::Gauge(gauge) => gauge.data_points.iter().flat_map(|point| &point.attributes).collect(),
                Data::Sum(sum) => sum.data_points.iter().flat_map(|point| &point.attributes).collect(),
                Data::Histogram(all) => all.data_points.iter().flat_map(|point| &point.attributes).collect(),
                other => panic!("nobody makes {other:?}"),
            };
            let entry = named.entry(metric.name.clone()).or_default();
            entry.extend(attributes.into_iter().map(|pair| pair.key.clone()));
        }
        named
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
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(sink.clone()))
        .add_service(MetricsServiceServer::new(sink.clone()))
        .add_service(LogsServiceServer::new(sink.clone()));
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
            .env("UPSWELL__TELEMETRY__LOG_FILTER", "info")
            .output()
            .unwrap()
    });
    let played = played.await.unwrap();
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    collector.abort();

    let spans = sink.spans.lock().unwrap().clone();
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
    let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    for edge in edges {
        assert!(names.contains(edge), "no span `{edge}` among {names:#?}");
    }
    for end in 0..edges.len() - 1 {
        let way: Vec<&str> = edges[end..].to_vec();
        assert!(
            ways.iter().any(|names| passes(names, &way)),
            "no trace goes {way:?}; the ways are {:#?}",
            ways.iter().filter(|names| names[0] == way[0]).collect::<BTreeSet<_>>()
        );
    }
    let known = telemetry::span_attributes();
    let carried = spans
        .iter()
        .flat_map(|span| &span.attributes)
        .map(|pair| pair.key.clone());
    let strange: BTreeSet<String> = carried.filter(|name| !known.contains(name)).collect();
    assert!(
        strange.is_empty(),
        "attributes that the table does not know: {strange:?}"
    );
    let table = telemetry::metrics();
    let measured = sink.attributes_by_metric();
    for (metric, attributes) in &measured {
        let told = table
            .get(metric)
            .unwrap_or_else(|| panic!("{metric} is not in the table"));
        assert!(
            attributes.is_subset(told),
            "{metric} has {attributes:?}, the table says {told:?}"
        );
    }
    // Jobs are turned by hand under a manual clock, and the outbox is looked at every 10 s, which is longer than this demo.
    let absent = [
        "upswell.job.duration",
        "upswell.outbox.backlog",
        "upswell.outbox.undelivered.age",
        "upswell.outbox.parked",
    ];
    for metric in table.keys().filter(|name| !absent.contains(&name.as_str())) {
        assert!(
            measured.contains_key(metric),
            "{metric} was never sent, only {:?}",
            measured.keys()
        );
    }
    let records = sink.records.lock().unwrap();
    assert!(!records.is_empty(), "no log record was sent");
    let personal = ["+7701", "@acct-01.example", "Айгуль"];
    let sent = spans.iter().map(|span| format!("{span:?}"));
    for text in sent.chain(records.iter().map(|record| format!("{record:?}"))) {
        assert!(
            personal.iter().all(|part| !text.contains(part)),
            "something personal leaves the process: {text}"
        );
    }
}
