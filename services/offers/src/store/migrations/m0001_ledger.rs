//! The touch ledger: touches, their log, and the row that orders the changes of an account.

use sea_orm_migration::{MigrationTrait, async_trait, prelude::*, schema};

use super::{Indexes, indexes_create};

/// The migration.
pub(super) struct Ledger;

impl MigrationName for Ledger {
    fn name(&self) -> &'static str {
        "m0001_ledger"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Ledger {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [touches(), touch_log(), account_touch_state()] {
            manager.create_table(table).await?;
        }
        // A key of a sender names one touch, whatever the code above does (C-6).
        let key = Index::create()
            .name("touches_by_key")
            .table("touches")
            .col("sender")
            .col("idempotency_key")
            .unique()
            .take();
        manager.create_index(key).await?;
        indexes_create(manager, INDEXES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const INDEXES: Indexes = &[
    ("touches_by_account", "touches", &["account_id", "counts_at"]),
    ("touches_by_plan", "touches", &["planned_at", "touch_id"]),
    (
        "touches_by_account_plan",
        "touches",
        &["account_id", "planned_at", "touch_id"],
    ),
    ("touches_by_expiry", "touches", &["state", "expires_at"]),
    ("touch_log_by_touch", "touch_log", &["touch_id"]),
];

fn touches() -> TableCreateStatement {
    Table::create()
        .table("touches")
        .col(schema::uuid("touch_id").primary_key())
        .col(schema::text("account_id"))
        .col(schema::text("class"))
        .col(schema::boolean("proposes_expansion"))
        .col(schema::text("channel"))
        .col(schema::text("sender"))
        .col(schema::text("idempotency_key"))
        .col(schema::uuid("content"))
        .col(schema::text("contact_id"))
        .col(schema::text("offer_id"))
        .col(schema::text("state"))
        .col(schema::big_integer("planned_at"))
        .col(schema::big_integer_null("actual_at"))
        .col(schema::big_integer("counts_at"))
        .col(schema::big_integer("recorded_at"))
        .col(schema::big_integer_null("expires_at"))
        .col(schema::integer_null("renewal_on"))
        .col(schema::text("policy_version"))
        .col(schema::text("release_reason"))
        .take()
}

fn touch_log() -> TableCreateStatement {
    Table::create()
        .table("touch_log")
        .col(schema::big_integer("entry_id").auto_increment().primary_key())
        .col(schema::uuid("touch_id"))
        .col(schema::text("account_id"))
        .col(schema::text("state"))
        .col(schema::big_integer("counts_at"))
        .col(schema::integer_null("renewal_on"))
        .col(schema::text("policy_version"))
        .col(schema::text("note"))
        .col(schema::big_integer("logged_at"))
        .take()
}

fn account_touch_state() -> TableCreateStatement {
    Table::create()
        .table("account_touch_state")
        .col(schema::text("account_id").primary_key())
        .col(schema::big_integer("version"))
        .col(schema::big_integer("recorded_at"))
        .take()
}
