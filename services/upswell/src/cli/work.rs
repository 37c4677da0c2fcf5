//! The work queue of customer success and sales, and messages in the customer's product (T-2).

mod in_app;
mod rows;

use anyhow::Result;
use clap::Subcommand;
use jiff::Timestamp;
use upswell_offers::NAME;
use upswell_proto::offers::v1::{
    ClaimTaskRequest, CompleteTaskRequest, GetTaskDigestRequest, GetTaskRequest, ListTasksRequest, SnoozeTaskRequest,
    decline_offer_request::Reason, task::Outcome, task_service_client::TaskServiceClient,
};

use self::{
    in_app::InApp,
    rows::{Digest, Task},
};
use super::{
    context::Context,
    output::Listing,
    pages::Limit,
    words::{self, RequestId},
};
use crate::wire::to_instant;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Offers that people of ours make: the ranked work queue.
    #[command(subcommand, after_long_help = "Example:\n  upswell work list --assignee anna")]
    Work(Work),
    /// Messages in the customer's product.
    #[command(
        subcommand,
        after_long_help = "Example:\n  upswell in-app list acct-01 --contact ann"
    )]
    InApp(InApp),
}

#[derive(Debug, Subcommand)]
pub(super) enum Work {
    /// Open tasks, the most urgent and valuable first.
    #[command(after_long_help = "Example:\n  upswell work list --assignee anna")]
    List {
        /// Only of this person, and what nobody is in charge of.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME")]
        assignee: String,
        /// Also what was put off.
        #[arg(long)]
        with_snoozed: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// Somebody's day in words.
    #[command(after_long_help = "Example:\n  upswell work digest anna")]
    Digest {
        /// The person.
        person: String,
    },
    /// Take a task: nobody else works on it then.
    #[command(after_long_help = "Example:\n  upswell work claim 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11 --actor anna")]
    Claim {
        /// The task's id.
        task: String,
        #[command(flatten)]
        request: RequestId,
    },
    /// Put a task off.
    #[command(after_long_help = "\
Example:
  upswell work snooze 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11 --until 2026-10-20 --actor anna")]
    Snooze {
        /// The task's id.
        task: String,
        /// Not before then.
        #[arg(long, value_name = "TIME", value_parser = words::instant)]
        until: Timestamp,
        #[command(flatten)]
        request: RequestId,
    },
    /// End a task with what came of it; an answer closes the offer on every surface.
    #[command(after_long_help = "\
Examples:
  upswell work done 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11 --outcome accepted --actor anna
  upswell work done 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11 --outcome declined --reason timing --actor anna")]
    Done {
        /// The task's id.
        task: String,
        /// What came of it.
        #[arg(long, value_parser = words::task_outcome())]
        outcome: Outcome,
        /// Why, for a refusal.
        #[arg(long, value_parser = words::decline_reason())]
        reason: Option<Reason>,
        /// A word to the record.
        #[arg(long, default_value_t, hide_default_value = true)]
        comment: String,
        #[command(flatten)]
        request: RequestId,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Work(work) => work.run(context).await,
            Self::InApp(in_app) => in_app.run(context).await,
        }
    }
}

impl Work {
    async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List {
                assignee: assignee_id,
                with_snoozed,
                limit,
            } => {
                let request = ListTasksRequest {
                    assignee_id,
                    with_snoozed,
                    ..Default::default()
                };
                let send = |channel, request| async move { TaskServiceClient::new(channel).list_tasks(request).await };
                let found: Listing<Task> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Digest { person: assignee_id } => {
                let send =
                    |channel, request| async move { TaskServiceClient::new(channel).get_task_digest(request).await };
                let answer = context.ask(NAME, GetTaskDigestRequest { assignee_id }, send).await?;
                context.show(&Digest::from(answer))
            }
            Self::Claim { task, request } => {
                let (task_id, etag) = seen(context, task).await?;
                let request = ClaimTaskRequest {
                    task_id,
                    etag,
                    request_id: request.text(),
                };
                let send = |channel, request| async move { TaskServiceClient::new(channel).claim_task(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Task::from(answer.task.unwrap_or_default()))
            }
            Self::Snooze { task, until, request } => {
                let (task_id, etag) = seen(context, task).await?;
                let request = SnoozeTaskRequest {
                    task_id,
                    snooze_time: Some(to_instant(until)),
                    etag,
                    request_id: request.text(),
                };
                let send = |channel, request| async move { TaskServiceClient::new(channel).snooze_task(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Task::from(answer.task.unwrap_or_default()))
            }
            Self::Done {
                task,
                outcome,
                reason,
                comment,
                request,
            } => {
                let (task_id, etag) = seen(context, task).await?;
                let request = CompleteTaskRequest {
                    task_id,
                    outcome: outcome.into(),
                    reason: reason.unwrap_or(Reason::Unspecified).into(),
                    comment,
                    etag,
                    request_id: request.text(),
                };
                let send =
                    |channel, request| async move { TaskServiceClient::new(channel).complete_task(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Task::from(answer.task.unwrap_or_default()))
            }
        }
    }
}

/// The task as it stands now, by its version: what somebody else does meanwhile is not overwritten.
async fn seen(context: &Context, task_id: String) -> Result<(String, String)> {
    context.actor()?;
    let send = |channel, request| async move { TaskServiceClient::new(channel).get_task(request).await };
    let answer = context.ask(NAME, GetTaskRequest { task_id }, send).await?;
    let task = answer.task.unwrap_or_default();
    Ok((task.task_id, task.etag))
}
