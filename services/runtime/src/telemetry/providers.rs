//! What leaves the process: spans, metrics and log records over OTLP, each by a queue of its own which drops when full.

use std::time::Duration;

use opentelemetry::{KeyValue, metrics::MeterProvider as _};
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkError,
    logs::SdkLoggerProvider,
    metrics::SdkMeterProvider,
    trace::{Sampler, SdkTracerProvider},
};
use uuid::Uuid;

use super::{TelemetrySettings, environment::Environment, meters, names};

/// How long the last spans may take to leave at the end of the process.
const SHUTDOWN: Duration = Duration::from_secs(3);
/// How one export may take; a collector which is away must not hold anything up.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Keeps the exporters; call [`Guard::shutdown`] before the process ends.
#[derive(Clone, Debug, Default)]
#[must_use = "the last spans are sent by Guard::shutdown"]
pub struct Guard {
    pub(super) traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    pub(super) logs: Option<SdkLoggerProvider>,
}

impl Guard {
    /// The exporters that `settings` and `environment` ask for.
    pub(super) fn new(
        service_name: &'static str,
        settings: &TelemetrySettings,
        environment: Environment,
    ) -> Result<Self, ExporterBuildError> {
        let configured = !settings.otlp_endpoint.is_empty();
        if !configured && !environment.endpoint {
            return Ok(Self::default());
        }
        let resource = resource(service_name, settings);
        let endpoint = configured.then_some(settings.otlp_endpoint.as_str());
        let mut guard = Self::default();
        if environment.traces {
            guard.traces = Some(traces(endpoint, settings.sample_ratio, resource.clone())?);
        }
        if environment.metrics {
            let provider = metrics(endpoint, resource.clone())?;
            meters::install(&provider.meter("upswell"));
            guard.metrics = Some(provider);
        }
        if environment.logs {
            guard.logs = Some(logs(endpoint, resource)?);
        }
        Ok(guard)
    }

    /// Sends what waits to be sent; for tests which read a sink.
    pub async fn flush(&self) {
        let Self { traces, metrics, logs } = self.clone();
        blocking(move || {
            [
                traces.map(|provider| provider.force_flush()),
                metrics.map(|provider| provider.force_flush()),
                logs.map(|provider| provider.force_flush()),
            ]
        })
        .await;
    }

    /// Sends what waits to be sent, for at most three seconds a signal, and stops the exporters.
    pub async fn shutdown(self) {
        let Self { traces, metrics, logs } = self;
        blocking(move || {
            std::thread::scope(|scope| {
                let ends = [
                    scope.spawn(|| traces.map(|provider| provider.shutdown_with_timeout(SHUTDOWN))),
                    scope.spawn(|| metrics.map(|provider| provider.shutdown_with_timeout(SHUTDOWN))),
                    scope.spawn(|| logs.map(|provider| provider.shutdown_with_timeout(SHUTDOWN))),
                ];
                ends.map(|end| end.join().ok().flatten())
            })
        })
        .await;
    }
}

/// The SDK blocks its thread until the exporter has answered, and the exporter may need this one.
async fn blocking(work: impl FnOnce() -> [Option<Result<(), OTelSdkError>>; 3] + Send + 'static) {
    match tokio::task::spawn_blocking(work).await {
        Ok(results) => {
            for error in results.into_iter().flatten().filter_map(Result::err) {
                tracing::info!(%error, "some telemetry was not exported");
            }
        }
        Err(error) => tracing::error!(%error, "the exporter of telemetry broke"),
    }
}

/// Who speaks. What the environment says of it (`OTEL_RESOURCE_ATTRIBUTES`: pod, node, instance) stays.
#[expect(
    clippy::disallowed_methods,
    reason = "each run of a process is a thing of its own; nothing is repeated by this id"
)]
fn resource(service_name: &'static str, settings: &TelemetrySettings) -> Resource {
    let given = Resource::builder().build();
    let instance = opentelemetry::Key::from_static_str("service.instance.id");
    let mut attributes = vec![
        KeyValue::new("service.namespace", settings.service_namespace.clone()),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
    ];
    if given.get(&instance).is_none() {
        attributes.push(KeyValue::new(instance, Uuid::now_v7().to_string()));
    }
    Resource::builder()
        .with_service_name(service_name)
        .with_schema_url(attributes, names::SCHEMA_URL)
        .build()
}

fn aimed<B: WithExportConfig>(builder: B, endpoint: Option<&str>) -> B {
    let builder = builder.with_timeout(EXPORT_TIMEOUT);
    match endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint),
        None => builder,
    }
}

fn traces(endpoint: Option<&str>, ratio: f64, resource: Resource) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = aimed(SpanExporter::builder().with_tonic(), endpoint).build()?;
    let builder = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter);
    // The variable of the conventions wins over the file, as everywhere.
    if std::env::var_os("OTEL_TRACES_SAMPLER").is_some() {
        return Ok(builder.build());
    }
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)));
    Ok(builder.with_sampler(sampler).build())
}

fn metrics(endpoint: Option<&str>, resource: Resource) -> Result<SdkMeterProvider, ExporterBuildError> {
    let exporter = aimed(MetricExporter::builder().with_tonic(), endpoint).build()?;
    Ok(SdkMeterProvider::builder()
        .with_resource(resource)
        .with_periodic_exporter(exporter)
        .build())
}

fn logs(endpoint: Option<&str>, resource: Resource) -> Result<SdkLoggerProvider, ExporterBuildError> {
    let exporter = aimed(LogExporter::builder().with_tonic(), endpoint).build()?;
    Ok(SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}
