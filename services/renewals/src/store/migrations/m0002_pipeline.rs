//! Schedules, terms, add-ons, contacts, care, absences and notices.

use sea_orm::{
    ConnectionTrait as _, DbErr,
    sea_query::{ColumnDef, Expr, IndexCreateStatement, Query, Table, TableCreateStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::{day, flag, index, nullable, number, table, text};

pub(super) struct Pipeline;

impl MigrationName for Pipeline {
    fn name(&self) -> &str {
        "renewals_0002_pipeline"
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Pipeline {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in columns() {
            for mut column in columns {
                // One column a statement: SQLite adds no more.
                let alter = Table::alter().table(table).add_column(&mut column).to_owned();
                manager.alter_table(alter).await?;
            }
        }
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // Every open deal is planned anew, and every account looked at, under the rules of this version.
        let update = |table: &'static str, column: &'static str| {
            Query::update()
                .table(table)
                .value(column, Expr::value(0_i64))
                .to_owned()
        };
        let db = manager.get_connection();
        let anchor = Query::update()
            .table("deals")
            .value("anchor_on", Expr::col("renewal_on"))
            .to_owned();
        db.execute(&anchor).await?;
        db.execute(&update("subscriptions", "check_at")).await?;
        db.execute(&update("accounts", "care_at")).await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn columns() -> [(&'static str, Vec<ColumnDef>); 3] {
    [
        (
            "accounts",
            vec![
                empty("country"),
                empty("segment"),
                nullable(day("customer_since_on")),
                nullable(day("health")),
                day("open_critical").default(0).take(),
                nullable(number("care_at")),
            ],
        ),
        (
            "deals",
            vec![
                day("anchor_on").default(0).take(),
                text("shift").default("none").take(),
                nullable(day("negotiated_on")),
                empty("move_reason"),
                flag("auto_renew").default(false).take(),
                day("notice_days").default(0).take(),
                day("term_months").default(0).take(),
                nullable(day("notice_given_on")),
                number("add_ons_minor").default(0).take(),
                empty("segment"),
                nullable(day("health")),
            ],
        ),
        ("tasks", vec![number("version").default(1).take()]),
    ]
}

fn empty(name: &'static str) -> ColumnDef {
    text(name).default("").take()
}

fn tables() -> [TableCreateStatement; 7] {
    [
        table(
            "add_on_versions",
            &["version_id"],
            vec![
                text("version_id"),
                text("subscription_id"),
                text("account_id"),
                day("effective_on"),
                nullable(day("end_on")),
                nullable(day("renewal_on")),
                number("mrr_minor"),
                text("currency"),
                number("occurred_at"),
                flag("superseded"),
            ],
        ),
        table(
            "contacts",
            &["contact_id"],
            vec![
                text("contact_id"),
                text("deal_id"),
                text("account_id"),
                text("kind"),
                day("channel"),
                text("person_id"),
                flag("proposes_expansion"),
                number("planned_at"),
                text("state"),
                flag("closed"),
                nullable(text("step")),
                nullable(number("next_at")),
                day("attempt"),
                text("touch_id"),
                text("blocking"),
                text("actor"),
                number("version"),
            ],
        ),
        table(
            "absences",
            &["absence_id"],
            vec![
                text("absence_id"),
                text("person_id"),
                day("from_on"),
                day("until_on"),
                text("delegate_id"),
                number("version"),
            ],
        ),
        table(
            "task_alerts",
            &["task_id"],
            vec![
                text("task_id"),
                day("due_on"),
                day("level"),
                text("person_id"),
                nullable(day("next_on")),
            ],
        ),
        table(
            "notices",
            &["notice_id"],
            vec![
                text("notice_id"),
                text("person_id"),
                text("kind"),
                text("account_id"),
                text("subject_id"),
                text("text"),
                number("made_at"),
            ],
        ),
        table(
            "onboarding_plans",
            &["plan_id"],
            vec![
                text("plan_id"),
                text("account_id"),
                text("owner_id"),
                flag("given"),
                day("started_on"),
                flag("finished"),
                number("version"),
            ],
        ),
        table(
            "reviews",
            &["review_id"],
            vec![
                text("review_id"),
                text("account_id"),
                day("quarter_on"),
                day("held_on"),
                flag("chosen"),
                day("minutes"),
                text("state"),
                flag("closed"),
                text("preparation"),
                flag("expansion_talk"),
                text("reason"),
                text("summary"),
                number("version"),
            ],
        ),
    ]
}

fn indexes() -> [IndexCreateStatement; 13] {
    [
        index("accounts", &["care_at"]),
        index("deals", &["renewal_on"]),
        index("tasks", &["account_id"]),
        index("add_on_versions", &["account_id"]),
        index("contacts", &["planned_at", "contact_id"]),
        index("contacts", &["next_at"]),
        index("contacts", &["deal_id"]),
        index("absences", &["from_on", "absence_id"]),
        index("task_alerts", &["person_id"]),
        index("notices", &["made_at", "notice_id"]),
        index("onboarding_plans", &["account_id"]).unique().to_owned(),
        index("reviews", &["held_on", "review_id"]),
        index("reviews", &["account_id"]),
    ]
}
