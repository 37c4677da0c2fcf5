//! What offers tells: offers and touches, kept for the whole picture of an account.

use async_trait::async_trait;
use jiff::Timestamp;
use upswell_proto::{
    offers::v1::{self as offers, OfferChanged, TouchChanged},
    vocabulary::v1::{Channel, Motion, TouchClass},
};
use upswell_runtime::{
    db::Tx,
    inbox::{Inbound, Inbox},
    problem::{Kind, Problem},
};

use crate::{
    domain::account360::{LedgerTouch, OfferRecord},
    store::offer::{offer_write, touch_write},
};

/// Takes OfferChanged and TouchChanged.
pub(crate) struct FromOffers;

#[async_trait]
impl Inbox for FromOffers {
    async fn apply(&self, tx: &Tx, event: &Inbound) -> Result<(), Problem> {
        if event.is::<OfferChanged>() {
            let offer = event
                .decode::<OfferChanged>()?
                .offer
                .ok_or_else(|| unreadable("offer"))?;
            offer_write(tx, &offer_record(offer, event.occurred_at)).await
        } else if event.is::<TouchChanged>() {
            let touch = event
                .decode::<TouchChanged>()?
                .touch
                .ok_or_else(|| unreadable("touch"))?;
            touch_write(tx, &ledger_touch(touch, event.occurred_at)).await
        } else {
            Err(event.unknown())
        }
    }
}

fn unreadable(field: &str) -> Problem {
    Problem::new(
        Kind::InvalidArgument,
        "EVENT_UNREADABLE",
        format!("the event has no {field}"),
    )
}

fn offer_record(offer: offers::Offer, at: Timestamp) -> OfferRecord {
    OfferRecord {
        motion: word(
            Motion::try_from(offer.motion).unwrap_or_default().as_str_name(),
            "MOTION_",
        ),
        state: word(offer.state().as_str_name(), "STATE_"),
        state_time: instant(offer.state_time).unwrap_or(at),
        offer_id: offer.offer_id,
        account_id: offer.account_id,
        playbook: offer.playbook,
    }
}

fn ledger_touch(touch: offers::Touch, at: Timestamp) -> LedgerTouch {
    LedgerTouch {
        class: word(
            TouchClass::try_from(touch.class).unwrap_or_default().as_str_name(),
            "TOUCH_CLASS_",
        ),
        channel: word(
            Channel::try_from(touch.channel).unwrap_or_default().as_str_name(),
            "CHANNEL_",
        ),
        state: word(touch.state().as_str_name(), "STATE_"),
        touch_time: instant(touch.actual_time)
            .or_else(|| instant(touch.planned_time))
            .unwrap_or(at),
        touch_id: touch.touch_id,
        account_id: touch.account_id,
        sender: touch.sender,
    }
}

/// The word of a contract's enum value: `MOTION_CAPACITY` is `capacity`.
fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase()
}

fn instant(wire: Option<prost_types::Timestamp>) -> Option<Timestamp> {
    let prost_types::Timestamp { seconds, nanos } = wire?;
    Timestamp::new(seconds, nanos).ok()
}
