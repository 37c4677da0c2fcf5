//! Problem ⇄ `tonic::Status` with the standard details of google.rpc.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use super::{ERROR_DOMAIN, Kind, Problem, Violation};
use crate::telemetry::TraceContext;

const KINDS: [(Kind, Code); 11] = [
    (Kind::InvalidArgument, Code::InvalidArgument),
    (Kind::NotFound, Code::NotFound),
    (Kind::AlreadyExists, Code::AlreadyExists),
    (Kind::FailedPrecondition, Code::FailedPrecondition),
    (Kind::Aborted, Code::Aborted),
    (Kind::ResourceExhausted, Code::ResourceExhausted),
    (Kind::Unavailable, Code::Unavailable),
    (Kind::DeadlineExceeded, Code::DeadlineExceeded),
    (Kind::PermissionDenied, Code::PermissionDenied),
    (Kind::Unauthenticated, Code::Unauthenticated),
    (Kind::Internal, Code::Internal),
];

impl Kind {
    /// The gRPC code.
    pub fn code(self) -> Code {
        let found = KINDS.iter().find(|(kind, _)| *kind == self);
        found.map_or(Code::Internal, |(_, code)| *code)
    }
}

/// The edge of the process: a fault of ours is logged here, once, and only its trace id is told.
impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        let mut body = *problem.0;
        if body.kind == Kind::Internal {
            let context = TraceContext::current();
            let trace_id = context.trace_id().unwrap_or_default();
            tracing::error!(
                error.reason = %body.reason,
                error.source = body.source.as_deref().unwrap_or_default(),
                trace.id = trace_id,
                "a request failed inside",
            );
            if !trace_id.is_empty() {
                body.metadata.insert("trace_id".to_owned(), trace_id.to_owned());
            }
        }
        let metadata: HashMap<String, String> = body.metadata.into_iter().collect();
        let mut details = ErrorDetails::with_error_info(body.reason, ERROR_DOMAIN, metadata);
        if !body.violations.is_empty() {
            let fields = body.violations.into_iter();
            let fields = fields.map(|v| FieldViolation::new(v.field, v.description));
            details.set_bad_request(fields.collect::<Vec<_>>());
        }
        if let Some(delay) = body.retry_after {
            details.set_retry_info(Some(delay));
        }
        Self::with_error_details(body.kind.code(), body.message, details)
    }
}

/// What a peer answered, with its reason, violations and delay kept.
impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        let code = status.code();
        let found = KINDS.iter().find(|(_, known)| *known == code);
        let Some((kind, _)) = found else {
            return Self::internal(format_args!("peer answered {code:?}: {}", status.message()));
        };
        let details = status.get_error_details();
        let info = details.error_info();
        let reason = info.map_or_else(|| code_name(code).to_owned(), |info| info.reason.clone());
        let mut problem = Self::new(*kind, reason, status.message());
        if let Some(info) = info {
            problem.0.metadata = info.metadata.clone().into_iter().collect();
        }
        if let Some(bad) = details.bad_request() {
            let fields = bad.field_violations.iter().map(|v| Violation {
                field: v.field.clone(),
                description: v.description.clone(),
            });
            problem.0.violations = fields.collect();
        }
        problem.0.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        problem
    }
}

/// The upper-case name of a code, as gRPC and the RPC conventions of OpenTelemetry spell it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
