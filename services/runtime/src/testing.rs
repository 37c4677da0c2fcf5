//! What the tests of every service need: a store in a file which goes away, and a clock that stands still.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::{
    clock::Clock,
    db::{Db, DbSettings, runtime_migrations},
    problem::Problem,
};

/// The runtime's tables alone.
pub struct RuntimeMigrator;

impl MigratorTrait for RuntimeMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        runtime_migrations()
    }
}

/// A migrated store in an SQLite file of its own; the file goes away with this value.
#[derive(Debug)]
pub struct TempDb {
    /// The open store.
    pub db: Db,
    settings: DbSettings,
    _folder: Folder,
}

impl TempDb {
    /// Opens and migrates a new store.
    pub async fn open<M: MigratorTrait>() -> Result<Self, Problem> {
        let folder = Folder::new().map_err(Problem::internal)?;
        let settings = settings(&folder.0.join("test.db"));
        let db = Db::open::<M>(&settings).await?;
        db.migrate::<M>().await?;
        Ok(Self {
            db,
            settings,
            _folder: folder,
        })
    }

    /// Settings to open the same file again, e.g. after a simulated crash.
    pub fn settings(&self) -> &DbSettings {
        &self.settings
    }
}

/// Settings for an SQLite file.
pub fn settings(path: &Path) -> DbSettings {
    DbSettings {
        url: format!("sqlite:{}", path.display()),
        readers: 2,
        busy_timeout_ms: 5000,
    }
}

/// A manual clock which stands at `start`, an RFC 3339 instant; a wrong one means 1970.
pub fn clock_at(start: &str) -> Clock {
    Clock::manual(start.parse().unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A folder which is removed when dropped. The runtime is no test, so it cannot take the `tempfile` crate.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "upswell-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        // A folder of the same name can only be left from a killed process with the same id.
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
