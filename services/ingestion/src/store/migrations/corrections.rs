//! When a correction happened, by which one of several is chosen (I-5). A fact that was corrected several times before is
//! settled with the next correction of it.

use sea_orm::{
    ConnectionTrait as _, DbErr,
    sea_query::{ColumnDef, Table},
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use crate::store::tables::Correction;

pub(super) struct Corrections;

impl MigrationName for Corrections {
    fn name(&self) -> &str {
        "ingestion_0003_corrections"
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Corrections {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let occurred_at = ColumnDef::new(Correction::OccurredAt)
            .big_integer()
            .not_null()
            .default(0)
            .take();
        manager
            .alter_table(Table::alter().table(Correction::Table).add_column(occurred_at).take())
            .await?;
        // The fact of every correction that is noted is on record.
        const FROM_FACTS: &str = "UPDATE correction SET occurred_at = COALESCE((SELECT f.occurred_at FROM fact f \
            WHERE f.source = correction.source AND f.external_id = correction.external_id), 0)";
        manager.get_connection().execute_unprepared(FROM_FACTS).await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
