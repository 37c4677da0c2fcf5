//! The tables of the ledger as rows.

/// One touch. `counts_at` is its actual instant, else its planned one.
pub mod touch {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "touches")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub touch_id: Uuid,
        pub account_id: String,
        pub class: String,
        pub proposes_expansion: bool,
        pub channel: String,
        pub sender: String,
        pub idempotency_key: String,
        pub content: Uuid,
        pub contact_id: String,
        pub offer_id: String,
        pub state: String,
        pub planned_at: i64,
        pub actual_at: Option<i64>,
        pub counts_at: i64,
        pub recorded_at: i64,
        pub expires_at: Option<i64>,
        pub renewal_on: Option<i32>,
        pub policy_version: String,
        pub release_reason: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One step of one touch; rows are only added.
pub mod log {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "touch_log")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub entry_id: i64,
        pub touch_id: Uuid,
        pub account_id: String,
        pub state: String,
        pub counts_at: i64,
        pub renewal_on: Option<i32>,
        pub policy_version: String,
        pub note: String,
        pub logged_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What orders the changes of one account: its row is written before its touches are read.
pub mod state {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_touch_state")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub version: i64,
        pub recorded_at: i64,
        /// The account that it counts together with (I-3); empty for an account on its own.
        pub root_id: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
