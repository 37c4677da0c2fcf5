//! The `OTEL_*` variables which the SDK leaves to the program. Those it reads by itself (resource attributes, batch sizes,
//! headers, timeouts, compression, temporality …) are not repeated here.

/// What the environment says about telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Environment {
    /// Spans leave the process.
    pub(super) traces: bool,
    /// Metrics leave the process.
    pub(super) metrics: bool,
    /// Log records leave the process; lines on standard error are another matter.
    pub(super) logs: bool,
    /// The trace context travels with calls and events.
    pub(super) propagates: bool,
    /// An endpoint is named there.
    pub(super) endpoint: bool,
}

/// Reads the variables through `get`; second, what was not understood, in sentences.
pub(super) fn environment(get: impl Fn(&str) -> Option<String>) -> (Environment, Vec<String>) {
    let mut misread = Vec::new();
    let get = |name: &str| {
        get(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    let enabled = !get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mut exports = |name: &str| match get(name).as_deref() {
        None | Some("otlp") => enabled,
        Some("none") => false,
        Some(other) => {
            misread.push(format!(
                "{name}: there is no exporter `{other}`, only `otlp` and `none`"
            ));
            enabled
        }
    };
    let (traces, metrics, logs) = (
        exports("OTEL_TRACES_EXPORTER"),
        exports("OTEL_METRICS_EXPORTER"),
        exports("OTEL_LOGS_EXPORTER"),
    );
    let propagators = get("OTEL_PROPAGATORS").unwrap_or_else(|| "tracecontext".to_owned());
    let mut propagates = false;
    for propagator in propagators.split(',').map(str::trim) {
        match propagator {
            "tracecontext" => propagates = true,
            // Baggage of a caller is not passed on: it may hold anything.
            "none" | "baggage" => {}
            other => misread.push(format!("OTEL_PROPAGATORS: `{other}` is not known here")),
        }
    }
    let endpoint = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    ];
    let endpoint = endpoint.into_iter().any(|name| get(name).is_some());
    let environment = Environment {
        traces,
        metrics,
        logs,
        propagates,
        endpoint,
    };
    (environment, misread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Environment, Vec<String>) {
        environment(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()))
    }

    #[test]
    fn nothing_set_means_everything_on() {
        let (environment, misread) = read(&[]);
        let Environment {
            traces,
            metrics,
            logs,
            propagates,
            endpoint,
        } = environment;
        assert!(traces && metrics && logs && propagates && !endpoint);
        assert!(misread.is_empty());
    }

    #[test]
    fn the_sdk_can_be_disabled_and_each_signal_alone() {
        let off = read(&[("OTEL_SDK_DISABLED", "TRUE")]).0;
        assert!(!off.traces && !off.metrics && !off.logs && off.propagates);
        let one = read(&[("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "otlp")]).0;
        assert!(one.traces && !one.metrics && one.logs);
        assert!(
            read(&[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://c:4317")])
                .0
                .endpoint
        );
        assert!(!read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]).0.endpoint);
    }

    #[test]
    fn what_is_not_known_is_told_and_ignored() {
        let (environment, misread) = read(&[
            ("OTEL_TRACES_EXPORTER", "jaeger"),
            ("OTEL_PROPAGATORS", "b3, tracecontext, baggage"),
        ]);
        assert!(environment.traces && environment.propagates);
        assert_eq!(misread.len(), 2, "{misread:?}");
        assert!(!read(&[("OTEL_PROPAGATORS", "none")]).0.propagates);
    }
}
