mod change;
mod corrections;
mod names;
mod price;
mod series;
mod standing;

use jiff::{Timestamp, civil::Date};
use upswell_runtime::money::{Money, Period};

use super::{
    fact::{
        AccountProfile, Body, ContactPoint, ContactProfile, Fact, Invoice, Payment, SubscriptionTerms, Ticket,
        UsageCount,
    },
    standing::Document,
    words::{Channel, LineKind, Role, Severity},
};

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn on(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn fact(external_id: &str, day: i8, body: Body) -> Fact {
    Fact {
        source: "src".to_owned(),
        external_id: external_id.to_owned(),
        account_id: "acme".to_owned(),
        occur_time: at(&format!("2026-10-{day:02}T05:00:00Z")),
        supersedes_external_id: String::new(),
        body,
    }
}

pub(super) fn correcting(corrected: &str, fact: Fact) -> Fact {
    Fact {
        supersedes_external_id: corrected.to_owned(),
        ..fact
    }
}

pub(super) fn document(fact: &Fact) -> Document {
    Document {
        fact: fact.clone(),
        recorded: at("2026-10-20T00:00:00Z"),
    }
}

pub(super) fn usage(value: i64) -> Body {
    Body::Usage(UsageCount {
        metric: "shipments".to_owned(),
        day: on("2026-10-01"),
        value,
    })
}

pub(super) fn profile(segment: &str) -> Body {
    Body::AccountProfile(AccountProfile {
        display_name: "Acme".to_owned(),
        segment: segment.to_owned(),
        industry: String::new(),
        country_code: "KZ".to_owned(),
        time_zone: "Asia/Almaty".to_owned(),
        language_code: "ru".to_owned(),
        enterprise: false,
        csm_id: String::new(),
        customer_since: None,
        primary_metric: "shipments".to_owned(),
    })
}

pub(super) fn contact(contact_id: &str) -> Body {
    Body::ContactProfile(ContactProfile {
        contact_id: contact_id.to_owned(),
        first_name: String::new(),
        role: Role::Finance,
        budget_holder: true,
        renewal_decision_maker: false,
        champion: false,
        points: vec![ContactPoint {
            channel: Channel::Email,
            address: "a@b.example".to_owned(),
            consent: true,
        }],
        language_code: String::new(),
    })
}

pub(super) fn ticket(severity: Severity) -> Body {
    Body::Ticket(Ticket {
        ticket_id: "t-1".to_owned(),
        topic: "integrations".to_owned(),
        severity,
        open_time: at("2026-10-01T00:00:00Z"),
        first_reply_time: None,
        resolve_time: None,
    })
}

pub(super) fn money(minor: i64, code: &str) -> Money {
    Money {
        minor,
        currency: code.parse().unwrap(),
    }
}

pub(super) fn terms(
    effective: &str,
    end: Option<&str>,
    price: i64,
    quantity: i64,
    period: Period,
) -> SubscriptionTerms {
    SubscriptionTerms {
        subscription_id: "sub-1".to_owned(),
        product: "pro".to_owned(),
        kind: LineKind::AddOn,
        unit_price: money(price, "USD"),
        quantity,
        period,
        effective_date: on(effective),
        end_date: end.map(on),
        renewal_date: None,
        limits: Vec::new(),
        order_id: String::new(),
        seats: 0,
        discounts: Vec::new(),
        escalator: None,
        auto_renew: None,
        notice_days: None,
        term_months: None,
        reason: None,
    }
}

pub(super) fn invoice(minor: i64) -> Body {
    Body::Invoice(Invoice {
        invoice_id: "inv-1".to_owned(),
        amount: money(minor, "KZT"),
        issue_date: on("2026-10-01"),
        due_date: on("2026-10-15"),
        order_id: String::new(),
    })
}

pub(super) fn payment(minor: i64, code: &str, day: &str) -> Body {
    let (invoice_id, order_id) = ("inv-1".to_owned(), String::new());
    Body::Payment(Payment {
        invoice_id,
        amount: money(minor, code),
        pay_date: on(day),
        order_id,
    })
}
