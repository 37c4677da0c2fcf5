//! The body that says what was agreed.

use std::collections::BTreeSet;

use jiff::civil::Date;
use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::money::Money;

use super::fields::Fields;
use crate::domain::{
    fact::{Body, Limit, SubscriptionTerms},
    price::{Discount, Escalator, mrr},
    rules::{AMOUNT_MAX, BASIS_POINTS_MAX, COUNT_MAX, DISCOUNTS_MAX, LIMITS_MAX, Reach, UNITS_MAX},
    words::{LineKind, TermsReason},
};

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
        discounts,
        escalator,
        auto_renew,
        notice_days,
        term_months,
        reason,
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
    let discounts = read_discounts(discounts, effective_date, fields);
    let escalator =
        (escalator.as_ref()).map(|wire| fields.at("escalator", |fields| read_escalator(wire, effective_date, fields)));
    let notice_days = notice_days.map(|days| fields.whole("notice_days", days, 0, 365));
    let term_months = term_months.map(|months| fields.whole("term_months", months, 1, 120));
    let reason = (*reason != 0).then(|| fields.word::<TermsReason>("reason", *reason));
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
        discounts: discounts?,
        escalator: all(escalator)?,
        auto_renew: *auto_renew,
        notice_days: all(notice_days)?,
        term_months: all(term_months)?,
        reason: all(reason)?,
    };
    // Discounts only end and prices only rise, so that the last day of all has the largest amount.
    match mrr(&terms, Date::MAX) {
        Err(fault) => fields.fault("unit_price", format!("times quantity has no monthly amount: {fault}")),
        Ok(most) if most.minor > AMOUNT_MAX && fields.judges() => {
            let largest = Money::new(AMOUNT_MAX, most.currency);
            let description = format!("times quantity is {most} a month: expected at most {largest}");
            fields.fault("unit_price", description);
        }
        Ok(_) => {}
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

fn read_discounts(wire: &[pb::Discount], effective: Option<Date>, fields: &mut Fields<'_>) -> Option<Vec<Discount>> {
    if wire.len() > DISCOUNTS_MAX {
        fields.fault(
            "discounts",
            format!("{} discounts: expected at most {DISCOUNTS_MAX}", wire.len()),
        );
        return None;
    }
    let discounts: Vec<Option<Discount>> = (wire.iter().enumerate())
        .map(|(index, pb::Discount { basis_points, end_date })| {
            fields.at(&format!("discounts[{index}]"), |fields| {
                let basis_points = fields.whole("basis_points", *basis_points, 1, BASIS_POINTS_MAX);
                let end_date = fields.optional_day("end_date", end_date.as_ref(), Reach::Term);
                let ends = end_date.flatten();
                fields.order("end_date", ends.as_ref(), effective.as_ref(), "effective_date");
                Some(Discount {
                    basis_points: basis_points?,
                    end_date: end_date?,
                })
            })
        })
        .collect();
    discounts.into_iter().collect()
}

fn read_escalator(wire: &pb::Escalator, effective: Option<Date>, fields: &mut Fields<'_>) -> Option<Escalator> {
    let pb::Escalator {
        basis_points,
        first_date,
        every_months,
    } = wire;
    let basis_points = fields.whole("basis_points", *basis_points, 1, BASIS_POINTS_MAX);
    let first_date = fields.day("first_date", first_date.as_ref(), Reach::Term);
    if first_date
        .zip(effective)
        .is_some_and(|(first, effective)| first <= effective)
    {
        fields.fault("first_date", "must be after effective_date, whose price is unit_price");
    }
    let every_months = every_months.map(|months| fields.whole("every_months", months, 1, 120));
    Some(Escalator {
        basis_points: basis_points?,
        first_date: first_date?,
        every_months: all(every_months)?,
    })
}

/// What may be left out and was read: None when it is faulty.
#[expect(
    clippy::option_option,
    reason = "the outer level says faulty, the inner one left out"
)]
fn all<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}
