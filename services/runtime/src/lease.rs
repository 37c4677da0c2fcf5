//! Leases: of several processes over one store, one at a time does a piece of work.
//!
//! A lease is a row with an end. It ends by itself when its holder died, and only the clock of the database is asked,
//! so that the clocks of the processes may differ. It saves work and promises nothing: whoever relies on being alone
//! needs a fence where the effect is, and for the same reason a lease does not wait for the disk. An SQLite store has one
//! process, which needs no lease.

use sea_orm::{DbBackend, FromQueryResult};

use crate::{
    db::{Db, LAZILY, execute, select},
    problem::Problem,
};

/// How long a lease holds without being renewed, in µs: so long nobody does the work of a process that was killed.
pub(crate) const LEASE_MICROS: i64 = 6_000_000;
/// The time of the database in µs. The clocks of processes differ; the database's is one.
pub(crate) const DB_NOW: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";

/// What a store must have room for after it was full, in bytes.
const ROOM: usize = 256 << 10;

/// The leases of one process over a store.
#[derive(Clone, Debug)]
pub(crate) struct Leases {
    db: Db,
    owner: String,
}

impl Leases {
    /// Leases under a name that no other process has.
    pub(crate) fn new(db: Db) -> Self {
        let owner = format!("{:032x}", rand::random::<u128>());
        Self { db, owner }
    }

    /// The name under which this process holds leases.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Takes or renews the lease `name`; false while another process has it.
    pub(crate) async fn take(&self, name: &str) -> Result<bool, Problem> {
        if self.db.backend() == DbBackend::Sqlite {
            return Ok(true);
        }
        let upsert = format!(
            "{LAZILY} INSERT INTO lease (name, owner, until_at) \
             SELECT $1, $2, {DB_NOW} + $3 FROM lazily WHERE mode = 'off' \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until_at = excluded.until_at \
             WHERE lease.until_at < {DB_NOW} OR lease.owner = excluded.owner"
        );
        let values = [name.into(), self.owner.as_str().into(), LEASE_MICROS.into()];
        Ok(execute(self.db.writer(), &upsert, values).await? == 1)
    }

    /// Writes a row that means nothing, to see that the store can be written.
    pub(crate) async fn try_out(&self) -> Result<(), Problem> {
        let upsert = "INSERT INTO lease (name, owner, until_at) VALUES ('ready', $1, 0) \
                      ON CONFLICT (name) DO UPDATE SET owner = excluded.owner";
        execute(self.db.writer(), upsert, [self.owner.as_str().into()])
            .await
            .map(drop)
    }

    /// Writes as much as a batch of facts takes, and removes it: a row alone finds a place in a store that is full.
    pub(crate) async fn try_room(&self) -> Result<(), Problem> {
        // No store makes it smaller, because nothing in it comes twice.
        let words = std::iter::repeat_with(|| format!("{:032x}", rand::random::<u128>()));
        let much: String = words.take(ROOM / 32).collect();
        let upsert = "INSERT INTO lease (name, owner, until_at) VALUES ('room', $1, 0) \
                      ON CONFLICT (name) DO UPDATE SET owner = excluded.owner";
        execute(self.db.writer(), upsert, [much.into()]).await?;
        execute(self.db.writer(), "DELETE FROM lease WHERE name = 'room'", []).await?;
        Ok(())
    }

    /// Gives the lease `name` back, if it is held.
    pub(crate) async fn release(&self, name: &str) -> Result<(), Problem> {
        if self.db.backend() == DbBackend::Postgres {
            let delete =
                format!("{LAZILY} DELETE FROM lease USING lazily WHERE mode = 'off' AND name = $1 AND owner = $2");
            execute(self.db.writer(), &delete, [name.into(), self.owner.as_str().into()]).await?;
        }
        Ok(())
    }

    /// How many processes hold a lease whose name begins with `prefix`.
    pub(crate) async fn count(&self, prefix: &str) -> Result<i64, Problem> {
        let query =
            format!("SELECT COUNT(DISTINCT owner) AS number FROM lease WHERE name LIKE $1 AND until_at >= {DB_NOW}");
        let rows: Vec<Number> = select(self.db.writer(), &query, [format!("{prefix}%").into()]).await?;
        Ok(rows.first().map_or(0, |row| row.number))
    }
}

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}
