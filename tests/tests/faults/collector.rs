//! F51: the collector of traces is slow, deaf, cut or away. No call waits for it.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    fleet::{Fleet, Plan, is_quiet},
    load::{Load, duration, settings},
    oracles,
    proxy::Proxy,
};

/// Takes spans and forgets them.
struct Sink;

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f51_a_collector_that_is_ill_costs_no_call_anything() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = Proxy::start(listener.local_addr().unwrap()).await;
    let incoming = TcpListenerStream::new(listener);
    let serving = Server::builder().add_service(TraceServiceServer::new(Sink));
    let serving = tokio::spawn(serving.serve_with_incoming(incoming));
    let endpoint = format!("http://{}", collector.address);
    let plan = Plan::of(1).with("TELEMETRY__OTLP_ENDPOINT", &endpoint);
    let Some(fleet) = Fleet::start(plan) else { return };
    let load = Load::start(&fleet.peers(&settings())).await;
    load.answers(60).await;
    load.tally.latency();
    let lasting = duration() / 2;
    load.runs(lasting).await;
    let well = load.tally.latency();
    type Fault = (&'static str, fn(&Proxy));
    let faults: [Fault; 4] = [
        ("slow", |proxy| proxy.delay(Duration::from_secs(5))),
        ("deaf", |proxy| proxy.black_hole(true)),
        ("reset", Proxy::reset),
        ("away", |proxy| proxy.refuse(true)),
    ];
    let mut ill = Vec::new();
    for (word, fault) in faults {
        fault(&collector);
        load.runs(lasting).await;
        ill.push((word, load.tally.latency()));
        collector.heal();
    }
    eprintln!("F51: median and 99th percentile of a call in ms: {well:?} with a collector that is well, {ill:?}");
    let worst = ill.iter().map(|(_, (median, _))| *median).max().unwrap_or_default();
    assert!(!is_quiet() || worst <= 2 * well.0 + 5, "calls wait for the collector");
    let tally = load.end().await;
    assert_eq!(tally.failed(), Vec::<String>::new());
    serving.abort();
    oracles::check(&fleet, &tally).await;
}
