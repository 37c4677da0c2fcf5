//! The bodies of fact lines, key by key.

use upswell_proto::ingestion::v1::{self as pb, fact::Body};

use super::{moments, object::Object};
use crate::domain::words::{Channel, LineKind, Role, Severity, Survey, TermsReason, TouchClass};

type Read = fn(&mut Object<'_>) -> Body;

/// Every body by its key in the line.
const BODIES: [(&str, Read); 23] = [
    ("account_profile", |o| Body::AccountProfile(profile(o))),
    ("contact", |o| Body::ContactProfile(contact(o))),
    ("subscription", |o| Body::Subscription(subscription(o))),
    ("usage", |o| Body::Usage(usage(o))),
    ("activity", |o| Body::Activity(activity(o))),
    ("feature_use", |o| Body::FeatureUse(feature_use(o))),
    ("ticket", |o| Body::Ticket(ticket(o))),
    ("survey", |o| Body::Survey(survey(o))),
    ("invoice", |o| Body::Invoice(invoice(o))),
    ("payment", |o| Body::Payment(payment(o))),
    ("touch", |o| Body::ExternalTouch(touch(o))),
    ("reply", |o| Body::Reply(reply(o))),
    ("plan_limit", |o| Body::PlanLimit(moments::plan_limit(o))),
    ("trial", |o| Body::Trial(moments::trial(o))),
    ("trial_use", |o| Body::TrialUse(moments::trial_use(o))),
    ("export", |o| Body::Export(moments::export(o))),
    ("action", |o| Body::Action(moments::action(o))),
    ("complaint", |o| Body::Complaint(moments::complaint(o))),
    ("goal", |o| Body::Goal(moments::goal(o))),
    ("company_event", |o| Body::CompanyEvent(moments::company_event(o))),
    ("cost", |o| Body::Cost(moments::cost(o))),
    ("leave_attempt", |o| Body::LeaveAttempt(moments::leave_attempt(o))),
    ("csm_report", |o| Body::CsmReport(moments::csm_report(o))),
];

/// The one body of a line. When there are several, all of them are read for their faults.
pub(super) fn read(line: &mut Object<'_>) -> Option<Body> {
    let mut found = Vec::new();
    for (key, read) in BODIES {
        if line.has(key) {
            found.push((key, line.object(key, read)));
        } else {
            line.knows(key);
        }
    }
    if found.is_empty() {
        let keys: Vec<&str> = BODIES.iter().map(|(key, _)| *key).collect();
        line.fault("", format!("there is no body: expected one of {}", keys.join(", ")));
    } else if found.len() > 1 {
        let keys: Vec<&str> = found.iter().map(|(key, _)| *key).collect();
        line.fault(
            "",
            format!("there are {} bodies ({}): expected one", keys.len(), keys.join(", ")),
        );
    }
    found.pop().and_then(|(_, body)| body)
}

fn profile(o: &mut Object<'_>) -> pb::AccountProfile {
    pb::AccountProfile {
        display_name: o.text("name"),
        segment: o.text("segment"),
        industry: o.optional_text("industry"),
        country_code: o.text("country"),
        time_zone: o.text("time_zone"),
        language_code: o.text("language"),
        enterprise: o.flag("enterprise"),
        csm_id: o.optional_text("csm_id"),
        customer_since: o.optional_day("customer_since"),
        primary_metric: o.optional_text("primary_metric"),
    }
}

fn contact(o: &mut Object<'_>) -> pb::ContactProfile {
    pb::ContactProfile {
        contact_id: o.text("contact_id"),
        first_name: o.optional_text("first_name"),
        role: o.word("role", Role::from_word),
        budget_holder: o.flag("budget_holder"),
        renewal_decision_maker: o.flag("renewal_decision_maker"),
        champion: o.flag("champion"),
        language_code: o.optional_text("language"),
        points: o.objects("points", |o| pb::ContactPoint {
            channel: o.word("channel", Channel::from_word),
            address: o.text("address"),
            consent: o.flag("consent"),
        }),
    }
}

fn subscription(o: &mut Object<'_>) -> pb::SubscriptionTerms {
    pb::SubscriptionTerms {
        subscription_id: o.text("subscription_id"),
        product: o.text("product"),
        kind: o.word("kind", LineKind::from_word),
        unit_price: o.money("unit_price"),
        quantity: o.optional_count("quantity", 1),
        period: o.word("period", |word| word.parse::<upswell_runtime::money::Period>().ok()),
        effective_date: o.day("effective"),
        end_date: o.optional_day("end"),
        renewal_date: o.optional_day("renewal"),
        seats: o.optional_count("seats", 0),
        limits: o.objects("limits", |o| pb::Limit {
            metric: o.text("metric"),
            value: o.count("value"),
            standing: o.flag("standing"),
        }),
        order_id: o.optional_text("order_id"),
        discounts: o.objects("discounts", |o| pb::Discount {
            basis_points: o.small("basis_points"),
            end_date: o.optional_day("end"),
        }),
        escalator: o.optional_object("escalator", |o| pb::Escalator {
            basis_points: o.small("basis_points"),
            first_date: o.day("first"),
            every_months: o.maybe_small("every_months"),
        }),
        auto_renew: o.maybe_flag("auto_renew"),
        notice_days: o.maybe_small("notice_days"),
        term_months: o.maybe_small("term_months"),
        reason: o.optional_word("reason", TermsReason::from_word),
    }
}

fn usage(o: &mut Object<'_>) -> pb::UsageCount {
    pb::UsageCount {
        metric: o.text("metric"),
        day: o.day("day"),
        value: o.count("value"),
    }
}

fn activity(o: &mut Object<'_>) -> pb::ActivityCount {
    pb::ActivityCount {
        day: o.day("day"),
        active_users: o.count("active_users"),
        logins: o.count("logins"),
    }
}

fn feature_use(o: &mut Object<'_>) -> pb::FeatureUse {
    pb::FeatureUse {
        feature: o.text("feature"),
        day: o.day("day"),
        users: o.count("users"),
        uses: o.count("uses"),
    }
}

fn ticket(o: &mut Object<'_>) -> pb::Ticket {
    pb::Ticket {
        ticket_id: o.text("ticket_id"),
        topic: o.text("topic"),
        severity: o.word("severity", Severity::from_word),
        open_time: o.instant("opened"),
        first_reply_time: o.optional_instant("first_reply"),
        resolve_time: o.optional_instant("resolved"),
    }
}

fn survey(o: &mut Object<'_>) -> pb::SurveyAnswer {
    let survey = o.word("survey", Survey::from_word);
    let score = o.small("score");
    pb::SurveyAnswer {
        survey,
        score,
        contact_id: o.optional_text("contact_id"),
    }
}

fn invoice(o: &mut Object<'_>) -> pb::Invoice {
    pb::Invoice {
        invoice_id: o.text("invoice_id"),
        amount: o.money("amount"),
        issue_date: o.day("issued"),
        due_date: o.day("due"),
        order_id: o.optional_text("order_id"),
    }
}

fn payment(o: &mut Object<'_>) -> pb::Payment {
    pb::Payment {
        invoice_id: o.text("invoice_id"),
        amount: o.money("amount"),
        pay_date: o.day("paid"),
        order_id: o.optional_text("order_id"),
    }
}

fn touch(o: &mut Object<'_>) -> pb::ExternalTouch {
    pb::ExternalTouch {
        class: o.word("class", TouchClass::from_word),
        channel: o.word("channel", Channel::from_word),
        contact_id: o.optional_text("contact_id"),
        sender: o.text("sender"),
        proposes_expansion: o.flag("proposes_expansion"),
    }
}

fn reply(o: &mut Object<'_>) -> pb::Reply {
    pb::Reply {
        offer_id: o.optional_text("offer_id"),
        contact_id: o.optional_text("contact_id"),
        channel: o.word("channel", Channel::from_word),
        text: o.text("text"),
    }
}
