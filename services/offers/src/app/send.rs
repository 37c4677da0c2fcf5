//! Sends what has its place and whose time has come.
//!
//! RESERVED → (re-validated, approval consumed, BeginSend) → SENDING → handed to the channel outside any transaction →
//! (Confirm) → SENT. A crash in between leaves SENDING: the channel knows each touch, so the message is handed over
//! again and goes out once.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use tracing::Instrument as _;
use upswell_runtime::{db::Tx, jobs::Job, problem::Problem};
use uuid::Uuid;

use super::{
    App,
    ledger::{begin_in, confirm_in, release_in},
    released::released_in,
    revalidate::Standing,
};
use crate::{
    api::events,
    channel::{DeliveryFault, Outgoing, Recipient},
    domain::{
        approval::{ApprovalState, content_hash},
        ledger::{ReleaseReason, TouchFault},
        offer::Offer,
        vocabulary::OfferState,
    },
    error::OfferError,
    store::{accounts, approvals, copies, from_json, offers, pictures::StoredPoint},
};

/// Offers in one run.
const RUN: u64 = 5_000;

/// Sends due offers.
pub struct SendDue(pub(crate) Arc<App>);

#[async_trait]
impl Job for SendDue {
    fn name(&self) -> &'static str {
        "offers.send_due"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn event_driven(&self) -> bool {
        true
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let due = offers::offer_list_to_send(self.0.db.reader(), now, RUN).await?;
        let mut done = 0;
        for offer in due {
            let span = tracing::info_span!("offers.send", account.id = %offer.account_id, offer.id = %offer.id);
            if let Some(trace) = self.0.trace_of(&offer).await? {
                trace.adopt(&span, self.0.trace_mode);
            }
            done += self.0.send(offer, now).instrument(span).await?;
        }
        Ok(done)
    }
}

impl App {
    /// Sends one offer as far as it gets; the number of steps that were made.
    async fn send(&self, offer: Offer, now: Timestamp) -> Result<usize, Problem> {
        let (sending, began) = if offer.state == OfferState::Sending {
            (Some(offer), 0)
        } else {
            (self.begin(offer.id, &offer.account_id, now).await?, 1)
        };
        let Some(offer) = sending else { return Ok(1) };
        let message = self.outgoing(&offer).await?;
        match self.channel.deliver(&message).await {
            Ok(receipt) => {
                tracing::debug!(receipt.reference, "an offer was delivered");
                self.finish(offer.id, &offer.account_id, None, now).await?;
                Ok(1)
            }
            Err(DeliveryFault::Refused(reason)) => {
                tracing::warn!(error = reason, "the channel refused an offer");
                self.finish(offer.id, &offer.account_id, Some(reason), now).await?;
                Ok(1)
            }
            Err(DeliveryFault::Unavailable(reason)) => {
                tracing::warn!(error = reason, "an offer waits for its channel");
                Ok(began)
            }
        }
    }

    /// The first transaction: everything is checked once more, then sending begins. `None` when it does not.
    async fn begin(&self, id: Uuid, account_id: &str, now: Timestamp) -> Result<Option<Offer>, Problem> {
        let tx = self.db.begin().await?;
        let loaded = self.picture_locked(&tx, account_id, now).await?;
        let due = |offer: &&Offer| offer.id == id && offer.state == OfferState::Reserved;
        let Some(mut offer) = loaded.offers.iter().find(due).cloned() else {
            return Ok(None);
        };
        let begun = match self.revalidate(&loaded, &offer, now) {
            Standing::Holds => self.begin_checked(&tx, &mut offer, now).await?,
            Standing::Waits(until, reason) => {
                self.give_up_place(&tx, &mut offer, ReleaseReason::Cancelled, now)
                    .await?;
                tracing::info!(reason, "an offer competes again");
                offer.defer(until, now).map_err(OfferError::from)?;
                false
            }
            Standing::Gone(reason) => {
                self.give_up_place(&tx, &mut offer, ReleaseReason::Cancelled, now)
                    .await?;
                offer
                    .close(OfferState::Withdrawn, reason, now)
                    .map_err(OfferError::from)?;
                false
            }
        };
        self.save(&tx, &mut offer, Some(OfferState::Reserved)).await?;
        tx.commit().await?;
        Ok(begun.then_some(offer))
    }

    /// Uses the approval up and begins; false when the offer was closed or put off instead.
    async fn begin_checked(&self, tx: &Tx, offer: &mut Offer, now: Timestamp) -> Result<bool, Problem> {
        if !self.consume_approval(tx, offer).await? {
            self.give_up_place(tx, offer, ReleaseReason::Cancelled, now).await?;
            let reason = "what was approved is not what would be sent";
            offer
                .close(OfferState::Withdrawn, reason, now)
                .map_err(OfferError::from)?;
            return Ok(false);
        }
        let touch_id = touch_of(offer)?;
        let until = match begin_in(tx, &self.ledger, touch_id, now).await? {
            Ok(_) => {
                offer.advance(OfferState::Sending, now).map_err(OfferError::from)?;
                return Ok(true);
            }
            Err(TouchFault::Blocked(judgement)) => {
                self.give_up_place(tx, offer, ReleaseReason::Cancelled, now).await?;
                judgement.earliest
            }
            // Its place is gone already.
            Err(_) => None,
        };
        offer.defer(until, now).map_err(OfferError::from)?;
        Ok(false)
    }

