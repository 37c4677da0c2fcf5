//! The receiving end of the delivery: each event is applied once in effect, and those of one key in their order.
//!
//! A batch is taken in the order of its keys, some events in one transaction: fence → positions → inbox rows → handler →
//! new positions → commit, and only when all of them are done the answer. So what batches of different sources lock,
//! they lock in one order; no lock is held for long; and when the caller's patience ends, what was committed is behind it.
//! When a handler fails, its transaction is rolled back and the events of it are tried one by one, so that the bad one
//! is alone. Which event is next for a key is decided by its position; the inbox row is the second lock on the door.

mod decide;
mod envelope;
mod store;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use async_trait::async_trait;
use futures::FutureExt as _;
use jiff::Timestamp;
use prost::{Message, Name};
use tokio::sync::{Notify, Semaphore};
use tonic::{Request, Response, Status};
use tracing::Instrument as _;
use upswell_proto::delivery::v1::{
    DeliverRequest, DeliverResponse, EventResult,
    delivery_service_server::{DeliveryService, DeliveryServiceServer},
    event_result::Outcome,
};
use uuid::Uuid;

use self::{
    decide::{Verdict, decide},
    envelope::Batch,
};
use crate::{
    db::{Db, Tx, retrying},
    failpoints::failpoint,
    outbox::MAX_PAYLOAD,
    problem::{Kind, Problem},
    security::caller,
    telemetry::{OutboxTrace, TraceContext, meters},
};

/// The relay sends at most some 2 MiB, or one event of the largest size.
const MAX_MESSAGE: usize = 16 * MAX_PAYLOAD;
/// Events of one transaction, where each takes statements of its own.
const TOGETHER: usize = 50;

/// What a service does with the events it takes.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Applies one event inside `tx`, which also holds the mark that it was applied. It may run again after a roll
    /// back. INVALID_ARGUMENT (see [`Inbound::unknown`] and [`Inbound::decode`]) refuses the event for good;
    /// UNAVAILABLE and RESOURCE_EXHAUSTED put off the whole batch; any other problem has the event sent again.
    async fn apply(&self, tx: &Tx, event: &Inbound) -> Result<(), Problem>;

    /// True for a handler whose transactions all meet on the same rows: they come one after the other, and do not wait
    /// for each other inside the store, where they would hold connections and run into the limit for locks.
    fn is_serial(&self) -> bool {
        false
    }

    /// True for a handler that applies many events in fewer statements by [`Inbox::apply_all`].
    fn takes_batches(&self) -> bool {
        false
    }

    /// Applies `events` in their order, all or none. When it fails, they come again one by one.
    async fn apply_all(&self, tx: &Tx, events: &[&Inbound]) -> Result<(), Problem> {
        for event in events {
            self.apply(tx, event).await?;
        }
        Ok(())
    }
}

/// An event that arrived.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// The sending service.
    pub source: String,
    /// Identity of the event.
    pub event_id: Uuid,
    /// What it is about.
    pub key: String,
    /// Position among the events of this source about this key, from 1.
    pub seq: i64,
    /// Full protobuf name of the payload's message.
    pub topic: String,
    /// The encoded message.
    pub payload: Vec<u8>,
    /// When the thing happened.
    pub occurred_at: Timestamp,
    /// The span in which the event was made.
    pub trace: TraceContext,
}

impl Inbound {
    /// True when the payload is an `M`.
    pub fn is<M: Name>(&self) -> bool {
        self.topic == M::full_name()
    }

    /// The payload as an `M`. Errors: INVALID_ARGUMENT `EVENT_UNREADABLE`, which refuses the event.
    pub fn decode<M: Message + Name + Default>(&self) -> Result<M, Problem> {
        M::decode(self.payload.as_slice()).map_err(|fault| {
            let message = format!("the payload is not a {}", M::full_name());
            Problem::new(Kind::InvalidArgument, "EVENT_UNREADABLE", message).caused_by(fault)
        })
    }

