//! What is counted and timed: every instrument of the process, so that names, units and attributes stand in one place.
//! Without an endpoint there are none, and counting costs one load.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter},
};
use tonic::Code;

use super::names;
use crate::{problem::code_name, relay::Backlog};

/// The buckets which the conventions give for durations of RPCs and statements, in seconds.
const SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Events may wait for minutes where a destination is away.
const LONG_SECONDS: [f64; 12] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0];

static METERS: OnceLock<Meters> = OnceLock::new();

/// The instruments, when metrics are exported.
pub fn meters() -> Option<&'static Meters> {
    METERS.get()
}

/// Makes the instruments of the process, once; later calls change nothing.
pub(super) fn install(meter: &Meter) {
    METERS.get_or_init(|| Meters::new(meter));
}

/// Every instrument.
#[derive(Debug)]
pub struct Meters {
    rpc_server: Histogram<f64>,
    rpc_client: Histogram<f64>,
    db_operation: Histogram<f64>,
    db_connections: Gauge<u64>,
    db_connections_max: Gauge<u64>,
    sent: Counter<u64>,
    consumed: Counter<u64>,
    process: Histogram<f64>,
    latency: Histogram<f64>,
    backlog: Gauge<u64>,
    age: Gauge<f64>,
    parked: Gauge<u64>,
    job: Histogram<f64>,
    touches: Counter<u64>,
}

impl Meters {
    fn new(meter: &Meter) -> Self {
        let seconds = |name, buckets: &[f64]| {
            let builder = meter.f64_histogram(name).with_unit("s");
            builder.with_boundaries(buckets.to_vec()).build()
        };
        let counter = |name, unit| meter.u64_counter(name).with_unit(unit).build();
        let gauge = |name, unit| meter.u64_gauge(name).with_unit(unit).build();
        Self {
            rpc_server: seconds(names::RPC_SERVER_DURATION, &SECONDS),
            rpc_client: seconds(names::RPC_CLIENT_DURATION, &SECONDS),
            db_operation: seconds(names::DB_DURATION, &SECONDS),
            db_connections: gauge(names::DB_CONNECTIONS, "{connection}"),
            db_connections_max: gauge(names::DB_CONNECTIONS_MAX, "{connection}"),
            sent: counter(names::MESSAGES_SENT, "{message}"),
            consumed: counter(names::MESSAGES_CONSUMED, "{message}"),
            process: seconds(names::PROCESS_DURATION, &SECONDS),
            latency: seconds(names::OUTBOX_LATENCY, &LONG_SECONDS),
            backlog: gauge(names::OUTBOX_BACKLOG, "{message}"),
            age: meter.f64_gauge(names::OUTBOX_AGE).with_unit("s").build(),
            parked: gauge(names::OUTBOX_PARKED, "{message}"),
            job: seconds(names::JOB_DURATION, &LONG_SECONDS),
            touches: counter(names::TOUCHES_JUDGED, "{touch}"),
        }
    }

    /// A request was answered. `fault` is true for the codes which count as errors of the server.
    pub fn rpc_served(&self, service: &'static str, method: &'static str, code: Code, fault: bool, took: Duration) {
        let mut attributes = rpc(method.into(), code, fault);
        attributes.push(KeyValue::new(names::UPSWELL_SERVICE, service));
        self.rpc_server.record(took.as_secs_f64(), &attributes);
    }

    /// A call was answered, or could not be made.
    pub fn rpc_called(&self, method: &str, host: &Arc<str>, port: u16, code: Code, took: Duration) {
        let mut attributes = rpc(method.to_owned().into(), code, code != Code::Ok);
        attributes.push(KeyValue::new(names::SERVER_ADDRESS, Arc::clone(host)));
        attributes.push(KeyValue::new(names::SERVER_PORT, i64::from(port)));
        self.rpc_client.record(took.as_secs_f64(), &attributes);
    }

    /// A statement of `system` ended.
    pub fn db_operation(&self, system: &'static str, sql: &str, failed: bool, took: Duration) {
        let mut attributes = vec![
            KeyValue::new(names::DB_SYSTEM_NAME, system),
            KeyValue::new(names::DB_OPERATION_NAME, verb(sql)),
        ];
        if failed {
            attributes.push(KeyValue::new(names::ERROR_TYPE, names::OTHER));
        }
        self.db_operation.record(took.as_secs_f64(), &attributes);
    }

