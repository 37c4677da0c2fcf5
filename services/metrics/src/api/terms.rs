//! Contract terms, read into a version with what they say about later days: discounts that run out, rises that come.

use jiff::civil::Date;
use upswell_proto::{
    gtype,
    ingestion::v1::{Discount as WireDiscount, Escalator as WireEscalator, SubscriptionTerms, subscription_terms},
    vocabulary::v1::BillingPeriod,
};
use upswell_runtime::{
    money::{self, Period},
    problem::Violations,
};

use super::convert::{date, optional, required};
use crate::domain::{
    movement::Cause,
    schedule::{Discount, Escalator, Price, Step, steps},
    subscription::Terms,
};

/// Months from one rise to the next where the contract does not say.
const EVERY_MONTHS: i32 = 12;

/// What the line is about. Notes what is wrong.
pub(super) fn line(wire: &SubscriptionTerms, days: (Date, Option<Date>), violations: &mut Violations) -> Option<Terms> {
    let steps = if wire.discounts.is_empty() && wire.escalator.is_none() {
        Vec::new()
    } else {
        scheduled(wire, days, violations)?
    };
    Some(Terms {
        plan: wire.kind() == subscription_terms::Kind::Plan,
        product: wire.product.clone(),
        quantity: wire.quantity,
        stated: stated(wire.reason()),
        steps,
    })
}

/// The source's own word.
const fn stated(reason: subscription_terms::Reason) -> Option<Cause> {
    match reason {
        subscription_terms::Reason::Unspecified => None,
        subscription_terms::Reason::Price => Some(Cause::Price),
        subscription_terms::Reason::Seats => Some(Cause::Seats),
        subscription_terms::Reason::Migration => Some(Cause::Migration),
        subscription_terms::Reason::Discount => Some(Cause::Discount),
        subscription_terms::Reason::Credit => Some(Cause::Credit),
    }
}

fn scheduled(
    wire: &SubscriptionTerms,
    (from, end): (Date, Option<Date>),
    violations: &mut Violations,
) -> Option<Vec<Step>> {
    let unit = required(
        "unit_price",
        wire.unit_price.clone(),
        violations,
        |price: gtype::Money| money::from_proto(&price).map_err(|fault| fault.to_string()),
    );
    let period = period(wire.period(), violations);
    let discounts: Option<Vec<Discount>> = wire.discounts.iter().map(|wire| discount(wire, violations)).collect();
    let escalator = match &wire.escalator {
        Some(wire) => escalator(wire, violations).map(Some),
        None => Some(None),
    };
    let price = Price {
        unit: unit?,
        quantity: wire.quantity,
        period: period?,
        discounts: discounts?,
        escalator: escalator?,
    };
    let found = steps(&price, from, end).map_err(|fault| fault.to_string());
    violations.take("unit_price", found).map(|(_, steps)| steps)
}

fn period(period: BillingPeriod, violations: &mut Violations) -> Option<Period> {
    match period {
        BillingPeriod::Month => Some(Period::Month),
        BillingPeriod::Quarter => Some(Period::Quarter),
        BillingPeriod::Year => Some(Period::Year),
        BillingPeriod::Week => Some(Period::Week),
        BillingPeriod::Day => Some(Period::Day),
        BillingPeriod::Unspecified => {
            violations.add("period", "is not known here");
            None
        }
    }
}

fn discount(wire: &WireDiscount, violations: &mut Violations) -> Option<Discount> {
    let WireDiscount { basis_points, end_date } = *wire;
    Some(Discount {
        basis_points: share("discounts.basis_points", basis_points, violations)?,
        end_on: optional("discounts.end_date", end_date, violations, date)?,
    })
}

fn escalator(wire: &WireEscalator, violations: &mut Violations) -> Option<Escalator> {
    let WireEscalator {
        basis_points,
        first_date,
        every_months,
    } = *wire;
    Some(Escalator {
        basis_points: share("escalator.basis_points", basis_points, violations)?,
        first_on: required("escalator.first_date", first_date, violations, date)?,
        every_months: every_months.unwrap_or(EVERY_MONTHS),
    })
}

fn share(field: &str, basis_points: i32, violations: &mut Violations) -> Option<i64> {
    if (1..=10_000).contains(&basis_points) {
        return Some(basis_points.into());
    }
    violations.add(field, "must be 1 to 10000");
    None
}
