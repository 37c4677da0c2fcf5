//! The store of one service: a single writer, many readers, and the only way to begin a transaction.
//!
//! SQLite has one writer connection, so that writers queue in the process instead of meeting as busy errors, and
//! transactions begin IMMEDIATE, so that none fails half-way for want of the write lock. Readers are separate
//! connections which cannot write. On PostgreSQL one pool serves both, and transactions are READ COMMITTED.

mod connect;
pub(crate) mod migrations;
mod postgres;
mod retry;
mod rows;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, FromQueryResult, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait, Value,
};
use sea_orm_migration::{MigratorTrait, SchemaManager};
use serde::Deserialize;
use tokio::sync::Notify;

pub(crate) use self::postgres::LAZILY;
pub use self::{
    migrations::runtime_migrations,
    postgres::database_ensure,
    retry::retrying,
    rows::{Column, Rows},
};
use crate::{
    failpoints::failpoint,
    problem::{Problem, Violations},
    telemetry::{meters, names},
};

/// How long a lane of the outbox is taken for known. A store that was set back under a running process may have lost it.
const LANE_KNOWN: Duration = Duration::from_secs(60);

/// How to reach the store.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbSettings {
    /// `sqlite:<path>` or `postgres://…`; `sqlite::memory:` for a test.
    pub url: String,
    /// SQLite: how many connections read at the same time, at least 1.
    pub readers: u32,
    /// PostgreSQL: how many connections this process opens at most, at least 2.
    pub connections: u32,
    /// How long a statement waits for a lock which somebody else holds.
    pub busy_timeout_ms: u64,
}

impl DbSettings {
    /// Reports an unknown kind of store and a pool without readers.
    pub fn validate(&self, violations: &mut Violations) {
        if !["sqlite:", "postgres:", "postgresql:"]
            .iter()
            .any(|scheme| self.url.starts_with(scheme))
        {
            violations.add("url", "must begin with `sqlite:` or `postgres://`");
        }
        if self.readers == 0 {
            violations.add("readers", "must be at least 1");
        }
        if self.connections < 2 {
            violations.add("connections", "must be at least 2");
        }
    }

    /// True for an SQLite store.
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// The URL as it may be shown: without what is secret.
    pub fn place(&self) -> String {
        veiled(&self.url)
    }
}

/// A URL as it may be shown: without password, and without parameters, which may hold one.
pub fn veiled(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    // An `@` among the parameters: what stands before the last one may be a part of a password there.
    if rest.split_once('?').is_some_and(|(_, after)| after.contains('@')) {
        return format!("{scheme}://…");
    }
    // A password may hold any sign, so the place begins after the last `@`.
    let (user, place) = rest.rsplit_once('@').map_or(("", rest), |(user, place)| (user, place));
    let place = place.split('?').next().unwrap_or_default();
    match user.split(':').next().unwrap_or_default() {
        "" => format!("{scheme}://{place}"),
        user => format!("{scheme}://{user}@{place}"),
    }
}

/// Without the password.
impl fmt::Debug for DbSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DbSettings")
            .field("place", &self.place())
            .field("readers", &self.readers)
            .field("connections", &self.connections)
            .field("busy_timeout_ms", &self.busy_timeout_ms)
            .finish()
    }
}

/// The open store of a service. Clones share the connections.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    settings: DbSettings,
    outbox_wake: Arc<Notify>,
    /// Lanes of the outbox, destination and shard, and when they were last seen to be there.
    lanes: Mutex<BTreeMap<(&'static str, i32), Instant>>,
}

