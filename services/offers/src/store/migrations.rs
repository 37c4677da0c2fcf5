//! The schema, oldest first; a published migration never changes.

mod m0001_ledger;
mod m0002_offers;
mod m0003_families;
mod m0004_approvals;
mod m0005_evidence;
mod m0006_channels;
mod m0007_learning;
mod m0008_handover;
mod m0009_addresses;
mod m0010_room;

use sea_orm_migration::{MigrationTrait, MigratorTrait, prelude::*};

/// All migrations of the offers service: the runtime's tables first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = upswell_runtime::db::runtime_migrations();
        all.push(Box::new(m0001_ledger::Ledger));
        all.push(Box::new(m0002_offers::Offers));
        all.push(Box::new(m0003_families::Families));
        all.push(Box::new(m0004_approvals::Approvals));
        all.push(Box::new(m0005_evidence::Evidence));
        all.push(Box::new(m0006_channels::Channels));
        all.push(Box::new(m0007_learning::Learning));
        all.push(Box::new(m0008_handover::Handover));
        all.push(Box::new(m0009_addresses::Addresses));
        all.push(Box::new(m0010_room::Room));
        all
    }
}

/// Indexes to create: name, table, columns.
type Indexes = &'static [(&'static str, &'static str, &'static [&'static str])];

async fn indexes_create(manager: &SchemaManager<'_>, indexes: Indexes) -> Result<(), DbErr> {
    for (name, table, columns) in indexes {
        let mut index = Index::create();
        index.name(*name).table(*table);
        for column in *columns {
            index.col(*column);
        }
        manager.create_index(index).await?;
    }
    Ok(())
}

fn table(name: &'static str, columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for column in columns {
        table.col(column);
    }
    table
}
