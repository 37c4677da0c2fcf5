//! Subscriptions, the versions of their terms, and when each has to be looked at.

use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, IntoCondition, OnConflict},
};
use upswell_runtime::{
    db::{Tx, epoch_day, micros},
    problem::Problem,
    telemetry::TraceContext,
};

use super::{
    Reads,
    entities::{subscription, version},
    upsert,
};
use crate::domain::contract::Version;

/// Before every "now": due at once.
const AT_ONCE: i64 = 0;

/// Stores a version as it stands now.
pub async fn version_save(tx: &Tx, subscription_id: &str, version: &Version) -> Result<(), Problem> {
    let Version {
        version_id,
        effective_on,
        end_on,
        renewal_on,
        mrr,
        stated,
        occurred_at,
        superseded,
    } = version;
    let row = version::Model {
        version_id: version_id.clone(),
        subscription_id: subscription_id.to_owned(),
        effective_on: epoch_day(*effective_on),
        end_on: end_on.map(epoch_day),
        renewal_on: epoch_day(*renewal_on),
        mrr_minor: mrr.minor,
        currency: mrr.currency.to_string(),
        occurred_at: micros(*occurred_at),
        superseded: *superseded,
        auto_renew: stated.auto_renew,
        notice_days: stated.notice_days,
        term_months: stated.term_months,
    };
    upsert::<version::Entity>(tx, vec![row]).await
}

/// Notes that the subscription has to be looked at, because of the work in `trace`.
pub async fn subscription_due(
    tx: &Tx,
    subscription_id: &str,
    account_id: &str,
    trace: &TraceContext,
) -> Result<(), Problem> {
    let row = subscription::ActiveModel {
        subscription_id: sea_orm::Set(subscription_id.to_owned()),
        account_id: sea_orm::Set(account_id.to_owned()),
        check_at: sea_orm::Set(Some(AT_ONCE)),
        traceparent: sea_orm::Set(trace.traceparent.clone()),
        tracestate: sea_orm::Set(trace.tracestate.clone()),
    };
    let replace = [
        subscription::Column::AccountId,
        subscription::Column::CheckAt,
        subscription::Column::Traceparent,
        subscription::Column::Tracestate,
    ];
    let conflict = OnConflict::column(subscription::Column::SubscriptionId)
        .update_columns(replace)
        .to_owned();
    subscription::Entity::insert(row)
        .on_conflict(conflict)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Notes the same for every subscription of the account.
pub async fn subscriptions_due(tx: &Tx, account_id: &str, trace: &TraceContext) -> Result<(), Problem> {
    let update = subscription::Entity::update_many()
        .col_expr(subscription::Column::CheckAt, Expr::value(AT_ONCE))
        .col_expr(
            subscription::Column::Traceparent,
            Expr::value(trace.traceparent.as_str()),
        )
        .col_expr(subscription::Column::Tracestate, Expr::value(trace.tracestate.as_str()))
        .filter(subscription::Column::AccountId.eq(account_id));
    update.exec(&**tx).await?;
    Ok(())
}

/// Up to `limit` subscriptions that have to be looked at by `now`, the longest waiting first.
pub async fn subscriptions_due_fetch(db: &impl Reads, now: Timestamp, limit: u64) -> Result<Vec<String>, Problem> {
    let due = subscription::Entity::find()
        .select_only()
        .column(subscription::Column::SubscriptionId)
        .filter(subscription::Column::CheckAt.lte(micros(now)))
        .order_by_asc(subscription::Column::CheckAt)
        .order_by_asc(subscription::Column::SubscriptionId)
        .limit(limit);
    Ok(due.into_tuple().all(db).await?)
}

/// Takes the row locks of the subscriptions; whoever changes a renewal does so first, so that changes happen one after
/// the other on every database. Everybody locks by account and id, and accounts only after their subscriptions, so that
/// nobody waits in a circle.
pub async fn subscriptions_lock(tx: &Tx, subscription_ids: &[String]) -> Result<(), Problem> {
    lock(tx, subscription::Column::SubscriptionId.is_in(subscription_ids)).await
}

/// The same for every subscription of an account, and for one that may come to it from another.
pub async fn account_subscriptions_lock(tx: &Tx, account_id: &str, comes: &str) -> Result<(), Problem> {
    let own = subscription::Column::AccountId.eq(account_id);
    lock(tx, own.or(subscription::Column::SubscriptionId.eq(comes))).await
}

async fn lock(tx: &Tx, which: impl IntoCondition) -> Result<(), Problem> {
    let rows = subscription::Entity::find()
        .select_only()
        .column(subscription::Column::SubscriptionId)
        .filter(which)
        .order_by_asc(subscription::Column::AccountId)
        .order_by_asc(subscription::Column::SubscriptionId);
    let _locked: Vec<String> = rows.lock_exclusive().into_tuple().all(&**tx).await?;
    Ok(())
}
