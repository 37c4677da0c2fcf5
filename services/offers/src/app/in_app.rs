//! Messages that the customer's product pulls, and what people did with them (T-2, T-6).

use jiff::Timestamp;
use upswell_runtime::{db::Tx, problem::Problem};
use uuid::Uuid;

use super::App;
use crate::{
    domain::{
        delivery::{Delivery, Notice},
        offer::Offer,
        order::Order,
        vocabulary::{Channel, OfferState},
    },
    error::OfferError,
    store::{accounts, deliveries, offers},
};

/// A message with its offer, as the product sees it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) offer: Offer,
    pub(crate) delivery: Delivery,
}

/// What the product reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    Seen,
    Clicked,
    Dismissed,
    Accepted,
    /// With the close reason.
    Declined(String),
}

impl Shown {
    /// A banner beside somebody's task.
    pub(crate) const fn is_passive(&self) -> bool {
        self.offer.channel.is_task()
    }
}

impl App {
    /// What may be shown to a person now. What the product takes for the first time is delivered then.
    pub(crate) async fn in_app_list(&self, account_id: &str, contact_id: &str) -> Result<Vec<Shown>, Problem> {
        let now = self.clock.now();
        let reader = self.db.reader();
        let open = offers::offer_list_in_product(reader, account_id).await?;
        let open: Vec<Offer> = open
            .into_iter()
            .filter(|offer| is_for(offer, contact_id, now))
            .collect();
        let touches: Vec<Uuid> = open.iter().filter_map(|offer| offer.touch_id).collect();
        let known = deliveries::delivery_list(reader, &touches).await?;
        let mut shown = Vec::with_capacity(open.len());
        for offer in open {
            let Some(touch_id) = offer.touch_id else { continue };
            let here = |delivery: &&Delivery| delivery.touch_id == touch_id && delivery.channel == Channel::InApp;
            let delivery = known.iter().find(here).cloned();
            let delivery = delivery.unwrap_or_else(|| banner(&offer, touch_id));
            if delivery.dismissed_at.is_none() {
                shown.push(Shown { offer, delivery });
            }
        }
        self.taken(&mut shown, now).await?;
        Ok(shown)
    }

    /// The product has it now.
    async fn taken(&self, shown: &mut [Shown], now: Timestamp) -> Result<(), Problem> {
        for one in shown
            .iter_mut()
            .filter(|one| one.delivery.progress.delivered_at.is_none())
        {
            let tx = self.db.begin().await?;
            let (delivery, offer) = self.in_app_locked(&tx, &one.offer).await?;
            (one.delivery, one.offer) = (delivery, offer);
            let noticed = self.notice(&tx, &one.delivery, Notice::Delivered, now).await?;
            if let Some((delivery, offer)) = noticed {
                (one.delivery, one.offer) = (delivery, offer);
                tx.commit().await?;
                self.wake.notify_waiters();
            }
        }
        Ok(())
    }

    /// Takes a report on a message. The same report again changes nothing; an answer closes the offer on every surface.
    pub(crate) async fn in_app_report(
        &self,
        tx: &Tx,
        touch_id: Uuid,
        etag: &str,
        report: Report,
    ) -> Result<(Shown, Option<Order>), OfferError> {
        let missing = || OfferError::MessageNotFound(touch_id.to_string());
        let found = offers::offer_fetch_by_touch(&**tx, touch_id)
            .await?
            .ok_or_else(missing)?;
        if !is_shown(&found) || found.sent_at.is_none() {
            return Err(missing());
        }
        let (delivery, offer) = self.in_app_locked(tx, &found).await?;
        if !etag.is_empty() && etag != delivery.version.to_string() {
            return Err(OfferError::Changed("the message"));
        }
        let now = self.clock.now();
        let notice = match report {
            Report::Seen => Notice::Opened,
            Report::Dismissed => Notice::Dismissed,
            Report::Clicked | Report::Accepted | Report::Declined(_) => Notice::Clicked,
        };
        let (delivery, offer) = self
            .notice(tx, &delivery, notice, now)
            .await?
            .unwrap_or((delivery, offer));
        let (offer, order) = match report {
            Report::Accepted => self.accept(tx, offer.id, now).await?,
            Report::Declined(reason) => (self.decline(tx, offer.id, reason).await?, None),
            Report::Seen | Report::Clicked | Report::Dismissed => (offer, None),
        };
        Ok((Shown { offer, delivery }, order))
    }

    /// The account is locked, and the message of the in-app surface is there: a banner gets its own when it is first
    /// shown, because the touch is the task's (T-6).
    async fn in_app_locked(&self, tx: &Tx, offer: &Offer) -> Result<(Delivery, Offer), Problem> {
        accounts::account_lock(tx, &offer.account_id).await?;
        let offer = offers::offer_fetch(&**tx, offer.id)
            .await?
            .unwrap_or_else(|| offer.clone());
        let touch_id = super::outgoing::touch_of(&offer)?;
        if let Some(delivery) = deliveries::delivery_fetch(&**tx, touch_id, Channel::InApp).await? {
            return Ok((delivery, offer));
        }
        let mut delivery = banner(&offer, touch_id);
        deliveries::delivery_save(tx, &mut delivery).await?;
        Ok((delivery, offer))
    }
}

/// A passive message of a task's touch, or one that left before messages were kept.
fn banner(offer: &Offer, touch_id: Uuid) -> Delivery {
    let contact = offer.contact_id.as_deref();
    let mut delivery = Delivery::begin(touch_id, offer.id, &offer.account_id, contact, Channel::InApp);
    delivery.in_attempt = false;
    delivery
}

fn is_shown(offer: &Offer) -> bool {
    let has_banner = || offer.message.as_ref().is_some_and(|message| !message.banner.is_empty());
    offer.channel == Channel::InApp || (offer.channel.is_task() && has_banner())
}

/// Whether a sent offer may be shown to a person at `now`: what is addressed to somebody is for that person alone, and a
/// banner beside a task for everybody of the account.
fn is_for(offer: &Offer, contact_id: &str, now: Timestamp) -> bool {
    let addressed = offer.contact_id.as_deref();
    let mine = offer.channel.is_task() || addressed.is_none_or(|addressed| addressed == contact_id);
    let stands = offer.open_until().is_none_or(|until| now <= until);
    offer.state == OfferState::Sent && is_shown(offer) && mine && stands
}
