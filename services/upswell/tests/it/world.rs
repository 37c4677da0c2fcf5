//! Five services in this process, and the binary beside them.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use jiff::Timestamp;
use tempfile::TempDir;
use upswell::{
    cluster::{Cluster, SERVICES},
    settings::Settings,
};
use upswell_runtime::{
    clock::Clock,
    testing::{Place, postgres_admin},
};

/// When every test plays.
pub(crate) const NOW: &str = "2026-10-13T04:00:00Z";

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) cluster: Cluster,
    now: Timestamp,
    _places: Vec<Place>,
}

/// What the binary came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    /// Services on free ports, with empty stores, on a clock that the test moves.
    pub(crate) async fn start() -> Self {
        Self::with_clock(Clock::manual(NOW.parse().unwrap())).await
    }

    /// The same on `clock`; with the system's, the services work by themselves.
    pub(crate) async fn with_clock(clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let mut overrides = vec![("UPSWELL__OFFERS__CHANNEL__SPOOL_DIR".to_owned(), file("spool"))];
        let mut places = Vec::new();
        for service in SERVICES {
            let key = format!("UPSWELL__{}", service.to_uppercase());
            let mut url = format!("sqlite:{}", file(&format!("{service}.db")));
            if postgres_admin().is_some() {
                let (settings, place) = Place::new().await.unwrap();
                url = settings.url;
                places.push(place);
            }
            overrides.push((format!("{key}__DB__URL"), url));
            overrides.push((format!("{key}__SERVER__LISTEN"), "127.0.0.1:0".to_owned()));
        }
        let settings = Settings::load(None, overrides.into_iter()).unwrap();
        let now = clock.now();
        let cluster = Cluster::start(&settings, clock).await.unwrap();
        let peers: String = cluster
            .addresses
            .iter()
            .map(|(name, at)| format!("{name} = \"{at}\"\n"))
            .collect();
        fs::write(folder.path().join("client.toml"), format!("[peers]\n{peers}")).unwrap();
        Self {
            folder,
            cluster,
            now,
            _places: places,
        }
    }

    /// A file of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of this test.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Lets the services come to rest.
    pub(crate) async fn settle(&self) {
        self.cluster.advance(self.now).await.unwrap();
    }

    /// Runs the binary as a client of these services.
    pub(crate) async fn upswell(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_upswell"));
        command
            .arg("--config")
            .arg(self.path("client.toml"))
            .args(arguments)
            .current_dir(self.folder.path());
        command.env_remove("UPSWELL_ACTOR");
        let Output { status, stdout, stderr } = tokio::task::spawn_blocking(move || command.output())
            .await
            .unwrap()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran {
            code: status.code().unwrap_or(-1),
            out: text(stdout),
            err: text(stderr),
        }
    }

    /// The JSON that a command answers.
    pub(crate) async fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let ran = self.upswell(&[&["--output", "json"], arguments].concat()).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }
}
