//! Channels to the peers by name. They connect when first used, share the calls over a peer's replicas and notice a dead
//! one by keepalive.

use std::{
    collections::BTreeMap,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response, header::AUTHORIZATION};
use tonic::{Code, Status, body::Body};
use tower_service::Service;
use tracing::{Instrument as _, Span, field::Empty, info_span};

use super::{
    ClientSettings,
    balance::{Balance, BoxError, Target},
};
use crate::{
    deadline::Deadline,
    problem::{Problem, Violations, code_name},
    security::Security,
    telemetry::{TRACEPARENT, TRACESTATE, TraceContext, meters, names},
};

/// Lazily connected channels by peer name.
#[derive(Clone, Debug, Default)]
pub struct Peers(Arc<BTreeMap<String, Traced>>);

impl Peers {
    /// Channels for `addresses` by name: `http://host:port` or `https://…`, where a host name stands for all addresses it
    /// has, several of them with commas between, or `file:path` with one a line. Every address which cannot be used is told. Needs a
    /// tokio runtime.
    pub fn new(addresses: &BTreeMap<String, String>, settings: &ClientSettings) -> Result<Self, Problem> {
        let mut violations = Violations::new();
        let mut channels = BTreeMap::new();
        for (name, address) in addresses {
            let field = format!("peers.{name}");
            let Some(target) = violations.take(field.as_str(), Target::parse(address)) else {
                continue;
            };
            if target.is_encrypted() && !settings.security.calls_over_tls() {
                violations.add(field, "https needs security.tls.ca_file, to know the service by");
            } else {
                channels.insert(name.clone(), Traced::connect(target, settings));
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
    balance: Balance,
    host: Arc<str>,
    port: u16,
    /// Where a token may be shown.
    private: bool,
    security: Security,
}

impl Traced {
    fn connect(target: Target, settings: &ClientSettings) -> Self {
        let (host, port) = target.shown();
        Self {
            private: target.is_private(),
            security: settings.security.clone(),
            balance: Balance::new(target, settings),
            host: host.into(),
            port,
        }
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
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    /// Always: a call waits for its replica by itself.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let span = self.span(request.uri().path());
        inject(request.headers_mut(), &TraceContext::of(&span));
        let bearer = self.security.bearer().filter(|_| self.private);
        if let Some(bearer) = bearer {
            request.headers_mut().entry(AUTHORIZATION).or_insert(bearer);
        }
        let (balance, host, port) = (self.balance.clone(), Arc::clone(&self.host), self.port);
        let outcome = span.clone();
        let metered = meters().map(|meters| (meters, request.uri().path().to_owned()));
        Box::pin(
            async move {
                let begun = Instant::now();
                let answer = balance.send(request).await;
                let code = record(&outcome, &answer);
                if let Some((meters, path)) = metered {
                    meters.rpc_called(path.trim_start_matches('/'), &host, port, code, begun.elapsed());
                }
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
fn record(span: &Span, answer: &Result<Response<Body>, BoxError>) -> Code {
    let code = match answer {
        Ok(response) => Status::from_header_map(response.headers()).map_or(Code::Ok, |s| s.code()),
        Err(_) => Code::Unavailable,
    };
    span.record(names::RPC_STATUS_CODE, code_name(code));
    if code != Code::Ok {
        span.record(names::ERROR_TYPE, code_name(code));
        span.record("otel.status_code", "ERROR");
    }
    code
}
