//! A person decides about an offer exactly as it was frozen (C-14).

use jiff::{Timestamp, civil::Date};
use upswell_runtime::db::Tx;
use uuid::Uuid;

use super::{App, revalidate::Standing};
use crate::{
    api::events,
    domain::{
        approval::{Approval, ApprovalFault, ApprovalState, Delegation, Ladder, business_deadline, content_hash},
        discount::Grantor,
        ledger::ReleaseReason,
        offer::{Offer, OfferFault},
        vocabulary::OfferState,
    },
    error::OfferError,
    store::{accounts, approvals, delegations, offers, pictures::zone},
};

/// Other words for an offer.
pub(crate) struct Words {
    pub(crate) subject: String,
    pub(crate) body: String,
    /// None leaves the banner as it is.
    pub(crate) banner: Option<String>,
}

/// How an approval ended.
pub(crate) enum Approved {
    /// The offer has its place.
    Reserved(Box<Approval>),
    /// It no longer holds and is not sent; this stays so although the call fails.
    NoLongerValid(String),
}

impl App {
    /// `actor` approves what hashes to `seen`; the offer gets the earliest legal place.
    #[tracing::instrument(name = "offers.approve", skip_all, fields(approval.id = %id))]
    pub(crate) async fn approve(
        &self,
        tx: &Tx,
        id: Uuid,
        seen: &str,
        actor: &str,
        comment: &str,
    ) -> Result<Approved, OfferError> {
        let now = self.clock.now();
        let mut approval = self.approval_locked(tx, id).await?;
        approval.approve(actor, seen, comment, now)?;
        let loaded = self.picture_locked(tx, &approval.account_id, now).await?;
        let offer = loaded.offers.iter().find(|offer| offer.id == approval.offer_id);
        let waiting = offer.filter(|offer| offer.state == OfferState::AwaitingApproval);
        let mut offer = waiting
            .cloned()
            .ok_or(OfferError::Approval(ApprovalFault::Closed(approval.state)))?;
        if content_hash(&offer) != approval.content_hash {
            return Err(ApprovalFault::ContentChanged.into());
        }
        let gone = match self.revalidate(&loaded, &offer, now) {
            Standing::Gone(reason) => Some(reason),
            Standing::Holds | Standing::Waits(..) => self.place(tx, &mut offer, id, now).await?,
        };
        if let Some(reason) = &gone {
            approval.state = ApprovalState::Revoked;
            offer.close(OfferState::Withdrawn, reason, now)?;
        }
        approvals::approvals_save(tx, std::slice::from_ref(&approval)).await?;
        self.tell(tx, vec![events::approval_changed(&approval)]).await?;
        self.save(tx, &mut offer, Some(OfferState::AwaitingApproval)).await?;
        Ok(gone.map_or_else(|| Approved::Reserved(Box::new(approval)), Approved::NoLongerValid))
    }

    /// `actor` rejects the offer; it is not sent, and its motion and subject rest for a while (SG-R3).
    #[tracing::instrument(name = "offers.reject", skip_all, fields(approval.id = %id))]
    pub(crate) async fn reject(&self, tx: &Tx, id: Uuid, actor: &str, comment: &str) -> Result<Approval, OfferError> {
        let now = self.clock.now();
        let mut approval = self.approval_locked(tx, id).await?;
        approval.reject(actor, comment, now)?;
        self.not_sent(tx, &approval, comment, now).await?;
        Ok(approval)
    }

    /// Nobody decided in time: the next one is asked, and when nobody is left, expiry means not sent. False when somebody
    /// decided after all.
    pub(crate) async fn expire_approval(&self, tx: &Tx, id: Uuid, now: Timestamp) -> Result<bool, OfferError> {
        let mut approval = self.approval_locked(tx, id).await?;
        if !approval.is_overdue(now) {
            return Ok(false);
        }
        let account = accounts::account_fetch(&**tx, &approval.account_id).await?;
        let account = account.ok_or_else(|| OfferError::AccountNotFound(approval.account_id.clone()))?;
        let zone = zone(&account.time_zone);
        let delegations = delegations::delegation_list_open(&**tx).await?;
        let mut ladder = self.ladder(&account.csm_id, &delegations, zone.to_datetime(now).date());
        ladder.lead_only = is_for_lead(&approval.snapshot);
        if let Some(next) = ladder.next(&approval.author, &approval.asked()) {
            let expires_at = business_deadline(now, self.settings.approvals.business_days, &zone);
            approval.escalate(next, now, expires_at);
            approvals::approvals_save(tx, std::slice::from_ref(&approval)).await?;
            self.tell(tx, vec![events::approval_changed(&approval)]).await?;
            return Ok(true);
        }
        (approval.state, approval.decided_at) = (ApprovalState::Expired, Some(now));
        self.not_sent(tx, &approval, "nobody decided in time", now).await?;
        Ok(true)
    }

