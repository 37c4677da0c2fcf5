//! Contacts with customers. Each is written only by who saw its newest version, so that replicas do not overwrite each other.

use jiff::Timestamp;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, Condition, EntityTrait, IntoActiveModel as _, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};

use super::{
    Reads,
    entities::contact,
    rows::{from_json, id, json, word},
};
use crate::domain::contact::Contact;

/// Which contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// Only of this deal.
    pub deal_id: Option<String>,
    /// Only of this account.
    pub account_id: Option<String>,
    /// Also those that are over.
    pub include_closed: bool,
}

/// The place of a contact in its list: planned instant, id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactKey(i64, String);

/// Inserts a contact, once.
pub async fn contact_insert(tx: &Tx, contact: &Contact) -> Result<(), Problem> {
    let row = row(contact)?.into_active_model();
    let conflict = OnConflict::column(contact::Column::ContactId).do_nothing().to_owned();
    contact::Entity::insert(row)
        .on_conflict(conflict)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Writes a contact that was read at `version`; false when somebody changed it since.
pub async fn contact_save(tx: &Tx, contact: &Contact, version: i64) -> Result<bool, Problem> {
    let row = row(contact)?;
    let done = contact::Entity::update_many()
        .set(contact::ActiveModel {
            contact_id: sea_orm::NotSet,
            ..row.into_active_model().reset_all()
        })
        .filter(contact::Column::ContactId.eq(contact.contact_id.to_string()))
        .filter(contact::Column::Version.eq(version))
        .exec(&**tx)
        .await?;
    Ok(done.rows_affected == 1)
}

/// One contact, if there.
pub async fn contact_fetch(db: &impl Reads, contact_id: &str) -> Result<Option<Contact>, Problem> {
    let row = contact::Entity::find_by_id(contact_id).one(db).await?;
    row.map(read).transpose()
}

/// Up to `limit` contacts that have something to do by `now`, the longest waiting first.
pub async fn contacts_due_fetch(db: &impl Reads, now: Timestamp, limit: u64) -> Result<Vec<Contact>, Problem> {
    let rows = contact::Entity::find()
        .filter(contact::Column::NextAt.lte(micros(now)))
        .order_by_asc(contact::Column::NextAt)
        .order_by_asc(contact::Column::ContactId)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Up to `limit` contacts after `after`, by planned instant, and the key of each.
pub async fn contact_list(
    db: &impl Reads,
    filter: &ContactFilter,
    after: Option<&ContactKey>,
    limit: u64,
) -> Result<Vec<(ContactKey, Contact)>, Problem> {
    use contact::Column;
    let mut query = contact::Entity::find();
    if let Some(deal_id) = &filter.deal_id {
        query = query.filter(Column::DealId.eq(deal_id));
    }
    if let Some(account_id) = &filter.account_id {
        query = query.filter(Column::AccountId.eq(account_id));
    }
    if !filter.include_closed {
        query = query.filter(Column::Closed.eq(false));
    }
    if let Some(ContactKey(planned_at, contact_id)) = after {
        let same = Condition::all()
            .add(Column::PlannedAt.eq(*planned_at))
            .add(Column::ContactId.gt(contact_id));
        query = query.filter(Condition::any().add(Column::PlannedAt.gt(*planned_at)).add(same));
    }
    let query = query.order_by_asc(Column::PlannedAt).order_by_asc(Column::ContactId);
    let rows = query.limit(limit).all(db).await?;
    let item = |row: contact::Model| Ok((ContactKey(row.planned_at, row.contact_id.clone()), read(row)?));
    rows.into_iter().map(item).collect()
}

fn row(contact: &Contact) -> Result<contact::Model, Problem> {
    Ok(contact::Model {
        contact_id: contact.contact_id.to_string(),
        deal_id: contact.deal_id.to_string(),
        account_id: contact.account_id.clone(),
        kind: contact.kind.to_string(),
        channel: contact.channel,
        person_id: contact.person_id.clone(),
        proposes_expansion: contact.proposes_expansion,
        planned_at: micros(contact.planned_at),
        state: contact.state.to_string(),
        closed: contact.is_closed(),
        step: contact.step.as_ref().map(json).transpose()?,
        next_at: contact.next_at.map(micros),
        attempt: contact.attempt,
        touch_id: contact.touch_id.clone(),
        blocking: contact.blocking.join(" "),
        actor: contact.actor.clone(),
        version: contact.version,
    })
}

fn read(row: contact::Model) -> Result<Contact, Problem> {
    Ok(Contact {
        contact_id: id(&row.contact_id)?,
        deal_id: id(&row.deal_id)?,
        account_id: row.account_id,
        kind: word(&row.kind)?,
        channel: row.channel,
        person_id: row.person_id,
        proposes_expansion: row.proposes_expansion,
        planned_at: from_micros(row.planned_at),
        state: word(&row.state)?,
        step: row.step.as_deref().map(from_json).transpose()?,
        next_at: row.next_at.map(from_micros),
        attempt: row.attempt,
        touch_id: row.touch_id,
        blocking: row.blocking.split_whitespace().map(str::to_owned).collect(),
        actor: row.actor,
        version: row.version,
    })
}
