//! The server span of a request and the names of the methods which may appear in it.

use std::{collections::HashSet, net::SocketAddr, sync::OnceLock, time::Instant};

use http::{HeaderMap, Response};
use prost::Message as _;
use tonic::{Code, Status, body::Body};
use tracing::{Span, field::Empty, info_span};

use crate::{
    problem::code_name,
    telemetry::{TRACEPARENT, TRACESTATE, TraceContext, meters, names},
};

/// A request on its way: its span, and since when.
pub(super) struct Call {
    pub(super) span: Span,
    service: &'static str,
    method: &'static str,
    begun: Instant,
}

impl Call {
    /// Begins now; its parent is what the caller sent.
    pub(super) fn begin(path: &str, headers: &HeaderMap, service: &'static str, local: SocketAddr) -> Self {
        let original = path.trim_start_matches('/');
        let known = known_methods().get(original).map(String::as_str);
        Self {
            span: server_span(original, known, headers, service, local),
            service,
            method: known.unwrap_or(names::OTHER),
            begun: Instant::now(),
        }
    }

    /// Notes the outcome.
    pub(super) fn end(&self, response: &Response<Body>) {
        let code = code(response);
        self.span.record(names::RPC_STATUS_CODE, code_name(code));
        if is_server_fault(code) {
            self.span.record(names::ERROR_TYPE, code_name(code));
            self.span.record("otel.status_code", "ERROR");
        }
        if let Some(meters) = meters() {
            meters.rpc_served(
                self.service,
                self.method,
                code,
                is_server_fault(code),
                self.begun.elapsed(),
            );
        }
    }
}

fn server_span(
    original: &str,
    known: Option<&'static str>,
    headers: &HeaderMap,
    service: &'static str,
    local: SocketAddr,
) -> Span {
    let span = info_span!(
        "rpc.server",
        otel.name = known.unwrap_or(names::GRPC),
        otel.kind = "server",
        otel.status_code = Empty,
        { names::RPC_SYSTEM_NAME } = names::GRPC,
        { names::RPC_METHOD } = known.unwrap_or(names::OTHER),
        { names::RPC_METHOD_ORIGINAL } = Empty,
        { names::RPC_STATUS_CODE } = Empty,
        { names::ERROR_TYPE } = Empty,
        { names::SERVER_ADDRESS } = %local.ip(),
        { names::SERVER_PORT } = local.port(),
        { names::UPSWELL_SERVICE } = service,
    );
    if known.is_none() {
        span.record(names::RPC_METHOD_ORIGINAL, original);
    }
    let text = |key| {
        let value = headers.get(key).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let parent = TraceContext {
        traceparent: text(TRACEPARENT),
        tracestate: text(TRACESTATE),
    };
    parent.set_parent(&span);
    span
}

/// How a call ended. A unary success has its status in the trailers, so no header means OK.
fn code(response: &Response<Body>) -> Code {
    Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code())
}

/// The codes which the conventions count as errors of a server; the others are the caller's.
fn is_server_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// `package.Service/Method` of every contract.
fn known_methods() -> &'static HashSet<String> {
    static METHODS: OnceLock<HashSet<String>> = OnceLock::new();
    METHODS.get_or_init(|| {
        let set = prost_types::FileDescriptorSet::decode(upswell_proto::DESCRIPTORS);
        let mut methods = HashSet::new();
        for file in set.unwrap_or_default().file {
            for service in &file.service {
                for method in &service.method {
                    let (package, service) = (file.package(), service.name());
                    methods.insert(format!("{package}.{service}/{}", method.name()));
                }
            }
        }
        methods
    })
}
