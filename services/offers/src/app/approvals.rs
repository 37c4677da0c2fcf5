//! A person decides about an offer exactly as it was frozen (C-14).

use jiff::Timestamp;
use upswell_runtime::db::Tx;
use uuid::Uuid;

use super::{App, revalidate::Standing};
use crate::{
    api::events,
    domain::{
        approval::{Approval, ApprovalFault, ApprovalState, content_hash},
        offer::Offer,
        vocabulary::OfferState,
    },
    error::OfferError,
    store::{accounts, approvals, offers},
};

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

    /// Nobody decided in time: expiry means not sent. False when somebody did after all.
    pub(crate) async fn expire_approval(&self, tx: &Tx, id: Uuid, now: Timestamp) -> Result<bool, OfferError> {
        let mut approval = self.approval_locked(tx, id).await?;
        if !approval.is_overdue(now) {
            return Ok(false);
        }
        (approval.state, approval.decided_at) = (ApprovalState::Expired, Some(now));
        self.not_sent(tx, &approval, "nobody decided in time", now).await?;
        Ok(true)
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
