//! What an operator needs of any service: how far its events have got, what is stuck, and a way to send it again.

use async_trait::async_trait;
use prost::Message as _;
use prost_types::Timestamp as WireTime;
use sea_orm::{FromQueryResult, Value};
use tonic::{Request, Response, Status};
use upswell_proto::admin::v1::{
    DeadLetter, GetOutboxStatusRequest, GetOutboxStatusResponse, ListDeadLettersRequest, ListDeadLettersResponse,
    OutboxDestination, RequeueDeadLetterRequest, RequeueDeadLetterResponse,
    admin_service_server::{AdminService, AdminServiceServer},
};
use uuid::Uuid;

use crate::{
    clock::Clock,
    db::{Db, execute, from_micros, micros, select},
    paging,
    problem::Problem,
    relay::{self, Backlog},
    requests::{self, Replay},
};

const LIST: &str = "ListDeadLetters";
const REQUEUE: &str = "RequeueDeadLetter";

/// The admin service over the outbox in `db`.
pub fn admin_server(db: Db, clock: Clock) -> AdminServiceServer<Admin> {
    AdminServiceServer::new(Admin { db, clock })
}

/// Implements the admin service; see [`admin_server`].
pub struct Admin {
    db: Db,
    clock: Clock,
}

#[async_trait]
impl AdminService for Admin {
    async fn get_outbox_status(
        &self,
        _request: Request<GetOutboxStatusRequest>,
    ) -> Result<Response<GetOutboxStatusResponse>, Status> {
        let destinations = relay::backlog(&self.db).await?.into_iter().map(destination).collect();
        Ok(Response::new(GetOutboxStatusResponse { destinations }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn requeue_dead_letter(
        &self,
        request: Request<RequeueDeadLetterRequest>,
    ) -> Result<Response<RequeueDeadLetterResponse>, Status> {
        Ok(Response::new(self.requeue(request.into_inner()).await?))
    }
}

impl Admin {
    async fn list(&self, request: ListDeadLettersRequest) -> Result<ListDeadLettersResponse, Problem> {
        let ListDeadLettersRequest {
            destination,
            page_size,
            page_token,
        } = request;
        let page = paging::parse(LIST, destination.as_bytes(), page_size, &page_token)?;
        let after: i64 = page.after.as_deref().and_then(|id| id.parse().ok()).unwrap_or_default();
        let query = "SELECT o.id, o.event_id, o.dest, o.key, o.seq, o.topic, o.payload, b.attempts, b.error, \
                     b.parked_at FROM outbox_blocked b \
                     JOIN outbox o ON o.dest = b.dest AND o.key = b.key AND o.seq = b.seq \
                     WHERE b.parked_at IS NOT NULL AND o.id > $1 AND ($2 = '' OR b.dest = $2) ORDER BY o.id LIMIT $3";
        let values: [Value; 3] = [
            after.into(),
            destination.as_str().into(),
            (i64::from(page.size) + 1).into(),
        ];
        let mut rows: Vec<Letter> = select(self.db.reader(), query, values).await?;
        let more = rows.len() > page.size as usize;
        rows.truncate(page.size as usize);
        let last = rows.last().filter(|_| more).map(|row| row.id.to_string());
        let next_page_token = last
            .map(|last| paging::next_token(LIST, destination.as_bytes(), &last))
            .unwrap_or_default();
        Ok(ListDeadLettersResponse {
            dead_letters: rows.into_iter().map(letter).collect(),
            next_page_token,
        })
    }

    async fn requeue(&self, mut request: RequeueDeadLetterRequest) -> Result<RequeueDeadLetterResponse, Problem> {
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = requests::fingerprint(&request);
        let event_id =
            Uuid::parse_str(&request.event_id).map_err(|_| Problem::invalid_field("event_id", "must be a UUID"))?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        if let Replay::Stored(_) = requests::begin_request(&tx, REQUEUE, &request_id, fingerprint).await? {
            return Ok(RequeueDeadLetterResponse {});
        }
        let update = "UPDATE outbox_blocked SET parked_at = NULL, attempts = 0, retry_at = $1 \
                      WHERE event_id = $2 AND parked_at IS NOT NULL";
        if execute(&*tx, update, [micros(now).into(), event_id.into()]).await? == 0 {
            let message = format!("event {event_id} is not parked");
            return Err(Problem::not_found("DEAD_LETTER_NOT_FOUND", message));
        }
        let response = RequeueDeadLetterResponse {};
        requests::finish_request(&tx, REQUEUE, &request_id, fingerprint, &response.encode_to_vec(), now).await?;
        tx.commit().await?;
        self.db.outbox_wake().notify_one();
        tracing::info!(event.id = %event_id, "a dead letter was requeued");
        Ok(response)
    }
}

#[derive(FromQueryResult)]
struct Letter {
    id: i64,
    event_id: Uuid,
    dest: String,
    key: String,
    seq: i64,
    topic: String,
    payload: Vec<u8>,
    attempts: i32,
    error: String,
    parked_at: i64,
}

fn letter(row: Letter) -> DeadLetter {
    DeadLetter {
        event_id: row.event_id.to_string(),
        destination: row.dest,
        key: row.key,
        sequence: row.seq,
        topic: row.topic,
        payload: row.payload,
        attempts: row.attempts,
        error: row.error,
        park_time: Some(wire_time(row.parked_at)),
    }
}

fn destination(backlog: Backlog) -> OutboxDestination {
    let Backlog {
        destination,
        waiting,
        oldest_at,
        parked,
        blocked_keys,
    } = backlog;
    OutboxDestination {
        destination,
        backlog: waiting,
        oldest_occur_time: oldest_at.map(wire_time),
        parked,
        blocked_keys,
    }
}

fn wire_time(stored: i64) -> WireTime {
    relay::wire_time(from_micros(stored))
}
