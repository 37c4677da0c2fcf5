//! The server span of a request and the names of the methods which may appear in it.

use std::{collections::HashSet, net::SocketAddr, sync::OnceLock};

use http::{HeaderMap, Response};
use prost::Message as _;
use tonic::{Code, Status, body::Body};
use tracing::{Span, field::Empty, info_span};

use crate::{
    problem::code_name,
    telemetry::{TRACEPARENT, TRACESTATE, TraceContext, names},
};

/// A span whose parent is what the caller sent.
pub(super) fn server_span(path: &str, headers: &HeaderMap, service: &'static str, local: SocketAddr) -> Span {
    let original = path.trim_start_matches('/');
    let known = known_methods().contains(original);
    let method = if known { original } else { names::OTHER };
    let span = info_span!(
        "rpc.server",
        otel.name = if known { original } else { names::GRPC },
        otel.kind = "server",
        otel.status_code = Empty,
        { names::RPC_SYSTEM_NAME } = names::GRPC,
        { names::RPC_METHOD } = method,
        { names::RPC_METHOD_ORIGINAL } = Empty,
        { names::RPC_STATUS_CODE } = Empty,
        { names::ERROR_TYPE } = Empty,
        { names::SERVER_ADDRESS } = %local.ip(),
        { names::SERVER_PORT } = local.port(),
        { names::UPSWELL_SERVICE } = service,
    );
    if !known {
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
pub(super) fn code(response: &Response<Body>) -> Code {
    Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code())
}

/// Notes the outcome.
pub(super) fn record_outcome(span: &Span, response: &Response<Body>) {
    let code = code(response);
    span.record(names::RPC_STATUS_CODE, code_name(code));
    if is_server_fault(code) {
        span.record(names::ERROR_TYPE, code_name(code));
        span.record("otel.status_code", "ERROR");
    }
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
