//! What the tests of every service need: a store which goes away, and a clock that stands still.
//!
//! The stores are SQLite files. Where `UPSWELL_TEST_POSTGRES` holds the URL of an administrator (`tests/postgres start`
//! prints one), they are fresh databases of that PostgreSQL instead, so that the same tests run on both.

mod postgres;

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
};

use http::{Request, Response};
use jiff::Timestamp;
use sea_orm::DbBackend;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tonic::{body::Body, service::Routes};
use tower::util::{BoxCloneSyncService, MapRequest};

use self::postgres::Database;
use crate::{
    clock::Clock,
    db::{Db, DbSettings, runtime_migrations},
    problem::Problem,
    security::{Caller, Roles, Via},
    server::Actor,
};

/// Names the PostgreSQL that tests keep their stores in.
pub const POSTGRES: &str = "UPSWELL_TEST_POSTGRES";

/// The runtime's tables alone.
pub struct RuntimeMigrator;

impl MigratorTrait for RuntimeMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        runtime_migrations()
    }
}

/// `routes` without a server, as they are called by the person `name`, who may touch only what is theirs.
pub fn called_by(routes: Routes, name: &'static str) -> BoxCloneSyncService<Request<Body>, Response<Body>, Infallible> {
    let known = move |mut request: Request<Body>| {
        request.extensions_mut().insert(Actor(Some(name.into())));
        request.extensions_mut().insert(Caller {
            name: name.into(),
            roles: Roles::default(),
            via: Via::Token,
            own_only: true,
        });
        request
    };
    BoxCloneSyncService::new(MapRequest::new(routes, known))
}

/// A migrated store of its own, which goes away with this value.
#[derive(Debug)]
pub struct TempDb {
    /// The open store.
    pub db: Db,
    settings: DbSettings,
    _place: Place,
}

impl TempDb {
    /// Opens and migrates a new store.
    pub async fn open<M: MigratorTrait>() -> Result<Self, Problem> {
        let temp = Self::empty::<M>().await?;
        temp.db.migrate::<M>().await?;
        Ok(temp)
    }

    /// Opens a new store without any table.
    pub async fn empty<M: MigratorTrait>() -> Result<Self, Problem> {
        let (settings, place) = Place::new().await?;
        let db = Db::open::<M>(&settings).await?;
        Ok(Self {
            db,
            settings,
            _place: place,
        })
    }

    /// Settings to open the same store again, e.g. after a simulated crash.
    pub fn settings(&self) -> &DbSettings {
        &self.settings
    }

    /// True for a test of what only SQLite does, which then returns early on PostgreSQL.
    pub fn is_sqlite(&self) -> bool {
        self.db.backend() == DbBackend::Sqlite
    }

    /// True for a test of what only PostgreSQL does.
    pub fn is_postgres(&self) -> bool {
        self.db.backend() == DbBackend::Postgres
    }
}

/// An empty place for a store of a process under test; it goes away with this value.
#[derive(Debug)]
pub struct Place {
    _folder: Option<Folder>,
    _database: Option<Database>,
}

impl Place {
    /// A new place and the settings of a store in it: an SQLite file, or a database of the PostgreSQL of the tests.
    pub async fn new() -> Result<(DbSettings, Self), Problem> {
        if let Some(admin) = postgres_admin() {
            let database = Database::create(&admin).await?;
            let settings = DbSettings {
                url: database.url().to_owned(),
                ..settings(Path::new(""))
            };
            let place = Self {
                _folder: None,
                _database: Some(database),
            };
            return Ok((settings, place));
        }
        let folder = Folder::new().map_err(Problem::internal)?;
        let settings = settings(&folder.0.join("test.db"));
        let place = Self {
            _folder: Some(folder),
            _database: None,
        };
        Ok((settings, place))
    }
}

/// The administrator's URL of the PostgreSQL that tests keep their stores in, if there is one.
pub fn postgres_admin() -> Option<String> {
    std::env::var(POSTGRES).ok().filter(|url| !url.is_empty())
}

/// Settings for an SQLite file.
pub fn settings(path: &Path) -> DbSettings {
    DbSettings {
        url: format!("sqlite:{}", path.display()),
        readers: 2,
        connections: 8,
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
