//! The events that this service tells, and who takes them.

use jiff::Timestamp;
use prost::Name as _;
use upswell_proto::offers::v1 as pb;
use upswell_runtime::outbox::{NewEvent, Routes};

use super::{
    convert,
    words::{channel_to_wire, offer_state_to_wire},
};
use crate::{
    domain::{approval::Approval, offer::Offer, order::Order, variants::Arm, vocabulary::OfferState},
    store::{entities::arm, opt_outs::OptOut},
};

/// Who takes what.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .to(&pb::OfferChanged::full_name(), &["scoring", "metrics", "ingestion"])
        .to(&pb::TouchChanged::full_name(), &["metrics", "ingestion"])
        .to(&pb::ApprovalChanged::full_name(), &["metrics"])
        .to(&pb::OrderChanged::full_name(), &["metrics"])
        .to(&pb::HoldoutAssigned::full_name(), &["metrics"])
        .to(&pb::VariantAssigned::full_name(), &["metrics"])
        .to(&pb::ContactUnsubscribed::full_name(), &["metrics"])
}

/// An offer came or changed its state at its `state_at`.
pub(crate) fn offer_changed(offer: &Offer, previous: Option<OfferState>) -> NewEvent {
    offer_told(offer, previous, offer.state_at)
}

/// The channel told at `at` how far the message of an offer came; its state stays.
pub(crate) fn offer_reached(offer: &Offer, at: Timestamp) -> NewEvent {
    offer_told(offer, Some(offer.state), at)
}

fn offer_told(offer: &Offer, previous: Option<OfferState>, at: Timestamp) -> NewEvent {
    let newly_sent = offer.state == OfferState::Sent && previous != Some(OfferState::Sent);
    let consumes = offer.consumes_signals && newly_sent;
    let event = pb::OfferChanged {
        offer: Some(convert::offer(offer)),
        previous_state: previous
            .map_or(pb::offer::State::Unspecified, offer_state_to_wire)
            .into(),
        consumed_signal_ids: if consumes { offer.signal_ids.clone() } else { Vec::new() },
    };
    NewEvent::of(offer.account_id.as_str(), at, &event)
}

/// An approval was asked for or decided.
pub(crate) fn approval_changed(approval: &Approval) -> NewEvent {
    let at = approval.decided_at.unwrap_or(approval.requested_at);
    let event = pb::ApprovalChanged {
        approval: Some(convert::approval(approval)),
    };
    NewEvent::of(approval.account_id.as_str(), at, &event)
}

/// An order was placed or paid.
pub(crate) fn order_changed(order: &Order) -> NewEvent {
    let event = pb::OrderChanged {
        order: Some(convert::order(order)),
    };
    NewEvent::of(
        order.account_id.as_str(),
        order.paid_at.unwrap_or(order.placed_at),
        &event,
    )
}

/// An account got its arm.
pub(crate) fn holdout_assigned(arm: &arm::Model) -> NewEvent {
    let event = pb::HoldoutAssigned {
        assignment: Some(convert::assignment(arm.clone())),
    };
    NewEvent::of(
        arm.account_id.as_str(),
        upswell_runtime::db::from_micros(arm.assigned_at),
        &event,
    )
}

/// A person wants no more messages on a channel.
pub(crate) fn contact_unsubscribed(out: &OptOut, at: Timestamp) -> NewEvent {
    let event = pb::ContactUnsubscribed {
        account_id: out.account_id.clone(),
        contact_id: out.contact_id.clone(),
        channel: channel_to_wire(out.channel).into(),
        unsubscribe_time: Some(convert::instant(at)),
    };
    NewEvent::of(out.account_id.as_str(), at, &event)
}

/// An account got its arm of a test.
pub(crate) fn variant_assigned(account_id: &str, test: &str, arm: &Arm, at: Timestamp) -> NewEvent {
    let event = pb::VariantAssigned {
        account_id: account_id.to_owned(),
        experiment: test.to_owned(),
        variant: arm.key.clone(),
        control: arm.control,
        weight: f64::from(arm.weight),
        assign_time: Some(convert::instant(at)),
    };
    NewEvent::of(account_id, at, &event)
}
