//! The table `deliveries`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub touch_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub channel: String,
    pub offer_id: Uuid,
    pub account_id: String,
    pub contact_id: Option<String>,
    pub address: String,
    pub state: String,
    pub attempts: i32,
    pub in_attempt: bool,
    pub doubtful: bool,
    pub next_at: Option<i64>,
    pub reference: String,
    #[sea_orm(column_type = "Text")]
    pub detail: String,
    pub delivered_at: Option<i64>,
    pub opened_at: Option<i64>,
    pub clicked_at: Option<i64>,
    pub dismissed_at: Option<i64>,
    pub bounced_at: Option<i64>,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
