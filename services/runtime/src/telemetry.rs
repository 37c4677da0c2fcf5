//! Logs to standard error and, when an endpoint is set, traces over OTLP.
//!
//! [`init`] once per process; [`build`] gives the same as a `Dispatch` for a test which wants its own.

mod context;
pub mod names;
#[cfg(test)]
mod tests;

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use serde::{Deserialize, Serialize};
use tracing::{Dispatch, Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::filter_fn, fmt, layer::SubscriberExt as _, registry::LookupSpan,
};

pub use self::context::{OutboxTrace, TRACEPARENT, TRACESTATE, TraceContext};
use crate::{problem::Violations, security::audit};

/// How long the last spans may take to leave at the end of the process.
const SHUTDOWN: Duration = Duration::from_secs(3);

/// How one export may take; a collector which is away must not hold anything up.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Crates below the exporter: their spans about an export would be exported, and so on for ever.
/// What the audit log says about people belongs in no trace.
const UNTRACED: [&str; 9] = [
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
    /// `http://host:4317` of an OTLP gRPC collector; empty switches traces off.
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

/// Keeps the exporter; call [`Guard::shutdown`] before the process ends.
#[derive(Debug)]
#[must_use = "the last spans are sent by Guard::shutdown"]
pub struct Guard(Option<SdkTracerProvider>);

impl Guard {
    /// Sends what waits to be sent; for tests which read a sink.
    pub async fn flush(&self) {
        self.with_provider(|provider| provider.force_flush()).await;
    }

    /// Sends what waits to be sent, for at most three seconds, and stops the exporter.
    pub async fn shutdown(self) {
        self.with_provider(|provider| provider.shutdown_with_timeout(SHUTDOWN))
            .await;
    }

    /// The SDK blocks its thread until the exporter has answered, and the exporter may need this one.
    async fn with_provider<T: Send + 'static>(
        &self,
        work: impl FnOnce(SdkTracerProvider) -> Result<T, opentelemetry_sdk::error::OTelSdkError> + Send + 'static,
    ) {
        let Some(provider) = self.0.clone() else {
            return;
        };
        match tokio::task::spawn_blocking(move || work(provider)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::info!(%error, "some spans were not exported"),
            Err(error) => tracing::error!(%error, "the exporter of spans broke"),
        }
    }
}

/// Installs logs and traces for the whole process; inside a tokio runtime when traces are on.
pub fn init(service_name: &'static str, settings: &TelemetrySettings) -> Result<Guard, TelemetryFault> {
    let (dispatch, guard) = build(service_name, settings)?;
    tracing::dispatcher::set_global_default(dispatch).map_err(|_| TelemetryFault::Twice)?;
    Ok(guard)
}

/// Logs and traces without installing them: a test sets the `Dispatch` for itself alone.
pub fn build(service_name: &'static str, settings: &TelemetrySettings) -> Result<(Dispatch, Guard), TelemetryFault> {
    let filter = filter(settings)?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let logs = match settings.log_format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let provider = provider(service_name, settings)?;
    let traces = provider
        .as_ref()
        .map(|provider| trace_layer(provider.tracer(service_name)));
    let subscriber = Registry::default().with(logs).with(traces);
    Ok((Dispatch::new(subscriber), Guard(provider)))
}

/// Whoever makes the logs quieter has not thought of the audit log; who means it names it.
fn filter(settings: &TelemetrySettings) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::try_new(format!("{}=info,{}", audit::TARGET, settings.log_filter))
}

fn provider(
    service_name: &'static str,
    settings: &TelemetrySettings,
) -> Result<Option<SdkTracerProvider>, TelemetryFault> {
    if settings.otlp_endpoint.is_empty() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&settings.otlp_endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    let resource = Resource::builder()
        .with_service_name(service_name)
        .with_schema_url(
            [
                opentelemetry::KeyValue::new("service.namespace", settings.service_namespace.clone()),
                opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            ],
            names::SCHEMA_URL,
        )
        .build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio)));
    let builder = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(sampler)
        .with_batch_exporter(exporter);
    Ok(Some(builder.build()))
}

fn trace_layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(is_traced))
        .with_filter(LevelFilter::INFO)
}

fn is_traced(metadata: &Metadata<'_>) -> bool {
    let crate_name = metadata.target().split("::").next().unwrap_or_default();
    !UNTRACED
        .iter()
        .any(|name| crate_name == *name || crate_name.starts_with(&format!("{name}_")))
        && !crate_name.starts_with("opentelemetry-")
}
