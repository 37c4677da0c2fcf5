//! What the source of a contract said about how it renews.

use sea_orm::{DbErr, sea_query::Table};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::{day, flag, nullable};

pub(super) struct StatedTerms;

impl MigrationName for StatedTerms {
    fn name(&self) -> &str {
        "renewals_0003_stated_terms"
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for StatedTerms {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("subscription_versions", flag("auto_renew")),
            ("subscription_versions", day("notice_days")),
            ("subscription_versions", day("term_months")),
            ("deals", flag("stated_auto_renew")),
            ("deals", day("stated_notice_days")),
            ("deals", day("stated_term_months")),
        ];
        for (table, column) in columns {
            let alter = Table::alter().table(table).add_column(nullable(column)).take();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
