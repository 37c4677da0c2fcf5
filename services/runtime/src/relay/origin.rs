//! Noticing that the store is not where it was.
//!
//! A dump that was loaded into another cluster brings positions made of that other cluster's transaction numbers. The
//! numbers of the new one begin low: new events would lie behind cursors that were never there, and nobody would be
//! told. So the cluster is remembered beside the log. When it is another one, or a cursor is ahead of every transaction
//! there ever was, a new generation begins: the log is numbered from nothing and sent again as a whole, and the
//! receivers drop what they have.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult};

use super::Inner;
use crate::{
    db::{Tx, execute, micros, select},
    problem::Problem,
};

impl Inner {
    /// Begins a new generation of the log if the store has moved. Asked once per process.
    pub(super) async fn origin_check(&self, now: Timestamp) -> Result<(), Problem> {
        if self.origin_known.load(Ordering::Relaxed) {
            return Ok(());
        }
        if self.db.backend() == DbBackend::Postgres && has_moved(self.db.writer()).await? {
            let tx = self.db.begin().await?;
            // Of several relays one begins the generation; writers in flight end before.
            tx.execute_unprepared("LOCK TABLE store_origin, outbox_seq, outbox IN SHARE ROW EXCLUSIVE MODE")
                .await?;
            if has_moved(&*tx).await? {
                generation_begin(&tx, micros(now)).await?;
                tx.commit().await?;
                tracing::warn!(
                    upswell.service = self.source,
                    "the store was moved to another database cluster: all events are sent again"
                );
            }
        }
        self.origin_known.store(true, Ordering::Relaxed);
        Ok(())
    }
}

async fn has_moved(connection: &impl ConnectionTrait) -> Result<bool, Problem> {
    let first = "INSERT INTO store_origin (id, cluster, generation) \
                     SELECT 1, CAST(system_identifier AS TEXT), 1 FROM pg_control_system() ON CONFLICT (id) DO NOTHING";
    execute(connection, first, []).await?;
    let query = "SELECT COUNT(*) AS number FROM store_origin o, pg_control_system() c \
                     WHERE o.cluster <> CAST(c.system_identifier AS TEXT) OR EXISTS (SELECT 1 FROM outbox_lane l \
                     WHERE l.txid >= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT))";
    let rows: Vec<Number> = select(connection, query, []).await?;
    Ok(rows.first().is_some_and(|row| row.number > 0))
}

/// Epochs go on behind every one that the receivers can have seen.
async fn generation_begin(tx: &Tx, now: i64) -> Result<(), Problem> {
    let lanes = "UPDATE outbox_lane SET txid = 0, position = 0, lease_until = 0, \
                 lease_epoch = GREATEST(lease_epoch + 1, $1)";
    execute(&**tx, lanes, [now.into()]).await?;
    for update in [
        "UPDATE outbox SET txid = 0",
        "UPDATE outbox_seq SET last_txid = 0",
        "UPDATE store_origin SET generation = generation + 1, cluster = (\
         SELECT CAST(system_identifier AS TEXT) FROM pg_control_system())",
    ] {
        execute(&**tx, update, []).await?;
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}