    /// Compare-and-set of the approval with the content that would be sent (C-14). True when none is needed.
    async fn consume_approval(&self, tx: &Tx, offer: &Offer) -> Result<bool, Problem> {
        let Some(id) = offer.approval_id else { return Ok(true) };
        if !approvals::approval_consume(tx, id, &content_hash(offer), touch_of(offer)?).await? {
            return Ok(false);
        }
        let consumed = approvals::approval_fetch(&**tx, id).await?;
        self.tell(tx, consumed.iter().map(events::approval_changed).collect())
            .await?;
        Ok(true)
    }

    /// Releases the touch, and revokes an approval that was not used.
    pub(crate) async fn give_up_place(
        &self,
        tx: &Tx,
        offer: &mut Offer,
        reason: ReleaseReason,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if let Some(touch_id) = offer.touch_id {
            // A place that is gone already needs no release.
            drop(release_in(tx, &self.ledger, touch_id, reason, now).await?);
        }
        let Some(approval_id) = offer.approval_id else {
            return Ok(());
        };
        if let Some(mut approval) = approvals::approval_fetch(&**tx, approval_id).await?
            && matches!(approval.state, ApprovalState::Approved | ApprovalState::Pending)
        {
            approval.state = ApprovalState::Revoked;
            approvals::approvals_save(tx, std::slice::from_ref(&approval)).await?;
            self.tell(tx, vec![events::approval_changed(&approval)]).await?;
        }
        Ok(())
    }

    /// The last transaction: the touch was made, or provably not made.
    async fn finish(&self, id: Uuid, account: &str, refused: Option<String>, now: Timestamp) -> Result<(), Problem> {
        let tx = self.db.begin().await?;
        accounts::account_lock(&tx, account).await?;
        let found = offers::offer_fetch(&*tx, id).await?;
        let Some(mut offer) = found.filter(|offer| offer.state == OfferState::Sending) else {
            return Ok(());
        };
        let touch_id = touch_of(&offer)?;
        if let Some(reason) = refused {
            self.give_up_place(&tx, &mut offer, ReleaseReason::NotSent, now).await?;
            offer
                .close(OfferState::Withdrawn, reason, now)
                .map_err(OfferError::from)?;
        } else {
            // The message carries the instant at which sending began; after a crash it is still that one.
            let made_at = offer.state_at;
            match confirm_in(&tx, &self.ledger, touch_id, Some(made_at), now).await? {
                Ok(confirmed) => drop(released_in(&tx, &self.ledger.routes, &confirmed.displaced, now).await?),
                // Somebody said meanwhile that it bounced; the message left all the same.
                Err(fault) => tracing::warn!(error = %fault, "a delivered touch could not be confirmed"),
            }
            offer.advance(OfferState::Sent, now).map_err(OfferError::from)?;
            offer.sent_at = Some(made_at);
        }
        self.save(&tx, &mut offer, Some(OfferState::Sending)).await?;
        tx.commit().await
    }

    /// The message of an offer whose sending began; the same every time it is asked for.
    async fn outgoing(&self, offer: &Offer) -> Result<Outgoing, Problem> {
        let message = offer
            .message
            .clone()
            .ok_or_else(|| Problem::internal("an offer without words"))?;
        let reader = self.db.reader();
        let contact = match &offer.contact_id {
            None => None,
            Some(id) => {
                let known = copies::contact_fetch(reader, id).await?;
                let points: Vec<StoredPoint> = known.map_or(Ok(Vec::new()), |contact| from_json(&contact.points))?;
                let point = points
                    .into_iter()
                    .find(|point| point.channel == offer.channel && point.consent);
                Some(Recipient {
                    id: id.clone(),
                    address: point.map(|point| point.address).unwrap_or_default(),
                })
            }
        };
        let account = accounts::account_fetch(reader, &offer.account_id).await?;
        let csm = account
            .map(|account| account.csm_id)
            .filter(|csm| !csm.is_empty() && offer.channel.is_task());
        Ok(Outgoing {
            touch_id: touch_of(offer)?,
            offer_id: offer.id,
            account_id: offer.account_id.clone(),
            motion: offer.motion,
            about: offer.subject.clone(),
            playbook: offer.playbook.clone(),
            class: offer.class,
            owner: offer.owner,
            channel: offer.channel,
            contact,
            assignee: csm,
            message,
            terms: offer.terms.clone(),
            sent_time: offer.state_at,
        })
    }

    /// The trace of the signal behind an offer.
    async fn trace_of(&self, offer: &Offer) -> Result<Option<upswell_runtime::telemetry::TraceContext>, Problem> {
        let Some(id) = offer.signal_ids.first() else {
            return Ok(None);
        };
        let signal = copies::signal_fetch(self.db.reader(), id).await?;
        Ok(signal.map(|signal| upswell_runtime::telemetry::TraceContext {
            traceparent: signal.traceparent,
            tracestate: signal.tracestate,
        }))
    }
}

fn touch_of(offer: &Offer) -> Result<Uuid, Problem> {
    offer
        .touch_id
        .ok_or_else(|| Problem::internal(format!("offer {} has no touch", offer.id)))
}
