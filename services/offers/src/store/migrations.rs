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

use sea_orm_migration::{MigrationTrait, MigratorTrait};

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
        all
    }
}
