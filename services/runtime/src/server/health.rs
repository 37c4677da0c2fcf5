//! `grpc.health.v1` with the services `""`, `liveness` and `readiness`.

use tonic_health::{ServingStatus, server::HealthReporter};

/// Serving as long as the process answers.
pub const LIVENESS: &str = "liveness";
/// Serving while requests are welcome; `""` says the same.
pub const READINESS: &str = "readiness";

/// Alive, and not ready until [`set_ready`].
pub async fn health_reporter() -> HealthReporter {
    let reporter = HealthReporter::new();
    reporter.set_service_status(LIVENESS, ServingStatus::Serving).await;
    set_ready(&reporter, false).await;
    reporter
}

/// Opens or closes the door.
pub async fn set_ready(reporter: &HealthReporter, ready: bool) {
    let status = if ready {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    for service in ["", READINESS] {
        reporter.set_service_status(service, status).await;
    }
}
