//! Sends what has its place and whose time has come.
//!
//! RESERVED → (re-validated, BeginSend, approval consumed) → SENDING → handed to the channel outside any transaction →
//! (Confirm) → SENT. What happens when that breaks off is in [`crate::domain::delivery`].

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::join_all;
use jiff::Timestamp;
use tracing::{Instrument as _, Span};
use upswell_runtime::{db::Tx, jobs::Job, problem::Problem};
use uuid::Uuid;

use super::{
    App,
    ledger::{begin_in, confirm_in, release_in},
    outgoing::touch_of,
    released::released_in,
    revalidate::Standing,
};
use crate::{
    api::events,
    channel::{DeliveryFault, Outgoing},
    domain::{
        approval::{ApprovalState, content_hash},
        delivery::{Delivery, DeliveryState, Next, Outcome, Retry},
        ledger::{ReleaseReason, TouchFault},
        offer::Offer,
        vocabulary::OfferState,
    },
    error::OfferError,
    store::{accounts, approvals, deliveries, offers},
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
        let app = &self.0;
        let due = offers::offer_list_to_send(app.db.reader(), now, RUN).await?;
        for some in due.chunks(app.settings.channel.concurrency) {
            app.send_some(some, now).await?;
        }
        Ok(due.len())
    }
}

impl App {
    /// One attempt at each of these. What began is always carried to its end: a fault of another one comes after.
    async fn send_some(&self, due: &[Offer], now: Timestamp) -> Result<(), Problem> {
        let mut fault = Ok(());
        let mut started = Vec::with_capacity(due.len());
        for offer in due {
            let span = tracing::info_span!("offers.send", account.id = %offer.account_id, offer.id = %offer.id);
            match self.start(offer, &span, now).instrument(span.clone()).await {
                Ok(attempt) => started.extend(attempt.map(|attempt| (attempt, span))),
                Err(problem) => fault = fault.and(Err(problem)),
            }
        }
        // The slow part, at the same time for all; what came of it is written in the order of the list.
        let mut attempts = Vec::with_capacity(started.len());
        for ((_, message), span) in &started {
            attempts.push(self.hand_over(message).instrument(span.clone()));
        }
        let outcomes = join_all(attempts).await;
        for (((offer, message), span), outcome) in started.iter().zip(outcomes) {
            let address = message.contact.as_ref().map_or("", |contact| contact.address.as_str());
            fault = fault.and(self.finish(offer, address, outcome, now).instrument(span.clone()).await);
        }
        fault
    }

    /// Begins an attempt; none when there is nothing to hand over.
    async fn start(&self, offer: &Offer, span: &Span, now: Timestamp) -> Result<Option<(Offer, Outgoing)>, Problem> {
        if let Some(trace) = self.trace_of(offer).await? {
            trace.adopt(span, self.trace_mode);
        }
        let offer = if offer.state == OfferState::Sending {
            self.begin_again(offer, now).await?
        } else {
            self.begin(offer.id, &offer.account_id, now).await?
        };
        let Some(offer) = offer else { return Ok(None) };
        match self.outgoing(&offer).await {
            Ok(message) => Ok(Some((offer, message))),
            Err(problem) => {
                // Nothing was handed over: the attempt that was noted must not look like one that may have arrived.
                let outcome = Outcome::NotSent(problem.to_string());
                self.finish(&offer, "", outcome, now).await?;
                Err(problem)
            }
        }
    }

    async fn hand_over(&self, message: &Outgoing) -> Outcome {
        match self.channel.deliver(message).await {
            Ok(receipt) => Outcome::Accepted(receipt.reference),
            Err(DeliveryFault::Refused(why)) => Outcome::Refused(why),
            Err(DeliveryFault::NotSent(why)) => Outcome::NotSent(why),
            Err(DeliveryFault::Unknown(why)) => Outcome::Unknown(why),
        }
    }

    /// Another attempt at an offer whose sending began before. An attempt that a crash cut off may have arrived: it is
    /// repeated where the other side takes it for the same message, and counts as sent where it does not.
    async fn begin_again(&self, offer: &Offer, now: Timestamp) -> Result<Option<Offer>, Problem> {
        let touch_id = touch_of(offer)?;
        let tx = self.db.begin().await?;
        accounts::account_lock(&tx, &offer.account_id).await?;
        let found = offers::offer_fetch(&*tx, offer.id).await?;
        let Some(mut offer) = found.filter(|offer| offer.state == OfferState::Sending) else {
            return Ok(None);
        };
        let Some(mut delivery) = deliveries::delivery_fetch(&*tx, touch_id, offer.channel).await? else {
            let mut delivery = first_attempt(&offer, touch_id);
            deliveries::delivery_save(&tx, &mut delivery).await?;
            tx.commit().await?;
            return Ok(Some(offer));
        };
        if delivery.in_attempt && !self.channel.is_repeatable(offer.channel) {
            let cut_off = Outcome::Unknown("it was cut off".to_owned());
            self.settle(&tx, &mut offer, &mut delivery, cut_off, now).await?;
            tx.commit().await?;
            return Ok(None);
        }
        delivery.doubtful |= delivery.in_attempt;
        delivery.attempt();
        deliveries::delivery_save(&tx, &mut delivery).await?;
        tx.commit().await?;
        Ok(Some(offer))
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
        if begun {
            let mut delivery = first_attempt(&offer, touch_of(&offer)?);
            deliveries::delivery_save(&tx, &mut delivery).await?;
        }
        self.save(&tx, &mut offer, Some(OfferState::Reserved)).await?;
        tx.commit().await?;
        Ok(begun.then_some(offer))
    }

