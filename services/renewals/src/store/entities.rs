//! The tables as rows. Instants are µs since the epoch (`*_at`), days are days since 1970-01-01 (`*_on`), words are the
//! spellings of the domain, ids are text.

mod care;
mod work;

pub use self::{
    care::{plan, review},
    work::{absence, add_on, alert, contact, notice},
};

/// Accounts: whose days, who is in charge, how likely to leave.
pub mod account {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        /// IANA name.
        pub time_zone: String,
        /// Empty when nobody is in charge.
        pub owner_id: String,
        /// Millionths; null while the account was not scored.
        pub churn_risk: Option<i64>,
        /// Empty while no profile has come.
        pub country: String,
        pub segment: String,
        pub customer_since_on: Option<i32>,
        /// Null while the account was not scored.
        pub health: Option<i32>,
        pub open_critical: i32,
        /// When its care has to be looked at; null when only events or people can change it.
        pub care_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Subscriptions of kind plan, and when each has to be looked at.
pub mod subscription {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "subscriptions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub subscription_id: String,
        pub account_id: String,
        /// Null when only events or people can change it.
        pub check_at: Option<i64>,
        /// The work that asked for the look; empty when the calendar did.
        pub traceparent: String,
        pub tracestate: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Versions of their terms.
pub mod version {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "subscription_versions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub version_id: String,
        pub subscription_id: String,
        pub effective_on: i32,
        pub end_on: Option<i32>,
        pub renewal_on: i32,
        pub mrr_minor: i64,
        pub currency: String,
        pub occurred_at: i64,
        pub superseded: bool,
        /// What the source said about how it renews; null where it said nothing.
        pub auto_renew: Option<bool>,
        pub notice_days: Option<i32>,
        pub term_months: Option<i32>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Deals.
pub mod deal {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub deal_id: String,
        pub number: i32,
        pub subscription_id: String,
        pub account_id: String,
        pub renewal_on: i32,
        pub term_from_on: i32,
        pub known_on: i32,
        pub stage: String,
        pub stage_at: i64,
        pub owner_id: String,
        pub mrr_minor: i64,
        pub at_risk_minor: i64,
        pub currency: String,
        /// JSON; null unless lost.
        #[sea_orm(column_type = "Text", nullable)]
        pub loss: Option<String>,
        /// JSON list of stage, instant and actor.
        #[sea_orm(column_type = "Text")]
        pub history: String,
        pub version: i64,
        pub closed: bool,
        /// The day to which the stages count down.
        pub anchor_on: i32,
        pub shift: String,
        /// A person's word: when negotiation is over, and why.
        pub negotiated_on: Option<i32>,
        pub move_reason: String,
        pub auto_renew: bool,
        pub notice_days: i32,
        pub term_months: i32,
        pub notice_given_on: Option<i32>,
        pub add_ons_minor: i64,
        pub segment: String,
        pub health: Option<i32>,
        /// What the source had said when `auto_renew`, `notice_days` and `term_months` were set last.
        pub stated_auto_renew: Option<bool>,
        pub stated_notice_days: Option<i32>,
        pub stated_term_months: Option<i32>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Tasks of deals, onboarding plans and reviews.
pub mod task {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tasks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub task_id: String,
        /// The deal, or the onboarding plan or review.
        pub deal_id: String,
        pub account_id: String,
        pub kind: String,
        pub assignee_id: String,
        pub due_on: i32,
        pub state: String,
        pub closed: bool,
        pub completed_at: Option<i64>,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Marks that were told; the key is what makes each of them unique (SG-6).
pub mod mark {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "renewal_marks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub deal_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub renewal_on: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub mark_days: i32,
        pub reached_on: i32,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
