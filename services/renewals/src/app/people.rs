//! What people do to deals and tasks: each request once, in the transaction of its effect.

use jiff::{Timestamp, civil::Date};
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
        deal::{LossReason, RenewalTerms, StageMove},
        duty::{Notice, NoticeKind},
        losses,
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

impl Once {
    /// The stored answer, if the request was answered before.
    pub(super) async fn begin(&self, tx: &Tx) -> Result<Option<Vec<u8>>, Problem> {
        match requests::begin_request(tx, self.method, &self.request_id, self.fingerprint).await? {
            Replay::Stored(bytes) => Ok(Some(bytes)),
            Replay::New => Ok(None),
        }
    }

    /// Stores the answer.
    pub(super) async fn finish(&self, tx: &Tx, bytes: &[u8], now: Timestamp) -> Result<(), Problem> {
        requests::finish_request(tx, self.method, &self.request_id, self.fingerprint, bytes, now).await
    }
}

/// What a person does to a deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The deal.
    pub deal_id: Uuid,
    /// As the caller saw it.
    pub etag: String,
    /// Who does it.
    pub actor: String,
    /// What.
    pub deed: Deed,
}

/// What can be done to a deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Enter a later stage (RN-2).
    Advance(Stage),
    /// Close it: renewed, or lost for a reason (RN-4).
    Close(Option<LossReason>),
    /// Move the stages, or give them back to the calendar (RN-6).
    MoveStages(Option<StageMove>),
    /// Say how the contract renews (RN-8).
    SetTerms(RenewalTerms),
    /// The customer gave notice (RN-8).
    Notice(Date),
}

/// Finishes a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complete {
    /// The task.
    pub task_id: Uuid,
    /// As the caller saw it.
    pub etag: String,
}

impl App {
    /// Changes a deal; the answer is `render`ed once and stored.
    #[tracing::instrument(name = "renewals.change_deal", skip_all, fields(deal.id = %command.deal_id))]
    pub async fn change_deal(
        &self,
        once: &Once,
        command: Change,
        render: fn(ListedDeal) -> Vec<u8>,
    ) -> Result<Vec<u8>, RenewalError> {
        let tx = self.db.begin().await?;
        if let Some(bytes) = once.begin(&tx).await? {
            return Ok(bytes);
        }
        let (now, deal_id) = (self.clock.now(), command.deal_id);
        let missing = || RenewalError::DealNotFound(deal_id.to_string());
        let id = store::deal_subscription_fetch(&*tx, &deal_id.to_string())
            .await?
            .ok_or_else(missing)?;
        let is_loss = matches!(command.deed, Deed::Close(Some(_)));
        let decide =
            |renewal: &Renewal, account: &Account, policy: &Policy| command.decide(renewal, account, policy, now);
        let renewal = self
            .decide(&tx, id, &format!("deal {deal_id}"), decide, now)
            .await?
            .ok_or_else(missing)?;
        let deal = deal_of(&renewal, deal_id).ok_or_else(missing)?;
        if is_loss {
            self.tell_product(&tx, now).await?;
        }
        let bytes = render(deal);
        once.finish(&tx, &bytes, now).await?;
        tx.commit().await?;
        Ok(bytes)
    }

    /// Marks a task as done, whatever it belongs to.
    #[tracing::instrument(name = "renewals.complete_task", skip_all, fields(task.id = %command.task_id))]
    pub async fn complete(
        &self,
        once: &Once,
        command: Complete,
        render: fn(ListedTask) -> Vec<u8>,
    ) -> Result<Vec<u8>, RenewalError> {
        let tx = self.db.begin().await?;
        if let Some(bytes) = once.begin(&tx).await? {
            return Ok(bytes);
        }
        let now = self.clock.now();
        let Complete { task_id, etag } = command;
        let missing = || RenewalError::TaskNotFound(task_id.to_string());
        let subject = store::task_subject_fetch(&*tx, &task_id.to_string())
            .await?
            .ok_or_else(missing)?;
        match store::deal_subscription_fetch(&*tx, &subject).await? {
            Some(id) => {
                let decide = |renewal: &Renewal, account: &Account, policy: &Policy| {
                    renewal.task_done((task_id, &etag), account, policy, now)
                };
                self.decide(&tx, id, &format!("task {task_id}"), decide, now)
                    .await?
                    .ok_or_else(missing)?;
            }
            None => self.care_task_done(&tx, &subject, task_id, &etag, now).await?,
        }
        let task = store::task_fetch(&*tx, &task_id.to_string())
            .await?
            .ok_or_else(missing)?;
        let bytes = render(task);
        once.finish(&tx, &bytes, now).await?;
        tx.commit().await?;
        Ok(bytes)
    }

    /// Decides about a renewal and writes what becomes of it; `None` when there is no such renewal.
    async fn decide(
        &self,
        tx: &Tx,
        subscription_id: String,
        what: &str,
        decide: impl Fn(&Renewal, &Account, &Policy) -> Result<Decision, DealFault>,
        now: Timestamp,
    ) -> Result<Option<Renewal>, RenewalError> {
        let ids = [subscription_id];
        store::subscriptions_lock(tx, &ids).await?;
        let Some(picture) = store::pictures_load(&**tx, &ids).await?.pop() else {
            return Ok(None);
        };
        let fault = |fault| RenewalError::Fault {
            id: what.to_owned(),
            fault,
        };
        let decision = decide(&picture.renewal, &picture.account, &self.rules.policy).map_err(fault)?;
        let news = events::of(&decision, now);
        let settled = settled(picture.renewal, decision, &picture.account);
        self.save(tx, std::slice::from_ref(&settled), news).await?;
        Ok(Some(settled.after))
    }

    /// Tells the product of each reason that has too large a share of the quarter's losses, once a quarter (RN-4).
    async fn tell_product(&self, tx: &Tx, now: Timestamp) -> Result<(), Problem> {
        let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
        let from = losses::quarter_of(today);
        let losses = store::losses_fetch(&**tx, from, today.saturating_add(jiff::Span::new().days(1))).await?;
        let mut notices = Vec::new();
        for quarter in losses::analyse(&losses, self.rules.signal) {
            for share in quarter.shares.iter().filter(|share| share.product_signal) {
                let id = [quarter.first_on.to_string(), share.category.to_string()];
                notices.push(Notice {
                    notice_id: upswell_runtime::ids::derive("product_signal", &[&id[0], &id[1]]),
                    person_id: self.rules.duty.product_id.clone(),
                    kind: NoticeKind::ProductSignal,
                    account_id: String::new(),
                    subject_id: share.category.to_string(),
                    text: format!(
                        "{} of {} renewals lost since {} were lost for {}",
                        share.count, quarter.lost, quarter.first_on, share.category
                    ),
                    made_at: now,
                });
            }
        }
        store::notices_insert(tx, notices.iter()).await?;
        Ok(())
    }
}

impl Change {
    fn decide(
        &self,
        renewal: &Renewal,
        account: &Account,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Decision, DealFault> {
        let key = (self.deal_id, self.etag.as_str());
        match &self.deed {
            Deed::Advance(stage) => renewal.advanced(key, *stage, &self.actor, account, policy, now),
            Deed::Close(loss) => renewal.closed(key, loss.clone(), &self.actor, account, policy, now),
            Deed::MoveStages(moved) => renewal.stages_moved(key, moved.clone(), account, policy, now),
            Deed::SetTerms(terms) => renewal.terms_set(key, *terms, account, policy, now),
            Deed::Notice(given_on) => renewal.notice_given(key, *given_on, account, policy, now),
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
