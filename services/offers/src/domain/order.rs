//! What an accepted offer becomes: PLACED ⇄ PAID, or CANCELLED when its acceptance or payment was corrected (T-5, I-5).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use upswell_runtime::ids;
use uuid::Uuid;

use super::{
    offer::{Offer, OfferFault, Terms},
    vocabulary::{Motion, OfferState, words},
};

words! {
    /// Where an order stands.
    OrderState, "order state" {
        /// Handed to billing.
        Placed = "placed",
        /// Paid.
        Paid = "paid",
        /// The reply that accepted the offer was corrected before anything was paid (I-5).
        Cancelled = "cancelled",
    }
}

/// The one order of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Derived from the offer: there can be no second one.
    pub id: Uuid,
    /// The offer.
    pub offer_id: Uuid,
    /// The account.
    pub account_id: String,
    /// Kind of expansion.
    pub motion: Motion,
    /// Exactly what was accepted.
    pub terms: Terms,
    /// Where it stands.
    pub state: OrderState,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it was first paid.
    pub paid_at: Option<Timestamp>,
    /// When the signal behind the offer opened.
    pub signal_at: Option<Timestamp>,
    /// How far billing knows of it.
    #[serde(skip)]
    pub handover: Handover,
}

/// How far billing knows of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handover {
    /// The state that it was told.
    pub state: Option<OrderState>,
    /// When it was told.
    pub handed_at: Option<Timestamp>,
    /// Attempts that failed since.
    pub attempts: u32,
    /// When the next attempt is due; none means at once.
    pub next_at: Option<Timestamp>,
    /// What billing calls the order.
    pub reference: String,
}

impl Handover {
    /// Billing knows that the order is `state`.
    pub fn done(&mut self, state: OrderState, reference: String, now: Timestamp) {
        *self = Self {
            state: Some(state),
            handed_at: Some(now),
            attempts: 0,
            next_at: None,
            reference,
        };
    }

    /// Billing did not take it: again after the next of `pauses`, and after the last of them for ever. An order is never
    /// given up.
    pub fn failed(&mut self, pauses: &[SignedDuration], now: Timestamp) {
        let place = usize::try_from(self.attempts).unwrap_or(usize::MAX);
        let pause = pauses.get(place).or(pauses.last()).copied();
        self.attempts = self.attempts.saturating_add(1);
        let pause = pause.unwrap_or(SignedDuration::from_mins(5));
        self.next_at = now.checked_add(pause).ok();
    }
}

/// The id of the order that `offer_id` becomes when accepted.
pub fn order_id(offer_id: Uuid) -> Uuid {
    ids::derive("order", &[&offer_id.to_string()])
}

/// Accepts a sent offer at `now`; the offer learns its order. An offer without a price is accepted without one: there
/// is nothing to pay.
pub fn place(offer: &mut Offer, now: Timestamp) -> Result<Option<Order>, OfferFault> {
    offer.answerable(now)?;
    offer.advance(OfferState::Accepted, now)?;
    let Some(terms) = offer.terms.clone() else {
        return Ok(None);
    };
    let id = order_id(offer.id);
    offer.order_id = Some(id);
    Ok(Some(Order {
        id,
        offer_id: offer.id,
        account_id: offer.account_id.clone(),
        motion: offer.motion,
        terms,
        state: OrderState::Placed,
        placed_at: now,
        paid_at: None,
        signal_at: offer.signal_at,
        handover: Handover::default(),
    }))
}

impl Order {
    /// It was first paid at `first`; none when no payment of it stands (any more). True when that is news. A cancelled
    /// order that is paid after all is a paid one: the money says so.
    pub fn settle(&mut self, first: Option<Timestamp>) -> bool {
        let state = match (first, self.state) {
            (Some(_), _) => OrderState::Paid,
            (None, OrderState::Paid) => OrderState::Placed,
            (None, other) => other,
        };
        let news = (state, first) != (self.state, self.paid_at);
        (self.state, self.paid_at) = (state, first);
        news
    }

    /// What billing has to be told now; none when it knows all that matters. An order that is taken back is told as such also
    /// where no answer to its placing came: it may have been taken all the same. What was paid needs no word.
    pub fn to_tell(&self) -> Option<&'static str> {
        match (self.state, self.handover.state) {
            (OrderState::Placed, None | Some(OrderState::Cancelled)) => Some("order.placed"),
            (OrderState::Cancelled, None | Some(OrderState::Placed)) => Some("order.cancelled"),
            _ => None,
        }
    }

    /// The same order accepted again after `known` was taken back: billing knows what it knew.
    pub fn again(&mut self, known: Self) {
        self.handover = Handover {
            attempts: 0,
            next_at: None,
            ..known.handover
        };
    }

    /// Its acceptance was never made. False when it was paid, which stands.
    pub fn cancel(&mut self) -> bool {
        let open = self.state == OrderState::Placed;
        if open {
            self.state = OrderState::Cancelled;
        }
        open
    }
}
