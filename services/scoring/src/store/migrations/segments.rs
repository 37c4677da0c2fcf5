//! What stands beside a score: its history, people's judgements, classes, signals that people raised.

use sea_orm::{
    DbErr,
    sea_query::{ColumnDef, Index, Table, TableCreateStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::{index, integer, number, text};

pub(super) struct Segments;

impl MigrationName for Segments {
    fn name(&self) -> &str {
        "scoring_0002_segments"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Segments {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            (
                "scores",
                ColumnDef::new("potential").double().not_null().default(0.0).take(),
            ),
            ("scores", ColumnDef::new("tier").text().take()),
            ("scores", ColumnDef::new("told_tier").text().take()),
            ("signals", ColumnDef::new("raised_by").text().take()),
            ("signals", ColumnDef::new("outcome").text().take()),
        ];
        for (table, column) in columns {
            let alter = Table::alter().table(table).add_column(column).take();
            manager.alter_table(alter).await?;
        }
        for table in [score_history(), overrides(), raised(), rounds()] {
            manager.create_table(table).await?;
        }
        for index in [
            index("scores", "scores_by_potential", &["potential", "account_id"]),
            index("scores", "scores_by_time", &["scored_at"]),
            index("score_history", "score_history_by_time", &["changed_at"]),
            index("overrides", "overrides_by_account", &["account_id", "subject"]),
            index("raised_signals", "raised_signals_by_account", &["account_id"]),
            index("signals", "signals_by_raiser", &["raised_by"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// A row when something in a score moved.
fn score_history() -> TableCreateStatement {
    Table::create()
        .table("score_history")
        .col(text("account_id"))
        .col(number("changed_at"))
        .col(text("document"))
        .primary_key(Index::create().col("account_id").col("changed_at"))
        .take()
}

fn overrides() -> TableCreateStatement {
    Table::create()
        .table("overrides")
        .col(ColumnDef::new("override_id").uuid().not_null().primary_key())
        .col(text("account_id"))
        .col(text("subject"))
        .col(ColumnDef::new("value").double().not_null())
        .col(ColumnDef::new("computed").double())
        .col(text("author"))
        .col(text("reason"))
        .col(number("made_at"))
        .col(number("expires_at"))
        .col(ColumnDef::new("ended_at").big_integer())
        .take()
}

fn raised() -> TableCreateStatement {
    Table::create()
        .table("raised_signals")
        .col(ColumnDef::new("raised_id").uuid().not_null().primary_key())
        .col(text("account_id"))
        .col(text("what"))
        .col(text("subject"))
        .col(text("author"))
        .col(text("note"))
        .col(number("raised_at"))
        .take()
}

/// The day on which a round over all accounts was made last.
fn rounds() -> TableCreateStatement {
    Table::create()
        .table("rounds")
        .col(text("name").primary_key())
        .col(integer("done_on"))
        .take()
}
