//! Databases for tests on a PostgreSQL that somebody else started.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbErr};

use crate::{db::database_ensure, problem::Problem};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database of its own, which is dropped with this value whoever is still connected.
#[derive(Debug)]
pub(super) struct Database {
    admin: String,
    name: String,
    url: String,
}

impl Database {
    /// Creates an empty database beside the one that `admin` names.
    pub(super) async fn create(admin: &str) -> Result<Self, Problem> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("upswell_test_{}_{number}", std::process::id());
        let url = beside(admin, &name).ok_or_else(|| Problem::internal(format!("{admin} names no database")))?;
        // One of the same name can only be left from a killed process with the same id.
        database_ensure(&url, true).await?;
        let admin = admin.to_owned();
        Ok(Self { admin, name, url })
    }

    /// Where it is reached.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        // A value may be dropped inside a runtime that cannot wait. What is not dropped goes with the server.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let done: Result<(), DbErr> = runtime.block_on(async {
                let connection = connect(&admin).await?;
                let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                connection.execute_unprepared(&statement).await?;
                connection.close().await
            });
            done.map_err(std::io::Error::other)
        });
        drop(dropping.join());
    }
}

async fn connect(admin: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(admin);
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await
}

/// The URL of another database of the same server.
fn beside(url: &str, name: &str) -> Option<String> {
    let (address, rest) = url.rsplit_once('/')?;
    let options = rest.split_once('?').map(|(_, options)| format!("?{options}"));
    Some(format!("{address}/{name}{}", options.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn another_database_keeps_server_and_options() {
        for (url, expected) in [
            ("postgres://u@h:1/postgres", "postgres://u@h:1/t"),
            (
                "postgres://u:p@h:1/postgres?sslmode=disable",
                "postgres://u:p@h:1/t?sslmode=disable",
            ),
        ] {
            assert_eq!(beside(url, "t").as_deref(), Some(expected));
        }
    }
}
