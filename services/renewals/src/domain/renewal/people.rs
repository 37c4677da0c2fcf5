//! What people do to a renewal.

use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{Decision, Policy, Renewal};
use crate::domain::{
    account::{Account, days_before},
    deal::{Deal, LossReason, RenewalTerms, StageMove},
    schedule::LAST_MILE,
    stage::Stage,
    task::{Task, TaskState},
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
    #[error("it was changed meanwhile")]
    Changed,
    /// Notice was given before.
    #[error("notice was given already")]
    NoticeGiven,
    /// The contract goes on: the period of notice is over.
    #[error("notice could be given until {0}: to let them go all the same, change the terms or close the deal")]
    NoticeLate(Date),
    /// Negotiation cannot be over on that day.
    #[error("negotiation must be over at least 15 days and at most a year before the renewal on {0}")]
    OutOfReach(Date),
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

    /// A person decides when negotiation is to be over; `None` gives the stages back to the calendar (RN-6).
    pub fn stages_moved(
        &self,
        (deal_id, etag): (Uuid, &str),
        moved: Option<StageMove>,
        account: &Account,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Decision, DealFault> {
        let mut after = self.clone();
        let deal = after.workable(deal_id, etag)?;
        let reach = days_before(deal.renewal_on, 365)..=days_before(deal.renewal_on, LAST_MILE);
        if moved
            .as_ref()
            .is_some_and(|moved| !reach.contains(&moved.negotiated_on))
        {
            return Err(DealFault::OutOfReach(deal.renewal_on));
        }
        deal.moved = moved;
        Ok(after.decided(self, account, policy, now))
    }

    /// A person says how the contract renews (RN-8).
    pub fn terms_set(
        &self,
        (deal_id, etag): (Uuid, &str),
        terms: RenewalTerms,
        account: &Account,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Decision, DealFault> {
        let mut after = self.clone();
        after.workable(deal_id, etag)?.terms = terms;
        Ok(after.decided(self, account, policy, now))
    }

    /// The customer gave notice (RN-8).
    pub fn notice_given(
        &self,
        (deal_id, etag): (Uuid, &str),
        given_on: Date,
        account: &Account,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Decision, DealFault> {
        let mut after = self.clone();
        let deal = after.workable(deal_id, etag)?;
        if deal.notice_given_on.is_some() {
            return Err(DealFault::NoticeGiven);
        }
        if let Some(last) = deal
            .notice_on()
            .filter(|last| deal.terms.auto_renew && given_on > *last)
        {
            return Err(DealFault::NoticeLate(last));
        }
        deal.notice_given_on = Some(given_on);
        Ok(after.decided(self, account, policy, now))
    }

    /// A person did a task.
    pub fn task_done(
        &self,
        (task_id, etag): (Uuid, &str),
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
        task.done(etag, now)?;
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

impl Task {
    /// Marks it as done, if it may be.
    pub fn done(&mut self, etag: &str, now: Timestamp) -> Result<(), DealFault> {
        match self.state {
            TaskState::Done => return Err(DealFault::TaskDone),
            TaskState::Cancelled => return Err(DealFault::TaskCancelled),
            TaskState::Open | TaskState::Overdue if self.etag() != etag => return Err(DealFault::Changed),
            TaskState::Open | TaskState::Overdue => {}
        }
        self.state = TaskState::Done;
        self.completed_at = Some(now);
        Ok(())
    }
}
