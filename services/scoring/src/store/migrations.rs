//! The schema, forward only; the runtime's tables come first.

mod segments;

use sea_orm::{
    ConnectionTrait as _, DbErr,
    sea_query::{ColumnDef, Index, IndexCreateStatement, IntoIden, Table, TableCreateStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use upswell_runtime::db::runtime_migrations;

/// The migrations of the scoring store.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = runtime_migrations();
        all.push(Box::new(Scores));
        all.push(Box::new(segments::Segments));
        all.push(Box::new(super::models::Models));
        all.push(Box::new(super::models::Champions));
        all
    }
}

struct Scores;

impl MigrationName for Scores {
    fn name(&self) -> &str {
        "scoring_0001_scores"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Scores {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [accounts(), signals(), scores(), past_health(), renewal_marks()] {
            manager.create_table(table).await?;
        }
        for index in [
            index("accounts", "accounts_by_dirty", &["is_dirty", "changed_at"]),
            index("accounts", "accounts_by_due", &["due_at"]),
            index("signals", "signals_by_account", &["account_id", "is_newest"]),
            index("signals", "signals_by_open", &["opened_at", "signal_id"]),
            index("scores", "scores_by_rank", &["trend", "health", "account_id"]),
            index("past_health", "past_health_by_day", &["day"]),
        ] {
            manager.create_index(index).await?;
        }
        let episodes = index(
            "signals",
            "signals_by_episode",
            &["account_id", "kind", "subject", "episode"],
        );
        manager.create_index(episodes.clone().unique().take()).await?;
        // The backstop of SG-R2. Both databases know partial indexes; the query builder does not.
        let one_open =
            "CREATE UNIQUE INDEX signals_one_open ON signals (account_id, kind, subject) WHERE state = 'open'";
        manager.get_connection().execute_unprepared(one_open).await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn accounts() -> TableCreateStatement {
    Table::create()
        .table("accounts")
        .col(text("account_id").primary_key())
        .col(number("change_version"))
        .col(number("scored_version"))
        .col(ColumnDef::new("is_dirty").boolean().not_null())
        .col(number("changed_at"))
        .col(ColumnDef::new("due_at").big_integer())
        .col(text("traceparent"))
        .col(text("tracestate"))
        .take()
}

fn signals() -> TableCreateStatement {
    Table::create()
        .table("signals")
        .col(ColumnDef::new("signal_id").uuid().not_null().primary_key())
        .col(text("account_id"))
        .col(text("kind"))
        .col(text("subject"))
        .col(integer("episode"))
        .col(ColumnDef::new("is_newest").boolean().not_null())
        .col(text("state"))
        .col(text("grade"))
        .col(ColumnDef::new("strength").double().not_null())
        .col(ColumnDef::new("told_strength").double().not_null())
        .col(text("evidence"))
        .col(number("opened_at"))
        .col(number("last_seen_at"))
        .col(ColumnDef::new("closed_at").big_integer())
        .col(ColumnDef::new("offer_id").text())
        .col(ColumnDef::new("quiet_since_on").integer())
        .take()
}

fn scores() -> TableCreateStatement {
    Table::create()
        .table("scores")
        .col(text("account_id").primary_key())
        .col(integer("trend"))
        .col(integer("health"))
        .col(number("scored_at"))
        .col(text("document"))
        .take()
}

fn past_health() -> TableCreateStatement {
    Table::create()
        .table("past_health")
        .col(text("account_id"))
        .col(integer("day"))
        .col(integer("value"))
        .col(text("points"))
        .primary_key(Index::create().col("account_id").col("day"))
        .take()
}

fn renewal_marks() -> TableCreateStatement {
    Table::create()
        .table("renewal_marks")
        .col(text("account_id"))
        .col(text("deal_id"))
        .col(integer("mark_days"))
        .col(integer("renewal_on"))
        .col(integer("reached_on"))
        .primary_key(Index::create().col("account_id").col("deal_id").col("mark_days"))
        .take()
}

fn index(table: &'static str, name: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
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
