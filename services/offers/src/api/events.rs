//! The events that this service tells, and who takes them.

use prost::Name as _;
use upswell_proto::offers::v1 as pb;
use upswell_runtime::outbox::{NewEvent, Routes};

use super::{convert, words::offer_state_to_wire};
use crate::{
    domain::{approval::Approval, offer::Offer, order::Order, vocabulary::OfferState},
    store::entities::arm,
};

/// Who takes what.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .to(&pb::OfferChanged::full_name(), &["scoring", "metrics", "ingestion"])
        .to(&pb::TouchChanged::full_name(), &["metrics", "ingestion"])
        .to(&pb::ApprovalChanged::full_name(), &["metrics"])
        .to(&pb::OrderChanged::full_name(), &["metrics"])
        .to(&pb::HoldoutAssigned::full_name(), &["metrics"])
}

/// An offer came or changed its state at its `state_at`.
pub(crate) fn offer_changed(offer: &Offer, previous: Option<OfferState>) -> NewEvent {
    let consumes = offer.consumes_signals && offer.state == OfferState::Sent;
    let event = pb::OfferChanged {
        offer: Some(convert::offer(offer)),
        previous_state: previous
            .map_or(pb::offer::State::Unspecified, offer_state_to_wire)
            .into(),
        consumed_signal_ids: if consumes { offer.signal_ids.clone() } else { Vec::new() },
    };
    NewEvent::of(offer.account_id.as_str(), offer.state_at, &event)
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
