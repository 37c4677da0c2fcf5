//! The wire form of a batch, checked as a whole before anything of it is applied.

use jiff::Timestamp;
use upswell_proto::delivery::v1::{DeliverRequest, Event};
use uuid::Uuid;

use super::Inbound;
use crate::{
    problem::{Problem, Violations},
    telemetry::TraceContext,
};

const EVENTS_MAX: usize = 1000;

/// A well-formed batch.
pub(super) struct Batch {
    pub(super) source: String,
    pub(super) shard: i32,
    pub(super) lease_epoch: i64,
    pub(super) events: Vec<Inbound>,
}

impl TryFrom<DeliverRequest> for Batch {
    type Error = Problem;

    fn try_from(wire: DeliverRequest) -> Result<Self, Problem> {
        let DeliverRequest {
            source,
            shard,
            lease_epoch,
            events,
        } = wire;
        let mut violations = Violations::new();
        if source.is_empty() {
            violations.add("source", "is required");
        }
        if lease_epoch < 1 {
            violations.add("lease_epoch", "must be at least 1");
        }
        if events.is_empty() || events.len() > EVENTS_MAX {
            violations.add("events", format!("must be 1 to {EVENTS_MAX}"));
        }
        let events = events
            .into_iter()
            .enumerate()
            .filter_map(|(index, wire)| violations.at(format!("events[{index}]"), |v| event(&source, wire, v)))
            .collect();
        violations.into_result()?;
        Ok(Self {
            source,
            shard,
            lease_epoch,
            events,
        })
    }
}

fn event(source: &str, wire: Event, violations: &mut Violations) -> Option<Inbound> {
    let Event {
        event_id,
        key,
        sequence,
        topic,
        payload,
        occur_time,
        traceparent,
        tracestate,
    } = wire;
    let event_id = violations.take("event_id", Uuid::parse_str(&event_id).map_err(|_| "must be a UUID"));
    for (field, value) in [("key", &key), ("topic", &topic)] {
        if value.is_empty() || value.contains('\0') {
            violations.add(field, "is required and must not hold NUL");
        }
    }
    if sequence < 1 {
        violations.add("sequence", "must be at least 1");
    }
    let occurred_at = occur_time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok());
    let occurred_at = violations.take("occur_time", occurred_at.ok_or("must be an instant"));
    Some(Inbound {
        source: source.to_owned(),
        event_id: event_id?,
        key,
        seq: sequence,
        topic,
        payload,
        occurred_at: occurred_at?,
        trace: TraceContext {
            traceparent,
            tracestate,
        },
    })
}