    /// What a handler answers to a topic it does not know: INVALID_ARGUMENT `TOPIC_UNKNOWN`, which refuses the event.
    pub fn unknown(&self) -> Problem {
        Problem::new(
            Kind::InvalidArgument,
            "TOPIC_UNKNOWN",
            format!("topic {} is not taken here", self.topic),
        )
    }
}

/// The delivery service over `inbox`. `notify` is notified after events were applied; `trace_mode` says how the work
/// on an event hangs on the work that wrote it.
pub fn delivery_server(
    db: Db,
    inbox: Arc<dyn Inbox>,
    notify: Arc<Notify>,
    trace_mode: OutboxTrace,
) -> DeliveryServiceServer<Delivery> {
    DeliveryServiceServer::new(Delivery::new(db, inbox, notify, trace_mode)).max_decoding_message_size(MAX_MESSAGE)
}

/// Implements the delivery service; see [`delivery_server`].
pub struct Delivery {
    db: Db,
    inbox: Arc<dyn Inbox>,
    notify: Arc<Notify>,
    trace_mode: OutboxTrace,
    /// Transactions with events at once: one, or so many that half of the connections stay free for requests.
    places: Semaphore,
}

#[async_trait]
impl DeliveryService for Delivery {
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let caller = caller(&request);
        let batch = Batch::try_from(request.into_inner())?;
        if !caller.is_service(&batch.source) {
            let text = format!("you do not send for {}", batch.source);
            return Err(Problem::permission_denied("SOURCE_NOT_YOU", text).into());
        }
        let begun = Instant::now();
        let results = self.take(&batch).await?;
        if let Some(meters) = meters() {
            meters.batch_processed(&batch.source, begun.elapsed());
            for result in &results {
                meters.event_consumed(&batch.source, result.outcome().as_str_name());
            }
        }
        // The answer to a first delivery may have been lost before anybody was woken.
        let new = |result: &EventResult| matches!(result.outcome(), Outcome::Applied | Outcome::Duplicate);
        if results.iter().any(new) {
            self.notify.notify_waiters();
        }
        Ok(Response::new(DeliverResponse { results }))
    }
}

/// Why nothing of an attempt was kept.
enum Fault {
    /// The store, or the fence: nothing can be said about the events.
    Call(Problem),
    /// The handler, about one of the events.
    Handler(Problem),
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Call(problem)
    }
}

impl Delivery {
    /// See [`delivery_server`].
    pub fn new(db: Db, inbox: Arc<dyn Inbox>, notify: Arc<Notify>, trace_mode: OutboxTrace) -> Self {
        Self {
            places: Semaphore::new(if inbox.is_serial() {
                1
            } else {
                db.connections().div_ceil(2)
            }),
            db,
            inbox,
            notify,
            trace_mode,
        }
    }

