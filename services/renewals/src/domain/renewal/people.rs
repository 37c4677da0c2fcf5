//! What people do to a renewal.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Decision, Policy, Renewal};
use crate::domain::{
    account::Account,
    deal::{Deal, LossReason},
    stage::Stage,
    task::TaskState,
};

/// Why a person's decision is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DealFault {
    /// There is no such deal in this renewal.
    #[error("the deal does not exist")]
    NoDeal,
    /// There is no such task in this renewal.
    #[error("the task does not exist")]
    NoTask,
    /// It is renewed or lost already.
    #[error("the deal is {0}")]
    Closed(Stage),
    /// The stage is not later than the present one.
    #[error("stage {to} is not ahead of {from}")]
    NotAhead {
        /// Where the deal stands.
        from: Stage,
        /// Where it was to go.
        to: Stage,
    },
    /// Somebody changed it since the caller read it.
    #[error("the deal was changed meanwhile")]
    Changed,
    /// It is done already.
    #[error("the task is done already")]
    TaskDone,
    /// It is no longer needed.
    #[error("the task was cancelled")]
    TaskCancelled,
}

impl Renewal {
    /// A person moves the deal to a later stage, before its date opens it (RN-2).
    pub fn advanced(
        &self,
        (deal_id, etag): (Uuid, &str),
        stage: Stage,
        actor: &str,
        account: &Account,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Decision, DealFault> {
        let mut after = self.clone();
        let deal = after.workable(deal_id, etag)?;
        if stage <= deal.stage {
            return Err(DealFault::NotAhead {
                from: deal.stage,
                to: stage,
            });
        }
        deal.enter(stage, actor, now);
        Ok(after.decided(self, account, policy, now))
    }

    /// A person closes the deal: lost for a reason, or renewed without one.
    pub fn closed(
        &self,
        (deal_id, etag): (Uuid, &str),
        loss: Option<LossReason>,
        actor: &str,
        account: &Account,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Decision, DealFault> {
        let mut after = self.clone();
        let deal = after.workable(deal_id, etag)?;
        match loss {
            Some(reason) => deal.lose(reason, actor, now),
            None => deal.renew(actor, now),
        }
        Ok(after.decided(self, account, policy, now))
    }

    /// A person did a task.
    pub fn task_done(
        &self,
        task_id: Uuid,
        account: &Account,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Decision, DealFault> {
        let mut after = self.clone();
        let task = after
            .tasks
            .iter_mut()
            .find(|task| task.task_id == task_id)
            .ok_or(DealFault::NoTask)?;
        match task.state {
            TaskState::Done => return Err(DealFault::TaskDone),
            TaskState::Cancelled => return Err(DealFault::TaskCancelled),
            TaskState::Open | TaskState::Overdue => {}
        }
        task.state = TaskState::Done;
        task.completed_at = Some(now);
        Ok(after.decided(self, account, policy, now))
    }

    fn workable(&mut self, deal_id: Uuid, etag: &str) -> Result<&mut Deal, DealFault> {
        let deal = self
            .deals
            .iter_mut()
            .find(|deal| deal.deal_id == deal_id)
            .ok_or(DealFault::NoDeal)?;
        match deal {
            deal if !deal.is_open() => Err(DealFault::Closed(deal.stage)),
            deal if deal.etag() != etag => Err(DealFault::Changed),
            deal => Ok(deal),
        }
    }
}
