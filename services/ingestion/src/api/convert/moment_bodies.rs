//! Bodies that say *why now*.

use upswell_proto::ingestion::v1 as pb;

use super::fields::Fields;
use crate::domain::{
    fact::Body,
    moment::{CompanyEvent, Complaint, Cost, CsmReport, Goal, LeaveAttempt, PlanLimit, ProductAction, Trial},
    rules::{COUNT_MAX, Reach, UNITS_MAX},
};

const NOTE_MAX: usize = 1_000;
const TITLE_MAX: usize = 200;

/// What people say, on one line: control characters are kept out of the store.
fn note(fields: &mut Fields<'_>, text: &str) -> Option<String> {
    let line = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
    fields.text("note", &line, NOTE_MAX)
}

pub(super) fn plan_limit(wire: &pb::PlanLimit, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::PlanLimit {
        metric,
        value,
        standing,
    } = wire;
    let metric = fields.key("metric", metric);
    let counted = value.is_none_or(|value| fields.count("value", value, 0, COUNT_MAX).is_some());
    Some(Body::PlanLimit(PlanLimit {
        metric: metric?,
        value: counted.then_some(*value)?,
        standing: *standing,
    }))
}

pub(super) fn trial(wire: &pb::Trial, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::Trial {
        trial_id,
        product,
        start_date,
        end_date,
        state,
    } = wire;
    let trial_id = fields.key("trial_id", trial_id);
    let product = fields.key("product", product);
    let start_date = fields.day("start_date", start_date.as_ref(), Reach::Agreed);
    let end_date = fields.day("end_date", end_date.as_ref(), Reach::Agreed);
    fields.order("end_date", end_date.as_ref(), start_date.as_ref(), "start_date");
    let state = fields.word("state", *state);
    Some(Body::Trial(Trial {
        trial_id: trial_id?,
        product: product?,
        start_date: start_date?,
        end_date: end_date?,
        state: state?,
    }))
}

pub(super) fn action(wire: &pb::ProductAction, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::ProductAction {
        kind,
        subject,
        contact_id,
        note: text,
    } = wire;
    let kind = fields.word("kind", *kind);
    let subject = fields.optional_key("subject", subject);
    let contact_id = fields.optional_key("contact_id", contact_id);
    let note = note(fields, text);
    Some(Body::Action(ProductAction {
        kind: kind?,
        subject: subject?,
        contact_id: contact_id?,
        note: note?,
    }))
}

pub(super) fn complaint(wire: &pb::Complaint, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::Complaint {
        kind,
        subject,
        contact_id,
        note: text,
    } = wire;
    let kind = fields.word("kind", *kind);
    let subject = fields.optional_key("subject", subject);
    let contact_id = fields.optional_key("contact_id", contact_id);
    let note = note(fields, text);
    Some(Body::Complaint(Complaint {
        kind: kind?,
        subject: subject?,
        contact_id: contact_id?,
        note: note?,
    }))
}

pub(super) fn goal(wire: &pb::Goal, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::Goal {
        goal_id,
        title,
        target_date,
        reach_date,
    } = wire;
    let goal_id = fields.key("goal_id", goal_id);
    let title = fields.required_text("title", title, TITLE_MAX);
    let target_date = fields.optional_day("target_date", target_date.as_ref(), Reach::Term);
    let reach_date = fields.optional_day("reach_date", reach_date.as_ref(), Reach::Day);
    Some(Body::Goal(Goal {
        goal_id: goal_id?,
        title: title?,
        target_date: target_date?,
        reach_date: reach_date?,
    }))
}

pub(super) fn company_event(wire: &pb::CompanyEvent, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::CompanyEvent {
        kind,
        area,
        head_count_before,
        head_count,
        amount,
        note: text,
    } = wire;
    let kind = fields.word("kind", *kind);
    let area = fields.optional_key("area", area);
    let before = fields.count("head_count_before", *head_count_before, 0, UNITS_MAX);
    let after = fields.count("head_count", *head_count, 0, UNITS_MAX);
    let raised = amount.as_ref().map(|amount| fields.money("amount", Some(amount), 0));
    let note = note(fields, text);
    Some(Body::CompanyEvent(CompanyEvent {
        kind: kind?,
        area: area?,
        head_count_before: before?,
        head_count: after?,
        amount: match raised {
            None => None,
            Some(amount) => Some(amount?),
        },
        note: note?,
    }))
}

pub(super) fn cost(wire: &pb::Cost, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::Cost {
        kind,
        amount,
        start_date,
        end_date,
    } = wire;
    let kind = fields.word("kind", *kind);
    let amount = fields.money("amount", amount.as_ref(), 0);
    let start_date = fields.day("start_date", start_date.as_ref(), Reach::Agreed);
    let end_date = fields.day("end_date", end_date.as_ref(), Reach::Agreed);
    if start_date.is_some() && start_date == end_date {
        fields.fault("end_date", "must be after start_date");
    }
    fields.order("end_date", end_date.as_ref(), start_date.as_ref(), "start_date");
    Some(Body::Cost(Cost {
        kind: kind?,
        amount: amount?,
        start_date: start_date?,
        end_date: end_date?,
    }))
}

pub(super) fn leave_attempt(wire: &pb::LeaveAttempt, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::LeaveAttempt {
        kind,
        reason,
        note: text,
        product,
        contact_id,
    } = wire;
    let kind = fields.word("kind", *kind);
    let reason = fields.optional_key("reason", reason);
    let note = note(fields, text);
    let product = fields.optional_key("product", product);
    let contact_id = fields.optional_key("contact_id", contact_id);
    Some(Body::LeaveAttempt(LeaveAttempt {
        kind: kind?,
        reason: reason?,
        note: note?,
        product: product?,
        contact_id: contact_id?,
    }))
}

pub(super) fn csm_report(wire: &pb::CsmReport, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::CsmReport {
        kind,
        csm_id,
        subject,
        note: text,
    } = wire;
    let kind = fields.word("kind", *kind);
    let csm_id = fields.key("csm_id", csm_id);
    let subject = fields.optional_key("subject", subject);
    let note = note(fields, text);
    Some(Body::CsmReport(CsmReport {
        kind: kind?,
        csm_id: csm_id?,
        subject: subject?,
        note: note?,
    }))
}
