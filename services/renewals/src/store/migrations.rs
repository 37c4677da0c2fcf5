//! The schema, oldest first; a published migration never changes.

mod m0002_pipeline;
mod m0003_stated_terms;

use sea_orm::{
    DbErr,
    sea_query::{ColumnDef, Index, IndexCreateStatement, Table, TableCreateStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use upswell_runtime::db::runtime_migrations;

/// The migrations of a renewals store: the runtime's tables first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = runtime_migrations();
        all.push(Box::new(Renewals));
        all.push(Box::new(m0002_pipeline::Pipeline));
        all.push(Box::new(m0003_stated_terms::StatedTerms));
        all
    }
}

struct Renewals;

impl MigrationName for Renewals {
    fn name(&self) -> &str {
        "renewals_0001_deals"
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Renewals {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
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

fn tables() -> [TableCreateStatement; 6] {
    [
        table(
            "accounts",
            &["account_id"],
            vec![
                text("account_id"),
                text("time_zone"),
                text("owner_id"),
                nullable(number("churn_risk")),
            ],
        ),
        table(
            "subscriptions",
            &["subscription_id"],
            vec![
                text("subscription_id"),
                text("account_id"),
                nullable(number("check_at")),
                text("traceparent"),
                text("tracestate"),
            ],
        ),
        table(
            "subscription_versions",
            &["version_id"],
            vec![
                text("version_id"),
                text("subscription_id"),
                day("effective_on"),
                nullable(day("end_on")),
                day("renewal_on"),
                number("mrr_minor"),
                text("currency"),
                number("occurred_at"),
                flag("superseded"),
            ],
        ),
        deals(),
        table(
            "tasks",
            &["task_id"],
            vec![
                text("task_id"),
                text("deal_id"),
                text("account_id"),
                text("kind"),
                text("assignee_id"),
                day("due_on"),
                text("state"),
                flag("closed"),
                nullable(number("completed_at")),
            ],
        ),
        table(
            "renewal_marks",
            &["deal_id", "renewal_on", "mark_days"],
            vec![text("deal_id"), day("renewal_on"), day("mark_days"), day("reached_on")],
        ),
    ]
}

fn deals() -> TableCreateStatement {
    let columns = vec![
        text("deal_id"),
        day("number"),
        text("subscription_id"),
        text("account_id"),
        day("renewal_on"),
        day("term_from_on"),
        day("known_on"),
        text("stage"),
        number("stage_at"),
        text("owner_id"),
        number("mrr_minor"),
        number("at_risk_minor"),
        text("currency"),
        nullable(text("loss")),
        text("history"),
        number("version"),
        flag("closed"),
    ];
    table("deals", &["deal_id"], columns)
}

fn indexes() -> [IndexCreateStatement; 8] {
    [
        index("subscriptions", &["check_at"]),
        index("subscriptions", &["account_id"]),
        index("subscription_versions", &["subscription_id"]),
        index("deals", &["subscription_id", "number"]).unique().to_owned(),
        index("deals", &["currency", "at_risk_minor", "renewal_on", "deal_id"]),
        index("deals", &["account_id"]),
        index("tasks", &["due_on", "task_id"]),
        index("tasks", &["deal_id"]),
    ]
}

fn table(name: &'static str, key: &[&'static str], columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut primary = Index::create();
    for column in key {
        primary.col(*column);
    }
    let mut table = Table::create();
    table.table(name).primary_key(&mut primary);
    for column in columns {
        table.col(column);
    }
    table
}

fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_by_{}", columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn day(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

fn nullable(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}
