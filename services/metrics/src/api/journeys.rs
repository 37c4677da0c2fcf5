//! The events of offers, read into facts.

use upswell_proto::{
    offers::v1::{
        Approval as WireApproval, ApprovalChanged, Assignment, HoldoutAssigned, Offer as WireOffer, OfferChanged,
        Order as WireOrder, OrderChanged, Touch as WireTouch, TouchChanged, approval::State as ApprovalStateWire,
        offer::State as OfferState, order::State as OrderState, touch::State as TouchState,
    },
    vocabulary::v1::TouchClass,
};
use upswell_runtime::problem::{Problem, Violations};

use super::{
    convert::{motion, optional, required, settled, time, word},
    events::id,
};
use crate::{
    app::Fact,
    domain::journey::{Approval, ApprovalState, Arm, Offer, Order, Touch},
};

pub(super) fn offer(wire: OfferChanged) -> Result<Fact, Problem> {
    read("offer", wire.offer, offer_in).map(Fact::Offer)
}

pub(super) fn order(wire: OrderChanged) -> Result<Fact, Problem> {
    let cancelled = wire
        .order
        .as_ref()
        .is_some_and(|order| order.state() == OrderState::Cancelled);
    let order = read("order", wire.order, order_in)?;
    Ok(if cancelled {
        Fact::Cancelled(order.order_id, order.account_id)
    } else {
        Fact::Order(order)
    })
}

pub(super) fn touch(wire: TouchChanged) -> Result<Fact, Problem> {
    read("touch", wire.touch, touch_in).map(Fact::Touch)
}

pub(super) fn approval(wire: ApprovalChanged) -> Result<Fact, Problem> {
    read("approval", wire.approval, approval_in).map(Fact::Approval)
}

pub(super) fn arm(wire: HoldoutAssigned) -> Result<Fact, Problem> {
    read("assignment", wire.assignment, arm_in).map(Fact::Arm)
}

fn read<W, T>(
    field: &str,
    wire: Option<W>,
    convert: impl FnOnce(W, &mut Violations) -> Option<T>,
) -> Result<T, Problem> {
    let mut violations = Violations::new();
    let wire = required(field, wire, &mut violations, Ok::<_, String>);
    let value = wire.and_then(|wire| violations.at(field, |violations| convert(wire, violations)));
    settled(value, violations)
}

fn offer_in(wire: WireOffer, violations: &mut Violations) -> Option<Offer> {
    let state = wire.state();
    let channel = word(wire.channel().as_str_name(), "CHANNEL_");
    let WireOffer {
        offer_id,
        account_id,
        playbook,
        motion: kind,
        signal_ids,
        terms,
        send_time,
        state_time,
        signal_time,
        deliver_time,
        open_time,
        click_time,
        ..
    } = wire;
    let offer_id = id("offer_id", offer_id, violations);
    let account_id = id("account_id", account_id, violations);
    let motion = violations.take("motion", motion(kind));
    let signal_at = optional("signal_time", signal_time, violations, time);
    let sent_at = optional("send_time", send_time, violations, time);
    let delivered_at = optional("deliver_time", deliver_time, violations, time);
    let opened_at = optional("open_time", open_time, violations, time);
    let clicked_at = optional("click_time", click_time, violations, time);
    let accepted_at = match state {
        OfferState::Accepted => required("state_time", state_time, violations, time).map(Some),
        _ => Some(None),
    };
    Some(Offer {
        offer_id: offer_id?,
        account_id: account_id?,
        motion: motion?,
        channel,
        playbook,
        signal_ids,
        priced: terms.is_some(),
        live: is_live(state, violations)?,
        signal_at: signal_at?,
        sent_at: sent_at?,
        reached: [delivered_at?, opened_at?, clicked_at?],
        accepted_at: accepted_at?,
    })
}

