//! `TaskService`.

use prost::Message;
use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{
    self as pb,
    task::{Outcome, State},
    task_service_server::TaskService,
};
use upswell_runtime::{
    money::to_proto,
    problem::{Problem, Violations},
    security::Reach,
    server::actor,
    text,
};

use super::{
    Api, Cursor, convert, instant,
    offers::decline_reason,
    replay::{Begun, begin},
    uuid,
    words::{self, channel_to_wire, motion_to_wire},
};
use crate::{
    app::tasks::{Deed, Wanted, Work},
    domain::{
        order::Order,
        task::{TaskOutcome, TaskState},
    },
    error::OfferError,
};

const LIST: &str = "upswell.offers.v1.TaskService/ListTasks";
const CLAIM: &str = "upswell.offers.v1.TaskService/ClaimTask";
const SNOOZE: &str = "upswell.offers.v1.TaskService/SnoozeTask";
const COMPLETE: &str = "upswell.offers.v1.TaskService/CompleteTask";
const COMMENT_MAX: usize = 1_000;

#[tonic::async_trait]
impl TaskService for Api {
    async fn list_tasks(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Result<Response<pb::ListTasksResponse>, Status> {
        let pb::ListTasksRequest {
            assignee_id,
            channel,
            with_snoozed,
            page_size,
            page_token,
        } = request.into_inner();
        let mut violations = Violations::new();
        let wanted = Wanted {
            assignee: match assignee_id.as_str() {
                "" => String::new(),
                person => violations.take("assignee_id", text::key(person)).unwrap_or_default(),
            },
            channel: words::channel(channel),
            with_snoozed,
        };
        if channel != 0 && !wanted.channel.is_some_and(crate::domain::vocabulary::Channel::is_task) {
            violations.add("channel", "must be csm_task or sales_task");
        }
        violations.into_result()?;
        let filter = format!("{wanted:?}").into_bytes();
        let cursor = Cursor::parse(LIST, filter, page_size, &page_token)?;
        let mut queue = self.0.task_queue(&wanted, self.0.clock.now()).await?;
        if let Some((at, id)) = cursor.after {
            queue.retain(|(rank, work)| *rank < at || (*rank == at && work.task_id > id));
        }
        let next_page_token = cursor.cut(&mut queue, |(rank, work)| (*rank, work.task_id));
        Ok(Response::new(pb::ListTasksResponse {
            tasks: queue.iter().map(|(_, work)| task(work)).collect(),
            next_page_token,
        }))
    }

    async fn get_task(&self, request: Request<pb::GetTaskRequest>) -> Result<Response<pb::GetTaskResponse>, Status> {
        let id = uuid("task_id", &request.into_inner().task_id)?;
        let work = self.0.task(id).await.map_err(Problem::from)?;
        Ok(Response::new(pb::GetTaskResponse {
            task: Some(task(&work)),
        }))
    }

    async fn claim_task(
        &self,
        request: Request<pb::ClaimTaskRequest>,
    ) -> Result<Response<pb::ClaimTaskResponse>, Status> {
        let actor = person(&request)?;
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let (id, etag) = (request.task_id.clone(), request.etag.clone());
        let asked = Asked {
            method: CLAIM,
            request_id,
            id,
            etag,
            actor,
            reach,
            deed: Deed::Claim,
        };
        let answer = |work: &Work, _: Option<&Order>| pb::ClaimTaskResponse { task: Some(task(work)) };
        self.work(asked, &request, answer).await
    }

    async fn snooze_task(
        &self,
        request: Request<pb::SnoozeTaskRequest>,
    ) -> Result<Response<pb::SnoozeTaskResponse>, Status> {
        let actor = person(&request)?;
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let until = instant("snooze_time", request.snooze_time)?;
        let until = until.ok_or_else(|| Problem::invalid_field("snooze_time", "is required"))?;
        if until <= self.0.clock.now() {
            return Err(Problem::invalid_field("snooze_time", "must lie ahead").into());
        }
        let (id, etag) = (request.task_id.clone(), request.etag.clone());
        let asked = Asked {
            method: SNOOZE,
            request_id,
            id,
            etag,
            actor,
            reach,
            deed: Deed::Snooze(until),
        };
        let answer = |work: &Work, _: Option<&Order>| pb::SnoozeTaskResponse { task: Some(task(work)) };
        self.work(asked, &request, answer).await
    }

    async fn complete_task(
        &self,
        request: Request<pb::CompleteTaskRequest>,
    ) -> Result<Response<pb::CompleteTaskResponse>, Status> {
        let actor = person(&request)?;
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let deed = completion(&request)?;
        let (id, etag) = (request.task_id.clone(), request.etag.clone());
        let asked = Asked {
            method: COMPLETE,
            request_id,
            id,
            etag,
            actor,
            reach,
            deed,
        };
        let answer = |work: &Work, order: Option<&Order>| pb::CompleteTaskResponse {
            task: Some(task(work)),
            offer: Some(convert::offer(&work.offer)),
            order: order.map(convert::order),
        };
        self.work(asked, &request, answer).await
    }

    async fn get_task_digest(
        &self,
        request: Request<pb::GetTaskDigestRequest>,
    ) -> Result<Response<pb::GetTaskDigestResponse>, Status> {
        let person = text::key(&request.into_inner().assignee_id);
        let person = person.map_err(|fault| Problem::invalid_field("assignee_id", fault.to_string()))?;
        let digest = self.0.task_digest(&person, self.0.clock.now()).await?;
        Ok(Response::new(pb::GetTaskDigestResponse {
            open_count: i32::try_from(digest.open).unwrap_or(i32::MAX),
            urgent_count: i32::try_from(digest.urgent).unwrap_or(i32::MAX),
            expected_values: digest.values.into_iter().map(to_proto).collect(),
            text: digest.text,
        }))
    }
}

/// One deed on one task, as asked.
struct Asked {
    method: &'static str,
    request_id: String,
    id: String,
    etag: String,
    actor: String,
    reach: Reach,
    deed: Deed,
}

impl Api {
    async fn work<R: Message + Default>(
        &self,
        asked: Asked,
        content: &impl Message,
        answer: impl FnOnce(&Work, Option<&Order>) -> R,
    ) -> Result<Response<R>, Status> {
        let id = uuid("task_id", &asked.id)?;
        if asked.etag.is_empty() {
            return Err(Problem::invalid_field("etag", "is required").into());
        }
        if asked.reach.only().is_some() {
            let work = self.0.task(id).await.map_err(Problem::from)?;
            self.within(&asked.reach, Some(&work.offer.account_id)).await?;
        }
        let call = match begin(&self.0, asked.method, asked.request_id, content, Some(&asked.actor)).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let done = self
            .0
            .task_do(&call.tx, id, &asked.etag, &asked.actor, asked.deed)
            .await;
        let (work, order) = done.map_err(Problem::from)?;
        let answer = answer(&work, order.as_ref());
        Ok(Response::new(call.finish(&self.0, answer).await?))
    }
}

fn person<T>(request: &Request<T>) -> Result<String, Problem> {
    actor(request).ok_or_else(|| Problem::from(OfferError::ActorRequired))
}

fn completion(request: &pb::CompleteTaskRequest) -> Result<Deed, Problem> {
    let mut violations = Violations::new();
    let comment = violations.take("comment", text::clean(&request.comment, COMMENT_MAX));
    let (outcome, reason) = match request.outcome() {
        Outcome::Unspecified => {
            violations.add("outcome", "is required");
            (TaskOutcome::Talked, None)
        }
        Outcome::Accepted => (TaskOutcome::Accepted, None),
        Outcome::Declined => {
            let reason = decline_reason(request.reason, &request.comment, &mut violations);
            (TaskOutcome::Declined, reason)
        }
        Outcome::Talked => (TaskOutcome::Talked, None),
        Outcome::NotReached => (TaskOutcome::NotReached, None),
    };
    violations.into_result()?;
    Ok(Deed::Complete {
        outcome,
        reason: reason.unwrap_or_default(),
        comment: comment.unwrap_or_default(),
    })
}

fn task(work: &Work) -> pb::Task {
    let state = match work.state() {
        TaskState::Open => State::Open,
        TaskState::Claimed => State::Claimed,
        TaskState::Done => State::Done,
        TaskState::Closed => State::Closed,
    };
    let outcome = work
        .marks
        .outcome
        .map_or(Outcome::Unspecified, |outcome| match outcome {
            TaskOutcome::Accepted => Outcome::Accepted,
            TaskOutcome::Declined => Outcome::Declined,
            TaskOutcome::Talked => Outcome::Talked,
            TaskOutcome::NotReached => Outcome::NotReached,
        });
    let Work {
        offer,
        marks,
        task_id,
        assignee,
    } = work;
    pb::Task {
        task_id: task_id.to_string(),
        offer_id: offer.id.to_string(),
        account_id: offer.account_id.clone(),
        channel: channel_to_wire(offer.channel).into(),
        assignee_id: assignee.clone(),
        claimed_by: marks.claimed_by.clone(),
        motion: motion_to_wire(offer.motion).into(),
        contact_id: offer.contact_id.clone().unwrap_or_default(),
        message: offer.message.as_ref().map(convert::message),
        terms: offer.terms.as_ref().map(convert::terms),
        expected_value: offer.expected_value.map(to_proto),
        state: state.into(),
        create_time: offer.sent_at.map(convert::instant),
        due_time: offer.open_until().map(convert::instant),
        snooze_time: marks.snoozed_until.map(convert::instant),
        complete_time: marks.completed_at.map(convert::instant),
        outcome: outcome.into(),
        etag: marks.version.to_string(),
    }
}
