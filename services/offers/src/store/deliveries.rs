//! Messages on their way (C-6).

pub mod entity;

use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Query, SelectStatement},
};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};
use uuid::Uuid;

use self::entity::{Column, Entity, Model};
use super::{Reads, upsert, word};
use crate::domain::{
    delivery::{Delivery, Progress},
    vocabulary::Channel,
};

/// The touches whose next attempt lies behind `now`.
pub(super) fn waiting(now: Timestamp) -> SelectStatement {
    Query::select()
        .column(Column::TouchId)
        .from(Entity)
        .and_where(Column::InAttempt.eq(false))
        .and_where(Column::NextAt.gt(micros(now)))
        .take()
}

/// The message of a touch on a channel.
pub async fn delivery_fetch(db: &impl Reads, touch_id: Uuid, channel: Channel) -> Result<Option<Delivery>, Problem> {
    let key = (touch_id, channel.to_string());
    Entity::find_by_id(key).one(db).await?.map(from_row).transpose()
}

/// The messages of these touches, in any order.
pub async fn delivery_list(db: &impl Reads, touch_ids: &[Uuid]) -> Result<Vec<Delivery>, Problem> {
    let found = Entity::find().filter(Column::TouchId.is_in(touch_ids.iter().copied()));
    found.all(db).await?.into_iter().map(from_row).collect()
}

/// The message that a provider calls `reference`; none when it is not known, or when several are called so.
pub async fn delivery_fetch_by_reference(
    db: &impl Reads,
    channel: Channel,
    reference: &str,
) -> Result<Option<Delivery>, Problem> {
    let found = Entity::find()
        .filter(Column::Reference.eq(reference))
        .filter(Column::Channel.eq(channel.as_str()));
    let mut found = found.limit(2).all(db).await?;
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => from_row(only).map(Some),
        _ => Ok(None),
    }
}

/// Stores a message as it stands now; it counts one change more.
pub async fn delivery_save(tx: &Tx, delivery: &mut Delivery) -> Result<(), Problem> {
    delivery.version += 1;
    upsert::<Entity>(tx, vec![to_row(delivery)]).await
}

fn to_row(delivery: &Delivery) -> Model {
    let Delivery {
        touch_id,
        offer_id,
        account_id,
        contact_id,
        channel,
        address,
        state,
        attempts,
        in_attempt,
        doubtful,
        next_at,
        reference,
        detail,
        progress,
        dismissed_at,
        bounced_at,
        version,
    } = delivery.clone();
    Model {
        touch_id,
        channel: channel.to_string(),
        offer_id,
        account_id,
        contact_id,
        address,
        state: state.to_string(),
        attempts: i32::try_from(attempts).unwrap_or(i32::MAX),
        in_attempt,
        doubtful,
        next_at: next_at.map(micros),
        reference,
        detail,
        delivered_at: progress.delivered_at.map(micros),
        opened_at: progress.opened_at.map(micros),
        clicked_at: progress.clicked_at.map(micros),
        dismissed_at: dismissed_at.map(micros),
        bounced_at: bounced_at.map(micros),
        version,
    }
}

fn from_row(row: Model) -> Result<Delivery, Problem> {
    Ok(Delivery {
        touch_id: row.touch_id,
        offer_id: row.offer_id,
        account_id: row.account_id,
        contact_id: row.contact_id,
        channel: word(&row.channel)?,
        address: row.address,
        state: word(&row.state)?,
        attempts: u32::try_from(row.attempts).unwrap_or_default(),
        in_attempt: row.in_attempt,
        doubtful: row.doubtful,
        next_at: row.next_at.map(from_micros),
        reference: row.reference,
        detail: row.detail,
        progress: Progress {
            delivered_at: row.delivered_at.map(from_micros),
            opened_at: row.opened_at.map(from_micros),
            clicked_at: row.clicked_at.map(from_micros),
        },
        dismissed_at: row.dismissed_at.map(from_micros),
        bounced_at: row.bounced_at.map(from_micros),
        version: row.version,
    })
}
