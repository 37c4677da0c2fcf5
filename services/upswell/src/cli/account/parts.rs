//! The parts of an account's picture.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, cash, day, left, right, time, wire_money, yes},
    wire::{date, instant, word},
};

/// The fact that a part comes from.
#[derive(Serialize)]
pub(super) struct Provenance {
    source: String,
    external_id: String,
    occurred_at: Option<Timestamp>,
    recorded_at: Option<Timestamp>,
}

impl From<pb::Provenance> for Provenance {
    fn from(provenance: pb::Provenance) -> Self {
        Self {
            occurred_at: instant(provenance.occur_time.as_ref()),
            recorded_at: instant(provenance.record_time.as_ref()),
            source: provenance.source,
            external_id: provenance.external_id,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Contact {
    contact: String,
    first_name: String,
    role: String,
    budget_holder: bool,
    renewal_decision_maker: bool,
    champion: bool,
    /// `channel: address` of every point with consent.
    reachable: Vec<String>,
    provenance: Option<Provenance>,
}

impl From<pb::Contact> for Contact {
    fn from(contact: pb::Contact) -> Self {
        let profile = contact.profile.unwrap_or_default();
        let points = profile.points.iter().filter(|point| point.consent);
        Self {
            reachable: points
                .map(|point| format!("{}: {}", word(point.channel().as_str_name(), "CHANNEL"), point.address))
                .collect(),
            role: word(profile.role().as_str_name(), "CONTACT_ROLE"),
            contact: profile.contact_id,
            first_name: profile.first_name,
            budget_holder: profile.budget_holder,
            renewal_decision_maker: profile.renewal_decision_maker,
            champion: profile.champion,
            provenance: contact.provenance.map(Provenance::from),
        }
    }
}

impl Row for Contact {
    const COLUMNS: &'static [Column] = &[
        left("contact"),
        left("name"),
        left("role"),
        left("holds"),
        left("may be reached by"),
    ];

    fn cells(&self) -> Vec<String> {
        let marks = [
            (self.budget_holder, "budget"),
            (self.renewal_decision_maker, "renewal"),
            (self.champion, "champion"),
        ];
        let holds: Vec<&str> = marks.iter().filter(|(held, _)| *held).map(|(_, name)| *name).collect();
        vec![
            self.contact.clone(),
            self.first_name.clone(),
            self.role.clone(),
            holds.join(", "),
            self.reachable.join(", "),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Subscription {
    subscription: String,
    product: String,
    kind: String,
    quantity: i64,
    unit_price: Option<Money>,
    period: String,
    mrr: Option<Money>,
    active: bool,
    effective: Option<Date>,
    ends: Option<Date>,
    renews: Option<Date>,
    order: String,
    provenance: Option<Provenance>,
}

impl From<pb::Subscription> for Subscription {
    fn from(subscription: pb::Subscription) -> Self {
        let terms = subscription.terms.unwrap_or_default();
        Self {
            kind: word(terms.kind().as_str_name(), "KIND"),
            period: word(terms.period().as_str_name(), "BILLING_PERIOD"),
            unit_price: wire_money(terms.unit_price.as_ref()),
            effective: date(terms.effective_date.as_ref()),
            ends: date(terms.end_date.as_ref()),
            renews: date(terms.renewal_date.as_ref()),
            subscription: terms.subscription_id,
            product: terms.product,
            quantity: terms.quantity,
            order: terms.order_id,
            mrr: wire_money(subscription.mrr.as_ref()),
            active: subscription.active,
            provenance: subscription.provenance.map(Provenance::from),
        }
    }
}

impl Row for Subscription {
    const COLUMNS: &'static [Column] = &[
        left("subscription"),
        left("product"),
        right("units"),
        right("price"),
        left("a"),
        right("MRR"),
        left("in force"),
        left("from"),
        left("until"),
        left("renews"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.subscription.clone(),
            self.product.clone(),
            self.quantity.to_string(),
            cash(self.unit_price),
            self.period.clone(),
            cash(self.mrr),
            yes(self.active),
            day(self.effective),
            day(self.ends),
            day(self.renews),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Series {
    kind: String,
    name: String,
    last_day: Option<Date>,
    last_30_days: i64,
    previous_30_days: i64,
    facts: i64,
    first_recorded_at: Option<Timestamp>,
    last_recorded_at: Option<Timestamp>,
}

impl From<pb::SeriesSummary> for Series {
    fn from(series: pb::SeriesSummary) -> Self {
        Self {
            kind: word(series.kind().as_str_name(), "SERIES_KIND"),
            last_day: date(series.last_day.as_ref()),
            last_30_days: series.last_30_days,
            previous_30_days: series.previous_30_days,
            facts: series.fact_count,
            first_recorded_at: instant(series.first_record_time.as_ref()),
            last_recorded_at: instant(series.last_record_time.as_ref()),
            name: series.name,
        }
    }
}

impl Row for Series {
    const COLUMNS: &'static [Column] = &[
        left("what"),
        left("of"),
        right("last 30 days"),
        right("30 days before"),
        left("newest day"),
        right("facts"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.kind.clone(),
            self.name.clone(),
            self.last_30_days.to_string(),
            self.previous_30_days.to_string(),
            day(self.last_day),
            self.facts.to_string(),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Ticket {
    ticket: String,
    topic: String,
    severity: String,
    opened_at: Option<Timestamp>,
    first_replied_at: Option<Timestamp>,
    resolved_at: Option<Timestamp>,
    provenance: Option<Provenance>,
}

impl From<pb::TicketState> for Ticket {
    fn from(state: pb::TicketState) -> Self {
        let ticket = state.ticket.unwrap_or_default();
        Self {
            severity: word(ticket.severity().as_str_name(), "SEVERITY"),
            opened_at: instant(ticket.open_time.as_ref()),
            first_replied_at: instant(ticket.first_reply_time.as_ref()),
            resolved_at: instant(ticket.resolve_time.as_ref()),
            ticket: ticket.ticket_id,
            topic: ticket.topic,
            provenance: state.provenance.map(Provenance::from),
        }
    }
}

impl Row for Ticket {
    const COLUMNS: &'static [Column] = &[
        left("ticket"),
        left("topic"),
        left("severity"),
        left("opened"),
        left("first reply"),
        left("resolved"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.ticket.clone(),
            self.topic.clone(),
            self.severity.clone(),
            time(self.opened_at),
            time(self.first_replied_at),
            time(self.resolved_at),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Survey {
    survey: String,
    score: i32,
    contact: String,
    provenance: Option<Provenance>,
}

impl From<pb::SurveyState> for Survey {
    fn from(state: pb::SurveyState) -> Self {
        let answer = state.answer.unwrap_or_default();
        Self {
            survey: word(answer.survey().as_str_name(), "SURVEY"),
            score: answer.score,
            contact: answer.contact_id,
            provenance: state.provenance.map(Provenance::from),
        }
    }
}

impl Row for Survey {
    const COLUMNS: &'static [Column] = &[left("survey"), right("score"), left("contact"), left("answered")];

    fn cells(&self) -> Vec<String> {
        let answered = self.provenance.as_ref().and_then(|provenance| provenance.occurred_at);
        vec![
            self.survey.clone(),
            self.score.to_string(),
            self.contact.clone(),
            time(answered),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Invoice {
    invoice: String,
    amount: Option<Money>,
    paid: Option<Money>,
    issued: Option<Date>,
    due: Option<Date>,
    paid_in_full: Option<Date>,
    order: String,
    provenance: Option<Provenance>,
}

impl From<pb::InvoiceState> for Invoice {
    fn from(state: pb::InvoiceState) -> Self {
        let invoice = state.invoice.unwrap_or_default();
        Self {
            amount: wire_money(invoice.amount.as_ref()),
            paid: wire_money(state.paid.as_ref()),
            issued: date(invoice.issue_date.as_ref()),
            due: date(invoice.due_date.as_ref()),
            paid_in_full: date(state.paid_in_full_date.as_ref()),
            invoice: invoice.invoice_id,
            order: invoice.order_id,
            provenance: state.provenance.map(Provenance::from),
        }
    }
}

impl Row for Invoice {
    const COLUMNS: &'static [Column] = &[
        left("invoice"),
        right("amount"),
        right("paid"),
        left("issued"),
        left("due"),
        left("paid in full"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.invoice.clone(),
            cash(self.amount),
            cash(self.paid),
            day(self.issued),
            day(self.due),
            day(self.paid_in_full),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct TouchRecord {
    touch: String,
    class: String,
    channel: String,
    sender: String,
    at: Option<Timestamp>,
    state: String,
}

impl From<pb::TouchRecord> for TouchRecord {
    fn from(record: pb::TouchRecord) -> Self {
        Self {
            class: word(record.class().as_str_name(), "TOUCH_CLASS"),
            channel: word(record.channel().as_str_name(), "CHANNEL"),
            at: instant(record.touch_time.as_ref()),
            touch: record.touch_id,
            sender: record.sender,
            state: record.state,
        }
    }
}

impl Row for TouchRecord {
    const COLUMNS: &'static [Column] = &[left("when"), left("class"), left("channel"), left("by"), left("state")];

    fn cells(&self) -> Vec<String> {
        vec![
            time(self.at),
            self.class.clone(),
            self.channel.clone(),
            self.sender.clone(),
            self.state.clone(),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Reply {
    offer: String,
    contact: String,
    channel: String,
    text: String,
    provenance: Option<Provenance>,
}

impl From<pb::ReplyRecord> for Reply {
    fn from(record: pb::ReplyRecord) -> Self {
        let reply = record.reply.unwrap_or_default();
        Self {
            channel: word(reply.channel().as_str_name(), "CHANNEL"),
            offer: reply.offer_id,
            contact: reply.contact_id,
            text: reply.text,
            provenance: record.provenance.map(Provenance::from),
        }
    }
}

impl Row for Reply {
    const COLUMNS: &'static [Column] = &[left("when"), left("contact"), left("channel"), left("words")];

    fn cells(&self) -> Vec<String> {
        let at = self.provenance.as_ref().and_then(|provenance| provenance.occurred_at);
        vec![time(at), self.contact.clone(), self.channel.clone(), self.text.clone()]
    }
}

#[derive(Serialize)]
pub(super) struct OfferRecord {
    offer: String,
    playbook: String,
    motion: String,
    state: String,
    since: Option<Timestamp>,
}

impl From<pb::OfferRecord> for OfferRecord {
    fn from(record: pb::OfferRecord) -> Self {
        Self {
            motion: word(record.motion().as_str_name(), "MOTION"),
            since: instant(record.state_time.as_ref()),
            offer: record.offer_id,
            playbook: record.playbook,
            state: record.state,
        }
    }
}

impl Row for OfferRecord {
    const COLUMNS: &'static [Column] = &[
        left("offer"),
        left("playbook"),
        left("motion"),
        left("state"),
        left("since"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.offer.clone(),
            self.playbook.clone(),
            self.motion.clone(),
            self.state.clone(),
            time(self.since),
        ]
    }
}
