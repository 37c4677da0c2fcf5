//! Onboarding plans and reviews.

/// Onboarding plans; one per account.
pub mod plan {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "onboarding_plans")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub plan_id: String,
        pub account_id: String,
        pub owner_id: String,
        /// A person gave it to the owner.
        pub given: bool,
        pub started_on: i32,
        pub finished: bool,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Business reviews; one per account and quarter.
pub mod review {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "reviews")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub review_id: String,
        pub account_id: String,
        pub quarter_on: i32,
        pub held_on: i32,
        /// A person chose the day.
        pub chosen: bool,
        pub minutes: i32,
        pub state: String,
        pub closed: bool,
        #[sea_orm(column_type = "Text")]
        pub preparation: String,
        pub expansion_talk: bool,
        #[sea_orm(column_type = "Text")]
        pub reason: String,
        #[sea_orm(column_type = "Text")]
        pub summary: String,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
