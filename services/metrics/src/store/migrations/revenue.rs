//! Revenue: causes, slices, sums that are kept, exchange rates. Levels and movements are made anew, because the service
//! derives them from the versions when it starts.

use sea_orm::{
    DbErr,
    sea_query::{ColumnDef, IndexCreateStatement, Table, TableAlterStatement, TableCreateStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::{day, flag, index, number, table, text};

/// The migration.
pub(super) struct Revenue;

impl MigrationName for Revenue {
    fn name(&self) -> &str {
        "metrics_0002_revenue"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Revenue {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["mrr_levels", "movements"] {
            manager.drop_table(Table::drop().table(name).take()).await?;
        }
        for change in added() {
            manager.alter_table(change).await?;
        }
        for table in timeline_tables().into_iter().chain(kept_tables()) {
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

fn added() -> Vec<TableAlterStatement> {
    let add = |table: &'static str, mut column: ColumnDef| Table::alter().table(table).add_column(&mut column).take();
    let versions = "subscription_versions";
    vec![
        add("accounts", text("country").default("").take()),
        add("accounts", ColumnDef::new("customer_since").integer().take()),
        add(versions, text("product").default("").take()),
        add(versions, flag("plan").default(false).take()),
        add(versions, number("quantity").default(0).take()),
        add(versions, ColumnDef::new("stated_cause").integer().take()),
        add(versions, text("steps").default("[]").take()),
    ]
}

fn timeline_tables() -> Vec<TableCreateStatement> {
    vec![
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
            &["account_id", "day", "currency", "cause", "order_id"],
            vec![
                text("account_id"),
                day("day"),
                text("currency"),
                day("cause"),
                text("order_id"),
                day("kind"),
                number("amount_minor"),
                number("mrr_after_minor"),
                day("earns_until"),
                flag("attributed"),
                text("version_ids"),
            ],
        ),
    ]
}

fn kept_tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "revenue_places",
            &["account_id"],
            vec![
                text("account_id"),
                text("segment"),
                text("plan"),
                text("country"),
                text("cohort"),
            ],
        ),
        table(
            "revenue_flows",
            &["dimension", "slice", "grain", "on_day", "currency", "kind", "cause"],
            vec![
                day("dimension"),
                text("slice"),
                day("grain"),
                day("on_day"),
                text("currency"),
                day("kind"),
                day("cause"),
                number("amount"),
                number("events"),
                number("attributed"),
            ],
        ),
        table(
            "revenue_spans",
            &["dimension", "slice", "start_on", "months", "currency"],
            vec![
                day("dimension"),
                text("slice"),
                day("start_on"),
                day("months"),
                text("currency"),
                number("retained"),
                number("gross"),
                number("churned"),
                number("earned"),
            ],
        ),
        table(
            "exchange_rates",
            &["currency", "quote", "on_day"],
            vec![
                text("currency"),
                text("quote"),
                day("on_day"),
                number("pico"),
                number("recorded_at"),
            ],
        ),
        table(
            "revenue_state",
            &["id"],
            vec![day("id"), text("rules"), number("rebuilt_at")],
        ),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("mrr_levels_by_days", "mrr_levels", &["to_on", "from_on"]),
        index(
            "movements_by_day",
            "movements",
            &["day", "account_id", "kind", "currency", "cause", "order_id"],
        ),
        index("movements_by_order", "movements", &["order_id"]),
        index("orders_by_account", "orders", &["account_id"]),
    ]
}
