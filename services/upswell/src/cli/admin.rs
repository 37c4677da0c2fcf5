//! What an operator asks of any service: how far its events have got, and what is stuck.

use anyhow::{Context as _, Result};
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use upswell_proto::admin::v1::{
    self as pb, GetOutboxStatusRequest, ListDeadLettersRequest, RequeueDeadLetterRequest,
    admin_service_client::AdminServiceClient,
};

use super::{
    context::Context,
    output::{Column, Listing, Row, View, left, right, time},
    pages::Limit,
    words::{self, RequestId},
};
use crate::{cluster::SERVICES, wire::instant};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// How far the events of the services have got.
    #[command(after_long_help = "Examples:\n  upswell outbox\n  upswell outbox offers --output json")]
    Outbox {
        /// The service that writes the events; none means all.
        #[arg(value_parser = words::service())]
        service: Option<&'static str>,
    },
    /// Events that their receiver refused or failed to apply too often, the oldest first.
    #[command(after_long_help = "Example:\n  upswell dead-letters offers --destination metrics")]
    DeadLetters {
        /// The service that wrote them.
        #[arg(value_parser = words::service())]
        service: &'static str,
        /// Only those for this receiver.
        #[arg(long, default_value_t, hide_default_value = true)]
        destination: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// Send a dead letter again; the later events of its key follow in order.
    #[command(after_long_help = "Example:\n  upswell requeue offers 5c0f9e1c-6a1d-5f3b-8a77-2f1f9a557c55")]
    Requeue {
        /// The service that wrote it.
        #[arg(value_parser = words::service())]
        service: &'static str,
        /// The event's id.
        event: String,
        #[command(flatten)]
        request: RequestId,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Outbox { service } => outbox(context, service).await,
            Self::DeadLetters {
                service,
                destination,
                limit,
            } => {
                let request = ListDeadLettersRequest {
                    destination,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { AdminServiceClient::new(channel).list_dead_letters(request).await };
                let found: Listing<DeadLetter> = context.list(service, limit, request, send).await?;
                context.show(&found)
            }
            Self::Requeue {
                service,
                event: event_id,
                request,
            } => {
                let request = RequeueDeadLetterRequest {
                    event_id: event_id.clone(),
                    request_id: request.text(),
                };
                let send = |channel, request| async move {
                    AdminServiceClient::new(channel).requeue_dead_letter(request).await
                };
                context.ask(service, request, send).await?;
                context.show(&Requeued { event: event_id })
            }
        }
    }
}

async fn outbox(context: &Context, service: Option<&'static str>) -> Result<()> {
    let mut items = Vec::new();
    for source in service.map_or(SERVICES.to_vec(), |service| vec![service]) {
        let send = |channel, request| async move { AdminServiceClient::new(channel).get_outbox_status(request).await };
        let status = context
            .ask(source, GetOutboxStatusRequest {}, send)
            .await
            .context("asking for the outbox")?;
        items.extend(
            status
                .destinations
                .into_iter()
                .map(|destination| Destination::new(source, destination)),
        );
    }
    context.show(&Listing { items, more: false })
}

#[derive(Serialize)]
struct Destination {
    source: &'static str,
    destination: String,
    backlog: i64,
    oldest_at: Option<Timestamp>,
    parked: i64,
    blocked_keys: i64,
}

impl Destination {
    fn new(source: &'static str, destination: pb::OutboxDestination) -> Self {
        Self {
            source,
            oldest_at: instant(destination.oldest_occur_time.as_ref()),
            destination: destination.destination,
            backlog: destination.backlog,
            parked: destination.parked,
            blocked_keys: destination.blocked_keys,
        }
    }
}

impl Row for Destination {
    const COLUMNS: &'static [Column] = &[
        left("from"),
        left("to"),
        right("waiting"),
        left("oldest"),
        right("dead letters"),
        right("keys behind them"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.source.to_owned(),
            self.destination.clone(),
            self.backlog.to_string(),
            time(self.oldest_at),
            self.parked.to_string(),
            self.blocked_keys.to_string(),
        ]
    }
}

#[derive(Serialize)]
struct DeadLetter {
    event: String,
    destination: String,
    key: String,
    sequence: i64,
    topic: String,
    payload_bytes: usize,
    attempts: i32,
    error: String,
    parked_at: Option<Timestamp>,
}

impl From<pb::DeadLetter> for DeadLetter {
    fn from(letter: pb::DeadLetter) -> Self {
        Self {
            parked_at: instant(letter.park_time.as_ref()),
            payload_bytes: letter.payload.len(),
            event: letter.event_id,
            destination: letter.destination,
            key: letter.key,
            sequence: letter.sequence,
            topic: letter.topic,
            attempts: letter.attempts,
            error: letter.error,
        }
    }
}

impl Row for DeadLetter {
    const COLUMNS: &'static [Column] = &[
        left("event"),
        left("to"),
        left("key"),
        right("number"),
        left("topic"),
        right("sent"),
        left("said"),
        left("parked"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.event.clone(),
            self.destination.clone(),
            self.key.clone(),
            self.sequence.to_string(),
            self.topic.clone(),
            self.attempts.to_string(),
            self.error.clone(),
            time(self.parked_at),
        ]
    }
}

#[derive(Serialize)]
struct Requeued {
    event: String,
}

impl View for Requeued {
    fn render(&self) -> String {
        format!("event {} waits for delivery again", self.event)
    }
}
