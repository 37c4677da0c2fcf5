//! Who stands in for whom (C-14).

/// A delegation.
pub mod delegation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "delegations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub delegation_id: Uuid,
        pub person_id: String,
        pub delegate_id: String,
        pub kind: String,
        pub start_on: i32,
        pub end_on: Option<i32>,
        pub author: String,
        pub created_at: i64,
        pub ended_at: Option<i64>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
