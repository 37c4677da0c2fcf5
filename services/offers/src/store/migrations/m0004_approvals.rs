//! Approvals climb a ladder (C-14): who was passed over, and who stands in for whom.

use sea_orm_migration::{MigrationTrait, async_trait, prelude::*, schema};

/// The migration.
pub(super) struct Approvals;

impl MigrationName for Approvals {
    fn name(&self) -> &'static str {
        "m0004_approvals"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Approvals {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let passed_over = schema::text("passed_over").default("[]").to_owned();
        let alter = Table::alter().table("approvals").add_column(passed_over).take();
        manager.alter_table(alter).await?;
        let delegations = Table::create()
            .table("delegations")
            .col(schema::uuid("delegation_id").primary_key())
            .col(schema::text("person_id"))
            .col(schema::text("delegate_id"))
            .col(schema::text("kind"))
            .col(schema::integer("start_on"))
            .col(schema::integer_null("end_on"))
            .col(schema::text("author"))
            .col(schema::big_integer("created_at"))
            .col(schema::big_integer_null("ended_at"))
            .take();
        manager.create_table(delegations).await?;
        for (table, column) in [("delegations", "created_at"), ("approvals", "decided_at")] {
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
