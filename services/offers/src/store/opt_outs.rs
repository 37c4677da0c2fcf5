//! Who wants no more messages on a channel (C-10). It stands whatever the contact's profile says afterwards.

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};

use super::{Reads, upsert, word};
use crate::domain::vocabulary::Channel;

/// The table.
pub mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "opt_outs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub contact_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub channel: String,
        /// Only this address; empty means every one.
        #[sea_orm(primary_key, auto_increment = false)]
        pub address: String,
        pub account_id: String,
        /// `link`, `provider`, `complaint` or `bounce`.
        pub reason: String,
        pub opted_out_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{Column, Entity, Model};

/// Whom a channel does not reach any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// The account.
    pub account_id: String,
    /// The person.
    pub contact_id: String,
    /// The channel.
    pub channel: Channel,
    /// Only this address; empty means every one that the person has or gets.
    pub address: String,
    /// Why: `link`, `provider`, `complaint` or `bounce`.
    pub reason: String,
}

impl OptOut {
    /// Whether it is about this address.
    pub fn covers(&self, channel: Channel, address: &str) -> bool {
        self.channel == channel && (self.address.is_empty() || self.address == address)
    }
}

/// Stores an opt-out; that of the person and those of single addresses stand beside each other.
pub async fn opt_out_save(tx: &Tx, out: &OptOut, now: Timestamp) -> Result<(), Problem> {
    let row = Model {
        contact_id: out.contact_id.clone(),
        channel: out.channel.to_string(),
        account_id: out.account_id.clone(),
        address: out.address.clone(),
        reason: out.reason.clone(),
        opted_out_at: micros(now),
    };
    upsert::<Entity>(tx, vec![row]).await
}

/// What a contact opted out of.
pub async fn opt_out_list(db: &impl Reads, contact_id: &str) -> Result<Vec<OptOut>, Problem> {
    let found = Entity::find().filter(Column::ContactId.eq(contact_id)).all(db).await?;
    let outs = found.into_iter().map(|row| {
        Ok(OptOut {
            channel: word(&row.channel)?,
            account_id: row.account_id,
            contact_id: row.contact_id,
            address: row.address,
            reason: row.reason,
        })
    });
    outs.collect()
}
