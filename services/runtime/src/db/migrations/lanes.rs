//! The log in lanes: a shard per key, a position that is safe against transactions which commit late, and leases.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Lanes;

impl MigrationName for Lanes {
    fn name(&self) -> &str {
        "runtime_0002_lanes"
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Lanes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in STATEMENTS {
            connection.execute_unprepared(statement).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            for statement in POSTGRES {
                connection.execute_unprepared(statement).await?;
            }
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// What was written before lies in shard 0, whose key's shard on PostgreSQL nobody has used yet.
const STATEMENTS: [&str; 12] = [
    "ALTER TABLE outbox ADD COLUMN shard INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN txid BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE outbox_seq ADD COLUMN last_txid BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE outbox_blocked ADD COLUMN shard INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX outbox_by_position",
    "CREATE INDEX outbox_by_lane ON outbox (dest, shard, txid, id)",
    "CREATE TABLE outbox_lane (dest TEXT NOT NULL, shard INTEGER NOT NULL, txid BIGINT NOT NULL, \
     position BIGINT NOT NULL, lease_epoch BIGINT NOT NULL, lease_owner TEXT NOT NULL, lease_until BIGINT NOT NULL, \
     PRIMARY KEY (dest, shard))",
    "INSERT INTO outbox_lane (dest, shard, txid, position, lease_epoch, lease_owner, lease_until) \
     SELECT dest, 0, 0, position, lease_epoch, '', 0 FROM outbox_cursor",
    "DROP TABLE outbox_cursor",
    "CREATE TABLE lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_at BIGINT NOT NULL)",
    "CREATE TABLE store_origin (id INTEGER PRIMARY KEY, cluster TEXT NOT NULL, generation INTEGER NOT NULL)",
    "CREATE INDEX request_log_by_time ON request_log (answered_at)",
];

/// Rows that are updated in place stay on their page; what is pruned by time is found without a tree over it.
const POSTGRES: [&str; 4] = [
    "ALTER TABLE outbox_lane SET (fillfactor = 50)",
    "ALTER TABLE outbox_seq SET (fillfactor = 70)",
    "ALTER TABLE inbox_pos SET (fillfactor = 70)",
    "CREATE INDEX inbox_by_time ON inbox USING brin (occurred_at)",
];
