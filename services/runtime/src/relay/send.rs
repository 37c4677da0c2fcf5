//! One call to a destination.

use std::time::Duration;

use prost_types::Timestamp as WireTime;
use tonic::Request;
use tracing::Instrument as _;
use upswell_proto::delivery::v1::{
    DeliverRequest, Event, EventResult, delivery_service_client::DeliveryServiceClient, event_result::Outcome,
};

use super::{
    Inner,
    store::{LaneId, Row},
};
use crate::{client::refused, db::from_micros, failpoints::failpoint, problem::Problem, telemetry::TraceContext};

/// Spans linked to a batch: those of its first events.
const LINKS_MAX: usize = 32;

impl Inner {
    /// Sends `rows` and returns a result for each of them, in their order. It is not repeated here: the next run of
    /// the relay does that.
    pub(super) async fn send(&self, lane: &LaneId, epoch: i64, rows: &[Row]) -> Result<Vec<EventResult>, Problem> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let dest = lane.dest.as_str();
        let span = tracing::info_span!(
            "outbox.send",
            otel.name = format!("send {dest}"),
            otel.kind = "client",
            messaging.system = "outbox",
            messaging.operation.type = "send",
            messaging.batch.message_count = rows.len(),
            upswell.service = self.source,
        );
        for row in rows.iter().take(LINKS_MAX) {
            trace(row).add_link(&span);
        }
        let deadline = Duration::from_millis(self.settings.deadline_ms);
        let events = rows.iter().map(wire).collect();
        let mut request = Request::new(DeliverRequest {
            source: self.source.to_owned(),
            shard: lane.shard,
            lease_epoch: epoch,
            events,
        });
        request.set_timeout(deadline);
        let mut client = DeliveryServiceClient::new(self.peers.channel(dest)?);
        failpoint!("relay.send");
        let answer = tokio::time::timeout(deadline, client.deliver(request))
            .instrument(span)
            .await;
        let late = |_| Problem::deadline_exceeded(format!("no answer from {dest} in time"));
        let answer = answer.map_err(late)?.map_err(|status| refused(dest, status))?;
        let results = answer.into_inner().results;
        check(dest, rows, &results)?;
        failpoint!("relay.answer");
        Ok(results)
    }
}

fn check(dest: &str, rows: &[Row], results: &[EventResult]) -> Result<(), Problem> {
    let answers = |(row, result): (&Row, &EventResult)| {
        result.event_id == row.event_id.to_string() && result.outcome() != Outcome::Unspecified
    };
    if rows.len() == results.len() && rows.iter().zip(results).all(answers) {
        return Ok(());
    }
    Err(Problem::internal(format!(
        "{dest} answered {} events with other results",
        rows.len()
    )))
}

fn wire(row: &Row) -> Event {
    let occurred_at = from_micros(row.occurred_at);
    let TraceContext {
        traceparent,
        tracestate,
    } = trace(row);
    Event {
        event_id: row.event_id.to_string(),
        key: row.key.clone(),
        sequence: row.seq,
        topic: row.topic.clone(),
        payload: row.payload.clone(),
        occur_time: Some(wire_time(occurred_at)),
        traceparent,
        tracestate,
    }
}

pub(crate) fn wire_time(instant: jiff::Timestamp) -> WireTime {
    // The wire wants nanoseconds that count forward, also before 1970.
    let (seconds, nanos) = (instant.as_second(), instant.subsec_nanosecond());
    if nanos < 0 {
        WireTime {
            seconds: seconds - 1,
            nanos: nanos + 1_000_000_000,
        }
    } else {
        WireTime { seconds, nanos }
    }
}

fn trace(row: &Row) -> TraceContext {
    TraceContext {
        traceparent: row.traceparent.clone(),
        tracestate: row.tracestate.clone(),
    }
}
