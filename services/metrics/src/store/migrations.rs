//! Tables of the service, behind the runtime's own.

mod experiments;
mod programme;
mod reached;
mod revenue;

use sea_orm::{
    DbErr,
    sea_query::{ColumnDef, Index, IndexCreateStatement, Table, TableCreateStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use upswell_runtime::db::runtime_migrations;

/// The migrations of a metrics store, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = runtime_migrations();
        all.push(Box::new(Metrics));
        all.push(Box::new(revenue::Revenue));
        all.push(Box::new(experiments::Experiments));
        all.push(Box::new(programme::Programme));
        all.push(Box::new(reached::Reached));
        all
    }
}

struct Metrics;

impl MigrationName for Metrics {
    fn name(&self) -> &str {
        "metrics_0001_money_and_journeys"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Metrics {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in money_tables().into_iter().chain(journey_tables()) {
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

fn money_tables() -> Vec<TableCreateStatement> {
    vec![
        table("accounts", &["account_id"], vec![text("account_id"), text("segment")]),
        table(
            "subscription_versions",
            &["version_id"],
            vec![
                text("version_id"),
                text("account_id"),
                text("subscription_id"),
                day("effective_on"),
                ColumnDef::new("end_on").integer().take(),
                number("mrr_minor"),
                text("currency"),
                number("occurred_at"),
                flag("superseded"),
                ColumnDef::new("order_id").text().take(),
            ],
        ),
        table(
            "mrr_levels",
            &["account_id", "currency", "from_on"],
            vec![
                text("account_id"),
                text("currency"),
                day("from_on"),
                day("to_on"),
                number("mrr_minor"),
            ],
        ),
        table(
            "movements",
            &["account_id", "day", "currency", "order_id"],
            vec![
                text("account_id"),
                day("day"),
                text("currency"),
                text("order_id"),
                day("kind"),
                number("amount_minor"),
                number("mrr_after_minor"),
                day("earns_until"),
                text("version_ids"),
            ],
        ),
    ]
}

fn journey_tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "signals",
            &["signal_id"],
            vec![
                text("signal_id"),
                text("account_id"),
                number("opened_at"),
                flag("withdrawn"),
            ],
        ),
        table(
            "offers",
            &["offer_id"],
            vec![
                text("offer_id"),
                text("account_id"),
                text("motion"),
                flag("priced"),
                flag("live"),
                instant("signal_at"),
                instant("sent_at"),
                instant("accepted_at"),
            ],
        ),
        table(
            "orders",
            &["order_id"],
            vec![
                text("order_id"),
                text("offer_id"),
                text("account_id"),
                text("motion"),
                instant("signal_at"),
                number("placed_at"),
                instant("paid_at"),
            ],
        ),
        table(
            "touches",
            &["touch_id"],
            vec![
                text("touch_id"),
                text("account_id"),
                number("touched_at"),
                flag("counts"),
            ],
        ),
        table(
            "approvals",
            &["approval_id"],
            vec![
                text("approval_id"),
                text("account_id"),
                text("approver_id"),
                text("state"),
                number("requested_at"),
                instant("settled_at"),
            ],
        ),
        table(
            "holdout_arms",
            &["account_id", "epoch"],
            vec![
                text("account_id"),
                day("epoch"),
                flag("holdout"),
                text("stratum"),
                number("assigned_at"),
            ],
        ),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index(
            "subscription_versions_by_account",
            "subscription_versions",
            &["account_id"],
        ),
        index("mrr_levels_by_days", "mrr_levels", &["to_on", "from_on"]),
        index(
            "movements_by_day",
            "movements",
            &["day", "account_id", "kind", "currency", "order_id"],
        ),
        index("movements_by_order", "movements", &["order_id"]),
        index("signals_by_time", "signals", &["opened_at"]),
        index("offers_by_sending", "offers", &["sent_at"]),
        index("offers_by_signal", "offers", &["signal_at"]),
        index("offers_by_acceptance", "offers", &["accepted_at"]),
        index("orders_by_offer", "orders", &["offer_id"]),
        index("orders_by_signal", "orders", &["signal_at"]),
        index("orders_by_payment", "orders", &["paid_at"]),
        index("touches_by_time", "touches", &["touched_at"]),
        index("approvals_by_request", "approvals", &["requested_at"]),
    ]
}

fn table(name: &'static str, key: &[&'static str], columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for column in columns {
        table.col(column);
    }
    let mut primary = Index::create();
    for column in key {
        primary.col(*column);
    }
    table.primary_key(&mut primary).take()
}

fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index.take()
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

/// A day since 1970, or another small number.
fn day(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

/// Minor units, or microseconds since 1970.
fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// Microseconds since 1970 of something that may not have happened.
fn instant(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}
