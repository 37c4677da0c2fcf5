//! The decision log becomes a chain, and can be made again (C-16).

use sea_orm_migration::{MigrationTrait, async_trait, prelude::*, schema};

/// The migration.
pub(super) struct Evidence;

impl MigrationName for Evidence {
    fn name(&self) -> &'static str {
        "m0005_evidence"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Evidence {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            schema::text("picture_hash").default("").to_owned(),
            schema::big_integer_null("place"),
            schema::text("hash").default("").to_owned(),
        ];
        // SQLite adds one column a statement.
        for column in columns {
            let alter = Table::alter().table("decisions").add_column(column).take();
            manager.alter_table(alter).await?;
        }
        let pictures = Table::create()
            .table("decision_pictures")
            .col(schema::uuid("decision_id").primary_key())
            .col(schema::text("document"))
            .take();
        let rulebooks = Table::create()
            .table("rulebooks")
            .col(schema::string("version").primary_key())
            .col(schema::text("document"))
            .col(schema::big_integer("stored_at"))
            .take();
        let heads = Table::create()
            .table("decision_heads")
            .col(schema::big_integer("entries").primary_key())
            .col(schema::text("hash"))
            .col(schema::big_integer("signed_at"))
            .col(schema::text("signature"))
            .take();
        for table in [pictures, rulebooks, heads] {
            manager.create_table(table).await?;
        }
        let mut index = Index::create();
        index
            .name("decisions_by_place")
            .table("decisions")
            .col("place")
            .unique();
        manager.create_index(index).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
