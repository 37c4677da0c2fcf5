//! From the domain to the wire, fact by fact.

use jiff::{Timestamp, civil::Date};
use upswell_proto::{
    gtype,
    ingestion::v1::{self as pb, fact::Body as PbBody},
};
use upswell_runtime::money;

use super::{moment_out, words::Word};
use crate::domain::{
    fact::{
        AccountProfile, ActivityCount, Body, ContactPoint, ContactProfile, ExternalTouch, Fact, FeatureUse, Invoice,
        Limit, Payment, Reply, SubscriptionTerms, SurveyAnswer, Ticket, UsageCount,
    },
    price::{Discount, Escalator},
};

pub(crate) fn wire_time(at: Timestamp) -> prost_types::Timestamp {
    let nanos = i64::from(at.subsec_nanosecond());
    // Before 1970 jiff counts both parts down; the wire wants nanos that count up.
    let (seconds, nanos) = if nanos < 0 {
        (at.as_second() - 1, nanos + 1_000_000_000)
    } else {
        (at.as_second(), nanos)
    };
    prost_types::Timestamp {
        seconds,
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

pub(crate) fn day(day: Date) -> gtype::Date {
    gtype::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}

/// A whole calendar day. Errors: what is wrong with it.
pub(crate) fn day_from_wire(wire: &gtype::Date) -> Result<Date, String> {
    let gtype::Date { year, month, day } = *wire;
    let parts = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    let (Ok(y), Ok(m), Ok(d)) = parts else {
        return Err(no_day(wire));
    };
    Date::new(y, m, d).map_err(|_| no_day(wire))
}

fn no_day(wire: &gtype::Date) -> String {
    format!(
        "{}-{}-{} is no calendar day: expected year, month and day",
        wire.year, wire.month, wire.day
    )
}

pub(crate) fn fact_to_wire(fact: &Fact) -> pb::Fact {
    let Fact {
        source,
        external_id,
        account_id,
        occur_time,
        supersedes_external_id,
        body,
    } = fact;
    pb::Fact {
        source: source.clone(),
        external_id: external_id.clone(),
        account_id: account_id.clone(),
        occur_time: Some(wire_time(*occur_time)),
        supersedes_external_id: supersedes_external_id.clone(),
        body: Some(body_to_wire(body)),
    }
}

fn body_to_wire(body: &Body) -> PbBody {
    match body {
        Body::AccountProfile(profile) => PbBody::AccountProfile(profile_to_wire(profile)),
        Body::ContactProfile(contact) => PbBody::ContactProfile(contact_to_wire(contact)),
        Body::Subscription(terms) => PbBody::Subscription(terms_to_wire(terms)),
        Body::Usage(UsageCount { metric, day: on, value }) => PbBody::Usage(pb::UsageCount {
            metric: metric.clone(),
            day: Some(day(*on)),
            value: *value,
        }),
        Body::Activity(ActivityCount {
            day: on,
            active_users,
            logins,
        }) => PbBody::Activity(pb::ActivityCount {
            day: Some(day(*on)),
            active_users: *active_users,
            logins: *logins,
        }),
        Body::FeatureUse(FeatureUse {
            feature,
            day: on,
            users,
            uses,
        }) => PbBody::FeatureUse(pb::FeatureUse {
            feature: feature.clone(),
            day: Some(day(*on)),
            users: *users,
            uses: *uses,
        }),
        Body::Ticket(ticket) => PbBody::Ticket(ticket_to_wire(ticket)),
        Body::Survey(answer) => PbBody::Survey(answer_to_wire(answer)),
        Body::Invoice(invoice) => PbBody::Invoice(invoice_to_wire(invoice)),
        Body::Payment(payment) => PbBody::Payment(payment_to_wire(payment)),
        Body::ExternalTouch(touch) => PbBody::ExternalTouch(touch_to_wire(touch)),
        Body::Reply(reply) => PbBody::Reply(reply_to_wire(reply)),
        Body::PlanLimit(body) => moment_out::plan_limit(body),
        Body::Trial(body) => moment_out::trial(body),
        Body::TrialUse(body) => moment_out::trial_use(body),
        Body::Export(body) => moment_out::export(body),
        Body::Action(body) => moment_out::action(body),
        Body::Complaint(body) => moment_out::complaint(body),
        Body::Goal(body) => moment_out::goal(body),
        Body::CompanyEvent(body) => moment_out::company_event(body),
        Body::Cost(body) => moment_out::cost(body),
        Body::LeaveAttempt(body) => moment_out::leave_attempt(body),
        Body::CsmReport(body) => moment_out::csm_report(body),
    }
}

pub(crate) fn profile_to_wire(profile: &AccountProfile) -> pb::AccountProfile {
    let AccountProfile {
        display_name,
        segment,
        industry,
        country_code,
        time_zone,
        language_code,
        enterprise,
        csm_id,
        customer_since,
        primary_metric,
    } = profile.clone();
    pb::AccountProfile {
        display_name,
        segment,
        industry,
        country_code,
        time_zone,
        language_code,
        enterprise,
        csm_id,
        customer_since: customer_since.map(day),
        primary_metric,
    }
}

pub(crate) fn contact_to_wire(contact: &ContactProfile) -> pb::ContactProfile {
    let ContactProfile {
        contact_id,
        first_name,
        role,
        budget_holder,
        renewal_decision_maker,
        champion,
        points,
        language_code,
    } = contact.clone();
    let points = points.into_iter().map(
        |ContactPoint {
             channel,
             address,
             consent,
         }| pb::ContactPoint {
            channel: channel.to_wire(),
            address,
            consent,
        },
    );
    pb::ContactProfile {
        contact_id,
        first_name,
        role: role.to_wire(),
        budget_holder,
        renewal_decision_maker,
        champion,
        points: points.collect(),
        language_code,
    }
}

pub(crate) fn terms_to_wire(terms: &SubscriptionTerms) -> pb::SubscriptionTerms {
    let SubscriptionTerms {
        subscription_id,
        product,
        kind,
        unit_price,
        quantity,
        period,
        effective_date,
        end_date,
        renewal_date,
        limits,
        order_id,
        seats,
        discounts,
        escalator,
        auto_renew,
        notice_days,
        term_months,
        reason,
    } = terms.clone();
    let limits = limits.into_iter().map(
        |Limit {
             metric,
             value,
             standing,
         }| pb::Limit {
            metric,
            value,
            standing,
        },
    );
    pb::SubscriptionTerms {
        subscription_id,
        product,
        kind: kind.to_wire(),
        unit_price: Some(money::to_proto(unit_price)),
        quantity,
        period: period.to_wire(),
        effective_date: Some(day(effective_date)),
        end_date: end_date.map(day),
        renewal_date: renewal_date.map(day),
        limits: limits.collect(),
        order_id,
        seats,
        discounts: discounts.into_iter().map(discount_to_wire).collect(),
        escalator: escalator.map(escalator_to_wire),
        auto_renew,
        notice_days,
        term_months,
        reason: reason.map(Word::to_wire).unwrap_or_default(),
    }
}

fn discount_to_wire(Discount { basis_points, end_date }: Discount) -> pb::Discount {
    pb::Discount {
        basis_points,
        end_date: end_date.map(day),
    }
}

fn escalator_to_wire(escalator: Escalator) -> pb::Escalator {
    let Escalator {
        basis_points,
        first_date,
        every_months,
    } = escalator;
    pb::Escalator {
        basis_points,
        first_date: Some(day(first_date)),
        every_months,
    }
}

pub(crate) fn ticket_to_wire(ticket: &Ticket) -> pb::Ticket {
    let Ticket {
        ticket_id,
        topic,
        severity,
        open_time,
        first_reply_time,
        resolve_time,
    } = ticket.clone();
    pb::Ticket {
        ticket_id,
        topic,
        severity: severity.to_wire(),
        open_time: Some(wire_time(open_time)),
        first_reply_time: first_reply_time.map(wire_time),
        resolve_time: resolve_time.map(wire_time),
    }
}

pub(super) fn answer_to_wire(answer: &SurveyAnswer) -> pb::SurveyAnswer {
    let SurveyAnswer {
        survey,
        score,
        contact_id,
    } = answer.clone();
    pb::SurveyAnswer {
        survey: survey.to_wire(),
        score,
        contact_id,
    }
}

pub(super) fn invoice_to_wire(invoice: &Invoice) -> pb::Invoice {
    let Invoice {
        invoice_id,
        amount,
        issue_date,
        due_date,
        order_id,
    } = invoice.clone();
    pb::Invoice {
        invoice_id,
        amount: Some(money::to_proto(amount)),
        issue_date: Some(day(issue_date)),
        due_date: Some(day(due_date)),
        order_id,
    }
}

pub(crate) fn payment_to_wire(payment: &Payment) -> pb::Payment {
    let Payment {
        invoice_id,
        amount,
        pay_date,
        order_id,
    } = payment.clone();
    pb::Payment {
        invoice_id,
        amount: Some(money::to_proto(amount)),
        pay_date: Some(day(pay_date)),
        order_id,
    }
}

pub(crate) fn touch_to_wire(touch: &ExternalTouch) -> pb::ExternalTouch {
    let ExternalTouch {
        class,
        channel,
        contact_id,
        sender,
        proposes_expansion,
    } = touch.clone();
    pb::ExternalTouch {
        class: class.to_wire(),
        channel: channel.to_wire(),
        contact_id,
        sender,
        proposes_expansion,
    }
}

pub(crate) fn reply_to_wire(reply: &Reply) -> pb::Reply {
    let Reply {
        offer_id,
        contact_id,
        channel,
        text,
    } = reply.clone();
    pb::Reply {
        offer_id,
        contact_id,
        channel: channel.to_wire(),
        text,
    }
}
