//! What comes back: acceptance once, by whatever way it comes (T-5), declines, and payments.

use jiff::Timestamp;
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::App;
use crate::{
    api::events,
    domain::{
        offer::{Offer, OfferFault},
        order::{self, Order},
        reply::Answer,
        vocabulary::{Channel, OfferState},
    },
    error::OfferError,
    store::{
        accounts, answers,
        entities::{payment, reply},
        offers,
    },
};

/// What became of a reply that accepted an offer.
const ACCEPTED: &str = "accepted";

/// A reply as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) fact_id: String,
    pub(crate) account_id: String,
    /// The offer that it names, as written; empty for none.
    pub(crate) offer_id: String,
    pub(crate) channel: Channel,
    pub(crate) words: String,
    pub(crate) replied_at: Timestamp,
}

/// A payment of an order.
#[derive(Debug, Clone)]
pub(crate) struct Paid {
    pub(crate) fact_id: String,
    pub(crate) order_id: String,
    pub(crate) paid_at: Timestamp,
    /// The fact was corrected: what it did is taken back (I-5).
    pub(crate) superseded: bool,
}

impl App {
    /// Accepts a sent offer at `at`. Accepting again gives the same order.
    #[tracing::instrument(name = "offers.accept", skip_all, fields(offer.id = %id))]
    pub(crate) async fn accept(&self, tx: &Tx, id: Uuid, at: Timestamp) -> Result<(Offer, Option<Order>), OfferError> {
        let mut offer = self.offer_locked(tx, id).await?;
        if offer.state == OfferState::Accepted {
            let order = match offer.order_id {
                Some(order_id) => answers::order_fetch(&**tx, order_id).await?,
                None => None,
            };
            return Ok((offer, order));
        }
        let mut order = order::place(&mut offer, at)?;
        if let Some(order) = &mut order {
            if let Some(known) = answers::order_fetch(&**tx, order.id).await? {
                order.again(known);
            }
            answers::order_save(tx, order).await?;
            self.tell(tx, vec![events::order_changed(order)]).await?;
        }
        self.save(tx, &mut offer, Some(OfferState::Sent)).await?;
        Ok((offer, order))
    }

    /// Declines a sent offer for `reason`. Declining again changes nothing.
    #[tracing::instrument(name = "offers.decline", skip_all, fields(offer.id = %id))]
    pub(crate) async fn decline(&self, tx: &Tx, id: Uuid, reason: String) -> Result<Offer, OfferError> {
        let now = self.clock.now();
        let mut offer = self.offer_locked(tx, id).await?;
        if offer.state == OfferState::Declined {
            return Ok(offer);
        }
        offer.answerable(now)?;
        offer.close(OfferState::Declined, reason, now)?;
        self.save(tx, &mut offer, Some(OfferState::Sent)).await?;
        Ok(offer)
    }

    /// Takes a reply: a lone "+" accepts, anything else is kept for people.
    pub(crate) async fn reply(&self, tx: &Tx, reply: Reply) -> Result<(), OfferError> {
        if answers::reply_fetch(&**tx, &reply.fact_id).await?.is_some() {
            return Ok(());
        }
        accounts::account_lock(tx, &reply.account_id).await?;
        let meant = self.offer_meant(tx, &reply).await?;
        let outcome = match (Answer::read(&reply.words), &meant) {
            (Answer::Words, _) => "recorded".to_owned(),
            (Answer::Accept, Err(why)) => (*why).to_owned(),
            (Answer::Accept, Ok(offer)) => self.accept_by_reply(tx, offer, reply.replied_at).await?,
        };
        let row = reply::Model {
            fact_id: reply.fact_id,
            account_id: reply.account_id,
            offer_id: meant.ok().map(|offer| offer.id),
            channel: reply.channel.to_string(),
            words: reply.words,
            replied_at: micros(reply.replied_at),
            outcome,
        };
        Ok(answers::reply_save(tx, row).await?)
    }

    /// The fact of a reply was corrected: an acceptance that came of it is taken back, unless it was paid (I-5).
    pub(crate) async fn reply_superseded(&self, tx: &Tx, fact_id: &str, account_id: &str) -> Result<(), OfferError> {
        accounts::account_lock(tx, account_id).await?;
        let Some(mut reply) = answers::reply_fetch(&**tx, fact_id).await? else {
            return Ok(());
        };
        let accepted = reply.outcome == ACCEPTED;
        reply.outcome = "superseded".to_owned();
        let offer_id = reply.offer_id.filter(|_| accepted);
        answers::reply_save(tx, reply).await?;
        let Some(offer_id) = offer_id else { return Ok(()) };
        let mut offer = self.offer_locked(tx, offer_id).await?;
        if let Some(order_id) = offer.order_id
            && let Some(mut order) = answers::order_fetch(&**tx, order_id).await?
        {
            if !order.cancel() {
                tracing::warn!(order.id = %order_id, "a corrected reply accepted an order that was paid; it stands");
                return Ok(());
            }
            answers::order_save(tx, &order).await?;
            self.tell(tx, vec![events::order_changed(&order)]).await?;
        }
        if offer.reopen(self.clock.now()) {
            self.save(tx, &mut offer, Some(OfferState::Accepted)).await?;
        }
        Ok(())
    }

