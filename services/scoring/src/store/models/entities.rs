//! The tables, one module each.

#![expect(
    unreachable_pub,
    reason = "the entity macro needs public models, and the module is private"
)]

pub(super) mod training {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "trainings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub training_id: String,
        pub state: String,
        pub seed: i64,
        pub done: i32,
        pub total: i32,
        #[sea_orm(column_type = "Text")]
        pub detail: String,
        pub requested_at: i64,
        pub ended_at: Option<i64>,
        pub lease_until: i64,
        pub is_stopping: bool,
        pub slot: i32,
        pub purpose: String,
        #[sea_orm(column_type = "Text")]
        pub result: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod model {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "models")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub model_id: String,
        pub kind: String,
        pub number: i32,
        pub in_use: bool,
        pub created_at: i64,
        pub used_at: Option<i64>,
        #[sea_orm(column_type = "Text")]
        pub verdict: String,
        #[sea_orm(column_type = "Text")]
        pub document: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub drift: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod fallback {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "model_fallbacks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        #[sea_orm(column_type = "Text")]
        pub reason: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
