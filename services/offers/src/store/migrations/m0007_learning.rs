//! What the programme learns: outcomes by motion and segment, reactions of people, and playbooks that are paused.

use sea_orm_migration::{MigrationTrait, async_trait, prelude::*, schema};

use super::{Indexes, indexes_create, table};

/// The migration.
pub(super) struct Learning;

impl MigrationName for Learning {
    fn name(&self) -> &'static str {
        "m0007_learning"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Learning {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [conversions(), drifts(), reactions(), pauses(), looks()] {
            manager.create_table(table).await?;
        }
        indexes_create(manager, INDEXES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// What the counts and the guard look for.
const INDEXES: Indexes = &[
    ("offers_by_sent", "offers", &["sent_at"]),
    ("reactions_by_account", "reactions", &["account_id", "heard_at"]),
    ("playbook_pauses_by_playbook", "playbook_pauses", &["playbook"]),
];

fn conversions() -> TableCreateStatement {
    use schema::{big_integer, string};
    let columns = vec![
        string("motion"),
        string("segment"),
        big_integer("accepted"),
        big_integer("refused"),
    ];
    let mut table = table("conversions", columns);
    table.primary_key(Index::create().col("motion").col("segment"));
    table
}

fn drifts() -> TableCreateStatement {
    let key = schema::string("motion").primary_key().to_owned();
    table(
        "drifts",
        vec![key, schema::string("drift"), schema::big_integer("since_at")],
    )
}

fn reactions() -> TableCreateStatement {
    use schema::{big_integer, boolean, string, uuid_null};
    table(
        "reactions",
        vec![
            schema::string_len("reaction_id", 600).primary_key().to_owned(),
            string("account_id"),
            uuid_null("offer_id"),
            string("kind"),
            big_integer("heard_at"),
            boolean("superseded"),
        ],
    )
}

fn pauses() -> TableCreateStatement {
    use schema::{big_integer, big_integer_null, string, text, uuid};
    table(
        "playbook_pauses",
        vec![
            uuid("pause_id").primary_key().to_owned(),
            string("playbook"),
            text("reason"),
            string("paused_by"),
            big_integer("paused_at"),
            big_integer_null("resumed_at"),
            string("resumed_by"),
            text("comment"),
        ],
    )
}

fn looks() -> TableCreateStatement {
    let key = schema::string("job").primary_key().to_owned();
    table("looks", vec![key, schema::big_integer("looked_at")])
}
