//! What the programme is cut by, and what the accounts said.

use sea_orm::{
    DbErr,
    sea_query::{ColumnDef, Table, TableAlterStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::{day, flag, index, number, table, text};

/// The migration.
pub(super) struct Programme;

impl MigrationName for Programme {
    fn name(&self) -> &str {
        "metrics_0004_programme"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Programme {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for change in added() {
            manager.alter_table(change).await?;
        }
        let taken_up = vec![text("offer_id"), text("signal_id")];
        manager
            .create_table(table("offer_signals", &["offer_id", "signal_id"], taken_up))
            .await?;
        let heard = vec![
            text("fact_id"),
            text("account_id"),
            day("kind"),
            text("subject"),
            number("heard_at"),
            day("score"),
            ColumnDef::new("reached_on").integer().take(),
            flag("superseded"),
        ];
        manager.create_table(table("voices", &["fact_id"], heard)).await?;
        for index in [
            index("offer_signals_by_signal", "offer_signals", &["signal_id"]),
            index("voices_by_time", "voices", &["kind", "heard_at"]),
            index("voices_by_account", "voices", &["account_id", "kind"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn added() -> Vec<TableAlterStatement> {
    [("signals", "kind"), ("offers", "channel"), ("offers", "playbook")]
        .into_iter()
        .map(|(table, column)| {
            Table::alter()
                .table(table)
                .add_column(text(column).default("").take())
                .take()
        })
        .collect()
}