impl Inner {
    fn lanes(&self) -> MutexGuard<'_, BTreeMap<(&'static str, i32), Instant>> {
        // Nothing that could panic happens under the lock.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every statement is timed, where somebody wants to know.
fn timed(mut connection: DatabaseConnection) -> DatabaseConnection {
    let Some(meters) = meters() else {
        return connection;
    };
    let system = match connection.get_database_backend() {
        DbBackend::Postgres => names::POSTGRESQL,
        _ => names::SQLITE,
    };
    connection.set_metric_callback(move |info| {
        meters.db_operation(system, &info.statement.sql, info.failed, info.elapsed);
    });
    connection
}

impl Db {
    /// Opens the store, creating an SQLite file (mode 0600) where there is none; a database of PostgreSQL must be
    /// there. It runs no migration, but refuses
    /// a store which carries more than one migration unknown to `M`: that is another service's, or from a far newer
    /// release. Errors: FAILED_PRECONDITION `STORE_FOREIGN`, `STORE_TOO_OLD`; UNAVAILABLE.
    pub async fn open<M: MigratorTrait>(settings: &DbSettings) -> Result<Self, Problem> {
        let (writer, reader) = connect::connect(settings).await?;
        let (writer, reader) = (timed(writer), timed(reader));
        let db = Self(Arc::new(Inner {
            writer,
            reader,
            settings: settings.clone(),
            outbox_wake: Arc::new(Notify::new()),
            lanes: Mutex::default(),
        }));
        let known = names::<M>();
        let unknown: Vec<_> = db
            .applied()
            .await?
            .into_iter()
            .filter(|name| !known.contains(name))
            .collect();
        if unknown.len() > 1 {
            let message = format!(
                "the store at {} has migrations unknown to this service: {unknown:?}",
                settings.place()
            );
            return Err(Problem::failed_precondition("STORE_FOREIGN", message));
        }
        Ok(db)
    }

    /// Applies the pending migrations of `M` and returns their names, oldest first. On PostgreSQL each is one
    /// transaction, and of several processes that start at once one migrates while the others wait for it. Errors:
    /// UNAVAILABLE when another does not get done, or a table stays locked.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<Vec<String>, Problem> {
        if self.pending::<M>().await? == 0 {
            return Ok(Vec::new());
        }
        if self.0.settings.is_sqlite() {
            return migrate_over::<M>(&self.0.writer).await;
        }
        let migrator = postgres::migrator(&self.0.settings).await?;
        let migrated = retry::while_busy(|| migrate_over::<M>(&migrator)).await;
        // The lock goes with the connection.
        migrator.close().await?;
        migrated
    }

    /// Connections of the pool that requests use: idle, in use, at most.
    pub fn pool(&self) -> (u64, u64, u64) {
        let (size, idle, max) = match self.backend() {
            DbBackend::Postgres => {
                let pool = self.0.writer.get_postgres_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            _ => {
                let pool = self.0.reader.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        };
        let (size, idle) = (u64::from(size), idle as u64);
        (idle, size.saturating_sub(idle), max.into())
    }

    /// How many migrations of `M` have not been applied.
    pub async fn pending<M: MigratorTrait>(&self) -> Result<usize, Problem> {
        let applied = self.applied().await?;
        Ok(names::<M>().difference(&applied).count())
    }

    /// Begins a transaction: IMMEDIATE on SQLite, READ COMMITTED on PostgreSQL. It waits for its turn to write.
    pub async fn begin(&self) -> Result<Tx, Problem> {
        let mode = (self.backend() == DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions {
            sqlite_transaction_mode: mode,
            ..TransactionOptions::default()
        };
        // A connection may have died in the pool. Nothing has been done on it, so that the next one may be tried: as
        // often as there can be dead ones.
        let mut spare = if self.0.settings.is_sqlite() {
            0
        } else {
            self.0.settings.connections
        };
        let inner = loop {
            match self.begin_whole(options).await {
                Err(problem) if spare > 0 && problem.reason() == "STORE_UNAVAILABLE" => spare -= 1,
                begun => break begun?,
            }
        };
        Ok(Tx {
            inner,
            appended: AtomicBool::new(false),
            lanes_made: Mutex::default(),
            db: Arc::clone(&self.0),
        })
    }

    /// A BEGIN that is never cut in the middle: sqlx gives the connection of a caller who left meanwhile back to the pool
    /// of PostgreSQL inside the transaction, and single statements of others would then wait for a commit that never comes.
    async fn begin_whole(&self, options: TransactionOptions) -> Result<DatabaseTransaction, Problem> {
        if self.0.settings.is_sqlite() {
            return Ok(self.0.writer.begin_with_options(options).await?);
        }
        let writer = self.0.writer.clone();
        let begun = tokio::spawn(async move { writer.begin_with_options(options).await });
        Ok(begun.await.map_err(Problem::internal)??)
    }

    /// The pool for reads outside a transaction. On SQLite it cannot write.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.0.reader
    }

    /// The pool for single statements that write.
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.0.writer
    }

    /// Closes the connections after the running statements. Readers go first, so that the writer folds the log away.
    pub async fn close(&self) -> Result<(), Problem> {
        self.0.reader.close_by_ref().await?;
        self.0.writer.close_by_ref().await?;
        Ok(())
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        self.0.writer.get_database_backend()
    }

    /// How many transactions can be open at once.
    pub(crate) fn connections(&self) -> usize {
        match self.backend() {
            DbBackend::Postgres => self.0.settings.connections.max(2) as usize,
            _ => 1,
        }
    }

    /// Notified once after a commit which appended to the outbox.
    pub(crate) fn outbox_wake(&self) -> &Arc<Notify> {
        &self.0.outbox_wake
    }

    async fn applied(&self) -> Result<BTreeSet<String>, Problem> {
        applied(&self.0.writer).await
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("backend", &self.backend())
            .finish_non_exhaustive()
    }
}

/// A transaction; pass `&*tx` where a connection is wanted. Dropping it without [`Tx::commit`] rolls it back.
pub struct Tx {
    inner: DatabaseTransaction,
    appended: AtomicBool,
    lanes_made: Mutex<Vec<(&'static str, i32)>>,
    db: Arc<Inner>,
}

impl Tx {
    /// Makes the changes durable, then wakes the relay if events were appended. An error leaves it open whether the
    /// changes are there (the connection may have been lost after the commit): run the request again by its id.
    pub async fn commit(self) -> Result<(), Problem> {
        failpoint!("tx.commit.before");
        self.inner.commit().await?;
        failpoint!("tx.commit.after");
        if self.appended.load(Ordering::Relaxed) {
            self.db.outbox_wake.notify_one();
        }
        let made = self.lanes_made.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !made.is_empty() {
            let now = Instant::now();
            self.db.lanes().extend(made.into_iter().map(|lane| (lane, now)));
        }
        Ok(())
    }

    /// Those of these lanes that are not known to be in the store.
    pub(crate) fn lanes_unknown(&self, mut lanes: BTreeSet<(&'static str, i32)>) -> BTreeSet<(&'static str, i32)> {
        let known = self.db.lanes();
        lanes.retain(|lane| known.get(lane).is_none_or(|seen| seen.elapsed() > LANE_KNOWN));
        lanes
    }

    /// These lanes are in the store once this is committed.
    pub(crate) fn mark_lanes(&self, lanes: impl IntoIterator<Item = (&'static str, i32)>) {
        let mut made = self.lanes_made.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend(lanes);
    }

    pub(crate) fn mark_appended(&self) {
        self.appended.store(true, Ordering::Relaxed);
    }
}

impl Deref for Tx {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").finish_non_exhaustive()
    }
}

/// An instant as it is stored: microseconds since 1970-01-01T00:00Z.
pub fn micros(instant: Timestamp) -> i64 {
    instant.as_microsecond()
}

/// The instant of stored microseconds; values beyond the calendar become its nearest end.
pub fn from_micros(micros: i64) -> Timestamp {
    let end = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(micros).unwrap_or(end)
}

/// A day as it is stored: days since 1970-01-01.
pub fn epoch_day(day: Date) -> i32 {
    let hours = day.duration_since(date(1970, 1, 1)).as_hours();
    // The calendar has some 7.3 million days, so the cast cannot truncate.
    (hours / 24) as i32
}

/// The day of a stored number; values beyond the calendar become its nearest end.
pub fn from_epoch_day(days: i32) -> Date {
    date(1970, 1, 1).saturating_add(SignedDuration::from_hours(i64::from(days) * 24))
}

/// Rows of a statement with `$1`-style parameters, which both databases read.
pub(crate) async fn select<T: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>, Problem> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let rows = connection.query_all_raw(statement).await?;
    let rows: Result<Vec<T>, _> = rows.iter().map(|row| T::from_query_result(row, "")).collect();
    Ok(rows?)
}

/// Runs a statement with `$1`-style parameters; the number of rows it changed.
pub(crate) async fn execute(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, Problem> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}

#[derive(FromQueryResult)]
struct Version {
    version: String,
}

async fn applied(connection: &DatabaseConnection) -> Result<BTreeSet<String>, Problem> {
    if !SchemaManager::new(connection).has_table("seaql_migrations").await? {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<Version> = select(connection, "SELECT version FROM seaql_migrations", []).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

async fn migrate_over<M: MigratorTrait>(connection: &DatabaseConnection) -> Result<Vec<String>, Problem> {
    let before = applied(connection).await?;
    M::up(connection, None).await?;
    let all = M::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect::<Vec<_>>();
    Ok(all.into_iter().filter(|name| !before.contains(name)).collect())
}

fn names<M: MigratorTrait>() -> BTreeSet<String> {
    M::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("postgres://u:p%40:s@h:5432/d", "postgres://u@h:5432/d"),
            ("postgres://h/d?user=u&password=s3cret", "postgres://h/d"),
            ("postgres://u@h/d?sslmode=require", "postgres://u@h/d"),
            ("postgres://h/d?user=u&password=s@cret", "postgres://…"),
            ("postgres://u:s?c@ret@h/d", "postgres://…"),
            ("sqlite:data/x.db", "sqlite:data/x.db"),
        ] {
            let settings = DbSettings {
                url: url.to_owned(),
                readers: 1,
                connections: 2,
                busy_timeout_ms: 1,
            };
            assert_eq!(settings.place(), shown);
        }
    }

    #[test]
    fn days_and_instants_survive_the_store() {
        for text in ["1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31", "-0044-03-15"] {
            let day: Date = text.parse().unwrap_or_else(|_| date(-44, 3, 15));
            assert_eq!(from_epoch_day(epoch_day(day)), day);
        }
        assert_eq!(epoch_day(date(1970, 1, 2)), 1);
        assert_eq!(epoch_day(date(1969, 12, 31)), -1);
        let instant: Timestamp = "2026-03-02T09:00:00.123456Z".parse().unwrap();
        assert_eq!(from_micros(micros(instant)), instant);
        assert_eq!(from_micros(i64::MAX), Timestamp::MAX);
    }
}
