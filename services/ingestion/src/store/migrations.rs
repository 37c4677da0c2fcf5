//! The tables of this service, after those of the runtime.

mod corrections;
mod merges;

use sea_orm::{
    DbErr,
    sea_query::{ColumnDef, Index, IndexCreateStatement, IntoIden, Table, TableCreateStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use super::tables::{Account, Conflict, Correction, Document, Fact, FactRun, Offer, Rollup, Touch};

/// All migrations of the store.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = upswell_runtime::db::runtime_migrations();
        migrations.push(Box::new(Facts));
        migrations.push(Box::new(merges::Merges));
        migrations.push(Box::new(corrections::Corrections));
        migrations
    }
}

struct Facts;

impl MigrationName for Facts {
    fn name(&self) -> &str {
        "ingestion_0001_facts"
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Facts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            account(),
            fact(),
            fact_run(),
            correction(),
            document(),
            rollup(),
            conflict(),
            offer(),
            touch(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn account() -> TableCreateStatement {
    Table::create()
        .table(Account::Table)
        .col(text(Account::AccountId).primary_key())
        .col(number(Account::CreatedAt))
        .col(number(Account::LastRecordedAt))
        .col(text(Account::Segment))
        .take()
}

fn fact() -> TableCreateStatement {
    Table::create()
        .table(Fact::Table)
        .col(serial(Fact::Id))
        .col(text(Fact::Source))
        .col(text(Fact::ExternalId))
        .col(text(Fact::AccountId))
        .col(ColumnDef::new(Fact::Kind).small_integer().not_null())
        .col(text(Fact::Name))
        .col(ColumnDef::new(Fact::Day).integer())
        .col(ColumnDef::new(Fact::CountSum).big_integer())
        .col(ColumnDef::new(Fact::CountMax).big_integer())
        .col(number(Fact::OccurredAt))
        .col(number(Fact::RecordedAt))
        .col(bytes(Fact::ContentHash))
        .col(bytes(Fact::Payload))
        .take()
}

fn fact_run() -> TableCreateStatement {
    Table::create()
        .table(FactRun::Table)
        .col(text(FactRun::AccountId))
        .col(number(FactRun::FirstId))
        .col(number(FactRun::LastId))
        .col(number(FactRun::RecordedAt))
        .primary_key(Index::create().col(FactRun::AccountId).col(FactRun::FirstId))
        .take()
}

fn correction() -> TableCreateStatement {
    Table::create()
        .table(Correction::Table)
        .col(text(Correction::Source))
        .col(text(Correction::CorrectedExternalId))
        .col(text(Correction::ExternalId))
        .col(text(Correction::AccountId))
        .primary_key(
            Index::create()
                .col(Correction::Source)
                .col(Correction::CorrectedExternalId)
                .col(Correction::ExternalId),
        )
        .take()
}

fn document() -> TableCreateStatement {
    Table::create()
        .table(Document::Table)
        .col(number(Document::FactId).primary_key())
        .col(text(Document::AccountId))
        .col(ColumnDef::new(Document::Kind).small_integer().not_null())
        .col(text(Document::ObjectId))
        .col(ColumnDef::new(Document::Counts).boolean().not_null())
        .take()
}

fn rollup() -> TableCreateStatement {
    let key = Index::create()
        .col(Rollup::AccountId)
        .col(Rollup::Kind)
        .col(Rollup::Name)
        .col(Rollup::Day)
        .take();
    Table::create()
        .table(Rollup::Table)
        .col(text(Rollup::AccountId))
        .col(ColumnDef::new(Rollup::Kind).small_integer().not_null())
        .col(text(Rollup::Name))
        .col(ColumnDef::new(Rollup::Day).integer().not_null())
        .col(number(Rollup::CountSum))
        .col(number(Rollup::CountMax))
        .col(number(Rollup::FactCount))
        .col(number(Rollup::FirstRecordedAt))
        .col(number(Rollup::LastRecordedAt))
        .primary_key(&mut key.clone())
        .take()
}

fn conflict() -> TableCreateStatement {
    Table::create()
        .table(Conflict::Table)
        .col(serial(Conflict::Id))
        .col(number(Conflict::FactId))
        .col(text(Conflict::AccountId))
        .col(bytes(Conflict::RefusedHash))
        .col(bytes(Conflict::Refused))
        .col(number(Conflict::ConflictedAt))
        .take()
}

fn offer() -> TableCreateStatement {
    Table::create()
        .table(Offer::Table)
        .col(text(Offer::OfferId).primary_key())
        .col(text(Offer::AccountId))
        .col(text(Offer::Playbook))
        .col(text(Offer::Motion))
        .col(text(Offer::State))
        .col(number(Offer::StateAt))
        .take()
}

fn touch() -> TableCreateStatement {
    Table::create()
        .table(Touch::Table)
        .col(text(Touch::TouchId).primary_key())
        .col(text(Touch::AccountId))
        .col(text(Touch::Class))
        .col(text(Touch::Channel))
        .col(text(Touch::Sender))
        .col(number(Touch::TouchAt))
        .col(text(Touch::State))
        .take()
}

fn indexes() -> [IndexCreateStatement; 6] {
    let index = |name: &str| Index::create().name(name).take();
    [
        index("fact_by_key")
            .table(Fact::Table)
            .col(Fact::Source)
            .col(Fact::ExternalId)
            .unique()
            .take(),
        index("document_by_object")
            .table(Document::Table)
            .col(Document::AccountId)
            .col(Document::Kind)
            .col(Document::ObjectId)
            .take(),
        index("conflict_by_content")
            .table(Conflict::Table)
            .col(Conflict::FactId)
            .col(Conflict::RefusedHash)
            .unique()
            .take(),
        index("conflict_by_account")
            .table(Conflict::Table)
            .col(Conflict::AccountId)
            .col(Conflict::Id)
            .take(),
        index("offer_by_account")
            .table(Offer::Table)
            .col(Offer::AccountId)
            .take(),
        index("touch_by_account")
            .table(Touch::Table)
            .col(Touch::AccountId)
            .take(),
    ]
}

fn serial(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name)
        .big_integer()
        .not_null()
        .auto_increment()
        .primary_key()
        .take()
}

fn text(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn number(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn bytes(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}
