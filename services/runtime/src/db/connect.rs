//! Opening the pools of SQLite, with every pragma that the promises of the store rest on.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    str::FromStr,
    time::Duration,
};

use sea_orm::{
    DatabaseConnection, FromQueryResult, SqlxSqliteConnector,
    sqlx::{
        ConnectOptions as _,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

use super::{DbSettings, postgres, select};
use crate::problem::Problem;

/// Releases before this one can corrupt a database when the write-ahead log is reset.
const SQLITE_MIN: (u32, u32, u32) = (3, 51, 3);
/// How long a transaction waits for its turn. Requests have shorter deadlines of their own.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
const JOURNAL_SIZE_LIMIT: &str = "67108864";

/// The writer and the readers.
pub(super) async fn connect(settings: &DbSettings) -> Result<(DatabaseConnection, DatabaseConnection), Problem> {
    if !settings.is_sqlite() {
        let pool = postgres::connect(settings).await?;
        return Ok((pool.clone(), pool));
    }
    let base = SqliteConnectOptions::from_str(&settings.url).map_err(|fault| cannot_open(settings, &fault))?;
    // A database in memory lives in one connection, so that readers have to share the writer's.
    if settings.url.contains(":memory:") || settings.url.contains("mode=memory") {
        let writer = sqlite_pool(pragmas(base, settings), 1).await?;
        return Ok((writer.clone(), writer));
    }
    create_private(base.get_filename()).map_err(|fault| cannot_open(settings, &fault))?;
    let base = pragmas(base, settings);
    let writer = sqlite_pool(base.clone().journal_mode(SqliteJournalMode::Wal), 1).await?;
    check_version(&writer).await?;
    // The journal mode is a property of the file; a read-only connection finds it there.
    let reader = sqlite_pool(base.read_only(true).pragma("query_only", "ON"), settings.readers.max(1)).await?;
    Ok((writer, reader))
}

fn pragmas(options: SqliteConnectOptions, settings: &DbSettings) -> SqliteConnectOptions {
    options
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_millis(settings.busy_timeout_ms))
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", "1000")
        .pragma("journal_size_limit", JOURNAL_SIZE_LIMIT)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .disable_statement_logging()
}

async fn sqlite_pool(options: SqliteConnectOptions, connections: u32) -> Result<DatabaseConnection, Problem> {
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // Waiting for the one writer is normal and no reason to warn.
        .acquire_slow_threshold(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(|fault| Problem::from(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(fault.into()))))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

#[derive(FromQueryResult)]
struct VersionRow {
    version: String,
}

async fn check_version(writer: &DatabaseConnection) -> Result<(), Problem> {
    let rows: Vec<VersionRow> = select(writer, "SELECT sqlite_version() AS version", []).await?;
    let text = rows.first().map_or("", |row| row.version.as_str());
    if parse_version(text).is_some_and(|version| version >= SQLITE_MIN) {
        return Ok(());
    }
    let (major, minor, patch) = SQLITE_MIN;
    let message = format!("SQLite {text} may corrupt the store; {major}.{minor}.{patch} or later is required");
    Err(Problem::failed_precondition("STORE_TOO_OLD", message))
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}

/// Creates the file so that only its owner can read it; SQLite gives its log and index files the same mode.
fn create_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}

pub(super) fn cannot_open(settings: &DbSettings, fault: &dyn std::error::Error) -> Problem {
    Problem::failed_precondition(
        "STORE_UNUSABLE",
        format!("the store at {} cannot be opened: {fault}", settings.place()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_with_the_log_reset_fault_are_refused() {
        let accepted = |text: &str| parse_version(text).is_some_and(|version| version >= SQLITE_MIN);
        for (text, good) in [
            ("3.51.3", true),
            ("3.52.0", true),
            ("4.0.0", true),
            ("3.51.2", false),
            ("3.40.1", false),
            ("", false),
        ] {
            assert_eq!(accepted(text), good, "{text}");
        }
    }
}
