//! Bodies that say who somebody is and what was agreed.

use std::collections::BTreeSet;

use upswell_proto::ingestion::v1 as pb;

use super::fields::Fields;
use crate::domain::{
    fact::{AccountProfile, Body, ContactPoint, ContactProfile, Limit, SubscriptionTerms},
    rules::{self, COUNT_MAX, LIMITS_MAX, POINTS_MAX, Reach, UNITS_MAX},
    subscription::mrr,
    words::{Channel, LineKind},
};

pub(super) fn profile(wire: &pb::AccountProfile, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::AccountProfile {
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
    } = wire;
    let display_name = fields.required_text("display_name", display_name, 200);
    let segment = fields.key("segment", segment);
    let industry = fields.optional_key("industry", industry);
    let country_code = fields.rule("country_code", rules::country(country_code));
    let time_zone = fields.rule("time_zone", rules::time_zone(time_zone));
    let language_code = fields.rule("language_code", rules::language(language_code));
    let csm_id = fields.optional_key("csm_id", csm_id);
    let customer_since = fields.optional_old_day("customer_since", customer_since.as_ref());
    let primary_metric = fields.optional_key("primary_metric", primary_metric);
    Some(Body::AccountProfile(AccountProfile {
        display_name: display_name?,
        segment: segment?,
        industry: industry?,
        country_code: country_code?,
        time_zone: time_zone?,
        language_code: language_code?,
        enterprise: *enterprise,
        csm_id: csm_id?,
        customer_since: customer_since?,
        primary_metric: primary_metric?,
    }))
}

pub(super) fn contact(wire: &pb::ContactProfile, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::ContactProfile {
        contact_id,
        first_name,
        role,
        budget_holder,
        renewal_decision_maker,
        champion,
        points,
        language_code,
    } = wire;
    let contact_id = fields.key("contact_id", contact_id);
    let first_name = fields.text("first_name", first_name, 100);
    let role = fields.word("role", *role);
    let language_code = fields.optional_language("language_code", language_code);
    if points.len() > POINTS_MAX {
        fields.fault(
            "points",
            format!("{} addresses: expected at most {POINTS_MAX}", points.len()),
        );
        return None;
    }
    let points: Vec<Option<ContactPoint>> = (points.iter().enumerate())
        .map(|(index, point)| fields.at(&format!("points[{index}]"), |fields| contact_point(point, fields)))
        .collect();
    Some(Body::ContactProfile(ContactProfile {
        contact_id: contact_id?,
        first_name: first_name?,
        role: role?,
        budget_holder: *budget_holder,
        renewal_decision_maker: *renewal_decision_maker,
        champion: *champion,
        points: points.into_iter().collect::<Option<_>>()?,
        language_code: language_code?,
    }))
}

fn contact_point(wire: &pb::ContactPoint, fields: &mut Fields<'_>) -> Option<ContactPoint> {
    let pb::ContactPoint {
        channel,
        address,
        consent,
    } = wire;
    let channel: Option<Channel> = fields.word("channel", *channel);
    if channel.is_some_and(Channel::is_task) {
        fields.fault(
            "channel",
            "a task has no address: expected a channel that reaches the person",
        );
    }
    let address = fields.required_text("address", address, 320);
    Some(ContactPoint {
        channel: channel?,
        address: address?,
        consent: *consent,
    })
}

pub(super) fn terms(wire: &pb::SubscriptionTerms, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::SubscriptionTerms {
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
    } = wire;
    let subscription_id = fields.key("subscription_id", subscription_id);
    let product = fields.key("product", product);
    let kind: Option<LineKind> = fields.word("kind", *kind);
    let unit_price = fields.money("unit_price", unit_price.as_ref(), 0);
    let quantity = fields.count("quantity", *quantity, 1, UNITS_MAX);
    let period = fields.word("period", *period);
    let effective_date = fields.day("effective_date", effective_date.as_ref(), Reach::Agreed);
    let end_date = fields.optional_day("end_date", end_date.as_ref(), Reach::Term);
    fields.order(
        "end_date",
        end_date.flatten().as_ref(),
        effective_date.as_ref(),
        "effective_date",
    );
    let renewal_date = fields.optional_day("renewal_date", renewal_date.as_ref(), Reach::Term);
    if kind == Some(LineKind::Plan) && renewal_date == Some(None) {
        fields.fault(
            "renewal_date",
            "required for a plan: expected the day on which its term renews",
        );
    }
    let limits = read_limits(limits, fields);
    let order_id = fields.optional_key("order_id", order_id);
    let seats = fields.count("seats", *seats, 0, UNITS_MAX);
    let terms = SubscriptionTerms {
        subscription_id: subscription_id?,
        product: product?,
        kind: kind?,
        unit_price: unit_price?,
        quantity: quantity?,
        period: period?,
        effective_date: effective_date?,
        end_date: end_date?,
        renewal_date: renewal_date?,
        limits: limits?,
        order_id: order_id?,
        seats: seats?,
    };
    if let Err(fault) = mrr(&terms) {
        fields.fault("unit_price", format!("times quantity has no monthly amount: {fault}"));
    }
    Some(Body::Subscription(terms))
}

fn read_limits(wire: &[pb::Limit], fields: &mut Fields<'_>) -> Option<Vec<Limit>> {
    if wire.len() > LIMITS_MAX {
        fields.fault(
            "limits",
            format!("{} limits: expected at most {LIMITS_MAX}", wire.len()),
        );
        return None;
    }
    let mut metrics = BTreeSet::new();
    let limits: Vec<Option<Limit>> = (wire.iter().enumerate())
        .map(|(index, limit)| {
            fields.at(&format!("limits[{index}]"), |fields| {
                let pb::Limit {
                    metric,
                    value,
                    standing,
                } = limit;
                let metric = fields.key("metric", metric);
                if metric.as_ref().is_some_and(|metric| !metrics.insert(metric.clone())) {
                    fields.fault("metric", "is limited twice: expected one limit per metric");
                }
                let value = fields.count("value", *value, 0, COUNT_MAX);
                Some(Limit {
                    metric: metric?,
                    value: value?,
                    standing: *standing,
                })
            })
        })
        .collect();
    limits.into_iter().collect()
}
