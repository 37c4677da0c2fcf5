//! Offers and touches, as offers told them, for the whole picture of an account.

use sea_orm::{
    ConnectionTrait, ExprTrait as _,
    sea_query::{Expr, OnConflict, Order, Query},
};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};

use super::tables::{Offer, Touch};
use crate::domain::account360::{LedgerTouch, OfferRecord};

/// Writes an offer as it stands now.
pub async fn offer_write(tx: &Tx, offer: &OfferRecord) -> Result<(), Problem> {
    let changing = [
        Offer::AccountId,
        Offer::Playbook,
        Offer::Motion,
        Offer::State,
        Offer::StateAt,
    ];
    let mut upsert = Query::insert();
    upsert
        .into_table(Offer::Table)
        .columns([
            Offer::OfferId,
            Offer::AccountId,
            Offer::Playbook,
            Offer::Motion,
            Offer::State,
            Offer::StateAt,
        ])
        .values_panic([
            offer.offer_id.as_str().into(),
            offer.account_id.as_str().into(),
            offer.playbook.as_str().into(),
            offer.motion.as_str().into(),
            offer.state.as_str().into(),
            micros(offer.state_time).into(),
        ])
        .on_conflict(OnConflict::column(Offer::OfferId).update_columns(changing).to_owned());
    tx.execute(&upsert).await?;
    Ok(())
}

/// Writes a touch as it stands now.
pub async fn touch_write(tx: &Tx, touch: &LedgerTouch) -> Result<(), Problem> {
    let changing = [
        Touch::AccountId,
        Touch::Class,
        Touch::Channel,
        Touch::Sender,
        Touch::TouchAt,
        Touch::State,
    ];
    let mut upsert = Query::insert();
    upsert
        .into_table(Touch::Table)
        .columns(changing.into_iter().chain([Touch::TouchId]))
        .values_panic([
            touch.account_id.as_str().into(),
            touch.class.as_str().into(),
            touch.channel.as_str().into(),
            touch.sender.as_str().into(),
            micros(touch.touch_time).into(),
            touch.state.as_str().into(),
            touch.touch_id.as_str().into(),
        ])
        .on_conflict(OnConflict::column(Touch::TouchId).update_columns(changing).to_owned());
    tx.execute(&upsert).await?;
    Ok(())
}

/// The newest `limit` offers of these accounts.
pub async fn offers_fetch(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
    limit: u64,
) -> Result<Vec<OfferRecord>, Problem> {
    let mut select = Query::select();
    select
        .columns([
            Offer::OfferId,
            Offer::AccountId,
            Offer::Playbook,
            Offer::Motion,
            Offer::State,
            Offer::StateAt,
        ])
        .from(Offer::Table)
        .and_where(Expr::col(Offer::AccountId).is_in(account_ids.iter().copied()))
        .order_by(Offer::StateAt, Order::Desc)
        .order_by(Offer::OfferId, Order::Asc)
        .limit(limit);
    let rows = connection.query_all(&select).await?;
    let read = rows.iter().map(|row| {
        Ok(OfferRecord {
            offer_id: row.try_get("", "offer_id")?,
            account_id: row.try_get("", "account_id")?,
            playbook: row.try_get("", "playbook")?,
            motion: row.try_get("", "motion")?,
            state: row.try_get("", "state")?,
            state_time: from_micros(row.try_get("", "state_at")?),
        })
    });
    read.collect()
}

/// The newest `limit` touches of these accounts.
pub async fn touches_fetch(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
    limit: u64,
) -> Result<Vec<LedgerTouch>, Problem> {
    let mut select = Query::select();
    select
        .columns([
            Touch::TouchId,
            Touch::AccountId,
            Touch::Class,
            Touch::Channel,
            Touch::Sender,
        ])
        .columns([Touch::TouchAt, Touch::State])
        .from(Touch::Table)
        .and_where(Expr::col(Touch::AccountId).is_in(account_ids.iter().copied()))
        .order_by(Touch::TouchAt, Order::Desc)
        .order_by(Touch::TouchId, Order::Asc)
        .limit(limit);
    let rows = connection.query_all(&select).await?;
    let read = rows.iter().map(|row| {
        Ok(LedgerTouch {
            touch_id: row.try_get("", "touch_id")?,
            account_id: row.try_get("", "account_id")?,
            class: row.try_get("", "class")?,
            channel: row.try_get("", "channel")?,
            sender: row.try_get("", "sender")?,
            touch_time: from_micros(row.try_get("", "touch_at")?),
            state: row.try_get("", "state")?,
        })
    });
    read.collect()
}