    /// Results in the order of the events.
    async fn take(&self, batch: &Batch) -> Result<Vec<EventResult>, Problem> {
        let mut events: Vec<(usize, &Inbound)> = batch.events.iter().enumerate().collect();
        events.sort_by_key(|(_, event)| event.key.as_str());
        let together = if self.inbox.takes_batches() {
            events.len()
        } else {
            TOGETHER
        };
        let mut results = Vec::with_capacity(events.len());
        for some in events.chunks(together.max(1)) {
            let (places, some): (Vec<usize>, Vec<&Inbound>) = some.iter().copied().unzip();
            results.extend(places.into_iter().zip(self.take_some(batch, &some).await?));
        }
        results.sort_by_key(|(place, _)| *place);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    async fn take_some(&self, batch: &Batch, events: &[&Inbound]) -> Result<Vec<EventResult>, Problem> {
        let _place = self.places.acquire().await.map_err(Problem::internal)?;
        match self.attempt_whole(batch, events).await {
            Ok(results) => return Ok(results),
            Err(Fault::Call(problem)) => return Err(problem),
            Err(Fault::Handler(problem)) => {
                tracing::debug!(error = %problem, "a transaction failed and is taken event by event");
            }
        }
        let mut results = Vec::with_capacity(events.len());
        for event in events {
            match self.attempt_whole(batch, std::slice::from_ref(event)).await {
                Ok(result) => results.extend(result),
                Err(Fault::Call(problem)) => return Err(problem),
                Err(Fault::Handler(problem)) => results.push(failed(event, &problem)),
            }
        }
        Ok(results)
    }

    /// [`Self::attempt`], again where other writers got in its way.
    async fn attempt_whole(&self, batch: &Batch, events: &[&Inbound]) -> Result<Vec<EventResult>, Fault> {
        let attempted = retrying(|| async {
            match self.attempt(batch, events).await {
                Ok(results) => Ok(Ok(results)),
                Err(Fault::Call(problem)) => Err(problem),
                Err(Fault::Handler(problem)) => Ok(Err(problem)),
            }
        });
        attempted.await?.map_err(Fault::Handler)
    }

    /// Applies `events` in one transaction, all or none.
    async fn attempt(&self, batch: &Batch, events: &[&Inbound]) -> Result<Vec<EventResult>, Fault> {
        let tx = self.db.begin().await?;
        store::lease_check(&tx, batch).await?;
        let before = store::positions_fetch(&tx, &batch.source, events).await?;
        let (verdicts, after) = decide(events, before);
        let next: Vec<_> = events
            .iter()
            .zip(&verdicts)
            .filter(|(_, v)| **v == Verdict::Apply)
            .map(|(e, _)| *e)
            .collect();
        let fresh = store::inbox_insert(&tx, &batch.source, &next).await?;
        let next: Vec<_> = next
            .into_iter()
            .filter(|event| fresh.contains(&event.event_id))
            .collect();
        failpoint!("inbox.apply");
        self.apply(&tx, &next).await?;
        store::positions_upsert(&tx, &batch.source, &after).await?;
        tx.commit().await?;
        failpoint!("inbox.answer");
        Ok(events
            .iter()
            .zip(verdicts)
            .map(|(event, verdict)| verdict.result(event, &fresh))
            .collect())
    }

    async fn apply(&self, tx: &Tx, events: &[&Inbound]) -> Result<(), Fault> {
        if self.inbox.takes_batches() {
            return apply_guarded(self.inbox.apply_all(tx, events)).await;
        }
        for event in events {
            let span = process_span(event);
            event.trace.adopt(&span, self.trace_mode);
            apply_guarded(self.inbox.apply(tx, event).instrument(span)).await?;
        }
        Ok(())
    }
}

fn process_span(event: &Inbound) -> tracing::Span {
    tracing::info_span!(
        "inbox.process",
        otel.name = format!("process {}", event.topic),
        otel.kind = "consumer",
        messaging.system = "outbox",
        messaging.operation.type = "process",
        messaging.destination.name = %event.topic,
        messaging.message.id = %event.event_id,
        event.source = %event.source,
    )
}

async fn apply_guarded(applying: impl Future<Output = Result<(), Problem>>) -> Result<(), Fault> {
    // A handler that panics must not take the other keys' events down with it.
    let applied = AssertUnwindSafe(applying).catch_unwind().await;
    match applied.unwrap_or_else(|_| Err(Problem::internal("the handler of the event panicked"))) {
        Ok(()) => Ok(()),
        Err(problem) if problem.reason() == "CONCURRENT_CHANGE" => Err(Fault::Call(problem)),
        Err(problem) if matches!(problem.kind(), Kind::Unavailable | Kind::ResourceExhausted) => {
            Err(Fault::Call(problem))
        }
        Err(problem) => Err(Fault::Handler(problem)),
    }
}

fn failed(event: &Inbound, problem: &Problem) -> EventResult {
    let outcome = if problem.kind() == Kind::InvalidArgument {
        Outcome::Refused
    } else {
        Outcome::Retry
    };
    tracing::warn!(
        event.id = %event.event_id,
        event.source = %event.source,
        event.topic = %event.topic,
        event.outcome = outcome.as_str_name(),
        error = %problem,
        "an event was not applied"
    );
    // The cause stays in this log: it may hold personal data.
    let detail = format!("{}: {}", problem.reason(), problem.message());
    EventResult {
        event_id: event.event_id.to_string(),
        outcome: outcome.into(),
        detail,
    }
}
