//! Local copies of what other services know.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use upswell_runtime::{db::Tx, problem::Problem};

use super::{
    Reads,
    entities::{contact, deal, score, signal, subscription, ticket},
    upsert,
};

/// Stores a contact as it stands now.
pub async fn contact_save(tx: &Tx, contact: contact::Model) -> Result<(), Problem> {
    upsert::<contact::Entity>(tx, vec![contact]).await
}

/// Takes the contact's row lock: what a person wants and what the profile says are brought together by one at a time.
pub async fn contact_lock(tx: &Tx, contact_id: &str) -> Result<(), Problem> {
    let update = contact::Entity::update_many()
        .col_expr(contact::Column::AccountId, Expr::col(contact::Column::AccountId))
        .filter(contact::Column::ContactId.eq(contact_id));
    update.exec(&**tx).await?;
    Ok(())
}

/// One contact, if it is known.
pub async fn contact_fetch(db: &impl Reads, contact_id: &str) -> Result<Option<contact::Model>, Problem> {
    Ok(contact::Entity::find_by_id(contact_id).one(db).await?)
}

/// These contacts; unknown ones are left out.
pub async fn contacts_fetch(db: &impl Reads, contact_ids: &[String]) -> Result<Vec<contact::Model>, Problem> {
    let found = contact::Entity::find().filter(contact::Column::ContactId.is_in(contact_ids));
    Ok(found.all(db).await?)
}

/// The contacts of these accounts, by id.
pub async fn contact_list(db: &impl Reads, account_ids: &[String]) -> Result<Vec<contact::Model>, Problem> {
    let found = contact::Entity::find().filter(contact::Column::AccountId.is_in(account_ids));
    Ok(found.order_by_asc(contact::Column::ContactId).all(db).await?)
}

/// Stores a version of a subscription.
pub async fn subscription_save(tx: &Tx, version: subscription::Model) -> Result<(), Problem> {
    upsert::<subscription::Entity>(tx, vec![version]).await
}

/// The versions that count of these accounts' subscriptions; of one subscription the version that stands later
/// comes later.
pub async fn subscription_list(db: &impl Reads, accounts: &[String]) -> Result<Vec<subscription::Model>, Problem> {
    let found = subscription::Entity::find()
        .filter(subscription::Column::AccountId.is_in(accounts))
        .filter(subscription::Column::Superseded.eq(false))
        .order_by_asc(subscription::Column::SubscriptionId)
        .order_by_asc(subscription::Column::EffectiveOn)
        .order_by_asc(subscription::Column::OccurredAt)
        .order_by_asc(subscription::Column::VersionId);
    Ok(found.all(db).await?)
}

/// Stores a signal as it stands now.
pub async fn signal_save(tx: &Tx, signal: signal::Model) -> Result<(), Problem> {
    upsert::<signal::Entity>(tx, vec![signal]).await
}

/// One signal, if it is known.
pub async fn signal_fetch(db: &impl Reads, signal_id: &str) -> Result<Option<signal::Model>, Problem> {
    Ok(signal::Entity::find_by_id(signal_id).one(db).await?)
}

/// The open signals of these accounts, the oldest first.
pub async fn signal_list_open(db: &impl Reads, account_ids: &[String]) -> Result<Vec<signal::Model>, Problem> {
    let found = signal::Entity::find()
        .filter(signal::Column::AccountId.is_in(account_ids))
        .filter(signal::Column::State.eq("open"))
        .order_by_asc(signal::Column::OpenedAt)
        .order_by_asc(signal::Column::SignalId);
    Ok(found.all(db).await?)
}

/// Stores the newest score.
pub async fn score_save(tx: &Tx, score: score::Model) -> Result<(), Problem> {
    upsert::<score::Entity>(tx, vec![score]).await
}

/// The newest scores of these accounts.
pub async fn score_list(db: &impl Reads, account_ids: &[String]) -> Result<Vec<score::Model>, Problem> {
    Ok(score::Entity::find()
        .filter(score::Column::AccountId.is_in(account_ids))
        .all(db)
        .await?)
}

/// Stores a deal as it stands now.
pub async fn deal_save(tx: &Tx, deal: deal::Model) -> Result<(), Problem> {
    upsert::<deal::Entity>(tx, vec![deal]).await
}

/// One deal, if it is known.
pub async fn deal_fetch(db: &impl Reads, deal_id: &str) -> Result<Option<deal::Model>, Problem> {
    Ok(deal::Entity::find_by_id(deal_id).one(db).await?)
}

/// The deals of these accounts that are not closed, the nearest renewal first.
pub async fn deal_list_open(db: &impl Reads, account_ids: &[String]) -> Result<Vec<deal::Model>, Problem> {
    let found = deal::Entity::find()
        .filter(deal::Column::AccountId.is_in(account_ids))
        .filter(deal::Column::Closed.eq(false));
    Ok(found
        .order_by_asc(deal::Column::RenewalOn)
        .order_by_asc(deal::Column::DealId)
        .all(db)
        .await?)
}

/// Stores a critical ticket.
pub async fn ticket_save(tx: &Tx, ticket: ticket::Model) -> Result<(), Problem> {
    upsert::<ticket::Entity>(tx, vec![ticket]).await
}

/// Forgets a ticket that is not critical, or no longer.
pub async fn ticket_delete(tx: &Tx, ticket_id: &str) -> Result<(), Problem> {
    ticket::Entity::delete_by_id(ticket_id).exec(&**tx).await?;
    Ok(())
}

/// The open critical tickets of these accounts, the oldest first.
pub async fn ticket_list_open(db: &impl Reads, account_ids: &[String]) -> Result<Vec<ticket::Model>, Problem> {
    let found = ticket::Entity::find()
        .filter(ticket::Column::AccountId.is_in(account_ids))
        .filter(ticket::Column::ResolvedAt.is_null());
    Ok(found.order_by_asc(ticket::Column::OpenedAt).all(db).await?)
}
