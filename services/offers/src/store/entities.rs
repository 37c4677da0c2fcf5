//! The tables of this service but the ledger's, as rows. Instants are µs since the epoch (`*_at`), days are days since
//! 1970-01-01 (`*_on`), words are the spellings of [`crate::domain::vocabulary`]; documents are JSON.

mod delegations;
mod evidence;
mod families;
mod learning;

pub use self::{
    delegations::delegation,
    evidence::{head, picture, rulebook},
    families::{hold, merge, payment},
    learning::{conversion, drift, look, pause, reaction},
};

/// Local copies of accounts, with the clockwork of their decisions.
pub mod account {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub display_name: String,
        pub segment: String,
        pub industry: String,
        pub country: String,
        pub time_zone: String,
        pub language: String,
        pub enterprise: bool,
        /// Empty when nobody is in charge.
        pub csm_id: String,
        pub customer_since_on: Option<i32>,
        /// When its candidates compete next (C-9).
        pub next_slot_at: i64,
        /// A signal came that may not wait for the slot.
        pub decide_now: bool,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Local copies of contacts.
pub mod contact {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "contacts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub contact_id: String,
        pub account_id: String,
        pub first_name: String,
        pub role: String,
        pub budget_holder: bool,
        pub renewal_decision_maker: bool,
        pub champion: bool,
        /// JSON list of channel, address and consent.
        #[sea_orm(column_type = "Text")]
        pub points: String,
        /// Empty means the account's.
        pub language: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Local copies of the versions of subscriptions.
pub mod subscription {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "subscription_versions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub version_id: String,
        pub account_id: String,
        pub subscription_id: String,
        pub product: String,
        pub kind: String,
        pub quantity: i64,
        pub mrr_minor: i64,
        pub currency: String,
        pub effective_on: i32,
        pub end_on: Option<i32>,
        pub renewal_on: Option<i32>,
        /// JSON list of metric, value and standing.
        #[sea_orm(column_type = "Text")]
        pub limits: String,
        pub occurred_at: i64,
        pub superseded: bool,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Local copies of signals with the trace that they came in.
pub mod signal {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "signals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub signal_id: String,
        pub account_id: String,
        pub kind: String,
        pub subject: String,
        /// `open`, `consumed`, `expired` or `withdrawn`.
        pub state: String,
        pub grade: String,
        pub strength: f64,
        /// JSON list of name, value, unit and baseline.
        #[sea_orm(column_type = "Text")]
        pub evidence: String,
        pub opened_at: i64,
        /// The offer that consumed it; empty otherwise.
        pub offer_id: String,
        pub traceparent: String,
        pub tracestate: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Local copies of the newest scores.
pub mod score {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "scores")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub scored_at: i64,
        pub health: i32,
        pub band: String,
        pub health_change: Option<i32>,
        pub churn_risk: f64,
        pub propensity: f64,
        pub model_version: String,
        pub open_critical: i32,
        pub oldest_critical_at: Option<i64>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Local copies of renewal deals.
pub mod deal {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub deal_id: String,
        pub account_id: String,
        pub renewal_on: i32,
        pub closed: bool,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Critical tickets, open and resolved (SC-9).
pub mod ticket {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "critical_tickets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub ticket_id: String,
        pub account_id: String,
        pub opened_at: i64,
        pub resolved_at: Option<i64>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Offers.
pub mod offer {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "offers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub offer_id: Uuid,
        pub account_id: String,
        pub playbook: String,
        pub motion: String,
        pub subject: String,
        pub class: String,
        pub proposes_expansion: bool,
        pub owner: String,
        pub state: String,
        /// JSON list.
        #[sea_orm(column_type = "Text")]
        pub signal_ids: String,
        pub contact_id: Option<String>,
        pub channel: String,
        /// JSON.
        #[sea_orm(column_type = "Text", nullable)]
        pub message: Option<String>,
        /// JSON.
        #[sea_orm(column_type = "Text", nullable)]
        pub terms: Option<String>,
        pub expected_minor: Option<i64>,
        pub currency: Option<String>,
        pub decision_id: Option<Uuid>,
        pub approval_id: Option<Uuid>,
        pub touch_id: Option<Uuid>,
        pub order_id: Option<Uuid>,
        #[sea_orm(column_type = "Text")]
        pub close_reason: String,
        pub created_at: i64,
        pub planned_at: Option<i64>,
        pub deferred_until_at: Option<i64>,
        pub sent_at: Option<i64>,
        pub state_at: i64,
        pub signal_at: Option<i64>,
        pub consumes_signals: bool,
        pub validity_days: i64,
        /// Until when a sent offer may be answered.
        pub open_until_at: Option<i64>,
        pub delivered_at: Option<i64>,
        pub opened_at: Option<i64>,
        pub clicked_at: Option<i64>,
        pub version: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Approval requests.
pub mod approval {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "approvals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub approval_id: Uuid,
        pub offer_id: Uuid,
        pub account_id: String,
        /// JSON of the frozen offer.
        #[sea_orm(column_type = "Text")]
        pub snapshot: String,
        pub content_hash: String,
        pub author: String,
        pub approver_id: String,
        /// JSON of those who did not decide in time.
        #[sea_orm(column_type = "Text")]
        pub passed_over: String,
        pub state: String,
        pub requested_at: i64,
        pub expires_at: i64,
        pub decided_at: Option<i64>,
        pub decided_by: String,
        #[sea_orm(column_type = "Text")]
        pub comment: String,
        #[sea_orm(unique)]
        pub consumed_by_touch: Option<Uuid>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Orders.
pub mod order {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "orders")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub order_id: Uuid,
        #[sea_orm(unique)]
        pub offer_id: Uuid,
        pub account_id: String,
        pub motion: String,
        /// JSON.
        #[sea_orm(column_type = "Text")]
        pub terms: String,
        pub state: String,
        pub placed_at: i64,
        pub paid_at: Option<i64>,
        pub signal_at: Option<i64>,
        /// The state that billing knows.
        pub handed_state: Option<String>,
        pub handed_at: Option<i64>,
        pub hand_attempts: i32,
        pub hand_next_at: Option<i64>,
        #[sea_orm(column_type = "Text")]
        pub billing_reference: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Suppressions (C-10).
pub mod suppression {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suppressions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub suppression_id: Uuid,
        pub account_id: String,
        #[sea_orm(column_type = "Text")]
        pub reason: String,
        pub author: String,
        pub created_at: i64,
        pub expires_at: Option<i64>,
        pub lifted_at: Option<i64>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Arms of the holdout (C-12).
pub mod arm {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "holdout_arms")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub epoch: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub holdout: bool,
        pub stratum: String,
        pub assigned_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Recorded decisions (C-16).
pub mod decision {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decisions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub decision_id: Uuid,
        pub account_id: String,
        pub slot_at: i64,
        pub decided_at: i64,
        /// JSON of everything that was weighed.
        #[sea_orm(column_type = "Text")]
        pub document: String,
        /// SHA-256 of the picture that it was made from.
        pub picture_hash: String,
        /// Its place in the chain; none until it was sealed.
        pub place: Option<i64>,
        /// The hash of the chain up to it; empty until then.
        pub hash: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What people at the accounts answered.
pub mod reply {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "replies")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub fact_id: String,
        pub account_id: String,
        /// The offer that it was taken for; none when it fits none.
        pub offer_id: Option<Uuid>,
        pub channel: String,
        #[sea_orm(column_type = "Text")]
        pub words: String,
        pub replied_at: i64,
        /// `accepted`, `recorded` or why a "+" accepted nothing.
        pub outcome: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
