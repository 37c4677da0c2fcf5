//! Accounts that count together (I-3), holds (C-17), and payments by fact (I-5).

use sea_orm_migration::{MigrationTrait, async_trait, prelude::*, schema};

/// The migration.
pub(super) struct Families;

impl MigrationName for Families {
    fn name(&self) -> &'static str {
        "m0003_families"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Families {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let root = schema::text("root_id").default("").to_owned();
        let alter = Table::alter().table("account_touch_state").add_column(root).take();
        manager.alter_table(alter).await?;
        for table in [merges(), holds(), payments()] {
            manager.create_table(table).await?;
        }
        for (table, column) in [
            ("account_touch_state", "root_id"),
            ("holds", "account_id"),
            ("payments", "order_id"),
        ] {
            let mut index = Index::create();
            index.name(format!("{table}_by_{column}")).table(table).col(column);
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn merges() -> TableCreateStatement {
    Table::create()
        .table("merges")
        .col(schema::string("merge_id").primary_key())
        .col(schema::text("account_id"))
        .col(schema::text("part_id"))
        .col(schema::boolean("undone"))
        .take()
}

fn payments() -> TableCreateStatement {
    Table::create()
        .table("payments")
        .col(schema::string_len("fact_id", 512).primary_key())
        .col(schema::uuid("order_id"))
        .col(schema::big_integer("paid_at"))
        .col(schema::boolean("superseded"))
        .take()
}

fn holds() -> TableCreateStatement {
    Table::create()
        .table("holds")
        .col(schema::uuid("hold_id").primary_key())
        .col(schema::text("account_id"))
        .col(schema::text("reason"))
        .col(schema::text("author"))
        .col(schema::big_integer("created_at"))
        .col(schema::big_integer("start_at"))
        .col(schema::big_integer("end_at"))
        .col(schema::big_integer_null("lifted_at"))
        .take()
}