fn is_live(state: OfferState, violations: &mut Violations) -> Option<bool> {
    match state {
        OfferState::Deferred
        | OfferState::AwaitingApproval
        | OfferState::Reserved
        | OfferState::Sending
        | OfferState::Sent => Some(true),
        OfferState::Accepted
        | OfferState::Declined
        | OfferState::Expired
        | OfferState::Rejected
        | OfferState::Withdrawn => Some(false),
        OfferState::Unspecified => {
            violations.add("state", "is not known here");
            None
        }
    }
}

fn order_in(wire: WireOrder, violations: &mut Violations) -> Option<Order> {
    let WireOrder {
        order_id,
        offer_id,
        account_id,
        motion: kind,
        place_time,
        pay_time,
        signal_time,
        ..
    } = wire;
    let order_id = id("order_id", order_id, violations);
    let offer_id = id("offer_id", offer_id, violations);
    let account_id = id("account_id", account_id, violations);
    let motion = violations.take("motion", motion(kind));
    let signal_at = optional("signal_time", signal_time, violations, time);
    let placed_at = required("place_time", place_time, violations, time);
    let paid_at = optional("pay_time", pay_time, violations, time);
    Some(Order {
        order_id: order_id?,
        offer_id: offer_id?,
        account_id: account_id?,
        motion: motion?,
        signal_at: signal_at?,
        placed_at: placed_at?,
        paid_at: paid_at?,
    })
}

fn touch_in(wire: WireTouch, violations: &mut Violations) -> Option<Touch> {
    let (state, class) = (wire.state(), wire.class());
    let WireTouch {
        touch_id,
        account_id,
        planned_time,
        actual_time,
        ..
    } = wire;
    let touch_id = id("touch_id", touch_id, violations);
    let account_id = id("account_id", account_id, violations);
    let touched_at = match actual_time {
        Some(_) => required("actual_time", actual_time, violations, time),
        None => required("planned_time", planned_time, violations, time),
    };
    if class == TouchClass::Unspecified {
        violations.add("class", "is not known here");
    }
    let made = matches!(state, TouchState::Confirmed | TouchState::Observed);
    let counts = made && class != TouchClass::Contractual;
    Some(Touch {
        touch_id: touch_id?,
        account_id: account_id?,
        touched_at: touched_at?,
        counts,
    })
}

fn approval_in(wire: WireApproval, violations: &mut Violations) -> Option<Approval> {
    let state = match wire.state() {
        ApprovalStateWire::Pending => Some(ApprovalState::Pending),
        ApprovalStateWire::Approved => Some(ApprovalState::Approved),
        ApprovalStateWire::Consumed => Some(ApprovalState::Consumed),
        ApprovalStateWire::Rejected => Some(ApprovalState::Rejected),
        ApprovalStateWire::Expired => Some(ApprovalState::Expired),
        ApprovalStateWire::Revoked => Some(ApprovalState::Revoked),
        ApprovalStateWire::Unspecified => {
            violations.add("state", "is not known here");
            None
        }
    };
    let WireApproval {
        approval_id,
        account_id,
        approver_id,
        request_time,
        expire_time,
        decide_time,
        ..
    } = wire;
    let approval_id = id("approval_id", approval_id, violations);
    let account_id = id("account_id", account_id, violations);
    let requested_at = required("request_time", request_time, violations, time);
    let decided_at = optional("decide_time", decide_time, violations, time);
    let expires_at = optional("expire_time", expire_time, violations, time);
    // Nobody decides an expired request: it waited until it expired.
    let expired_at = expires_at?.filter(|_| state == Some(ApprovalState::Expired));
    Some(Approval {
        approval_id: approval_id?,
        account_id: account_id?,
        approver_id,
        state: state?,
        requested_at: requested_at?,
        settled_at: decided_at?.or(expired_at),
    })
}

fn arm_in(wire: Assignment, violations: &mut Violations) -> Option<Arm> {
    let Assignment {
        account_id,
        holdout,
        stratum,
        epoch,
        assign_time,
    } = wire;
    let account_id = id("account_id", account_id, violations);
    let assigned_at = required("assign_time", assign_time, violations, time);
    Some(Arm {
        account_id: account_id?,
        epoch,
        holdout,
        stratum,
        assigned_at: assigned_at?,
    })
}
