//! Tables of tests of variants, and the indexes that uplift reads by.

use sea_orm::{DbErr, sea_query::ColumnDef};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::{flag, index, number, table, text};

pub(super) struct Experiments;

impl MigrationName for Experiments {
    fn name(&self) -> &str {
        "metrics_0003_experiments"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Experiments {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let weight = ColumnDef::new("weight").double().not_null().take();
        let columns = vec![
            text("experiment"),
            text("account_id"),
            text("variant"),
            flag("control"),
            weight,
            number("assigned_at"),
        ];
        manager
            .create_table(table("variant_arms", &["experiment", "account_id"], columns))
            .await?;
        manager
            .create_index(index("offers_by_account", "offers", &["account_id", "sent_at"]))
            .await?;
        manager
            .create_index(index("movements_by_account", "movements", &["account_id", "day"]))
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
