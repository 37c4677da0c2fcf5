//! An offer, its order, and an account's arm.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use upswell_proto::offers::v1 as pb;
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, View, card, cash, day, left, right, time, wire_money, yes},
    wire::{date, instant, word},
};

/// An offer with its words and terms.
#[derive(Serialize)]
pub(in crate::cli) struct OfferView {
    offer: String,
    account: String,
    playbook: String,
    motion: String,
    subject: String,
    class: String,
    owner: String,
    state: String,
    signals: Vec<String>,
    contact: String,
    channel: String,
    message: Option<Message>,
    terms: Option<Terms>,
    expected_value: Option<Money>,
    decision: String,
    approval: String,
    touch: String,
    order: String,
    close_reason: String,
    created_at: Option<Timestamp>,
    deferred_until: Option<Timestamp>,
    sent_at: Option<Timestamp>,
    state_since: Option<Timestamp>,
    etag: String,
}

#[derive(Serialize)]
struct Message {
    language: String,
    subject: String,
    body: String,
    banner: String,
}

#[derive(Serialize)]
struct Terms {
    product: String,
    quantity: i64,
    unit_price: Option<Money>,
    period: String,
    monthly: Option<Money>,
    discount_basis_points: i32,
    start: Option<Date>,
    valid_until: Option<Timestamp>,
    summary: String,
}

impl From<pb::Message> for Message {
    fn from(message: pb::Message) -> Self {
        Self {
            language: message.language_code,
            subject: message.subject,
            body: message.body,
            banner: message.banner,
        }
    }
}

impl From<pb::Terms> for Terms {
    fn from(terms: pb::Terms) -> Self {
        Self {
            unit_price: wire_money(terms.unit_price.as_ref()),
            period: word(terms.period().as_str_name(), "BILLING_PERIOD"),
            monthly: wire_money(terms.monthly.as_ref()),
            start: date(terms.start_date.as_ref()),
            valid_until: instant(terms.valid_until_time.as_ref()),
            product: terms.product,
            quantity: terms.quantity,
            discount_basis_points: terms.discount_basis_points,
            summary: terms.summary,
        }
    }
}

impl From<pb::Offer> for OfferView {
    fn from(offer: pb::Offer) -> Self {
        Self {
            motion: word(offer.motion().as_str_name(), "MOTION"),
            class: word(offer.class().as_str_name(), "TOUCH_CLASS"),
            owner: word(offer.owner().as_str_name(), "OWNER"),
            state: word(offer.state().as_str_name(), "STATE"),
            channel: word(offer.channel().as_str_name(), "CHANNEL"),
            expected_value: wire_money(offer.expected_value.as_ref()),
            created_at: instant(offer.create_time.as_ref()),
            deferred_until: instant(offer.deferred_until_time.as_ref()),
            sent_at: instant(offer.send_time.as_ref()),
            state_since: instant(offer.state_time.as_ref()),
            message: offer.message.map(Message::from),
            terms: offer.terms.map(Terms::from),
            offer: offer.offer_id,
            account: offer.account_id,
            playbook: offer.playbook,
            subject: offer.subject,
            signals: offer.signal_ids,
            contact: offer.contact_id,
            decision: offer.decision_id,
            approval: offer.approval_id,
            touch: offer.touch_id,
            order: offer.order_id,
            close_reason: offer.close_reason,
            etag: offer.etag,
        }
    }
}

impl Row for OfferView {
    const COLUMNS: &'static [Column] = &[
        left("offer"),
        left("account"),
        left("motion"),
        left("about"),
        left("owner"),
        left("state"),
        left("since"),
        right("a month"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.offer.clone(),
            self.account.clone(),
            self.motion.clone(),
            self.subject.clone(),
            self.owner.clone(),
            self.state.clone(),
            time(self.state_since),
            cash(self.terms.as_ref().and_then(|terms| terms.monthly)),
        ]
    }
}

