//! A small service behind a real server on the loopback interface, which does what `source` says.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};
use upswell_proto::delivery::v1::{
    DeliverRequest, DeliverResponse, EventResult,
    delivery_service_server::{DeliveryService, DeliveryServiceServer},
};

use crate::{
    problem::Problem,
    security::Security,
    server::{Deadline, ServerFault, ServerSettings, actor, bind, health_reporter, set_ready},
    telemetry::TraceContext,
};

#[derive(Clone, Debug, Default)]
pub(crate) struct Echo {
    pub(crate) calls: Arc<AtomicU32>,
}

#[tonic::async_trait]
impl DeliveryService for Echo {
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        match request.get_ref().source.as_str() {
            "slow" => std::future::pending().await,
            "panic" => panic!("on request"),
            "another's" => Err(Problem::permission_denied("NOT_YOURS", "this belongs to somebody else").into()),
            "internal" => Err(Problem::internal("hunter2").into()),
            "away" => Err(Problem::unavailable("AWAY", "away").into()),
            "away once" if call == 0 => Err(Problem::unavailable("AWAY", "away").into()),
            "never again" => {
                let mut status = Status::unavailable("away");
                status
                    .metadata_mut()
                    .insert("grpc-retry-pushback-ms", "-1".parse().unwrap());
                Err(status)
            }
            _ => Ok(Response::new(Self::answer(&request))),
        }
    }
}

impl Echo {
    /// Actor, remaining ms of the deadline, and trace id, as three results.
    fn answer(request: &Request<DeliverRequest>) -> DeliverResponse {
        let deadline = request.extensions().get::<Deadline>().copied();
        assert_eq!(deadline, Deadline::current());
        let remaining = deadline.map_or(0, |deadline| deadline.remaining().as_millis());
        let trace = TraceContext::current();
        let details = [
            actor(request).unwrap_or_default(),
            remaining.to_string(),
            trace.trace_id().unwrap_or_default().to_owned(),
        ];
        DeliverResponse {
            results: details
                .map(|detail| EventResult {
                    detail,
                    ..EventResult::default()
                })
                .to_vec(),
        }
    }
}

pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) calls: Arc<AtomicU32>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) serving: JoinHandle<Result<(), ServerFault>>,
}

pub(crate) async fn start(settings: ServerSettings) -> Running {
    start_secured(settings, Security::default()).await
}

pub(crate) async fn start_secured(settings: ServerSettings, security: Security) -> Running {
    let server = bind(&settings).await.unwrap().named("echo");
    let server = server.secured(security).unwrap();
    let address = server.address();
    let echo = Echo::default();
    let calls = Arc::clone(&echo.calls);
    let shutdown = CancellationToken::new();
    let health = health_reporter().await;
    set_ready(&health, true).await;
    let routes = Routes::new(DeliveryServiceServer::new(echo));
    let serving = tokio::spawn(server.serve(routes, health, shutdown.clone()));
    Running {
        address,
        calls,
        shutdown,
        serving,
    }
}

pub(crate) fn says(source: &str) -> DeliverRequest {
    DeliverRequest {
        source: source.to_owned(),
        ..DeliverRequest::default()
    }
}
