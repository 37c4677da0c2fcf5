//! The billing system of a case: an order becomes a subscription and an invoice, and is paid when the customer pays.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use upswell_proto::{
    ingestion::v1::{Fact, Invoice, Payment, SubscriptionTerms, fact::Body, subscription_terms::Kind},
    offers::v1::{Order, Terms, order, order_service_client::OrderServiceClient},
};
use upswell_runtime::{
    client::Traced,
    money::{self, Money},
};

use super::case::Case;
use crate::{
    lists,
    wire::{date, instant, to_date, to_instant, word},
};

/// Days a customer has to pay an invoice.
const PAYMENT_TERM_DAYS: i64 = 14;

/// The billing system of one case.
pub struct Billing<'a> {
    case: &'a Case,
    orders: OrderServiceClient<Traced>,
    /// Facts that were handed over in this run; handing one over again would be harmless.
    told: BTreeSet<String>,
}

impl<'a> Billing<'a> {
    /// A billing system that bills the orders of offers.
    pub fn new(case: &'a Case, channel: Traced) -> Self {
        Self {
            case,
            orders: OrderServiceClient::new(channel),
            told: BTreeSet::new(),
        }
    }

    /// The facts that billing has to tell by `now`.
    ///
    /// # Errors
    /// Offers cannot be reached, or an order holds no terms.
    pub async fn act(&mut self, now: Timestamp) -> Result<Vec<Fact>> {
        let mut facts = Vec::new();
        for order in lists::orders(&mut self.orders).await? {
            if order.state() == order::State::Placed {
                facts.extend(
                    self.bill(&order, now)
                        .with_context(|| format!("order {}", order.order_id))?,
                );
            }
        }
        facts.retain(|fact| self.told.insert(fact.external_id.clone()));
        Ok(facts)
    }

    fn bill(&self, order: &Order, now: Timestamp) -> Result<Vec<Fact>> {
        let terms = order.terms.as_ref().context("no terms")?;
        let placed = instant(order.place_time.as_ref()).context("no place time")?;
        let amount = invoice_amount(terms)?;
        let mut facts = vec![
            fact(
                order,
                "subscription",
                placed,
                Body::Subscription(subscription(order, terms, placed)),
            ),
            fact(order, "invoice", placed, Body::Invoice(invoice(order, amount, placed))),
        ];
        let motion = word(order.motion().as_str_name(), "MOTION");
        let days = self
            .case
            .reactions
            .customer(&order.account_id, &motion)
            .and_then(|rule| rule.pays_after_days);
        if let Some(paid) = days.map(|days| placed + SignedDuration::from_hours(24 * i64::from(days)))
            && paid <= now
        {
            facts.push(fact(
                order,
                "payment",
                paid,
                Body::Payment(payment(order, amount, paid)),
            ));
        }
        Ok(facts)
    }
}

fn invoice_amount(terms: &Terms) -> Result<Money> {
    let price = money::from_proto(terms.unit_price.as_ref().context("no price")?)?;
    Ok(price.checked_mul(terms.quantity)?)
}

fn subscription(order: &Order, terms: &Terms, placed: Timestamp) -> SubscriptionTerms {
    SubscriptionTerms {
        subscription_id: order.order_id.clone(),
        product: terms.product.clone(),
        kind: Kind::AddOn.into(),
        unit_price: terms.unit_price.clone(),
        quantity: terms.quantity,
        period: terms.period,
        effective_date: Some(to_date(start(terms, placed))),
        order_id: order.order_id.clone(),
        ..SubscriptionTerms::default()
    }
}

/// The price runs from the day that the terms name, and never from before the order.
fn start(terms: &Terms, placed: Timestamp) -> Date {
    date(terms.start_date.as_ref()).map_or(day(placed), |start| start.max(day(placed)))
}

fn invoice(order: &Order, amount: Money, placed: Timestamp) -> Invoice {
    let due = day(placed + SignedDuration::from_hours(24 * PAYMENT_TERM_DAYS));
    Invoice {
        invoice_id: format!("inv-{}", order.order_id),
        amount: Some(money::to_proto(amount)),
        issue_date: Some(to_date(day(placed))),
        due_date: Some(to_date(due)),
        order_id: order.order_id.clone(),
    }
}

fn payment(order: &Order, amount: Money, paid: Timestamp) -> Payment {
    Payment {
        invoice_id: format!("inv-{}", order.order_id),
        amount: Some(money::to_proto(amount)),
        pay_date: Some(to_date(day(paid))),
        order_id: order.order_id.clone(),
    }
}

fn fact(order: &Order, what: &str, at: Timestamp, body: Body) -> Fact {
    Fact {
        source: "billing".to_owned(),
        external_id: format!("{what}-{}", order.order_id),
        account_id: order.account_id.clone(),
        occur_time: Some(to_instant(at)),
        supersedes_external_id: String::new(),
        body: Some(body),
    }
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
