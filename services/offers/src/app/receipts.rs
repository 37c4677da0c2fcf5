//! What the other side tells of a message after it has it: that it reached the person, was seen, clicked, or came back
//! (C-5, K-9), and that a person wants no more (C-10).

use jiff::Timestamp;
use upswell_runtime::{db::Tx, problem::Problem};
use uuid::Uuid;

use super::{App, ledger::release_in};
use crate::{
    api::events,
    domain::{
        delivery::{Delivery, Notice},
        ledger::ReleaseReason,
        loyalty::ReactionKind,
        offer::Offer,
        vocabulary::{Channel, OfferState},
    },
    error::OfferError,
    store::{
        accounts, copies, deliveries,
        entities::contact,
        from_json, json, offers,
        opt_outs::{self, OptOut},
        pictures::StoredPoint,
    },
};

impl App {
    /// Takes what is told of the message of a touch on a channel: none when there is no such message. Telling again
    /// changes nothing.
    pub(crate) async fn notice(
        &self,
        tx: &Tx,
        seen: &Delivery,
        notice: Notice,
        at: Timestamp,
    ) -> Result<Option<(Delivery, Offer)>, OfferError> {
        accounts::account_lock(tx, &seen.account_id).await?;
        let found = deliveries::delivery_fetch(&**tx, seen.touch_id, seen.channel).await?;
        let offer = offers::offer_fetch(&**tx, seen.offer_id).await?;
        let (Some(mut delivery), Some(mut offer)) = (found, offer) else {
            return Ok(None);
        };
        // Clocks of others run ahead; nothing is known before it happened.
        let at = at.min(self.clock.now());
        if !delivery.notice(notice, at) {
            return Ok(Some((delivery, offer)));
        }
        deliveries::delivery_save(tx, &mut delivery).await?;
        if notice == Notice::Bounced {
            self.bounced(tx, &delivery, &mut offer).await?;
        } else {
            self.reached(tx, &delivery, &mut offer, at).await?;
        }
        Ok(Some((delivery, offer)))
    }

    /// The offer learns how far its message came, by the surface that came furthest.
    async fn reached(&self, tx: &Tx, delivery: &Delivery, offer: &mut Offer, at: Timestamp) -> Result<(), OfferError> {
        let (told, known) = (delivery.progress, &mut offer.progress);
        let before = *known;
        known.delivered_at = known.delivered_at.or(told.delivered_at);
        known.opened_at = known.opened_at.or(told.opened_at);
        known.clicked_at = known.clicked_at.or(told.clicked_at);
        if *known == before {
            return Ok(());
        }
        offers::offer_save(tx, offer).await?;
        self.tell(tx, vec![events::offer_reached(offer, at)]).await?;
        Ok(())
    }

    /// The place goes back, and an offer that nobody saw is withdrawn (C-5).
    async fn bounced(&self, tx: &Tx, delivery: &Delivery, offer: &mut Offer) -> Result<(), OfferError> {
        let now = self.clock.now();
        if offer.touch_id != Some(delivery.touch_id) || offer.channel != delivery.channel {
            return Ok(());
        }
        // What was answered was seen, whatever the provider says.
        if !matches!(offer.state, OfferState::Sending | OfferState::Sent) {
            return Ok(());
        }
        drop(release_in(tx, &self.ledger, delivery.touch_id, ReleaseReason::Bounced, now).await?);
        self.bad_address(tx, delivery).await?;
        let before = offer.state;
        offer.close(OfferState::Withdrawn, "the message came back", now)?;
        self.save(tx, offer, Some(before)).await?;
        Ok(())
    }

