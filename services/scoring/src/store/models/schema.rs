//! The tables of models.

use sea_orm::{
    ConnectionTrait as _, DbErr,
    sea_query::{ColumnDef, Index, IntoIden, Table},
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

/// Adds the tables.
pub(in crate::store) struct Models;

impl MigrationName for Models {
    fn name(&self) -> &str {
        "scoring_0100_models"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Models {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let trainings = Table::create()
            .table("trainings")
            .col(text("training_id").primary_key())
            .col(text("state"))
            .col(number("seed"))
            .col(integer("done"))
            .col(integer("total"))
            .col(text("detail"))
            .col(number("requested_at"))
            .col(ColumnDef::new("ended_at").big_integer())
            .col(number("lease_until"))
            .col(ColumnDef::new("is_stopping").boolean().not_null())
            .col(integer("slot"))
            .take();
        let models = Table::create()
            .table("models")
            .col(text("model_id").primary_key())
            .col(text("kind"))
            .col(integer("number"))
            .col(ColumnDef::new("in_use").boolean().not_null())
            .col(number("created_at"))
            .col(ColumnDef::new("used_at").big_integer())
            .col(text("verdict"))
            .col(text("document"))
            .take();
        manager.create_table(trainings).await?;
        manager.create_table(models).await?;
        let numbers = Index::create()
            .name("models_by_number")
            .table("models")
            .col("kind")
            .col("number")
            .unique()
            .take();
        manager.create_index(numbers).await?;
        for backstop in [
            "CREATE UNIQUE INDEX trainings_one_open ON trainings (slot) WHERE state IN ('waiting', 'running')",
            "CREATE UNIQUE INDEX models_one_in_use ON models (kind) WHERE in_use",
        ] {
            manager.get_connection().execute_unprepared(backstop).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Adds what a model in use needs: its drift, why there is none, and judgements of scores.
pub(in crate::store) struct Champions;

impl MigrationName for Champions {
    fn name(&self) -> &str {
        "scoring_0101_champions"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Champions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("models", ColumnDef::new("drift").text().take()),
            ("trainings", text("purpose").default("train").take()),
            ("trainings", text("result").default("").take()),
        ];
        for (table, column) in columns {
            let alter = Table::alter().table(table).add_column(column).take();
            manager.alter_table(alter).await?;
        }
        let fallbacks = Table::create()
            .table("model_fallbacks")
            .col(text("kind").primary_key())
            .col(text("reason"))
            .take();
        manager.create_table(fallbacks).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn text(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn number(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn integer(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}
