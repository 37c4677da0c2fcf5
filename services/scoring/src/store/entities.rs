//! The tables, one module each; instants are microseconds and days are days since 1970-01-01.

#![expect(
    unreachable_pub,
    reason = "the entity macro needs public models, and the module is private"
)]

pub(super) mod account {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub change_version: i64,
        pub scored_version: i64,
        pub is_dirty: bool,
        pub changed_at: i64,
        pub due_at: Option<i64>,
        pub traceparent: String,
        pub tracestate: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod signal {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "signals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub signal_id: Uuid,
        pub account_id: String,
        pub kind: String,
        pub subject: String,
        pub episode: i32,
        pub is_newest: bool,
        pub state: String,
        pub grade: String,
        pub strength: f64,
        pub told_strength: f64,
        #[sea_orm(column_type = "Text")]
        pub evidence: String,
        pub opened_at: i64,
        pub last_seen_at: i64,
        pub closed_at: Option<i64>,
        pub offer_id: Option<String>,
        pub quiet_since_on: Option<i32>,
        pub raised_by: Option<String>,
        pub outcome: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod score {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "scores")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub trend: i32,
        pub health: i32,
        pub scored_at: i64,
        #[sea_orm(column_type = "Text")]
        pub document: String,
        pub potential: f64,
        pub tier: Option<String>,
        pub told_tier: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod past_health {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "past_health")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: i32,
        pub value: i32,
        #[sea_orm(column_type = "Text")]
        pub points: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod mark {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "renewal_marks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub deal_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub mark_days: i32,
        pub renewal_on: i32,
        pub reached_on: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod score_history {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "score_history")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub changed_at: i64,
        #[sea_orm(column_type = "Text")]
        pub document: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod judgement {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "overrides")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub override_id: Uuid,
        pub account_id: String,
        pub subject: String,
        pub value: f64,
        pub computed: Option<f64>,
        pub author: String,
        pub reason: String,
        pub made_at: i64,
        pub expires_at: i64,
        pub ended_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod raised {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "raised_signals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub raised_id: Uuid,
        pub account_id: String,
        pub what: String,
        pub subject: String,
        pub author: String,
        #[sea_orm(column_type = "Text")]
        pub note: String,
        pub raised_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