    /// Who may be asked about an account.
    pub(crate) fn ladder<'a>(&'a self, csm_id: &'a str, delegations: &'a [Delegation], today: Date) -> Ladder<'a> {
        Ladder {
            csm_id: Some(csm_id).filter(|csm| !csm.is_empty()),
            lead_id: &self.settings.approvals.lead_id,
            delegations,
            today,
            lead_only: false,
        }
    }

    /// `actor` writes other words for an offer that waits for approval, or was approved and not yet sent. What was asked
    /// or approved before is void; somebody else is asked about the new content.
    #[tracing::instrument(name = "offers.edit", skip_all, fields(offer.id = %id))]
    pub(crate) async fn edit(
        &self,
        tx: &Tx,
        id: Uuid,
        etag: &str,
        actor: &str,
        words: Words,
    ) -> Result<(Offer, Approval), OfferError> {
        let now = self.clock.now();
        let mut offer = self.offer_locked(tx, id).await?;
        if !etag.is_empty() && etag != offer.version.to_string() {
            return Err(OfferError::Changed("the offer"));
        }
        let previous = offer.state;
        let open = previous == OfferState::AwaitingApproval
            || (previous == OfferState::Reserved && offer.approval_id.is_some());
        let Some(message) = offer.message.as_mut().filter(|_| open) else {
            return Err(OfferFault::NotOpen(previous).into());
        };
        (message.subject, message.body) = (words.subject, words.body);
        if let Some(banner) = words.banner {
            message.banner = banner;
        }
        self.give_up_place(tx, &mut offer, ReleaseReason::Cancelled, now)
            .await?;
        offer.defer(None, now)?;
        let approval = self.ask(tx, &mut offer, actor, now).await?;
        approvals::approvals_save(tx, std::slice::from_ref(&approval)).await?;
        self.tell(tx, vec![events::approval_changed(&approval)]).await?;
        self.save(tx, &mut offer, Some(previous)).await?;
        Ok((offer, approval))
    }

    /// Asks whoever is to decide about `offer` when `author` asks; the caller stores both.
    pub(crate) async fn ask(
        &self,
        tx: &Tx,
        offer: &mut Offer,
        author: &str,
        now: Timestamp,
    ) -> Result<Approval, OfferError> {
        let account = accounts::account_fetch(&**tx, &offer.account_id).await?;
        let account = account.ok_or_else(|| OfferError::AccountNotFound(offer.account_id.clone()))?;
        let zone = zone(&account.time_zone);
        let delegations = delegations::delegation_list_open(&**tx).await?;
        let mut ladder = self.ladder(&account.csm_id, &delegations, zone.to_datetime(now).date());
        ladder.lead_only = is_for_lead(offer);
        let approver = ladder.first(author);
        let expires_at = business_deadline(now, self.settings.approvals.business_days, &zone);
        offer.advance(OfferState::AwaitingApproval, now)?;
        let mut approval = Approval::request(offer, author, &approver, now, expires_at);
        offer.approval_id = Some(approval.id);
        approval.snapshot.approval_id = Some(approval.id);
        Ok(approval)
    }

    /// Reserves the earliest legal place; the reason when there is none in time.
    async fn place(
        &self,
        tx: &Tx,
        offer: &mut Offer,
        approval_id: Uuid,
        now: Timestamp,
    ) -> Result<Option<String>, OfferError> {
        let mut at = now;
        // The second try is the ledger's own answer to the first one.
        for _ in 0..2 {
            let terms_end = offer.terms.as_ref().map(|terms| terms.valid_until);
            if terms_end.is_some_and(|end| at > end) {
                return Ok(Some(format!("its terms end before its earliest legal time {at}")));
            }
            match self.reserve(tx, offer, approval_id, at, now).await? {
                Ok(()) => return Ok(None),
                Err(Some(earliest)) => at = earliest,
                Err(None) => break,
            }
        }
        Ok(Some("the limits leave no place for it".to_owned()))
    }

    async fn approval_locked(&self, tx: &Tx, id: Uuid) -> Result<Approval, OfferError> {
        let missing = || OfferError::ApprovalNotFound(id.to_string());
        let found = approvals::approval_fetch(&**tx, id).await?.ok_or_else(missing)?;
        accounts::account_lock(tx, &found.account_id).await?;
        approvals::approval_fetch(&**tx, id).await?.ok_or_else(missing)
    }

    async fn not_sent(&self, tx: &Tx, approval: &Approval, reason: &str, now: Timestamp) -> Result<(), OfferError> {
        approvals::approvals_save(tx, std::slice::from_ref(approval)).await?;
        self.tell(tx, vec![events::approval_changed(approval)]).await?;
        let found = offers::offer_fetch(&**tx, approval.offer_id).await?;
        if let Some(mut offer) = found.filter(|offer| offer.state == OfferState::AwaitingApproval) {
            offer.close(OfferState::Rejected, reason, now)?;
            self.save(tx, &mut offer, Some(OfferState::AwaitingApproval)).await?;
        }
        Ok(())
    }
}

/// Whether only the lead may grant what an offer takes off (M-5).
fn is_for_lead(offer: &Offer) -> bool {
    offer
        .terms
        .as_ref()
        .is_some_and(|terms| terms.grantor == Some(Grantor::Lead))
}
