//! Merged accounts (I-3), holds (C-17), and payments with the facts that told of them (I-5).

/// A merge as ingestion told it.
pub mod merge {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "merges")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub merge_id: String,
        /// The account that goes on.
        pub account_id: String,
        /// The account that is part of it.
        pub part_id: String,
        pub undone: bool,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A time in which somebody wants an account left alone.
pub mod hold {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "holds")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub hold_id: Uuid,
        pub account_id: String,
        #[sea_orm(column_type = "Text")]
        pub reason: String,
        pub author: String,
        pub created_at: i64,
        pub start_at: i64,
        pub end_at: i64,
        pub lifted_at: Option<i64>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A payment of an order, by the fact that told of it.
pub mod payment {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "payments")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub fact_id: String,
        pub order_id: Uuid,
        pub paid_at: i64,
        /// The fact was corrected: it was never paid.
        pub superseded: bool,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
