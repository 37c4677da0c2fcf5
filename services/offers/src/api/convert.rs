//! Domain → contracts.

use jiff::{Timestamp, civil::Date};
use upswell_proto::{gtype, offers::v1 as pb};
use upswell_runtime::{
    db::from_micros,
    money::{Money, to_proto},
};
use uuid::Uuid;

use super::words::{
    approval_state_to_wire, channel_to_wire, class_to_wire, grantor_to_wire, kind_to_wire, motion_to_wire,
    offer_state_to_wire, order_state_to_wire, owner_to_wire, period_to_wire,
};
use crate::{
    app::explain::Explained,
    domain::{
        approval::{Approval, Asked, Delegation, DelegationKind},
        decision::{Candidate, GateVerdict, Outcome, Verdict},
        offer::{Message, Offer, Terms},
        order::Order,
        policy::Policy,
    },
    store::entities::{arm, suppression},
};

/// An instant on the wire.
pub(crate) fn instant(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.as_second(),
        nanos: at.subsec_nanosecond(),
    }
}

/// A day on the wire.
pub(crate) fn day(date: Date) -> gtype::Date {
    gtype::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

fn text(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn money(amount: Option<Money>) -> Option<gtype::Money> {
    amount.map(to_proto)
}

/// An offer as it stands.
pub(crate) fn offer(offer: &Offer) -> pb::Offer {
    pb::Offer {
        offer_id: offer.id.to_string(),
        account_id: offer.account_id.clone(),
        playbook: offer.playbook.clone(),
        motion: motion_to_wire(offer.motion).into(),
        subject: offer.subject.clone(),
        class: class_to_wire(offer.class).into(),
        owner: owner_to_wire(offer.owner).into(),
        state: offer_state_to_wire(offer.state).into(),
        signal_ids: offer.signal_ids.clone(),
        contact_id: offer.contact_id.clone().unwrap_or_default(),
        channel: channel_to_wire(offer.channel).into(),
        message: offer.message.as_ref().map(message),
        terms: offer.terms.as_ref().map(terms),
        expected_value: money(offer.expected_value),
        decision_id: text(offer.decision_id),
        approval_id: text(offer.approval_id),
        touch_id: text(offer.touch_id),
        order_id: text(offer.order_id),
        close_reason: offer.close_reason.clone(),
        create_time: Some(instant(offer.created_at)),
        deferred_until_time: offer.deferred_until.map(instant),
        send_time: offer.sent_at.map(instant),
        state_time: Some(instant(offer.state_at)),
        signal_time: offer.signal_at.map(instant),
        etag: offer.version.to_string(),
        deliver_time: offer.progress.delivered_at.map(instant),
        open_time: offer.progress.opened_at.map(instant),
        click_time: offer.progress.clicked_at.map(instant),
    }
}

pub(super) fn message(message: &Message) -> pb::Message {
    let Message {
        language,
        subject,
        body,
        banner,
    } = message.clone();
    pb::Message {
        language_code: language,
        subject,
        body,
        banner,
    }
}

pub(super) fn terms(terms: &Terms) -> pb::Terms {
    pb::Terms {
        product: terms.product.clone(),
        quantity: terms.quantity,
        unit_price: Some(to_proto(terms.unit_price)),
        period: period_to_wire(terms.period).into(),
        monthly: Some(to_proto(terms.monthly)),
        discount_basis_points: terms.discount_basis_points,
        start_date: Some(day(terms.start_on)),
        valid_until_time: Some(instant(terms.valid_until)),
        summary: terms.summary.clone(),
        granted_basis_points: terms.granted_basis_points,
        grantor: terms
            .grantor
            .map_or(pb::terms::Grantor::Unspecified, grantor_to_wire)
            .into(),
        trial_days: terms.trial_days,
    }
}

/// An approval request as it stands.
pub(crate) fn approval(approval: &Approval) -> pb::Approval {
    pb::Approval {
        approval_id: approval.id.to_string(),
        offer_id: approval.offer_id.to_string(),
        account_id: approval.account_id.clone(),
        snapshot: Some(offer(&approval.snapshot)),
        content_hash: approval.content_hash.clone(),
        author: approval.author.clone(),
        approver_id: approval.approver_id.clone(),
        state: approval_state_to_wire(approval.state).into(),
        request_time: Some(instant(approval.requested_at)),
        expire_time: Some(instant(approval.expires_at)),
        decide_time: approval.decided_at.map(instant),
        decided_by: approval.decided_by.clone(),
        comment: approval.comment.clone(),
        passed_over: approval.passed_over.iter().map(passed_over).collect(),
    }
}

/// An order as it stands.
pub(crate) fn order(order: &Order) -> pb::Order {
    pb::Order {
        order_id: order.id.to_string(),
        offer_id: order.offer_id.to_string(),
        account_id: order.account_id.clone(),
        motion: motion_to_wire(order.motion).into(),
        terms: Some(terms(&order.terms)),
        state: order_state_to_wire(order.state).into(),
        place_time: Some(instant(order.placed_at)),
        pay_time: order.paid_at.map(instant),
        signal_time: order.signal_at.map(instant),
        hand_time: order.handover.handed_at.map(instant),
        billing_reference: order.handover.reference.clone(),
    }
}

/// A suppression as it stands.
pub(crate) fn suppression(row: suppression::Model) -> pb::Suppression {
    pb::Suppression {
        suppression_id: row.suppression_id.to_string(),
        account_id: row.account_id,
        reason: row.reason,
        author: row.author,
        create_time: Some(instant(from_micros(row.created_at))),
        expire_time: row.expires_at.map(|at| instant(from_micros(at))),
        lift_time: row.lifted_at.map(|at| instant(from_micros(at))),
    }
}

fn passed_over(asked: &Asked) -> pb::PassedOver {
    pb::PassedOver {
        approver_id: asked.approver_id.clone(),
        ask_time: Some(instant(asked.asked_at)),
        end_time: Some(instant(asked.until)),
    }
}

/// Who stands in for whom.
pub(crate) fn delegation(delegation: &Delegation) -> pb::Delegation {
    let kind = match delegation.kind {
        DelegationKind::Absence => pb::delegation::Kind::Absence,
        DelegationKind::Deputy => pb::delegation::Kind::Deputy,
    };
    pb::Delegation {
        delegation_id: delegation.id.to_string(),
        person_id: delegation.person_id.clone(),
        delegate_id: delegation.delegate_id.clone(),
        kind: kind.into(),
        start_date: Some(day(delegation.start_on)),
        end_date: delegation.end_on.map(day),
        author: delegation.author.clone(),
        create_time: Some(instant(delegation.created_at)),
        end_time: delegation.ended_at.map(instant),
    }
}

/// An arm of the holdout.
pub(crate) fn assignment(row: arm::Model) -> pb::Assignment {
    pb::Assignment {
        account_id: row.account_id,
        holdout: row.holdout,
        stratum: row.stratum,
        epoch: row.epoch,
        assign_time: Some(instant(from_micros(row.assigned_at))),
    }
}

/// A decision with everything that led to it (C-16).
pub(crate) fn decision(explained: Explained) -> pb::Decision {
    let Explained {
        decision_id,
        slot_at,
        decision,
        offer_ids,
        note,
    } = explained;
    let ids = offer_ids.iter().copied().chain(std::iter::repeat(None));
    let winner = decision
        .candidates
        .iter()
        .zip(ids.clone())
        .find(|(candidate, _)| candidate.outcome == Outcome::Won);
    pb::Decision {
        decision_id: text(decision_id),
        account_id: decision.account_id.clone(),
        slot_time: Some(instant(slot_at)),
        winner_offer_id: winner.map(|(_, id)| text(id)).unwrap_or_default(),
        candidates: decision
            .candidates
            .iter()
            .zip(ids)
            .map(|(one, id)| candidate(one, id))
            .collect(),
        earliest_time: decision.earliest.map(instant),
        policy_version: format!("{}+{}", decision.policy_version, decision.caps_version),
        model_version: decision.model_version,
        note,
    }
}

fn candidate(candidate: &Candidate, offer_id: Option<Uuid>) -> pb::Candidate {
    pb::Candidate {
        offer_id: text(offer_id),
        playbook: candidate.playbook.clone(),
        motion: motion_to_wire(candidate.motion).into(),
        subject: candidate.subject.clone(),
        class: class_to_wire(candidate.class).into(),
        signal_ids: candidate.signal_ids.clone(),
        acceptance_probability: candidate.factors.acceptance,
        monthly: money(candidate.factors.monthly),
        churn_risk: candidate.factors.churn_risk,
        urgency: candidate.factors.urgency,
        fatigue: candidate.factors.fatigue,
        expected_value: money(candidate.expected_value),
        gates: candidate.gates.iter().map(gate).collect(),
        won: candidate.outcome == Outcome::Won,
    }
}

fn gate(gate: &GateVerdict) -> pb::GateVerdict {
    let verdict = match gate.verdict {
        Verdict::Pass => pb::gate_verdict::Verdict::Pass,
        Verdict::Defer => pb::gate_verdict::Verdict::Defer,
        Verdict::Block => pb::gate_verdict::Verdict::Block,
    };
    pb::GateVerdict {
        gate: gate.gate.to_string(),
        rule_id: gate.rule_id.to_string(),
        verdict: verdict.into(),
        detail: gate.detail.clone(),
        earliest_time: gate.earliest.map(instant),
    }
}

/// The policy in short.
pub(crate) fn policy(policy: &Policy) -> pb::GetPolicyResponse {
    let playbooks = policy.playbooks.values().map(|playbook| pb::PlaybookSummary {
        playbook: playbook.key.clone(),
        signals: playbook
            .signals
            .iter()
            .map(|signal| kind_to_wire(*signal).into())
            .collect(),
        motion: motion_to_wire(playbook.motion).into(),
        class: class_to_wire(playbook.class).into(),
        rollout_stage: playbook.rollout.stage.to_string(),
        review_date: playbook.rollout.review_on().map(day),
    });
    pb::GetPolicyResponse {
        policy_version: policy.version.clone(),
        playbooks: playbooks.collect(),
        products: products(policy),
        files: Vec::new(),
    }
}

/// One row for each price: a product may have one in several currencies.
fn products(policy: &Policy) -> Vec<pb::ProductSummary> {
    let catalogue = &policy.catalogue;
    let plans = catalogue
        .plans
        .iter()
        .map(|(key, plan)| (key, &plan.names, &plan.prices));
    let add_ons = catalogue
        .add_ons
        .iter()
        .map(|(key, add_on)| (key, &add_on.names, &add_on.prices));
    let mut all: Vec<_> = plans.chain(add_ons).collect();
    all.sort_by_key(|(key, ..)| *key);
    let rows = all.into_iter().flat_map(|(key, names, prices)| {
        prices.values().map(move |price| pb::ProductSummary {
            product: key.clone(),
            display_name: catalogue
                .languages
                .first()
                .map(|language| names.get(*language).to_owned())
                .unwrap_or_default(),
            unit_price: Some(to_proto(price.amount)),
            period: period_to_wire(price.period).into(),
        })
    });
    rows.collect()
}

/// An instant of the wire, in µs; the fault is for a person.
pub(crate) fn from_instant(wire: &prost_types::Timestamp) -> Result<Timestamp, String> {
    let prost_types::Timestamp { seconds, nanos } = *wire;
    if !(0..1_000_000_000).contains(&nanos) {
        return Err("its nanos must be between 0 and 999999999".to_owned());
    }
    let micros = i128::from(seconds) * 1_000_000 + i128::from(nanos / 1_000);
    let micros = i64::try_from(micros).map_err(|_| "is out of range".to_owned())?;
    Timestamp::from_microsecond(micros).map_err(|_| "is out of range".to_owned())
}

/// A day of the wire; the fault is for a person.
pub(crate) fn from_day(wire: &gtype::Date) -> Result<Date, String> {
    let gtype::Date { year, month, day } = *wire;
    let parts = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    let (Ok(year), Ok(month), Ok(day)) = parts else {
        return Err("is not a date".to_owned());
    };
    Date::new(year, month, day).map_err(|_| "is not a date".to_owned())
}
