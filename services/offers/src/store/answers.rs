//! Orders and replies: what came back from the accounts.

use jiff::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    Reads,
    entities::{
        order::{Column, Entity, Model},
        payment, reply,
    },
    from_json, json, upsert, word,
};
use crate::domain::order::{Handover, Order, OrderState};

/// One order.
pub async fn order_fetch(db: &impl Reads, id: Uuid) -> Result<Option<Order>, Problem> {
    Entity::find_by_id(id).one(db).await?.map(from_row).transpose()
}

/// Stores an order as it stands now.
pub async fn order_save(tx: &Tx, order: &Order) -> Result<(), Problem> {
    let row = Model {
        order_id: order.id,
        offer_id: order.offer_id,
        account_id: order.account_id.clone(),
        motion: order.motion.to_string(),
        terms: json(&order.terms)?,
        state: order.state.to_string(),
        placed_at: micros(order.placed_at),
        paid_at: order.paid_at.map(micros),
        signal_at: order.signal_at.map(micros),
        handed_state: order.handover.state.map(|state| state.to_string()),
        handed_at: order.handover.handed_at.map(micros),
        hand_attempts: i32::try_from(order.handover.attempts).unwrap_or(i32::MAX),
        hand_next_at: order.handover.next_at.map(micros),
        billing_reference: order.handover.reference.clone(),
    };
    upsert::<Entity>(tx, vec![row]).await
}

/// A page of orders, the newest first, after the one with this time and id.
pub async fn order_list(
    db: &impl Reads,
    account_id: &str,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<Order>, Problem> {
    let mut found = Entity::find();
    if !account_id.is_empty() {
        found = found.filter(Column::AccountId.eq(account_id));
    }
    if let Some((at, id)) = after {
        let same = Condition::all()
            .add(Column::PlacedAt.eq(at))
            .add(Column::OrderId.gt(id));
        found = found.filter(Condition::any().add(Column::PlacedAt.lt(at)).add(same));
    }
    let found = found.order_by_desc(Column::PlacedAt).order_by_asc(Column::OrderId);
    found.limit(limit).all(db).await?.into_iter().map(from_row).collect()
}

/// Up to `limit` orders that billing has to be told of at `now`, the oldest first.
pub async fn order_list_to_hand(db: &impl Reads, now: Timestamp, limit: u64) -> Result<Vec<Order>, Problem> {
    // `Order::to_tell`: billing was told nothing yet, or the other of the two.
    let untold = |state: OrderState, told: OrderState| {
        let other = Column::HandedState.is_null().or(Column::HandedState.eq(told.as_str()));
        Column::State.eq(state.as_str()).and(other)
    };
    let placed = untold(OrderState::Placed, OrderState::Cancelled);
    let taken_back = untold(OrderState::Cancelled, OrderState::Placed);
    let due = Condition::any()
        .add(Column::HandNextAt.is_null())
        .add(Column::HandNextAt.lte(micros(now)));
    let found = Entity::find()
        .filter(Condition::any().add(placed).add(taken_back))
        .filter(due)
        .order_by_asc(Column::PlacedAt)
        .order_by_asc(Column::OrderId);
    found.limit(limit).all(db).await?.into_iter().map(from_row).collect()
}

/// Stores a payment as its fact stands now.
pub async fn payment_save(tx: &Tx, payment: payment::Model) -> Result<(), Problem> {
    upsert::<payment::Entity>(tx, vec![payment]).await
}

/// One payment, by the fact that it came in.
pub async fn payment_fetch(db: &impl Reads, fact_id: &str) -> Result<Option<payment::Model>, Problem> {
    Ok(payment::Entity::find_by_id(fact_id).one(db).await?)
}

/// When an order was first paid, by the payments that stand.
pub async fn payment_first(db: &impl Reads, order_id: Uuid) -> Result<Option<Timestamp>, Problem> {
    let found = payment::Entity::find()
        .filter(payment::Column::OrderId.eq(order_id))
        .filter(payment::Column::Superseded.eq(false))
        .order_by_asc(payment::Column::PaidAt);
    Ok(found.one(db).await?.map(|payment| from_micros(payment.paid_at)))
}

/// Stores a reply and what was made of it.
pub async fn reply_save(tx: &Tx, reply: reply::Model) -> Result<(), Problem> {
    upsert::<reply::Entity>(tx, vec![reply]).await
}

/// One reply, by the fact that it came in.
pub async fn reply_fetch(db: &impl Reads, fact_id: &str) -> Result<Option<reply::Model>, Problem> {
    Ok(reply::Entity::find_by_id(fact_id).one(db).await?)
}

fn from_row(row: Model) -> Result<Order, Problem> {
    Ok(Order {
        id: row.order_id,
        offer_id: row.offer_id,
        account_id: row.account_id,
        motion: word(&row.motion)?,
        terms: from_json(&row.terms)?,
        state: word(&row.state)?,
        placed_at: from_micros(row.placed_at),
        paid_at: row.paid_at.map(from_micros),
        signal_at: row.signal_at.map(from_micros),
        handover: Handover {
            state: row.handed_state.as_deref().map(word).transpose()?,
            handed_at: row.handed_at.map(from_micros),
            attempts: u32::try_from(row.hand_attempts).unwrap_or_default(),
            next_at: row.hand_next_at.map(from_micros),
            reference: row.billing_reference,
        },
    })
}
