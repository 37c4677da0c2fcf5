//! What the programme learns, and the playbooks that wait.

/// What became of the offers of a motion in a segment, as it was counted last (M-1).
pub mod conversion {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "conversions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub motion: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub segment: String,
        pub accepted: i64,
        pub refused: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Motions that left their band, or came back (M-1).
pub mod drift {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "drifts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub motion: String,
        pub drift: String,
        pub since_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What people did that tells of harm (C-15).
pub mod reaction {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "reactions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub reaction_id: String,
        pub account_id: String,
        /// The offer that it is about; none means whatever was sent shortly before.
        pub offer_id: Option<Uuid>,
        pub kind: String,
        pub heard_at: i64,
        /// Its fact was corrected (I-5).
        pub superseded: bool,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Pauses of playbooks (C-15).
pub mod pause {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "playbook_pauses")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub pause_id: Uuid,
        pub playbook: String,
        #[sea_orm(column_type = "Text")]
        pub reason: String,
        pub paused_by: String,
        pub paused_at: i64,
        pub resumed_at: Option<i64>,
        pub resumed_by: String,
        #[sea_orm(column_type = "Text")]
        pub comment: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// When a job that looks now and then looked last.
pub mod look {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "looks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub job: String,
        pub looked_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
