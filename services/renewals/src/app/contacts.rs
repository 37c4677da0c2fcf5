//! Contacts with customers and their places in the ledger (RN-2): first the intent is durable, then the ledger is told, by
//! the same key until it has answered.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use upswell_runtime::{
    ids,
    jobs::Job,
    problem::{Kind, Problem},
};
use uuid::Uuid;

use super::{App, Once};
use crate::{
    clients::Begun,
    domain::contact::{Contact, ContactFault, ContactKind, ContactState, Outcome, Place, Step},
    error::RenewalError,
    store::{self, ContactFilter, ContactKey},
};

/// Contacts in one look.
const BATCH: u64 = 100;
/// How often waiting contacts are looked at.
const PERIOD: Duration = Duration::from_secs(15);

/// A contact to plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanContact {
    /// The deal.
    pub deal_id: Uuid,
    /// What it is.
    pub kind: ContactKind,
    /// How it reaches the account: the number of the contract's word.
    pub channel: i32,
    /// The person; empty when none in particular.
    pub person_id: String,
    /// It counts as commercial too.
    pub proposes_expansion: bool,
    /// When; `None` means now.
    pub planned_at: Option<Timestamp>,
    /// Who plans it.
    pub actor: String,
}

/// Tells the ledger what it was not told yet, and closes contacts of which nobody said how they went.
pub struct TellLedger {
    app: App,
}

impl TellLedger {
    /// The job over the use cases.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Job for TellLedger {
    fn name(&self) -> &'static str {
        "renewals.contacts"
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let due = store::contacts_due_fetch(self.app.db.reader(), now, BATCH).await?;
        let mut done = 0;
        for contact in due {
            done += usize::from(self.app.tell_ledger(contact, now).await?);
        }
        Ok(done)
    }
}

impl App {
    /// Plans a contact and asks for its place.
    pub async fn plan_contact(&self, once: &Once, plan: PlanContact) -> Result<Contact, RenewalError> {
        let now = self.clock.now();
        let contact_id = ids::derive("renewal_contact", &[&plan.deal_id.to_string(), &once.request_id]);
        let tx = self.db.begin().await?;
        if once.begin(&tx).await?.is_none() {
            let contact = self.contact_of(&tx, contact_id, plan, now).await?;
            store::contact_insert(&tx, &contact).await?;
            once.finish(&tx, &[], now).await?;
            tx.commit().await?;
            self.tell_ledger(contact, now).await?;
        }
        self.contact(contact_id).await
    }

    async fn contact_of(
        &self,
        tx: &upswell_runtime::db::Tx,
        contact_id: Uuid,
        plan: PlanContact,
        now: Timestamp,
    ) -> Result<Contact, RenewalError> {
        let deal_id = plan.deal_id.to_string();
        let deal = store::deal_fetch(&**tx, &deal_id).await?;
        let deal = deal.ok_or_else(|| RenewalError::DealNotFound(deal_id.clone()))?;
        if !deal.deal.is_open() {
            let fault = crate::domain::renewal::DealFault::Closed(deal.deal.stage);
            return Err(RenewalError::Fault {
                id: format!("deal {deal_id}"),
                fault,
            });
        }
        let planned_at = plan.planned_at.unwrap_or(now);
        if planned_at < now {
            return Err(Problem::invalid_field("planned_time", "must not be in the past").into());
        }
        Ok(Contact {
            contact_id,
            deal_id: plan.deal_id,
            account_id: deal.account_id,
            kind: plan.kind,
            channel: plan.channel,
            person_id: plan.person_id,
            proposes_expansion: plan.proposes_expansion,
            planned_at,
            state: ContactState::Planned,
            step: Some(Step::Reserve),
            next_at: Some(now),
            attempt: 1,
            touch_id: String::new(),
            blocking: Vec::new(),
            actor: plan.actor,
            version: 1,
        })
    }

    /// One contact.
    pub async fn contact(&self, contact_id: Uuid) -> Result<Contact, RenewalError> {
        let found = store::contact_fetch(self.db.reader(), &contact_id.to_string()).await?;
        found.ok_or_else(|| fault(contact_id, ContactFault::NoContact))
    }

