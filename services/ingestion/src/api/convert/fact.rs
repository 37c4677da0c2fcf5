//! A fact: its head, and which body it has.

use prost::Message as _;
use upswell_proto::ingestion::v1::{self as pb, fact::Body as PbBody};
use upswell_runtime::{
    problem::{Problem, Violation, Violations},
    requests,
};

use super::{account_bodies, count_bodies, event_bodies, fields::Fields, moment_bodies, out::fact_to_wire, terms};
use crate::domain::{
    fact::{Body, Fact},
    intake::ContentHash,
    rules::{EXTERNAL_ID_MAX, Horizon, Reach},
};

/// The fact that a message holds, or everything that is wrong with it.
pub(crate) fn fact_from_wire(wire: &pb::Fact, horizon: Horizon) -> Result<Fact, Vec<Violation>> {
    let mut faults = Violations::new();
    let fact = read(wire, &mut Fields::new(&mut faults, horizon));
    match fact {
        Some(fact) if faults.is_empty() => Ok(fact),
        _ => Err(faults.into_vec()),
    }
}

/// The canonical encoding of a fact and its hash: equal for facts that say the same.
pub(crate) fn encode(fact: &Fact) -> (Vec<u8>, ContentHash) {
    let wire = fact_to_wire(fact);
    (wire.encode_to_vec(), requests::fingerprint(&wire))
}

/// The fact of a stored encoding. Errors: INTERNAL when the store holds something else.
pub(crate) fn decode(payload: &[u8]) -> Result<Fact, Problem> {
    let wire = pb::Fact::decode(payload).map_err(Problem::internal)?;
    fact_from_wire(&wire, Horizon::recorded())
        .map_err(|faults| Problem::internal(format!("a stored fact is unreadable: {faults:?}")))
}

fn read(wire: &pb::Fact, fields: &mut Fields<'_>) -> Option<Fact> {
    let pb::Fact {
        source,
        external_id,
        account_id,
        occur_time,
        supersedes_external_id,
        body,
    } = wire;
    let source = fields.key("source", source);
    let external_id = fields.required_text("external_id", external_id, EXTERNAL_ID_MAX);
    let account_id = fields.key("account_id", account_id);
    let occur_time = fields.instant("occur_time", occur_time.as_ref(), reach(body.as_ref()));
    let occur_time = occur_time.and_then(|at| fields.kept("occur_time", at));
    let supersedes = fields.text("supersedes_external_id", supersedes_external_id, EXTERNAL_ID_MAX);
    if supersedes
        .as_ref()
        .is_some_and(|id| !id.is_empty() && Some(id) == external_id.as_ref())
    {
        fields.fault(
            "supersedes_external_id",
            "a fact cannot correct itself: expected the id of an earlier fact",
        );
    }
    let body = read_body(body.as_ref(), fields);
    Some(Fact {
        source: source?,
        external_id: external_id?,
        account_id: account_id?,
        occur_time: occur_time?,
        supersedes_external_id: supersedes?,
        body: body?,
    })
}

/// Agreements may be dated ahead; what happened may not.
fn reach(body: Option<&PbBody>) -> Reach {
    match body {
        Some(PbBody::AccountProfile(_) | PbBody::ContactProfile(_) | PbBody::Subscription(_)) => Reach::Agreed,
        _ => Reach::Day,
    }
}

fn read_body(body: Option<&PbBody>, fields: &mut Fields<'_>) -> Option<Body> {
    let Some(body) = body else {
        fields.fault("body", "required: expected exactly one body, e.g. usage");
        return None;
    };
    match body {
        PbBody::AccountProfile(wire) => fields.at("account_profile", |f| account_bodies::profile(wire, f)),
        PbBody::ContactProfile(wire) => fields.at("contact_profile", |f| account_bodies::contact(wire, f)),
        PbBody::Subscription(wire) => fields.at("subscription", |f| terms::terms(wire, f)),
        PbBody::Usage(wire) => fields.at("usage", |f| count_bodies::usage(wire, f)),
        PbBody::Activity(wire) => fields.at("activity", |f| count_bodies::activity(wire, f)),
        PbBody::FeatureUse(wire) => fields.at("feature_use", |f| count_bodies::feature_use(wire, f)),
        PbBody::Ticket(wire) => fields.at("ticket", |f| event_bodies::ticket(wire, f)),
        PbBody::Survey(wire) => fields.at("survey", |f| event_bodies::survey(wire, f)),
        PbBody::Invoice(wire) => fields.at("invoice", |f| event_bodies::invoice(wire, f)),
        PbBody::Payment(wire) => fields.at("payment", |f| event_bodies::payment(wire, f)),
        PbBody::ExternalTouch(wire) => fields.at("external_touch", |f| event_bodies::touch(wire, f)),
        PbBody::Reply(wire) => fields.at("reply", |f| event_bodies::reply(wire, f)),
        PbBody::PlanLimit(wire) => fields.at("plan_limit", |f| moment_bodies::plan_limit(wire, f)),
        PbBody::Trial(wire) => fields.at("trial", |f| moment_bodies::trial(wire, f)),
        PbBody::TrialUse(wire) => fields.at("trial_use", |f| count_bodies::trial_use(wire, f)),
        PbBody::Export(wire) => fields.at("export", |f| count_bodies::export(wire, f)),
        PbBody::Action(wire) => fields.at("action", |f| moment_bodies::action(wire, f)),
        PbBody::Complaint(wire) => fields.at("complaint", |f| moment_bodies::complaint(wire, f)),
        PbBody::Goal(wire) => fields.at("goal", |f| moment_bodies::goal(wire, f)),
        PbBody::CompanyEvent(wire) => fields.at("company_event", |f| moment_bodies::company_event(wire, f)),
        PbBody::Cost(wire) => fields.at("cost", |f| moment_bodies::cost(wire, f)),
        PbBody::LeaveAttempt(wire) => fields.at("leave_attempt", |f| moment_bodies::leave_attempt(wire, f)),
        PbBody::CsmReport(wire) => fields.at("csm_report", |f| moment_bodies::csm_report(wire, f)),
    }
}
