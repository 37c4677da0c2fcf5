//! One gRPC listener: limits, layers, health, reflection, and a drain which ends.
//!
//! Layers from outside in: trace → panic → deadline → shed → actor → handler.

mod actor;
mod health;
mod limits;
mod pipeline;
mod rpc_span;
#[cfg(test)]
pub(crate) mod tests;

use std::{io, net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::{
        Server,
        server::{Router, TcpIncoming},
    },
};
use tonic_health::{
    pb::health_server::HealthServer,
    server::{HealthReporter, HealthService},
};
use tower_layer::{Identity, Stack};

pub use self::{
    actor::{ACTOR_METADATA, Actor, actor},
    health::{LIVENESS, READINESS, health_reporter, set_ready},
};
use self::{limits::Limits, pipeline::PipelineLayer};
pub use crate::deadline::Deadline;
use crate::problem::Violations;

/// Section `[<service>.server]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSettings {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// Requests in work at once, over all connections; more are refused at once.
    pub max_concurrent_requests: usize,
    /// Deadline in ms of a request which brings none.
    pub default_deadline_ms: u64,
    /// The longest deadline in ms a caller may ask for.
    pub max_deadline_ms: u64,
    /// Largest request in bytes; give it to `max_decoding_message_size` of each service.
    pub max_decode_bytes: usize,
    /// Largest response in bytes; give it to `max_encoding_message_size` of each service.
    pub max_encode_bytes: usize,
    /// How long in ms open requests may take after the signal to stop.
    pub drain_ms: u64,
    /// Serve the descriptors of all contracts.
    pub reflection: bool,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            max_concurrent_requests: 256,
            default_deadline_ms: 5_000,
            max_deadline_ms: 15_000,
            max_decode_bytes: 1 << 20,
            max_encode_bytes: 4 << 20,
            drain_ms: 20_000,
            reflection: false,
        }
    }
}

impl ServerSettings {
    /// Notes every value which cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        violations.take("listen", self.listen.parse::<SocketAddr>());
        for (field, value) in [
            ("max_concurrent_requests", self.max_concurrent_requests as u64),
            ("default_deadline_ms", self.default_deadline_ms),
            ("max_decode_bytes", self.max_decode_bytes as u64),
            ("max_encode_bytes", self.max_encode_bytes as u64),
        ] {
            if value == 0 {
                violations.add(field, "must be positive");
            }
        }
        if self.max_deadline_ms < self.default_deadline_ms {
            violations.add("max_deadline_ms", "must be at least default_deadline_ms");
        }
    }
}

/// Why a server could not start or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// `listen` is not an address or is taken.
    #[error("cannot listen on {listen}: {source}")]
    Bind { listen: String, source: io::Error },
    /// The transport broke.
    #[error("server broke: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors do not decode.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// A listening socket which serves nothing yet: the address is known before anything is built.
#[derive(Debug)]
pub struct BoundServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    settings: ServerSettings,
    name: &'static str,
}

/// Opens the socket of `settings.listen`.
pub async fn bind(settings: &ServerSettings) -> Result<BoundServer, ServerFault> {
    let fault = |source| ServerFault::Bind {
        listen: settings.listen.clone(),
        source,
    };
    let listener = TcpListener::bind(&settings.listen).await.map_err(fault)?;
    Ok(BoundServer {
        local_addr: listener.local_addr().map_err(fault)?,
        listener,
        settings: settings.clone(),
        name: "upswell",
    })
}

impl BoundServer {
    /// Names the service in its spans, since several may live in one process.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The address clients reach.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves `routes`, health and (if set) reflection until `shutdown`; then answers NOT_SERVING,
    /// lets open requests end for `drain_ms` and drops what is left: an idle connection would hold
    /// tonic's own drain for ever.
    pub async fn serve(
        self,
        routes: Routes,
        health: HealthReporter,
        shutdown: CancellationToken,
    ) -> Result<(), ServerFault> {
        let drain = Duration::from_millis(self.settings.drain_ms);
        let router = self.router(routes, &health)?;
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        tracing::info!(upswell.service = self.name, server.address = %self.local_addr, "listening");

        let stopped = shutdown.clone();
        let signal = async move { stopped.cancelled().await };
        let serving = router.serve_with_incoming_shutdown(incoming, signal);
        let over = async {
            shutdown.cancelled().await;
            set_ready(&health, false).await;
            tokio::time::sleep(drain).await;
        };
        tokio::select! {
            served = serving => served?,
            () = over => tracing::info!(
                upswell.service = self.name,
                server.drain_ms = self.settings.drain_ms,
                "connections were still open after the drain",
            ),
        }
        Ok(())
    }

    fn router(
        &self,
        routes: Routes,
        health: &HealthReporter,
    ) -> Result<Router<Stack<PipelineLayer, Identity>>, ServerFault> {
        let health = HealthServer::new(HealthService::from_health_reporter(health.clone()));
        let mut routes = routes.add_service(health);
        if self.settings.reflection {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(upswell_proto::DESCRIPTORS)
                .build_v1()?;
            routes = routes.add_service(reflection);
        }
        let limits = Limits::new(&self.settings);
        Ok(Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)))
            .http2_max_pending_accept_reset_streams(Some(20))
            // tonic hands hyper `None`, which means unlimited, unless it is told.
            .max_concurrent_streams(128)
            .http2_max_header_list_size(16 * 1024)
            .layer(PipelineLayer::new(limits, self.name, self.local_addr))
            .add_routes(routes))
    }
}
