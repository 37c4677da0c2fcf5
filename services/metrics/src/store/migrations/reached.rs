//! How far an offer came at the person, and which channels tell of that.

use sea_orm::{DbErr, sea_query::Table};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::{day, index, instant, table, text};

/// The migration.
pub(super) struct Reached;

impl MigrationName for Reached {
    fn name(&self) -> &str {
        "metrics_0005_reached"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Reached {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (column, name) in [
            ("delivered_at", "offers_by_delivery"),
            ("opened_at", "offers_by_opening"),
            ("clicked_at", "offers_by_click"),
        ] {
            let change = Table::alter().table("offers").add_column(instant(column)).take();
            manager.alter_table(change).await?;
            manager.create_index(index(name, "offers", &[column])).await?;
        }
        let steps = vec![text("channel"), day("step")];
        manager
            .create_table(table("told_steps", &["channel", "step"], steps))
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