    /// Nothing more goes to an address that does not exist; the person's other ones are as good as before.
    async fn bad_address(&self, tx: &Tx, delivery: &Delivery) -> Result<(), Problem> {
        let Some(contact_id) = &delivery.contact_id else {
            return Ok(());
        };
        // A bounce may be told before it is noted where the message went: then it went where it would go now.
        let address = match delivery.address.as_str() {
            "" => self.address_of(&**tx, contact_id, delivery.channel).await?,
            noted => Some(noted.to_owned()),
        };
        let Some(address) = address else { return Ok(()) };
        let out = OptOut {
            account_id: delivery.account_id.clone(),
            contact_id: contact_id.clone(),
            channel: delivery.channel,
            address,
            reason: "bounce".to_owned(),
        };
        self.opt_out(tx, &out).await
    }

    /// A person wants no more messages on the channel of a message (C-10); the guard hears of it (C-15).
    pub(crate) async fn opt_out_of(&self, tx: &Tx, delivery: &Delivery, reason: &str) -> Result<(), Problem> {
        let kind = if reason == "complaint" {
            ReactionKind::Complaint
        } else {
            ReactionKind::Unsubscribe
        };
        self.reacted(tx, delivery, kind).await?;
        let Some(contact_id) = &delivery.contact_id else {
            return Ok(());
        };
        let out = OptOut {
            account_id: delivery.account_id.clone(),
            contact_id: contact_id.clone(),
            channel: delivery.channel,
            address: String::new(),
            reason: reason.to_owned(),
        };
        accounts::account_lock(tx, &out.account_id).await?;
        let known = opt_outs::opt_out_list(&**tx, contact_id).await?;
        self.opt_out(tx, &out).await?;
        if known.iter().any(|known| known.covers(out.channel, "")) {
            return Ok(());
        }
        let told = events::contact_unsubscribed(&out, self.clock.now());
        self.tell(tx, vec![told]).await
    }

    /// The account is locked.
    async fn opt_out(&self, tx: &Tx, out: &OptOut) -> Result<(), Problem> {
        copies::contact_lock(tx, &out.contact_id).await?;
        opt_outs::opt_out_save(tx, out, self.clock.now()).await?;
        match copies::contact_fetch(&**tx, &out.contact_id).await? {
            Some(contact) => contact_save(tx, contact).await,
            None => Ok(()),
        }
    }

    /// A contact came or changed: what the person opted out of stays so.
    pub(crate) async fn contact_known(&self, tx: &Tx, contact: contact::Model) -> Result<(), Problem> {
        // The person may be saying so at this moment; accounts are locked first by everybody.
        accounts::account_lock(tx, &contact.account_id).await?;
        copies::contact_lock(tx, &contact.contact_id).await?;
        contact_save(tx, contact).await
    }

    /// The message that a provider tells of: by the touch that we called it, else by what the provider calls it.
    pub(crate) async fn delivery_meant(&self, channel: Channel, named: &str) -> Result<Option<Delivery>, Problem> {
        let reader = self.db.reader();
        if let Some(touch_id) = crate::channel::email::touch_of(named) {
            return deliveries::delivery_fetch(reader, touch_id, channel).await;
        }
        deliveries::delivery_fetch_by_reference(reader, channel, named).await
    }

    /// The message of a touch by the one way that it went, and the offer.
    pub(crate) async fn delivery_of(&self, touch_id: Uuid) -> Result<Option<(Delivery, Offer)>, Problem> {
        let reader = self.db.reader();
        let Some(offer) = offers::offer_fetch_by_touch(reader, touch_id).await? else {
            return Ok(None);
        };
        let delivery = deliveries::delivery_fetch(reader, touch_id, offer.channel).await?;
        Ok(delivery.map(|delivery| (delivery, offer)))
    }
}

/// Stores a contact that is locked, without consent for what the person opted out of.
async fn contact_save(tx: &Tx, mut contact: contact::Model) -> Result<(), Problem> {
    let unwanted = opt_outs::opt_out_list(&**tx, &contact.contact_id).await?;
    if !unwanted.is_empty() {
        let mut points: Vec<StoredPoint> = from_json(&contact.points)?;
        for point in &mut points {
            point.consent &= !unwanted.iter().any(|out| out.covers(point.channel, &point.address));
        }
        contact.points = json(&points)?;
    }
    copies::contact_save(tx, contact).await
}