    /// How the pool of `service` stands.
    pub fn db_pool(&self, service: &'static str, idle: u64, used: u64, max: u64) {
        let of = KeyValue::new(names::UPSWELL_SERVICE, service);
        for (state, count) in [("idle", idle), ("used", used)] {
            let state = KeyValue::new(names::DB_CONNECTION_STATE, state);
            self.db_connections.record(count, &[of.clone(), state]);
        }
        self.db_connections_max.record(max, &[of]);
    }

    /// `destination` acknowledged events of `source` that had waited so long.
    pub fn events_sent(&self, source: &'static str, destination: &str, waited: impl Iterator<Item = Duration>) {
        let attributes = [
            KeyValue::new(names::UPSWELL_SERVICE, source),
            KeyValue::new(names::EVENT_DESTINATION, destination.to_owned()),
        ];
        let mut count = 0;
        for wait in waited {
            count += 1;
            self.latency.record(wait.as_secs_f64(), &attributes);
        }
        self.sent.add(count, &attributes);
    }

    /// What became of one event from `source`.
    pub fn event_consumed(&self, source: &str, outcome: &'static str) {
        let attributes = [
            KeyValue::new(names::MESSAGING_SYSTEM, names::MESSAGING_OUTBOX),
            KeyValue::new(names::MESSAGING_DESTINATION, source.to_owned()),
            KeyValue::new(names::EVENT_OUTCOME, outcome),
        ];
        self.consumed.add(1, &attributes);
    }

    /// A batch from `source` was taken.
    pub fn batch_processed(&self, source: &str, took: Duration) {
        let attributes = [
            KeyValue::new(names::MESSAGING_SYSTEM, names::MESSAGING_OUTBOX),
            KeyValue::new(names::MESSAGING_DESTINATION, source.to_owned()),
        ];
        self.process.record(took.as_secs_f64(), &attributes);
    }

    /// How the outbox of `source` stands at `now` (µs since the epoch).
    pub fn outbox(&self, source: &'static str, backlog: &[Backlog], now: i64) {
        for to in backlog {
            let attributes = [
                KeyValue::new(names::UPSWELL_SERVICE, source),
                KeyValue::new(names::EVENT_DESTINATION, to.destination.clone()),
            ];
            let age = to.oldest_at.map_or(0, |oldest| (now - oldest).max(0));
            self.backlog.record(to.waiting.unsigned_abs(), &attributes);
            self.parked.record(to.parked.unsigned_abs(), &attributes);
            let age = Duration::from_micros(age.unsigned_abs());
            self.age.record(age.as_secs_f64(), &attributes);
        }
    }

    /// A job ran, or found another process at it.
    pub fn job(&self, name: &'static str, outcome: &'static str, took: Duration) {
        let attributes = [
            KeyValue::new(names::JOB_NAME, name),
            KeyValue::new(names::JOB_OUTCOME, outcome),
        ];
        self.job.record(took.as_secs_f64(), &attributes);
    }

    /// The ledger judged a touch: `granted`, or the rule that stands against it.
    pub fn touch(&self, class: &'static str, verdict: &'static str) {
        let attributes = [
            KeyValue::new(names::TOUCH_CLASS, class),
            KeyValue::new(names::TOUCH_VERDICT, verdict),
        ];
        self.touches.add(1, &attributes);
    }
}

fn rpc(method: opentelemetry::Value, code: Code, fault: bool) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(6);
    attributes.push(KeyValue::new(names::RPC_SYSTEM_NAME, names::GRPC));
    attributes.push(KeyValue::new(names::RPC_METHOD, method));
    attributes.push(KeyValue::new(names::RPC_STATUS_CODE, code_name(code)));
    if fault {
        attributes.push(KeyValue::new(names::ERROR_TYPE, code_name(code)));
    }
    attributes
}

/// The verb of a statement. Never more of it: what is no verb we use is one name for all.
fn verb(sql: &str) -> &'static str {
    const VERBS: [&str; 9] = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK", "CREATE",
    ];
    let word = sql.split_ascii_whitespace().next().unwrap_or_default();
    let known = VERBS.into_iter().find(|verb| word.eq_ignore_ascii_case(verb));
    known.unwrap_or(names::OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_named_by_its_verb_alone() {
        for (sql, name) in [
            ("SELECT 1", "SELECT"),
            ("  insert INTO t VALUES ($1)", "INSERT"),
            ("'secret'", names::OTHER),
            ("", names::OTHER),
        ] {
            assert_eq!(verb(sql), name, "{sql}");
        }
    }
}
