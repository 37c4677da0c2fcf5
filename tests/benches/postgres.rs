//! A private PostgreSQL that keeps what it acknowledged, and connections to it without the services' code.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    str::FromStr as _,
};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use sea_orm::sqlx::{
    AssertSqlSafe, ConnectOptions as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
    query_scalar, raw_sql,
};

/// A running server; it ends with this value.
pub(crate) struct Postgres {
    /// URL of the administrator's database.
    admin: String,
    folder: PathBuf,
}

impl Postgres {
    /// Starts one by the script of the tests.
    pub(crate) async fn start() -> Result<Self> {
        let output = Command::new(script()).arg("start").output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let admin = String::from_utf8(output.stdout)?.trim().to_owned();
        let mut server = Self {
            admin,
            folder: PathBuf::new(),
        };
        let pool = server.pool("postgres", 1).await?;
        let folder: String = query_scalar("SHOW unix_socket_directories").fetch_one(&pool).await?;
        server.folder = folder.into();
        Ok(server)
    }

    /// URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        let server = self.admin.rsplit_once('/').map_or("", |(server, _)| server);
        format!("{server}/{database}")
    }

    /// Creates a database and gives its URL.
    pub(crate) async fn create(&self, database: &str) -> Result<String> {
        execute(&self.pool("postgres", 1).await?, &format!("CREATE DATABASE {database}")).await?;
        Ok(self.url(database))
    }

    /// Connections to a database.
    pub(crate) async fn pool(&self, database: &str, connections: u32) -> Result<PgPool> {
        let options = PgConnectOptions::from_str(&self.url(database))?.disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false);
        Ok(pool.connect_with(options).await?)
    }

    /// Process id of the server's first process.
    pub(crate) fn pid(&self) -> u32 {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        file.lines()
            .next()
            .and_then(|line| line.parse().ok())
            .unwrap_or_default()
    }

    /// Stops at once, without a checkpoint, and starts again: what was acknowledged has to come from the log.
    pub(crate) fn crash(&self) -> Result<()> {
        let status = owned(&binaries()?.join("pg_ctl"))
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(["-w", "-s", "-m", "immediate", "-l"])
            .arg(self.folder.join("log"))
            .arg("restart")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ensure!(status.success(), "PostgreSQL does not start again");
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = Command::new(script()).arg("stop").arg(&self.admin).output();
        drop(stopped);
    }
}

/// Runs statements one after the other.
pub(crate) async fn execute(pool: &PgPool, statements: &str) -> Result<()> {
    let done = raw_sql(AssertSqlSafe(statements)).execute(pool).await;
    done.with_context(|| statements.to_owned())?;
    Ok(())
}

/// The one number that a statement gives.
pub(crate) async fn number(pool: &PgPool, statement: &str) -> Result<i64> {
    let value = query_scalar(AssertSqlSafe(statement)).fetch_one(pool).await;
    value.with_context(|| statement.to_owned())
}

/// Copies rows out in the binary format; the bytes.
pub(crate) async fn copy_out(connection: &mut PgConnection, select: &str) -> Result<Vec<u8>> {
    let statement = format!("COPY ({select}) TO STDOUT (FORMAT binary)");
    let mut chunks = connection.copy_out_raw(&statement).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

/// Copies rows in from the binary format; one transaction.
pub(crate) async fn copy_in(connection: &mut PgConnection, table: &str, bytes: &[u8]) -> Result<u64> {
    let statement = format!("COPY {table} FROM STDIN (FORMAT binary)");
    let mut copy = connection.copy_in_raw(&statement).await?;
    copy.send(bytes).await?;
    Ok(copy.finish().await?)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("postgres")
}

fn binaries() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")?;
    let found = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .max();
    found.context("PostgreSQL is not where Debian puts it")
}

/// PostgreSQL refuses to run as root.
fn owned(program: &Path) -> Command {
    if !fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}
