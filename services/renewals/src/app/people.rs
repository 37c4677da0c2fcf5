//! What people do: each request once, in the transaction of its effect.

use jiff::Timestamp;
use upswell_runtime::{
    db::Tx,
    problem::Problem,
    requests::{self, Replay},
};
use uuid::Uuid;

use super::{App, settle::settled};
use crate::{
    api::events,
    domain::{
        account::Account,
        deal::LossReason,
        renewal::{DealFault, Decision, Policy, Renewal},
        stage::Stage,
    },
    error::RenewalError,
    store::{self, ListedDeal, ListedTask},
};

/// What makes a request the same request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The RPC.
    pub method: &'static str,
    /// The caller's UUID.
    pub request_id: String,
    /// Of everything else in the request.
    pub fingerprint: [u8; 32],
}

/// Moves a deal on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The deal.
    pub deal_id: Uuid,
    /// The stage to enter.
    pub stage: Stage,
    /// As the caller saw the deal.
    pub etag: String,
    /// Who does it.
    pub actor: String,
}

/// Closes a deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The deal.
    pub deal_id: Uuid,
    /// Why it is lost; `None` when it is renewed.
    pub loss: Option<LossReason>,
    /// As the caller saw the deal.
    pub etag: String,
    /// Who does it.
    pub actor: String,
}

/// Finishes a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complete {
    /// The task.
    pub task_id: Uuid,
}

impl App {
    /// Moves a deal to a later stage (RN-2); the answer is `render`ed once and stored.
    #[tracing::instrument(name = "renewals.advance_deal", skip_all, fields(deal.id = %command.deal_id))]
    pub async fn advance(
        &self,
        once: &Once,
        command: Advance,
        render: fn(ListedDeal) -> Vec<u8>,
    ) -> Result<Vec<u8>, RenewalError> {
        let Advance {
            deal_id,
            stage,
            etag,
            actor,
        } = command;
        let decide = |renewal: &Renewal, account: &Account, policy: &Policy, now| {
            renewal.advanced((deal_id, &etag), stage, &actor, account, policy, now)
        };
        self.once(once, &Target::Deal(deal_id), decide, |renewal| {
            deal_of(renewal, deal_id).map(render)
        })
        .await
    }

    /// Closes a deal as renewed or lost (RN-4).
    #[tracing::instrument(name = "renewals.close_deal", skip_all, fields(deal.id = %command.deal_id))]
    pub async fn close(
        &self,
        once: &Once,
        command: Close,
        render: fn(ListedDeal) -> Vec<u8>,
    ) -> Result<Vec<u8>, RenewalError> {
        let Close {
            deal_id,
            loss,
            etag,
            actor,
        } = command;
        let decide = |renewal: &Renewal, account: &Account, policy: &Policy, now| {
            renewal.closed((deal_id, &etag), loss.clone(), &actor, account, policy, now)
        };
        self.once(once, &Target::Deal(deal_id), decide, |renewal| {
            deal_of(renewal, deal_id).map(render)
        })
        .await
    }

    /// Marks a task as done.
    #[tracing::instrument(name = "renewals.complete_task", skip_all, fields(task.id = %command.task_id))]
    pub async fn complete(
        &self,
        once: &Once,
        command: Complete,
        render: fn(ListedTask) -> Vec<u8>,
    ) -> Result<Vec<u8>, RenewalError> {
        let Complete { task_id } = command;
        let decide = |renewal: &Renewal, account: &Account, policy: &Policy, now| {
            renewal.task_done(task_id, account, policy, now)
        };
        self.once(once, &Target::Task(task_id), decide, |renewal| {
            task_of(renewal, task_id).map(render)
        })
        .await
    }

    async fn once(
        &self,
        once: &Once,
        target: &Target,
        decide: impl Fn(&Renewal, &Account, &Policy, Timestamp) -> Result<Decision, DealFault>,
        answer: impl Fn(&Renewal) -> Option<Vec<u8>>,
    ) -> Result<Vec<u8>, RenewalError> {
        let Once {
            method,
            request_id,
            fingerprint,
        } = once;
        let tx = self.db.begin().await?;
        if let Replay::Stored(bytes) = requests::begin_request(&tx, method, request_id, *fingerprint).await? {
            return Ok(bytes);
        }
        let now = self.clock.now();
        let renewal = self.change(&tx, target, decide, now).await?;
        let bytes = answer(&renewal).ok_or_else(|| Problem::internal(format!("{target} is gone")))?;
        requests::finish_request(&tx, method, request_id, *fingerprint, &bytes, now).await?;
        tx.commit().await?;
        Ok(bytes)
    }

    async fn change(
        &self,
        tx: &Tx,
        target: &Target,
        decide: impl Fn(&Renewal, &Account, &Policy, Timestamp) -> Result<Decision, DealFault>,
        now: Timestamp,
    ) -> Result<Renewal, RenewalError> {
        let ids = [target.subscription(tx).await?.ok_or_else(|| target.not_found())?];
        store::subscriptions_lock(tx, &ids).await?;
        let mut pictures = store::pictures_load(&**tx, &ids).await?;
        let picture = pictures.pop().ok_or_else(|| target.not_found())?;
        let decision =
            decide(&picture.renewal, &picture.account, &self.policy, now).map_err(|fault| RenewalError::Fault {
                id: target.to_string(),
                fault,
            })?;
        let news = events::of(&decision, now);
        let settled = settled(picture.renewal, decision, &picture.account);
        self.save(tx, std::slice::from_ref(&settled), news).await?;
        Ok(settled.after)
    }
}

enum Target {
    Deal(Uuid),
    Task(Uuid),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Deal(id) => write!(f, "deal {id}"),
            Self::Task(id) => write!(f, "task {id}"),
        }
    }
}

impl Target {
    async fn subscription(&self, tx: &Tx) -> Result<Option<String>, Problem> {
        match self {
            Self::Deal(id) => store::deal_subscription_fetch(&**tx, &id.to_string()).await,
            Self::Task(id) => store::task_subscription_fetch(&**tx, &id.to_string()).await,
        }
    }

    fn not_found(&self) -> RenewalError {
        match self {
            Self::Deal(id) => RenewalError::DealNotFound(id.to_string()),
            Self::Task(id) => RenewalError::TaskNotFound(id.to_string()),
        }
    }
}

fn deal_of(renewal: &Renewal, deal_id: Uuid) -> Option<ListedDeal> {
    let deal = renewal.deals.iter().find(|deal| deal.deal_id == deal_id)?;
    Some(ListedDeal {
        account_id: renewal.account_id.clone(),
        subscription_id: renewal.subscription_id.clone(),
        deal: deal.clone(),
    })
}

fn task_of(renewal: &Renewal, task_id: Uuid) -> Option<ListedTask> {
    let task = renewal.tasks.iter().find(|task| task.task_id == task_id)?;
    Some(ListedTask {
        account_id: renewal.account_id.clone(),
        task: task.clone(),
    })
}
