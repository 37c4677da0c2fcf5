//! Bodies that say what happened.

use upswell_proto::ingestion::v1 as pb;

use super::fields::Fields;
use crate::domain::{
    fact::{Body, ExternalTouch, Invoice, Payment, Reply, SurveyAnswer, Ticket},
    rules::Reach,
    words::Survey,
};

const REPLY_MAX: usize = 4_000;

pub(super) fn ticket(wire: &pb::Ticket, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::Ticket {
        ticket_id,
        topic,
        severity,
        open_time,
        first_reply_time,
        resolve_time,
    } = wire;
    let ticket_id = fields.key("ticket_id", ticket_id);
    let topic = fields.key("topic", topic);
    let severity = fields.word("severity", *severity);
    let open_time = fields.instant("open_time", open_time.as_ref(), Reach::Day);
    let first_reply_time = fields.optional_instant("first_reply_time", first_reply_time.as_ref(), Reach::Day);
    let resolve_time = fields.optional_instant("resolve_time", resolve_time.as_ref(), Reach::Day);
    fields.order(
        "first_reply_time",
        first_reply_time.flatten().as_ref(),
        open_time.as_ref(),
        "open_time",
    );
    fields.order(
        "resolve_time",
        resolve_time.flatten().as_ref(),
        open_time.as_ref(),
        "open_time",
    );
    Some(Body::Ticket(Ticket {
        ticket_id: ticket_id?,
        topic: topic?,
        severity: severity?,
        open_time: open_time?,
        first_reply_time: first_reply_time?,
        resolve_time: resolve_time?,
    }))
}

pub(super) fn survey(wire: &pb::SurveyAnswer, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::SurveyAnswer {
        survey,
        score,
        contact_id,
    } = wire;
    let survey = fields.word("survey", *survey);
    let (min, max) = match survey {
        Some(Survey::Csat) => (1, 5),
        Some(Survey::Nps) | None => (0, 10),
    };
    let score_in_range = fields.count("score", i64::from(*score), min, max);
    let contact_id = fields.optional_key("contact_id", contact_id);
    score_in_range?;
    Some(Body::Survey(SurveyAnswer {
        survey: survey?,
        score: *score,
        contact_id: contact_id?,
    }))
}

pub(super) fn invoice(wire: &pb::Invoice, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::Invoice {
        invoice_id,
        amount,
        issue_date,
        due_date,
        order_id,
    } = wire;
    let invoice_id = fields.key("invoice_id", invoice_id);
    let amount = fields.money("amount", amount.as_ref(), 0);
    let issue_date = fields.day("issue_date", issue_date.as_ref(), Reach::Agreed);
    let due_date = fields.day("due_date", due_date.as_ref(), Reach::Term);
    fields.order("due_date", due_date.as_ref(), issue_date.as_ref(), "issue_date");
    let order_id = fields.optional_key("order_id", order_id);
    Some(Body::Invoice(Invoice {
        invoice_id: invoice_id?,
        amount: amount?,
        issue_date: issue_date?,
        due_date: due_date?,
        order_id: order_id?,
    }))
}

pub(super) fn payment(wire: &pb::Payment, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::Payment {
        invoice_id,
        amount,
        pay_date,
        order_id,
    } = wire;
    let invoice_id = fields.key("invoice_id", invoice_id);
    let amount = fields.money("amount", amount.as_ref(), 1);
    let pay_date = fields.day("pay_date", pay_date.as_ref(), Reach::Day);
    let order_id = fields.optional_key("order_id", order_id);
    Some(Body::Payment(Payment {
        invoice_id: invoice_id?,
        amount: amount?,
        pay_date: pay_date?,
        order_id: order_id?,
    }))
}

pub(super) fn touch(wire: &pb::ExternalTouch, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::ExternalTouch {
        class,
        channel,
        contact_id,
        sender,
        proposes_expansion,
    } = wire;
    let class = fields.word("class", *class);
    let channel = fields.word("channel", *channel);
    let contact_id = fields.optional_key("contact_id", contact_id);
    let sender = fields.key("sender", sender);
    Some(Body::ExternalTouch(ExternalTouch {
        class: class?,
        channel: channel?,
        contact_id: contact_id?,
        sender: sender?,
        proposes_expansion: *proposes_expansion,
    }))
}

pub(super) fn reply(wire: &pb::Reply, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::Reply {
        offer_id,
        contact_id,
        channel,
        text,
    } = wire;
    let offer_id = fields.optional_key("offer_id", offer_id);
    let contact_id = fields.optional_key("contact_id", contact_id);
    let channel = fields.word("channel", *channel);
    // People write replies with line breaks; they become spaces, since control characters are kept out of the store.
    let line = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
    let text = fields.required_text("text", &line, REPLY_MAX);
    Some(Body::Reply(Reply {
        offer_id: offer_id?,
        contact_id: contact_id?,
        channel: channel?,
        text: text?,
    }))
}
