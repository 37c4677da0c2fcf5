//! Messages on their way, what was put off in the work queue, what providers told, and how far an offer came.

use sea_orm_migration::{MigrationTrait, async_trait, prelude::*, schema};

use super::{Indexes, indexes_create};

/// The migration.
pub(super) struct Channels;

impl MigrationName for Channels {
    fn name(&self) -> &'static str {
        "m0006_channels"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Channels {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [deliveries(), tasks(), webhooks_seen(), opt_outs()] {
            manager.create_table(table).await?;
        }
        for column in ["delivered_at", "opened_at", "clicked_at"] {
            let mut change = Table::alter();
            change.table("offers").add_column(schema::big_integer_null(column));
            manager.alter_table(change).await?;
        }
        indexes_create(manager, INDEXES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// What receipts, the queue, and the pruning look for.
const INDEXES: Indexes = &[
    ("deliveries_by_reference", "deliveries", &["reference"]),
    ("webhooks_seen_by_time", "webhooks_seen", &["seen_at"]),
    ("offers_by_channel", "offers", &["channel", "state"]),
];

fn deliveries() -> TableCreateStatement {
    use schema::{big_integer, big_integer_null, boolean, integer, string, string_null, text, uuid};
    let mut table = Table::create();
    table.table("deliveries");
    for column in [
        uuid("touch_id"),
        string("channel"),
        uuid("offer_id"),
        string("account_id"),
        string_null("contact_id"),
        string("state"),
        integer("attempts"),
        boolean("in_attempt"),
        boolean("doubtful"),
        big_integer_null("next_at"),
        string("reference"),
        text("detail"),
        big_integer_null("delivered_at"),
        big_integer_null("opened_at"),
        big_integer_null("clicked_at"),
        big_integer_null("dismissed_at"),
        big_integer_null("bounced_at"),
        big_integer("version"),
    ] {
        table.col(column);
    }
    // One message for each touch and channel, whatever the code above does (C-6).
    table.primary_key(Index::create().col("touch_id").col("channel"));
    table
}

fn tasks() -> TableCreateStatement {
    use schema::{big_integer, big_integer_null, string, text, uuid};
    let mut table = Table::create();
    table.table("tasks");
    for column in [
        uuid("touch_id").primary_key().to_owned(),
        uuid("offer_id"),
        string("account_id"),
        string("claimed_by"),
        big_integer_null("snoozed_until_at"),
        big_integer_null("completed_at"),
        string("outcome"),
        text("comment"),
        big_integer("version"),
    ] {
        table.col(column);
    }
    table
}

fn webhooks_seen() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("webhooks_seen");
    table.col(schema::string("endpoint"));
    table.col(schema::string("webhook_id"));
    table.col(schema::big_integer("seen_at"));
    table.primary_key(Index::create().col("endpoint").col("webhook_id"));
    table
}

fn opt_outs() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("opt_outs");
    table.col(schema::string("contact_id"));
    table.col(schema::string("channel"));
    table.col(schema::string("account_id"));
    table.col(schema::string("address"));
    table.col(schema::string("reason"));
    table.col(schema::big_integer("opted_out_at"));
    table.primary_key(Index::create().col("contact_id").col("channel"));
    table
}
