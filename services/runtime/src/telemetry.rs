//! Logs to standard error and, when an endpoint is set, traces, metrics and logs over OTLP. Every name that leaves the
//! process stands in `TELEMETRY.md` of this crate.
//!
//! [`init`] once per process; [`build`] gives the same as a `Dispatch` for a test which wants its own.

mod context;
mod environment;
mod meters;
pub mod names;
mod providers;
#[cfg(test)]
mod tests;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::trace::SdkTracer;
use serde::{Deserialize, Serialize};
use tracing::{Dispatch, Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::filter_fn, fmt, layer::SubscriberExt as _, registry::LookupSpan,
};

pub use self::{
    context::{OutboxTrace, TRACEPARENT, TRACESTATE, TraceContext},
    meters::{Meters, meters},
    providers::Guard,
};
use crate::{problem::Violations, security::audit};

/// Crates below the exporter: what they say about an export would be exported, and so on for ever.
/// What the audit log says about people stays here, too.
const UNEXPORTED: [&str; 9] = [
    audit::TARGET,
    "h2",
    "hyper",
    "hyper_util",
    "tonic",
    "tower",
    "opentelemetry",
    "sqlx",
    "sea_orm",
];

/// Section `[telemetry]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetrySettings {
    /// Directives of tracing's `EnvFilter`, e.g. `info,upswell_offers=debug`.
    pub log_filter: String,
    /// Form of the log lines.
    pub log_format: LogFormat,
    /// `http://host:4317` of an OTLP gRPC collector; empty switches export off, unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set.
    pub otlp_endpoint: String,
    /// `service.namespace` of the resource.
    pub service_namespace: String,
    /// How consumed events hang on what wrote them.
    pub outbox: OutboxTrace,
    /// Share of new traces which are kept, 0 to 1; a caller's decision is always followed.
    pub sample_ratio: f64,
}

/// Form of the log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            log_filter: "info".to_owned(),
            log_format: LogFormat::Text,
            otlp_endpoint: String::new(),
            service_namespace: "upswell".to_owned(),
            outbox: OutboxTrace::Link,
            sample_ratio: 1.0,
        }
    }
}

impl TelemetrySettings {
    /// Notes every value which cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        violations.take("log_filter", EnvFilter::try_new(&self.log_filter));
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            violations.add("sample_ratio", "must be between 0 and 1");
        }
        if !self.otlp_endpoint.is_empty() {
            let parsed = self.otlp_endpoint.parse::<http::Uri>();
            if let Some(uri) = violations.take("otlp_endpoint", parsed)
                && uri.scheme_str() != Some("http")
            {
                violations.add("otlp_endpoint", "must start with http://");
            }
        }
    }
}

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryFault {
    /// The filter does not parse.
    #[error("log_filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter does not accept the endpoint.
    #[error("otlp_endpoint: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// [`init`] was called before, or another subscriber is installed.
    #[error("telemetry is already initialised in this process")]
    Twice,
}

/// Installs logs, traces and metrics for the whole process; inside a tokio runtime when an endpoint is set.
pub fn init(service_name: &'static str, settings: &TelemetrySettings) -> Result<Guard, TelemetryFault> {
    let (environment, misread) = environment::environment(|name| std::env::var(name).ok());
    context::propagate(environment.propagates);
    let (dispatch, guard) = assemble(service_name, settings, environment)?;
    tracing::dispatcher::set_global_default(dispatch).map_err(|_| TelemetryFault::Twice)?;
    for sentence in misread {
        tracing::warn!(error = sentence, "a variable of OpenTelemetry is ignored");
    }
    Ok(guard)
}

/// The same without installing it: a test sets the `Dispatch` for itself alone.
pub fn build(service_name: &'static str, settings: &TelemetrySettings) -> Result<(Dispatch, Guard), TelemetryFault> {
    assemble(service_name, settings, environment::environment(|_| None).0)
}

fn assemble(
    service_name: &'static str,
    settings: &TelemetrySettings,
    environment: environment::Environment,
) -> Result<(Dispatch, Guard), TelemetryFault> {
    let lines = fmt::layer().with_writer(std::io::stderr);
    let logs = match settings.log_format {
        LogFormat::Text => lines.with_filter(filter(settings)?).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter(settings)?).boxed(),
    };
    let guard = Guard::new(service_name, settings, environment)?;
    let traces = guard
        .traces
        .as_ref()
        .map(|provider| trace_layer(provider.tracer(service_name)));
    let wanted = filter(settings)?;
    let records = guard.logs.as_ref().map(|provider| {
        OpenTelemetryTracingBridge::new(provider)
            .with_filter(filter_fn(is_exported))
            .with_filter(wanted)
    });
    // Traces come first: a record takes its trace from the span which they have entered.
    let subscriber = Registry::default().with(traces).with(records).with(logs);
    Ok((Dispatch::new(subscriber), guard))
}

/// Whoever makes the logs quieter has not thought of the audit log; who means it names it.
fn filter(settings: &TelemetrySettings) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::try_new(format!("{}=info,{}", audit::TARGET, settings.log_filter))
}

fn trace_layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(is_exported))
        .with_filter(LevelFilter::INFO)
}

fn is_exported(metadata: &Metadata<'_>) -> bool {
    let crate_name = metadata.target().split("::").next().unwrap_or_default();
    !UNEXPORTED
        .iter()
        .any(|name| crate_name == *name || crate_name.starts_with(&format!("{name}_")))
        && !crate_name.starts_with("opentelemetry-")
}