impl View for OfferView {
    fn render(&self) -> String {
        let state = format!("{} since {}", self.state, time(self.state_since));
        let mut lines = vec![
            ("offer", self.offer.clone()),
            ("account", self.account.clone()),
            ("state", state),
            ("because", self.close_reason.clone()),
            ("deferred until", time(self.deferred_until)),
            ("motion", format!("{} ({})", self.motion, self.playbook)),
            ("about", self.subject.clone()),
            ("class", self.class.clone()),
            ("owner", self.owner.clone()),
            ("to", format!("{} by {}", self.contact, self.channel)),
            ("expected value", cash(self.expected_value)),
            ("approval", self.approval.clone()),
            ("touch", self.touch.clone()),
            ("order", self.order.clone()),
        ];
        if let Some(terms) = &self.terms {
            lines.extend(terms.lines());
        }
        let mut text = card(&lines);
        if let Some(message) = &self.message {
            text.push_str(&format!("\n\n{}\n\n{}", message.subject, message.body));
        }
        text
    }
}

impl Terms {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let price = format!("{} × {} a {}", self.quantity, cash(self.unit_price), self.period);
        let discount = f64::from(self.discount_basis_points) / 100.0;
        vec![
            ("what changes", self.summary.clone()),
            ("product", self.product.clone()),
            ("price", price),
            (
                "discount",
                if self.discount_basis_points == 0 {
                    String::new()
                } else {
                    format!("{discount:.2} %")
                },
            ),
            ("a month", cash(self.monthly)),
            ("starts", day(self.start)),
            ("stands until", time(self.valid_until)),
        ]
    }
}

/// What an accepted offer became.
#[derive(Serialize)]
pub(super) struct OrderView {
    order: String,
    offer: String,
    account: String,
    motion: String,
    terms: Option<Terms>,
    state: String,
    signal_at: Option<Timestamp>,
    placed_at: Option<Timestamp>,
    paid_at: Option<Timestamp>,
}

impl From<pb::Order> for OrderView {
    fn from(order: pb::Order) -> Self {
        Self {
            motion: word(order.motion().as_str_name(), "MOTION"),
            state: word(order.state().as_str_name(), "STATE"),
            signal_at: instant(order.signal_time.as_ref()),
            placed_at: instant(order.place_time.as_ref()),
            paid_at: instant(order.pay_time.as_ref()),
            terms: order.terms.map(Terms::from),
            order: order.order_id,
            offer: order.offer_id,
            account: order.account_id,
        }
    }
}

impl Row for OrderView {
    const COLUMNS: &'static [Column] = &[
        left("order"),
        left("account"),
        left("motion"),
        left("product"),
        right("a month"),
        left("state"),
        left("placed"),
        left("paid"),
    ];

    fn cells(&self) -> Vec<String> {
        let terms = self.terms.as_ref();
        vec![
            self.order.clone(),
            self.account.clone(),
            self.motion.clone(),
            terms.map_or(String::new(), |terms| terms.product.clone()),
            cash(terms.and_then(|terms| terms.monthly)),
            self.state.clone(),
            time(self.placed_at),
            time(self.paid_at),
        ]
    }
}

/// An accepted offer and its order.
#[derive(Serialize)]
pub(super) struct Accepted {
    offer: OfferView,
    order: Option<OrderView>,
}

impl From<pb::AcceptOfferResponse> for Accepted {
    fn from(answer: pb::AcceptOfferResponse) -> Self {
        Self {
            offer: OfferView::from(answer.offer.unwrap_or_default()),
            order: answer.order.map(OrderView::from),
        }
    }
}

impl View for Accepted {
    fn render(&self) -> String {
        let Some(order) = &self.order else {
            return format!("offer {} is accepted", self.offer.offer);
        };
        let monthly = cash(order.terms.as_ref().and_then(|terms| terms.monthly));
        format!(
            "offer {} is accepted: order {}, {monthly} a month",
            self.offer.offer, order.order
        )
    }
}

/// An account's arm of the experiment.
#[derive(Serialize)]
pub(super) struct Arm {
    account: String,
    holdout: bool,
    stratum: String,
    epoch: i32,
    assigned_at: Option<Timestamp>,
}

impl From<pb::Assignment> for Arm {
    fn from(arm: pb::Assignment) -> Self {
        Self {
            assigned_at: instant(arm.assign_time.as_ref()),
            account: arm.account_id,
            holdout: arm.holdout,
            stratum: arm.stratum,
            epoch: arm.epoch,
        }
    }
}

impl Row for Arm {
    const COLUMNS: &'static [Column] = &[
        left("account"),
        left("held out"),
        left("stratum"),
        right("epoch"),
        left("assigned"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.account.clone(),
            yes(self.holdout),
            self.stratum.clone(),
            self.epoch.to_string(),
            time(self.assigned_at),
        ]
    }
}
