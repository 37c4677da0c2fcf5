//! Merges, comparable names, and decided conflicts.

use sea_orm::{
    DbErr,
    sea_query::{ColumnDef, Index, Table, TableCreateStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::{number, serial, text};
use crate::store::tables::{Account, Conflict, Merge};

pub(super) struct Merges;

impl MigrationName for Merges {
    fn name(&self) -> &str {
        "ingestion_0002_merges"
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Merges {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(merge()).await?;
        for (name, column) in [
            ("merge_by_account", Merge::AccountId),
            ("merge_by_part", Merge::MergedAccountId),
        ] {
            let index = Index::create().name(name).table(Merge::Table).col(column).take();
            manager.create_index(index).await?;
        }
        // SQLite adds one column a statement.
        for column in [Account::DisplayName, Account::NameKey, Account::NameSkeleton] {
            let column = ColumnDef::new(column).text().not_null().default("").take();
            manager
                .alter_table(Table::alter().table(Account::Table).add_column(column).take())
                .await?;
        }
        for column in [
            ColumnDef::new(Conflict::Resolution)
                .small_integer()
                .not_null()
                .default(0)
                .take(),
            ColumnDef::new(Conflict::Resolver).text().not_null().default("").take(),
            ColumnDef::new(Conflict::ResolvedAt).big_integer().take(),
            ColumnDef::new(Conflict::Reason).text().not_null().default("").take(),
        ] {
            manager
                .alter_table(Table::alter().table(Conflict::Table).add_column(column).take())
                .await?;
        }
        let alike = Index::create()
            .name("account_by_skeleton")
            .table(Account::Table)
            .col(Account::NameSkeleton)
            .col(Account::AccountId)
            .take();
        manager.create_index(alike).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn merge() -> TableCreateStatement {
    Table::create()
        .table(Merge::Table)
        .col(serial(Merge::Id))
        .col(text(Merge::MergeId).unique_key())
        .col(text(Merge::AccountId))
        .col(text(Merge::MergedAccountId))
        .col(text(Merge::Actor))
        .col(number(Merge::MergedAt))
        .col(text(Merge::Reason))
        .col(ColumnDef::new(Merge::UndoneAt).big_integer())
        .col(text(Merge::UndoActor))
        .col(text(Merge::UndoReason))
        .take()
}
