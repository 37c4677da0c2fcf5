//! The one error of an RPC: what a caller is told (AIP-193), and apart from it what only a log sees.

mod database;
mod status;
#[cfg(test)]
mod tests;
mod violations;

use std::{borrow::Cow, collections::BTreeMap, fmt, time::Duration};

pub(crate) use self::database::times_full;
pub use self::status::code_name;
pub use self::violations::{Violation, Violations};

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "upswell";

/// The gRPC codes the product uses; see the style's rule for which one means what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is wrong by itself; every violation is listed.
    InvalidArgument,
    /// The named thing does not exist.
    NotFound,
    /// The thing to create exists, with other content.
    AlreadyExists,
    /// The state of the domain forbids it; the reason says which rule.
    FailedPrecondition,
    /// Somebody else changed it meanwhile: read again and retry.
    Aborted,
    /// A limit is reached; retry later.
    ResourceExhausted,
    /// A dependency is away; retry later.
    Unavailable,
    /// The time given by the caller ran out.
    DeadlineExceeded,
    /// The actor may not do this.
    PermissionDenied,
    /// The actor is unknown.
    Unauthenticated,
    /// A fault of ours; the text outside is fixed.
    Internal,
}

/// An error which knows how to become a `tonic::Status` with ErrorInfo, BadRequest and RetryInfo.
#[derive(Clone, Debug)]
pub struct Problem(Box<Body>);

#[derive(Clone, Debug)]
struct Body {
    kind: Kind,
    reason: Cow<'static, str>,
    message: String,
    violations: Vec<Violation>,
    metadata: BTreeMap<String, String>,
    retry_after: Option<Duration>,
    /// Only for logs, never sent.
    source: Option<String>,
}

impl Problem {
    /// `reason` is UPPER_SNAKE_CASE and stable; `message` is for people: lower case, no full stop.
    pub fn new(kind: Kind, reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self(Box::new(Body {
            kind,
            reason: reason.into(),
            message: message.into(),
            violations: Vec::new(),
            metadata: BTreeMap::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// INVALID_ARGUMENT with every violation in BadRequest.
    pub fn invalid(violations: Violations) -> Self {
        let list = violations.into_vec();
        let message = match list.as_slice() {
            [only] => format!("{}: {}", only.field, only.description),
            many => format!("the request has {} invalid fields", many.len()),
        };
        let mut problem = Self::new(Kind::InvalidArgument, "INVALID_ARGUMENT", message);
        problem.0.violations = list;
        problem
    }

    /// INVALID_ARGUMENT about one field.
    pub fn invalid_field(field: impl Into<String>, description: impl Into<String>) -> Self {
        let mut violations = Violations::new();
        violations.add(field, description);
        Self::invalid(violations)
    }

    /// NOT_FOUND.
    pub fn not_found(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, reason, message)
    }

    /// FAILED_PRECONDITION: the domain's refusal.
    pub fn failed_precondition(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::FailedPrecondition, reason, message)
    }

    /// ABORTED, e.g. an etag which no longer matches.
    pub fn aborted(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Aborted, reason, message)
    }

    /// PERMISSION_DENIED.
    pub fn permission_denied(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::PermissionDenied, reason, message)
    }

    /// RESOURCE_EXHAUSTED with RetryInfo.
    pub fn resource_exhausted(reason: &'static str, message: impl Into<String>, retry_after: Duration) -> Self {
        Self::new(Kind::ResourceExhausted, reason, message).retry_after_set(retry_after)
    }

    /// UNAVAILABLE with RetryInfo of a second.
    pub fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, reason, message).retry_after_set(Duration::from_secs(1))
    }

    /// DEADLINE_EXCEEDED.
    pub fn deadline_exceeded(message: impl Into<String>) -> Self {
        Self::new(Kind::DeadlineExceeded, "DEADLINE_EXCEEDED", message)
    }

    /// INTERNAL: the outside gets a fixed text and the trace id; `source` is logged when the problem
    /// becomes a status, or by the background job which meets it.
    pub fn internal(source: impl fmt::Display) -> Self {
        let mut problem = Self::new(Kind::Internal, "INTERNAL", "internal error");
        problem.0.source = Some(source.to_string());
        problem
    }

    /// Adds one pair to ErrorInfo.metadata.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl fmt::Display) -> Self {
        self.0.metadata.insert(key.into(), value.to_string());
        self
    }

    /// Sets RetryInfo.
    #[must_use]
    pub fn retry_after_set(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Keeps the cause for the log; it never leaves the process.
    #[must_use]
    pub fn caused_by(mut self, source: impl fmt::Display) -> Self {
        self.0.source = Some(source.to_string());
        self
    }

    /// Which gRPC code this becomes.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The machine-readable reason, UPPER_SNAKE_CASE.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The text a caller sees.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The fields which are wrong, for INVALID_ARGUMENT.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// ErrorInfo.metadata.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// How long a caller should wait before it tries again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// True when the same call may succeed later without any change (not about the request).
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            Kind::Unavailable | Kind::ResourceExhausted | Kind::DeadlineExceeded | Kind::Aborted
        )
    }
}

/// For logs: reason, text, violations and the hidden source.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = &self.0;
        write!(f, "{}: {}", body.reason, body.message)?;
        if body.violations.len() > 1 {
            for Violation { field, description } in &body.violations {
                write!(f, "; {field}: {description}")?;
            }
        }
        match &body.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}
