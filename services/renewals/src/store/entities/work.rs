//! Work around deals: add-ons, contacts, absences, notices.

/// Versions of add-ons.
pub mod add_on {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "add_on_versions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub version_id: String,
        pub subscription_id: String,
        pub account_id: String,
        pub effective_on: i32,
        pub end_on: Option<i32>,
        pub renewal_on: Option<i32>,
        pub mrr_minor: i64,
        pub currency: String,
        pub occurred_at: i64,
        pub superseded: bool,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Contacts with customers.
pub mod contact {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "contacts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub contact_id: String,
        pub deal_id: String,
        pub account_id: String,
        pub kind: String,
        pub channel: i32,
        pub person_id: String,
        pub proposes_expansion: bool,
        pub planned_at: i64,
        pub state: String,
        pub closed: bool,
        /// JSON; null when the ledger has nothing to be told.
        pub step: Option<String>,
        pub next_at: Option<i64>,
        pub attempt: i32,
        pub touch_id: String,
        /// Rule ids, with spaces between.
        pub blocking: String,
        pub actor: String,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// People who are away.
pub mod absence {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "absences")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub absence_id: String,
        pub person_id: String,
        pub from_on: i32,
        pub until_on: i32,
        pub delegate_id: String,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// How far late work has gone; one per task.
pub mod alert {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "task_alerts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub task_id: String,
        /// For another due day it begins anew.
        pub due_on: i32,
        pub level: i32,
        pub person_id: String,
        /// Null behind the last level.
        pub next_on: Option<i32>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What people were told; the key is what makes each of them unique.
pub mod notice {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub notice_id: String,
        pub person_id: String,
        pub kind: String,
        pub account_id: String,
        pub subject_id: String,
        #[sea_orm(column_type = "Text")]
        pub text: String,
        pub made_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
