//! Channels to the peers by name. They connect when first used and notice a dead peer by keepalive.

use std::{
    collections::BTreeMap,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::{
    Code, Status,
    body::Body,
    transport::{self, Channel, Endpoint},
};
use tower_service::Service;
use tracing::{Instrument as _, Span, field::Empty, info_span};

use super::ClientSettings;
use crate::{
    deadline::Deadline,
    problem::{Problem, Violations, code_name},
    telemetry::{TRACEPARENT, TRACESTATE, TraceContext, names},
};

/// Lazily connected channels by peer name.
#[derive(Clone, Debug, Default)]
pub struct Peers(Arc<BTreeMap<String, Traced>>);

impl Peers {
    /// Channels for `addresses`, name → `http://host:port`; every address which cannot be used is
    /// told. Needs a tokio runtime.
    pub fn new(addresses: &BTreeMap<String, String>, settings: &ClientSettings) -> Result<Self, Problem> {
        let mut violations = Violations::new();
        let mut channels = BTreeMap::new();
        for (name, address) in addresses {
            let endpoint = Endpoint::from_shared(address.clone());
            if let Some(endpoint) = violations.take(format!("peers.{name}"), endpoint) {
                channels.insert(name.clone(), Traced::connect(endpoint, settings));
            }
        }
        violations.into_result()?;
        Ok(Self(Arc::new(channels)))
    }

    /// The channel to `name`, for `XClient::new(peers.channel("offers")?)`.
    pub fn channel(&self, name: &str) -> Result<Traced, Problem> {
        let found = self.0.get(name).cloned();
        found.ok_or_else(|| Problem::internal(format_args!("no address for peer {name}")))
    }

    /// The names which have an address.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A channel which opens a client span for each call and sends its trace context and deadline along.
#[derive(Clone, Debug)]
pub struct Traced {
    channel: Channel,
    host: Arc<str>,
    port: u16,
}

impl Traced {
    fn connect(endpoint: Endpoint, settings: &ClientSettings) -> Self {
        let host = endpoint.uri().host().unwrap_or_default().into();
        let port = endpoint.uri().port_u16().unwrap_or(80);
        let channel = endpoint
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .keep_alive_while_idle(true)
            .tcp_nodelay(true)
            .connect_lazy();
        Self { channel, host, port }
    }

    fn span(&self, path: &str) -> Span {
        let method = path.trim_start_matches('/');
        info_span!(
            "rpc.client",
            otel.name = method,
            otel.kind = "client",
            otel.status_code = Empty,
            { names::RPC_SYSTEM_NAME } = names::GRPC,
            { names::RPC_METHOD } = method,
            { names::RPC_STATUS_CODE } = Empty,
            { names::ERROR_TYPE } = Empty,
            { names::SERVER_ADDRESS } = &*self.host,
            { names::SERVER_PORT } = self.port,
        )
    }
}

impl Service<Request<Body>> for Traced {
    type Response = Response<Body>;
    type Error = transport::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, transport::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), transport::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let span = self.span(request.uri().path());
        inject(request.headers_mut(), &TraceContext::of(&span));
        let answer = span.in_scope(|| self.channel.call(request));
        let outcome = span.clone();
        Box::pin(
            async move {
                let answer = answer.await;
                record(&outcome, &answer);
                answer
            }
            .instrument(span),
        )
    }
}

fn inject(headers: &mut HeaderMap, trace: &TraceContext) {
    let deadline = Deadline::current().filter(|_| !headers.contains_key("grpc-timeout"));
    let timeout = deadline.map(|deadline| grpc_timeout(deadline.remaining()));
    for (key, value) in [
        (TRACEPARENT, trace.traceparent.as_str()),
        (TRACESTATE, trace.tracestate.as_str()),
        ("grpc-timeout", timeout.as_deref().unwrap_or_default()),
    ] {
        if let Ok(value) = HeaderValue::from_str(value)
            && !value.is_empty()
        {
            headers.insert(key, value);
        }
    }
}

/// Milliseconds, or seconds beyond the eight digits of the header (a day).
fn grpc_timeout(remaining: Duration) -> String {
    match remaining.as_millis() {
        millis if millis < 100_000_000 => format!("{millis}m"),
        millis => format!("{}S", (millis / 1000).min(99_999_999)),
    }
}

/// A unary success has its status in the trailers, so no header means OK.
fn record(span: &Span, answer: &Result<Response<Body>, transport::Error>) {
    let code = match answer {
        Ok(response) => Status::from_header_map(response.headers()).map_or(Code::Ok, |s| s.code()),
        Err(_) => Code::Unavailable,
    };
    span.record(names::RPC_STATUS_CODE, code_name(code));
    if code != Code::Ok {
        span.record(names::ERROR_TYPE, code_name(code));
        span.record("otel.status_code", "ERROR");
    }
}