    /// Notes the payment of an order, or that there was none; money that names none of ours is not for us.
    pub(crate) async fn paid(&self, tx: &Tx, paid: Paid) -> Result<(), OfferError> {
        let Ok(id) = Uuid::parse_str(&paid.order_id) else {
            return Ok(());
        };
        let Some(mut order) = self.order_locked(tx, id).await? else {
            tracing::warn!(order.id = %id, "a payment names an order that does not exist");
            return Ok(());
        };
        // The same fact is one payment, however often it is told (I-4); only its correction changes it.
        let row = match answers::payment_fetch(&**tx, &paid.fact_id).await? {
            Some(known) => payment::Model {
                superseded: known.superseded || paid.superseded,
                ..known
            },
            None => payment::Model {
                fact_id: paid.fact_id,
                order_id: id,
                paid_at: micros(paid.paid_at),
                superseded: paid.superseded,
            },
        };
        answers::payment_save(tx, row).await?;
        if order.settle(answers::payment_first(&**tx, id).await?) {
            answers::order_save(tx, &order).await?;
            self.tell(tx, vec![events::order_changed(&order)]).await?;
        }
        Ok(())
    }

    /// The answer counts from the moment it was written, not from when it was noticed: also where the offer expired in
    /// between (T-5, I-5).
    async fn accept_by_reply(&self, tx: &Tx, offer: &Offer, replied_at: Timestamp) -> Result<String, OfferError> {
        let at = replied_at
            .min(self.clock.now())
            .max(offer.sent_at.unwrap_or(replied_at));
        let mut offer = self.offer_locked(tx, offer.id).await?;
        if offer.revive(at, self.clock.now()) {
            self.save(tx, &mut offer, Some(OfferState::Expired)).await?;
        }
        match self.accept(tx, offer.id, at).await {
            Ok(_) => Ok(ACCEPTED.to_owned()),
            // The message is out and its confirmation is under way: the reply must not be lost, so it comes again.
            Err(OfferError::Offer(OfferFault::NotOpen(OfferState::Sending))) => Err(OfferError::Changed("the offer")),
            Err(OfferError::Offer(fault)) => Ok(fault.to_string()),
            Err(other) => Err(other),
        }
    }

    /// The offer that a reply answers: the one it names, or the account's one open offer.
    async fn offer_meant(&self, tx: &Tx, reply: &Reply) -> Result<Result<Offer, &'static str>, OfferError> {
        // Offers that went to an account which is now part of this one are answered here (I-3).
        let family = self.family(&**tx, &reply.account_id).await?;
        if !reply.offer_id.is_empty() {
            let named = match Uuid::parse_str(&reply.offer_id) {
                Ok(id) => offers::offer_fetch(&**tx, id).await?,
                Err(_) => None,
            };
            let own = named.filter(|offer| family.contains(&offer.account_id));
            return Ok(own.ok_or("the offer does not exist"));
        }
        let mut open = offers::offer_list_in(&**tx, &family, OfferState::Sent).await?;
        let expired = offers::offer_list_in(&**tx, &family, OfferState::Expired).await?;
        open.extend(
            expired
                .into_iter()
                .filter(|offer| offer.expired_after(reply.replied_at)),
        );
        // Nobody answers what was sent afterwards.
        if open.len() > 1 {
            open.retain(|offer| offer.sent_at.is_some_and(|sent| sent <= reply.replied_at));
        }
        // Help needs no order: where one offer has a price, a "+" means that one.
        if open.len() > 1 {
            open.retain(|offer| offer.terms.is_some());
        }
        Ok(match (open.pop(), open.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_), false) => Err("several offers are open"),
            (None, _) => Err("no offer is open"),
        })
    }

    async fn order_locked(&self, tx: &Tx, id: Uuid) -> Result<Option<Order>, Problem> {
        let Some(found) = answers::order_fetch(&**tx, id).await? else {
            return Ok(None);
        };
        accounts::account_lock(tx, &found.account_id).await?;
        answers::order_fetch(&**tx, id).await
    }

    pub(crate) async fn offer_locked(&self, tx: &Tx, id: Uuid) -> Result<Offer, OfferError> {
        let missing = || OfferError::OfferNotFound(id.to_string());
        let found = offers::offer_fetch(&**tx, id).await?.ok_or_else(missing)?;
        accounts::account_lock(tx, &found.account_id).await?;
        offers::offer_fetch(&**tx, id).await?.ok_or_else(missing)
    }
}
