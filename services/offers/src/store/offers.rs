//! Offers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    money::Money,
    problem::Problem,
};
use uuid::Uuid;

use super::{
    Reads, deliveries,
    entities::offer::{Column, Entity, Model},
    from_json, json, upsert, word,
};
use crate::domain::{
    delivery::Progress,
    offer::Offer,
    vocabulary::{Channel, OfferState},
};

/// One offer.
pub async fn offer_fetch(db: &impl Reads, id: Uuid) -> Result<Option<Offer>, Problem> {
    Entity::find_by_id(id).one(db).await?.map(from_row).transpose()
}

/// The offer that a touch carries.
pub async fn offer_fetch_by_touch(db: &impl Reads, touch_id: Uuid) -> Result<Option<Offer>, Problem> {
    Entity::find()
        .filter(Column::TouchId.eq(touch_id))
        .one(db)
        .await?
        .map(from_row)
        .transpose()
}

/// The touches of these offers, by offer; those without one are left out.
pub async fn offer_touches(db: &impl Reads, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Uuid>, Problem> {
    let found = Entity::find()
        .select_only()
        .columns([Column::OfferId, Column::TouchId])
        .filter(Column::OfferId.is_in(ids.iter().copied()))
        .filter(Column::TouchId.is_not_null());
    Ok(found.into_tuple().all(db).await?.into_iter().collect())
}

/// Stores offers as they stand now; each counts one change more.
pub async fn offers_save(tx: &Tx, offers: &mut [Offer]) -> Result<(), Problem> {
    let mut rows = Vec::with_capacity(offers.len());
    for offer in offers {
        offer.version += 1;
        rows.push(to_row(offer)?);
    }
    upsert::<Entity>(tx, rows).await
}

/// Stores one offer as it stands now.
pub async fn offer_save(tx: &Tx, offer: &mut Offer) -> Result<(), Problem> {
    offers_save(tx, std::slice::from_mut(offer)).await
}

/// Every offer of these accounts, the oldest first.
pub async fn offer_list_of(db: &impl Reads, account_ids: &[String]) -> Result<Vec<Offer>, Problem> {
    let found = Entity::find().filter(Column::AccountId.is_in(account_ids));
    read(found.order_by_asc(Column::CreatedAt).order_by_asc(Column::OfferId), db).await
}

/// The offers of these accounts in one state, the oldest sent first.
pub async fn offer_list_in(db: &impl Reads, account_ids: &[String], state: OfferState) -> Result<Vec<Offer>, Problem> {
    let found = Entity::find()
        .filter(Column::AccountId.is_in(account_ids))
        .filter(Column::State.eq(state.as_str()));
    read(found.order_by_asc(Column::SentAt).order_by_asc(Column::OfferId), db).await
}

/// Up to `limit` offers that are to be sent at `now`, whose next attempt is due, or whose sending was cut off.
pub async fn offer_list_to_send(db: &impl Reads, now: Timestamp, limit: u64) -> Result<Vec<Offer>, Problem> {
    let due = Condition::all()
        .add(Column::State.eq(OfferState::Reserved.as_str()))
        .add(Column::PlannedAt.lte(micros(now)));
    let waiting = deliveries::waiting(now);
    let cut_off = Condition::all()
        .add(Column::State.eq(OfferState::Sending.as_str()))
        .add(Column::TouchId.not_in_subquery(waiting));
    let found = Entity::find()
        .filter(Condition::any().add(due).add(cut_off))
        .order_by_asc(Column::PlannedAt)
        .order_by_asc(Column::OfferId);
    read(found.limit(limit), db).await
}

/// Up to `limit` sent offers that may no longer be answered at `now`.
pub async fn offer_list_overdue(db: &impl Reads, now: Timestamp, limit: u64) -> Result<Vec<Offer>, Problem> {
    let found = Entity::find()
        .filter(Column::State.eq(OfferState::Sent.as_str()))
        .filter(Column::OpenUntilAt.lt(micros(now)))
        .order_by_asc(Column::OpenUntilAt)
        .order_by_asc(Column::OfferId);
    read(found.limit(limit), db).await
}

/// The sent offers of an account that a person may see in the product: messages to that person, to anybody, or banners
/// beside a task.
pub async fn offer_list_in_product(db: &impl Reads, account_id: &str) -> Result<Vec<Offer>, Problem> {
    let channels = [Channel::InApp, Channel::CsmTask, Channel::SalesTask];
    let found = Entity::find()
        .filter(Column::AccountId.eq(account_id))
        .filter(Column::State.eq(OfferState::Sent.as_str()))
        .filter(Column::Channel.is_in(channels.map(Channel::as_str)));
    read(found.order_by_desc(Column::SentAt).order_by_asc(Column::OfferId), db).await
}

/// Up to `limit` sent offers that are made by people of ours, those that end first first.
pub async fn offer_list_of_tasks(db: &impl Reads, channels: &[Channel], limit: u64) -> Result<Vec<Offer>, Problem> {
    let found = Entity::find()
        .filter(Column::Channel.is_in(channels.iter().map(|channel| channel.as_str())))
        .filter(Column::State.eq(OfferState::Sent.as_str()))
        .order_by_asc(Column::OpenUntilAt)
        .order_by_asc(Column::OfferId);
    read(found.limit(limit), db).await
}

/// A page of offers, the newest first, after the one with this creation time and id.
pub async fn offer_list(
    db: &impl Reads,
    account_id: &str,
    states: &[OfferState],
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<Offer>, Problem> {
    let mut found = Entity::find();
    if !account_id.is_empty() {
        found = found.filter(Column::AccountId.eq(account_id));
    }
    if !states.is_empty() {
        found = found.filter(Column::State.is_in(states.iter().map(|state| state.as_str())));
    }
    if let Some((at, id)) = after {
        let same = Condition::all()
            .add(Column::CreatedAt.eq(at))
            .add(Column::OfferId.gt(id));
        found = found.filter(Condition::any().add(Column::CreatedAt.lt(at)).add(same));
    }
    let found = found.order_by_desc(Column::CreatedAt).order_by_asc(Column::OfferId);
    read(found.limit(limit), db).await
}

async fn read(found: sea_orm::Select<Entity>, db: &impl Reads) -> Result<Vec<Offer>, Problem> {
    found.all(db).await?.into_iter().map(from_row).collect()
}

fn to_row(offer: &Offer) -> Result<Model, Problem> {
    let open_until = if offer.state == OfferState::Sent {
        offer.open_until()
    } else {
        None
    };
    Ok(Model {
        offer_id: offer.id,
        account_id: offer.account_id.clone(),
        playbook: offer.playbook.clone(),
        motion: offer.motion.to_string(),
        subject: offer.subject.clone(),
        class: offer.class.to_string(),
        proposes_expansion: offer.proposes_expansion,
        owner: offer.owner.to_string(),
        state: offer.state.to_string(),
        signal_ids: json(&offer.signal_ids)?,
        contact_id: offer.contact_id.clone(),
        channel: offer.channel.to_string(),
        message: offer.message.as_ref().map(json).transpose()?,
        terms: offer.terms.as_ref().map(json).transpose()?,
        expected_minor: offer.expected_value.map(|value| value.minor),
        currency: offer.expected_value.map(|value| value.currency.to_string()),
        decision_id: offer.decision_id,
        approval_id: offer.approval_id,
        touch_id: offer.touch_id,
        order_id: offer.order_id,
        close_reason: offer.close_reason.clone(),
        created_at: micros(offer.created_at),
        planned_at: offer.planned_at.map(micros),
        deferred_until_at: offer.deferred_until.map(micros),
        sent_at: offer.sent_at.map(micros),
        state_at: micros(offer.state_at),
        signal_at: offer.signal_at.map(micros),
        consumes_signals: offer.consumes_signals,
        validity_days: offer.validity_days,
        open_until_at: open_until.map(micros),
        delivered_at: offer.progress.delivered_at.map(micros),
        opened_at: offer.progress.opened_at.map(micros),
        clicked_at: offer.progress.clicked_at.map(micros),
        version: offer.version,
    })
}

fn from_row(row: Model) -> Result<Offer, Problem> {
    let expected_value = match (row.expected_minor, &row.currency) {
        (Some(minor), Some(currency)) => Some(Money {
            minor,
            currency: word(currency)?,
        }),
        _ => None,
    };
    Ok(Offer {
        id: row.offer_id,
        account_id: row.account_id,
        playbook: row.playbook,
        motion: word(&row.motion)?,
        subject: row.subject,
        class: word(&row.class)?,
        proposes_expansion: row.proposes_expansion,
        owner: word(&row.owner)?,
        state: word(&row.state)?,
        signal_ids: from_json(&row.signal_ids)?,
        contact_id: row.contact_id,
        channel: word(&row.channel)?,
        message: row.message.as_deref().map(from_json).transpose()?,
        terms: row.terms.as_deref().map(from_json).transpose()?,
        expected_value,
        decision_id: row.decision_id,
        approval_id: row.approval_id,
        touch_id: row.touch_id,
        order_id: row.order_id,
        close_reason: row.close_reason,
        created_at: from_micros(row.created_at),
        planned_at: row.planned_at.map(from_micros),
        deferred_until: row.deferred_until_at.map(from_micros),
        sent_at: row.sent_at.map(from_micros),
        state_at: from_micros(row.state_at),
        signal_at: row.signal_at.map(from_micros),
        consumes_signals: row.consumes_signals,
        validity_days: row.validity_days,
        progress: Progress {
            delivered_at: row.delivered_at.map(from_micros),
            opened_at: row.opened_at.map(from_micros),
            clicked_at: row.clicked_at.map(from_micros),
        },
        version: row.version,
    })
}
