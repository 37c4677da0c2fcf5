//! Opening PostgreSQL: a pool for everything, and a connection of its own for migrations.

use std::{str::FromStr, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector, Statement,
    sqlx::{
        self, ConnectOptions as _, Connection as _,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};

use super::{DbSettings, connect::cannot_open, retry};
use crate::problem::Problem;

/// How long a statement waits for a connection. It is less than a request's deadline, so that the caller hears
/// UNAVAILABLE, which may be tried again, and not DEADLINE_EXCEEDED.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that rested so long is asked whether it lives before it is used; a busy one is not.
const RESTED: Duration = Duration::from_secs(1);
/// What a page costs that is not the next one: little, on anything but a turning disk. By the server's own guess a table
/// that was never analysed is read whole for a handful of keys, and a prepared statement keeps that plan while it grows.
const RANDOM_PAGE_COST: &str = "1.1";
const STATEMENT_TIMEOUT: &str = "30s";
/// A transaction that waits for its own process holds locks and keeps events back.
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "10s";
/// How soon the server notices that whoever asked is gone, and ends the statement.
const CLIENT_CHECK_INTERVAL: &str = "2s";
/// How long one of several processes waits until another has migrated.
const MIGRATION_TURN_TIMEOUT: &str = "120s";
/// How long a migration waits for a table. Everything behind it waits as long.
const MIGRATION_LOCK_TIMEOUT: &str = "2s";
/// The advisory lock of migrations; its number means nothing.
const MIGRATION_LOCK: i64 = 0x75_70_73_77_65_6c_6c;

/// Begins a statement on PostgreSQL, whose table `lazily` of one row has to be asked for `mode = 'off'`: what it writes may
/// be lost when the server dies, and its commit does not wait for the disk.
pub(crate) const LAZILY: &str =
    "WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS mode)";

/// The pool for reading and writing. A server that is just starting is waited for.
pub(super) async fn connect(settings: &DbSettings) -> Result<DatabaseConnection, Problem> {
    let busy = format!("{}ms", settings.busy_timeout_ms);
    let options = options(settings)?.options([
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("random_page_cost", RANDOM_PAGE_COST),
        ("lock_timeout", &busy),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(settings.connections.max(2))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .acquire_slow_threshold(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move { Ok(state.idle_for < RESTED || connection.ping().await.is_ok()) })
        });
    retry::while_busy(|| async {
        let pool = pool.clone().connect_with(options.clone()).await.map_err(fault)?;
        Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
    })
    .await
}

/// A single connection that holds the lock of migrations until it is closed; it waits for its turn. When its process
/// dies, the server rolls back what was not committed and frees the lock.
pub(super) async fn migrator(settings: &DbSettings) -> Result<DatabaseConnection, Problem> {
    let options = options(settings)?.options([("lock_timeout", MIGRATION_TURN_TIMEOUT)]);
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(fault)?;
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    let turn = format!("SELECT pg_advisory_lock({MIGRATION_LOCK}); SET lock_timeout = '{MIGRATION_LOCK_TIMEOUT}'");
    connection.execute_unprepared(&turn).await?;
    Ok(connection)
}

/// Makes sure that the database of `url` is there, and with `anew` that it is empty, whoever is connected. The role
/// must be allowed to create databases, and the server needs its usual database `postgres`.
pub async fn database_ensure(url: &str, anew: bool) -> Result<(), Problem> {
    let invalid = |_| Problem::invalid_field("url", "must be a URL of PostgreSQL with a database");
    let options = PgConnectOptions::from_str(url).map_err(invalid)?;
    let name = options.get_database().unwrap_or_default().replace('"', "\"\"");
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options.database("postgres").disable_statement_logging())
        .await
        .map_err(fault)?;
    let server = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    if anew {
        server
            .execute_unprepared(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))
            .await?;
    }
    let there = format!(
        "SELECT 1 FROM pg_database WHERE datname = '{}'",
        name.replace('\'', "''")
    );
    let there = Statement::from_string(server.get_database_backend(), there);
    if server.query_one_raw(there).await?.is_none() {
        server
            .execute_unprepared(&format!("CREATE DATABASE \"{name}\""))
            .await?;
    }
    server.close().await?;
    Ok(())
}

/// TLS is not compiled in: connections are not encrypted, and with `?sslmode=require` or stricter in the URL none is made.
fn options(settings: &DbSettings) -> Result<PgConnectOptions, Problem> {
    let options = PgConnectOptions::from_str(&settings.url).map_err(|fault| cannot_open(settings, &fault))?;
    let name = options.get_application_name().unwrap_or("upswell").to_owned();
    Ok(options.application_name(&name).disable_statement_logging().options([
        ("default_transaction_isolation", "read committed"),
        ("client_connection_check_interval", CLIENT_CHECK_INTERVAL),
        ("timezone", "UTC"),
    ]))
}

fn fault(fault: sqlx::Error) -> Problem {
    DbErr::Conn(RuntimeErr::SqlxError(fault.into())).into()
}
