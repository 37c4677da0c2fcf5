//! Local copies, offers, approvals, orders, suppressions, arms and decisions.

use sea_orm_migration::{MigrationTrait, async_trait, prelude::*, schema};

use super::table;

/// The migration.
pub(super) struct Offers;

impl MigrationName for Offers {
    fn name(&self) -> &'static str {
        "m0002_offers"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Offers {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in copies().into_iter().chain(own()) {
            manager.create_table(table).await?;
        }
        for (table, columns) in INDEXES {
            let mut index = Index::create();
            index.name(format!("{table}_by_{}", columns.join("_"))).table(*table);
            for column in *columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// What the lists, the jobs and the pictures look for.
const INDEXES: &[(&str, &[&str])] = &[
    ("accounts", &["next_slot_at"]),
    ("accounts", &["decide_now"]),
    ("contacts", &["account_id"]),
    ("subscription_versions", &["account_id"]),
    ("signals", &["account_id", "state"]),
    ("deals", &["account_id", "closed"]),
    ("critical_tickets", &["account_id"]),
    ("offers", &["account_id", "state"]),
    ("offers", &["state", "planned_at"]),
    ("offers", &["state", "open_until_at"]),
    ("offers", &["touch_id"]),
    ("approvals", &["state", "expires_at"]),
    ("approvals", &["offer_id"]),
    ("orders", &["account_id"]),
    ("suppressions", &["account_id"]),
    ("decisions", &["account_id", "slot_at"]),
];

fn key(name: &'static str) -> ColumnDef {
    schema::string(name).primary_key().to_owned()
}

fn copies() -> Vec<TableCreateStatement> {
    use schema::{big_integer, big_integer_null, boolean, double, integer, integer_null, string, text};
    vec![
        table(
            "accounts",
            vec![
                key("account_id"),
                string("display_name"),
                string("segment"),
                string("industry"),
                string("country"),
                string("time_zone"),
                string("language"),
                boolean("enterprise"),
                string("csm_id"),
                integer_null("customer_since_on"),
                big_integer("next_slot_at"),
                boolean("decide_now"),
            ],
        ),
        table(
            "contacts",
            vec![
                key("contact_id"),
                string("account_id"),
                string("first_name"),
                string("role"),
                boolean("budget_holder"),
                boolean("renewal_decision_maker"),
                boolean("champion"),
                text("points"),
                string("language"),
            ],
        ),
        table(
            "subscription_versions",
            vec![
                schema::string_len("version_id", 512).primary_key().to_owned(),
                string("account_id"),
                string("subscription_id"),
                string("product"),
                string("kind"),
                big_integer("quantity"),
                big_integer("mrr_minor"),
                string("currency"),
                integer("effective_on"),
                integer_null("end_on"),
                integer_null("renewal_on"),
                text("limits"),
                big_integer("occurred_at"),
                boolean("superseded"),
            ],
        ),
        table(
            "signals",
            vec![
                key("signal_id"),
                string("account_id"),
                string("kind"),
                string("subject"),
                string("state"),
                string("grade"),
                double("strength"),
                text("evidence"),
                big_integer("opened_at"),
                string("offer_id"),
                string("traceparent"),
                schema::string_len("tracestate", 1024),
            ],
        ),
        table(
            "scores",
            vec![
                key("account_id"),
                big_integer("scored_at"),
                integer("health"),
                string("band"),
                integer_null("health_change"),
                double("churn_risk"),
                double("propensity"),
                string("model_version"),
                integer("open_critical"),
                big_integer_null("oldest_critical_at"),
            ],
        ),
        table(
            "deals",
            vec![
                key("deal_id"),
                string("account_id"),
                integer("renewal_on"),
                boolean("closed"),
            ],
        ),
        table(
            "critical_tickets",
            vec![
                key("ticket_id"),
                string("account_id"),
                big_integer("opened_at"),
                big_integer_null("resolved_at"),
            ],
        ),
    ]
}

fn own() -> Vec<TableCreateStatement> {
    use schema::{
        big_integer, big_integer_null, boolean, integer, string, string_null, text, text_null, uuid, uuid_null,
    };
    let id = |name| uuid(name).primary_key().to_owned();
    let mut arms = table(
        "holdout_arms",
        vec![
            integer("epoch"),
            string("account_id"),
            boolean("holdout"),
            string("stratum"),
            big_integer("assigned_at"),
        ],
    );
    arms.primary_key(Index::create().col("epoch").col("account_id"));
    let mut approvals = table(
        "approvals",
        vec![
            id("approval_id"),
            uuid("offer_id"),
            string("account_id"),
            text("snapshot"),
            string("content_hash"),
            string("author"),
            string("approver_id"),
            string("state"),
            big_integer("requested_at"),
            big_integer("expires_at"),
            big_integer_null("decided_at"),
            string("decided_by"),
            text("comment"),
            uuid_null("consumed_by_touch").unique_key().to_owned(),
        ],
    );
    // Four eyes hold even if the code is wrong (C-14).
    approvals.check(Expr::col("decided_by").ne(Expr::col("author")));
    vec![
        table(
            "offers",
            vec![
                id("offer_id"),
                string("account_id"),
                string("playbook"),
                string("motion"),
                string("subject"),
                string("class"),
                boolean("proposes_expansion"),
                string("owner"),
                string("state"),
                text("signal_ids"),
                string_null("contact_id"),
                string("channel"),
                text_null("message"),
                text_null("terms"),
                big_integer_null("expected_minor"),
                string_null("currency"),
                uuid_null("decision_id"),
                uuid_null("approval_id"),
                uuid_null("touch_id"),
                uuid_null("order_id"),
                text("close_reason"),
                big_integer("created_at"),
                big_integer_null("planned_at"),
                big_integer_null("deferred_until_at"),
                big_integer_null("sent_at"),
                big_integer("state_at"),
                big_integer_null("signal_at"),
                boolean("consumes_signals"),
                big_integer("validity_days"),
                big_integer_null("open_until_at"),
                big_integer("version"),
            ],
        ),
        approvals,
        table(
            "orders",
            vec![
                id("order_id"),
                uuid("offer_id").unique_key().to_owned(),
                string("account_id"),
                string("motion"),
                text("terms"),
                string("state"),
                big_integer("placed_at"),
                big_integer_null("paid_at"),
                big_integer_null("signal_at"),
            ],
        ),
        table(
            "suppressions",
            vec![
                id("suppression_id"),
                string("account_id"),
                text("reason"),
                string("author"),
                big_integer("created_at"),
                big_integer_null("expires_at"),
                big_integer_null("lifted_at"),
            ],
        ),
        arms,
        table(
            "decisions",
            vec![
                id("decision_id"),
                string("account_id"),
                big_integer("slot_at"),
                big_integer("decided_at"),
                text("document"),
            ],
        ),
        table(
            "replies",
            vec![
                schema::string_len("fact_id", 512).primary_key().to_owned(),
                string("account_id"),
                uuid_null("offer_id"),
                string("channel"),
                text("words"),
                big_integer("replied_at"),
                string("outcome"),
            ],
        ),
    ]
}