    /// Begins a contact: the ledger judges it once more, now. It may be made only when the answer is SENDING.
    pub async fn begin_contact(&self, once: &Once, contact_id: Uuid, etag: &str) -> Result<Contact, RenewalError> {
        let now = self.clock.now();
        // The ledger is told outside of the transaction, and before it: when an answer is lost, the caller asks again, and
        // telling it twice is harmless. What it has let begin counts, whatever becomes of the rest.
        let seen = self.contact(contact_id).await?;
        let begun = match seen.begins(etag) {
            Ok(()) => Some(self.ledger.begin(&seen.touch_id).await?),
            Err(_) => None,
        };
        let tx = self.db.begin().await?;
        if once.begin(&tx).await?.is_some() {
            return self.contact(contact_id).await;
        }
        let mut contact = self.contact_locked(&tx, contact_id).await?;
        contact.begins(etag).map_err(|reason| fault(contact_id, reason))?;
        let version = contact.version;
        match begun {
            Some(Begun::Sending) => contact.begun(now, self.rules.outcome_wait),
            Some(Begun::Displaced(rules, earliest)) => contact.displaced(rules, earliest, now),
            None => return Err(fault(contact_id, ContactFault::Changed)),
        }
        if !store::contact_save(&tx, &contact, version).await? {
            return Err(fault(contact_id, ContactFault::Changed));
        }
        once.finish(&tx, &[], now).await?;
        tx.commit().await?;
        Ok(contact)
    }

    /// Says how a contact went; the ledger is told now, or later by the job.
    pub async fn finish_contact(
        &self,
        once: &Once,
        contact_id: Uuid,
        etag: &str,
        outcome: Outcome,
    ) -> Result<Contact, RenewalError> {
        self.contact_once(once, contact_id, |contact, now| contact.finished(etag, outcome, now))
            .await
    }

    /// Gives a contact up.
    pub async fn cancel_contact(&self, once: &Once, contact_id: Uuid, etag: &str) -> Result<Contact, RenewalError> {
        self.contact_once(once, contact_id, |contact, now| contact.cancelled(etag, now))
            .await
    }

    async fn contact_once(
        &self,
        once: &Once,
        contact_id: Uuid,
        change: impl Fn(&mut Contact, Timestamp) -> Result<(), ContactFault>,
    ) -> Result<Contact, RenewalError> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        if once.begin(&tx).await?.is_none() {
            let mut contact = self.contact_locked(&tx, contact_id).await?;
            let version = contact.version;
            change(&mut contact, now).map_err(|reason| fault(contact_id, reason))?;
            if !store::contact_save(&tx, &contact, version).await? {
                return Err(fault(contact_id, ContactFault::Changed));
            }
            once.finish(&tx, &[], now).await?;
            tx.commit().await?;
            self.tell_ledger(contact, now).await?;
        }
        self.contact(contact_id).await
    }

    async fn contact_locked(&self, tx: &upswell_runtime::db::Tx, contact_id: Uuid) -> Result<Contact, RenewalError> {
        let found = store::contact_fetch(&**tx, &contact_id.to_string()).await?;
        found.ok_or_else(|| fault(contact_id, ContactFault::NoContact))
    }

    /// A page of contacts by planned time.
    pub async fn contacts(
        &self,
        filter: &ContactFilter,
        after: Option<&ContactKey>,
        size: u32,
    ) -> Result<(Vec<Contact>, Option<ContactKey>), RenewalError> {
        let rows = store::contact_list(self.db.reader(), filter, after, u64::from(size) + 1).await?;
        Ok(super::lists::page(rows, size))
    }

    /// Takes the step that waits, outside of any transaction, and writes its outcome; false when it has to wait longer. Who
    /// changed the contact meanwhile wins: the step is then taken again by its key.
    async fn tell_ledger(&self, mut contact: Contact, now: Timestamp) -> Result<bool, Problem> {
        let version = contact.version;
        let reached = match contact.step {
            Some(Step::Reserve) => self
                .ledger
                .reserve(&contact, now)
                .await
                .map(|place: Place| contact.answered(place)),
            Some(Step::TakeBack) => self.ledger.take_back(&contact, now).await.map(|()| contact.told()),
            Some(Step::Confirm(at)) => self
                .ledger
                .confirm(&contact.touch_id, at)
                .await
                .map(|()| contact.told()),
            Some(step) => self
                .ledger
                .release(&contact.touch_id, step)
                .await
                .map(|()| contact.told()),
            None => {
                contact.forgotten();
                Ok(())
            }
        };
        let done = match reached {
            Ok(()) => true,
            Err(problem) if is_lasting(&problem) => {
                tracing::warn!(contact.id = %contact.contact_id, error = %problem, "the ledger refuses a step");
                contact.refused(problem.reason());
                true
            }
            Err(problem) => {
                tracing::debug!(contact.id = %contact.contact_id, error = %problem, "the ledger is asked again later");
                contact.again(now.checked_add(self.rules.retry_wait).unwrap_or(now));
                false
            }
        };
        let tx = self.db.begin().await?;
        store::contact_save(&tx, &contact, version).await?;
        tx.commit().await?;
        Ok(done)
    }
}

/// True when asking again changes nothing.
fn is_lasting(problem: &Problem) -> bool {
    matches!(
        problem.kind(),
        Kind::InvalidArgument | Kind::FailedPrecondition | Kind::PermissionDenied
    )
}

fn fault(contact_id: Uuid, fault: ContactFault) -> RenewalError {
    RenewalError::Contact {
        id: contact_id.to_string(),
        fault,
    }
}
