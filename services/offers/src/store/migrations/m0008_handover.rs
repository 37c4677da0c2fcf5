//! Orders are handed to billing (T-5).

use sea_orm_migration::{MigrationTrait, async_trait, prelude::*, schema};

/// The migration.
pub(super) struct Handover;

impl MigrationName for Handover {
    fn name(&self) -> &'static str {
        "m0008_handover"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Handover {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            schema::string_null("handed_state"),
            schema::big_integer_null("handed_at"),
            schema::integer("hand_attempts").default(0).to_owned(),
            schema::big_integer_null("hand_next_at"),
            schema::text("billing_reference").default("").to_owned(),
        ];
        // SQLite adds one column a statement.
        for column in columns {
            let alter = Table::alter().table("orders").add_column(column).take();
            manager.alter_table(alter).await?;
        }
        let mut index = Index::create();
        index
            .name("orders_by_handover")
            .table("orders")
            .col("state")
            .col("handed_state");
        manager.create_index(index).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