    /// Begins and uses the approval up; false when the offer was closed or put off instead. An approval is used up only by
    /// what is sent (C-14).
    async fn begin_checked(&self, tx: &Tx, offer: &mut Offer, now: Timestamp) -> Result<bool, Problem> {
        if !self.is_approved(tx, offer).await? {
            self.give_up_place(tx, offer, ReleaseReason::Cancelled, now).await?;
            let reason = "what was approved is not what would be sent";
            offer
                .close(OfferState::Withdrawn, reason, now)
                .map_err(OfferError::from)?;
            return Ok(false);
        }
        let until = match begin_in(tx, &self.ledger, touch_of(offer)?, now).await? {
            Ok(begun) => {
                released_in(tx, &self.ledger.routes, &begun.displaced, now).await?;
                self.consume_approval(tx, offer).await?;
                offer.advance(OfferState::Sending, now).map_err(OfferError::from)?;
                return Ok(true);
            }
            Err(TouchFault::Blocked(judgement)) => judgement.earliest,
            // Its place is gone already.
            Err(_) => None,
        };
        self.give_up_place(tx, offer, ReleaseReason::Cancelled, now).await?;
        offer.defer(until, now).map_err(OfferError::from)?;
        Ok(false)
    }

    /// Whether what would be sent is what was approved (C-14), or needs no approval.
    async fn is_approved(&self, tx: &Tx, offer: &Offer) -> Result<bool, Problem> {
        let Some(id) = offer.approval_id else { return Ok(true) };
        let approval = approvals::approval_fetch(&**tx, id).await?;
        Ok(approval.is_some_and(|approval| {
            approval.state == ApprovalState::Approved && approval.content_hash == content_hash(offer)
        }))
    }

    /// Compare-and-set of the approval with the content that will be sent. Errors: ABORTED when it is not that any more.
    async fn consume_approval(&self, tx: &Tx, offer: &Offer) -> Result<(), Problem> {
        let Some(id) = offer.approval_id else { return Ok(()) };
        if !approvals::approval_consume(tx, id, &content_hash(offer), touch_of(offer)?).await? {
            return Err(OfferError::Changed("the approval").into());
        }
        let consumed = approvals::approval_fetch(&**tx, id).await?;
        self.tell(tx, consumed.iter().map(events::approval_changed).collect())
            .await
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

    /// The last transaction of an attempt to reach `address`: what came of it.
    async fn finish(&self, sent: &Offer, address: &str, outcome: Outcome, now: Timestamp) -> Result<(), Problem> {
        let touch_id = touch_of(sent)?;
        let tx = self.db.begin().await?;
        accounts::account_lock(&tx, &sent.account_id).await?;
        let delivery = deliveries::delivery_fetch(&*tx, touch_id, sent.channel).await?;
        let offer = offers::offer_fetch(&*tx, sent.id).await?;
        let (Some(mut delivery), Some(mut offer)) = (delivery, offer) else {
            return Err(Problem::internal(format!("touch {touch_id} is gone")));
        };
        if !address.is_empty() {
            address.clone_into(&mut delivery.address);
        }
        self.settle(&tx, &mut offer, &mut delivery, outcome, now).await?;
        tx.commit().await
    }

    /// The touch was made, or counts as made, or was certainly not made, or is tried again.
    async fn settle(
        &self,
        tx: &Tx,
        offer: &mut Offer,
        delivery: &mut Delivery,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let retry = Retry {
            repeatable: self.channel.is_repeatable(delivery.channel),
            pauses: self.settings.channel.pauses(),
        };
        let next = delivery.settle(outcome, &retry, now);
        deliveries::delivery_save(tx, delivery).await?;
        if offer.state != OfferState::Sending {
            return Ok(());
        }
        match next {
            Next::Again(_) => {
                let reason = delivery.detail.as_str();
                tracing::warn!(error = reason, "an offer waits for its channel");
                return Ok(());
            }
            Next::GiveBack(reason) => {
                tracing::warn!(error = reason, "the channel refused an offer");
                self.give_up_place(tx, offer, ReleaseReason::NotSent, now).await?;
                offer
                    .close(OfferState::Withdrawn, reason, now)
                    .map_err(OfferError::from)?;
            }
            Next::Counts => {
                if delivery.state == DeliveryState::Unknown {
                    let reason = delivery.detail.as_str();
                    tracing::warn!(error = reason, "an offer may not have arrived and counts as sent");
                }
                self.made(tx, offer, delivery, now).await?;
            }
        }
        self.save(tx, offer, Some(OfferState::Sending)).await
    }

    async fn made(&self, tx: &Tx, offer: &mut Offer, delivery: &Delivery, now: Timestamp) -> Result<(), Problem> {
        // The message carries the instant at which sending began; after a crash it is still that one.
        let made_at = offer.state_at;
        match confirm_in(tx, &self.ledger, delivery.touch_id, Some(made_at), now).await? {
            Ok(confirmed) => drop(released_in(tx, &self.ledger.routes, &confirmed.displaced, now).await?),
            // Somebody said meanwhile that it bounced; the message left all the same.
            Err(fault) => tracing::warn!(error = %fault, "a delivered touch could not be confirmed"),
        }
        offer.advance(OfferState::Sent, now).map_err(OfferError::from)?;
        offer.sent_at = Some(made_at);
        offer.progress = delivery.progress;
        Ok(())
    }
}

fn first_attempt(offer: &Offer, touch_id: Uuid) -> Delivery {
    let contact = offer.contact_id.as_deref();
    Delivery::begin(touch_id, offer.id, &offer.account_id, contact, offer.channel)
}
