//! One gRPC listener: limits, layers, health, reflection, and a drain which ends.
//!
//! Layers from outside in: trace → panic → deadline → shed → who calls and may they → handler.

mod actor;
mod health;
mod limits;
mod pipeline;
mod rpc_span;
#[cfg(test)]
pub(crate) mod tests;

use std::{io, net::SocketAddr, time::Duration};

use futures::FutureExt as _;
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
use crate::{
    problem::{Problem, Violations},
    security::{self, Security},
};

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
        if self.drain_ms < self.max_deadline_ms {
            // A request that was taken in would lose its store.
            violations.add("drain_ms", "must be at least max_deadline_ms");
        }
    }
}

/// Why a server could not start or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// `listen` is not an address or is taken.
    #[error("cannot listen on {listen}: {source}")]
    Bind { listen: String, source: io::Error },
    /// Strangers could call.
    #[error("{}", .0.message())]
    Unprotected(Problem),
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
    security: Security,
    /// Answers health only, in the clear.
    health: Option<TcpListener>,
}

/// Opens the socket of `settings.listen`.
pub async fn bind(settings: &ServerSettings) -> Result<BoundServer, ServerFault> {
    let (listener, local_addr) = listen(&settings.listen).await?;
    Ok(BoundServer {
        local_addr,
        listener,
        settings: settings.clone(),
        name: "upswell",
        security: Security::default(),
        health: None,
    })
}

async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), ServerFault> {
    let fault = |source| ServerFault::Bind {
        listen: address.to_owned(),
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(fault)?;
    let local = listener.local_addr().map_err(fault)?;
    Ok((listener, local))
}

impl BoundServer {
    /// Names the service in its spans, since several may live in one process.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Takes callers as `security` says. Errors: the address can be reached by strangers.
    pub fn secured(self, security: Security) -> Result<Self, ServerFault> {
        security
            .check_listener(self.local_addr)
            .map_err(ServerFault::Unprotected)?;
        Ok(Self { security, ..self })
    }

    /// Answers health also on a second address, in the clear: a kubelet asks without a certificate.
    pub async fn with_health(self, address: &str) -> Result<Self, ServerFault> {
        let health = Some(listen(address).await?.0);
        Ok(Self { health, ..self })
    }

    /// The address clients reach.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// How clients on this machine reach it, with the scheme that it takes.
    pub fn address(&self) -> String {
        let encrypted = self.security.server_config().is_some();
        let scheme = if encrypted { "https" } else { "http" };
        format!("{scheme}://{}", self.local_addr)
    }

    /// Serves `routes`, health and (if set) reflection until `shutdown`; then answers NOT_SERVING,
    /// lets open requests end for `drain_ms` and waits for nothing after that: an idle connection
    /// would hold tonic's own drain for ever.
    pub async fn serve(
        self,
        routes: Routes,
        health: HealthReporter,
        shutdown: CancellationToken,
    ) -> Result<(), ServerFault> {
        let drain = Duration::from_millis(self.settings.drain_ms);
        // Whoever forgot to say how callers are known has said that there are none from elsewhere.
        let reachable = self.security.check_listener(self.local_addr);
        reachable.map_err(ServerFault::Unprotected)?;
        let router = self.router(routes, &health)?;
        let probes = self
            .health
            .map(|listener| tokio::spawn(probes(listener, health.clone())));
        tracing::info!(upswell.service = self.name, server.address = %self.local_addr, "listening");

        let stopped = shutdown.clone();
        let signal = async move { stopped.cancelled().await };
        let serving = if self.security.server_config().is_some() {
            let incoming = security::connections(self.listener, self.security);
            router.serve_with_incoming_shutdown(incoming, signal).boxed()
        } else {
            let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
            router.serve_with_incoming_shutdown(incoming, signal).boxed()
        };
        let over = async {
            shutdown.cancelled().await;
            set_ready(&health, false).await;
            tokio::time::sleep(drain).await;
        };
        let served = tokio::select! {
            served = serving => served,
            () = over => {
                tracing::info!(
                    upswell.service = self.name,
                    server.drain_ms = self.settings.drain_ms,
                    "connections were still open after the drain",
                );
                Ok(())
            }
        };
        if let Some(probes) = probes {
            probes.abort();
        }
        Ok(served?)
    }

    fn router(
        &self,
        routes: Routes,
        health: &HealthReporter,
    ) -> Result<Router<Stack<PipelineLayer, Identity>>, ServerFault> {
        let health = HealthServer::new(HealthService::from_health_reporter(health.clone()));
        let mut routes = routes.add_service(health);
        let security = self.security.settings();
        if self.settings.reflection && (!security.asks() || security.reflection) {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(upswell_proto::DESCRIPTORS)
                .build_v1()?;
            routes = routes.add_service(reflection);
        }
        let limits = Limits::new(&self.settings);
        let mut server = Server::builder();
        if self.security.server_config().is_some() {
            server = server.max_connection_age(age(security.tls.connection_age_s));
        }
        Ok(server
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)))
            .http2_max_pending_accept_reset_streams(Some(20))
            // tonic hands hyper `None`, which means unlimited, unless it is told.
            .max_concurrent_streams(128)
            .http2_max_header_list_size(16 * 1024)
            .layer(PipelineLayer::new(
                limits,
                self.security.clone(),
                self.name,
                self.local_addr,
            ))
            .add_routes(routes))
    }
}

/// Health in the clear, until it is aborted.
async fn probes(listener: TcpListener, health: HealthReporter) {
    let health = HealthServer::new(HealthService::from_health_reporter(health));
    let served = Server::builder()
        .max_concurrent_streams(8)
        .add_service(health)
        .serve_with_incoming(TcpIncoming::from(listener))
        .await;
    if let Err(error) = served {
        tracing::warn!(%error, "the listener for health broke");
    }
}

/// `seconds`, up to a tenth more or less, so that connections which began together do not end together.
fn age(seconds: u64) -> Duration {
    Duration::from_secs(seconds).mul_f64(rand::random_range(0.9..=1.1))
}
