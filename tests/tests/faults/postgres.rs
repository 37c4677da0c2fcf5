//! A private PostgreSQL, which the test may restart, stop and cut off.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::JoinHandle,
    time::Duration,
};

/// A running server; it ends with this value.
pub(crate) struct Postgres {
    /// URL of the administrator's database.
    url: String,
    folder: PathBuf,
}

impl Postgres {
    /// Starts one that keeps what it acknowledged; none where PostgreSQL cannot be had, which is said.
    pub(crate) fn start() -> Option<Self> {
        let output = Command::new(script())
            .arg("start")
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        if !output.status.success() {
            eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
            return None;
        }
        let url = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let folder = sql(&url, "SHOW unix_socket_directories").trim().into();
        Some(Self { url, folder })
    }

    /// URL of a database of this server.
    fn database(&self, name: &str) -> String {
        let (server, _) = self.url.rsplit_once('/').unwrap();
        format!("{server}/{name}")
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let (_, server) = self.url.rsplit_once('@').unwrap();
        let (address, _) = server.split_once('/').unwrap();
        address.parse().unwrap()
    }

    /// Creates a database of its own for each name.
    pub(crate) fn create(&self, names: &[&str]) {
        for name in names {
            sql(&self.url, &format!("CREATE DATABASE {name}"));
        }
    }

    /// Runs a statement in a database and returns its rows, columns with `|` between.
    pub(crate) fn query(&self, database: &str, statement: &str) -> Vec<String> {
        let rows = sql(&self.database(database), statement);
        rows.lines().map(str::to_owned).collect()
    }

    /// The one number that a statement gives.
    pub(crate) fn number(&self, database: &str, statement: &str) -> i64 {
        let rows = self.query(database, statement);
        rows[0].parse().unwrap_or_else(|_| panic!("{statement}: {rows:?}"))
    }

    /// Restarts the server: `fast` ends its sessions in order, `immediate` leaves it to crash recovery.
    pub(crate) fn restart(&self, mode: &str) {
        let data = self.folder.join("data");
        let status = owned(&binaries().join("pg_ctl"))
            .arg("-D")
            .arg(&data)
            .args(["-w", "-s", "-m", mode, "-l"])
            .arg(self.folder.join("log"))
            .arg("restart")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "PostgreSQL does not restart");
    }

    /// Holds a transaction with an id of its own open for a while.
    pub(crate) fn hold(&self, database: &str, duration: Duration) -> JoinHandle<()> {
        let url = self.database(database);
        let statement = format!(
            "BEGIN; SELECT pg_current_xact_id(); SELECT pg_sleep({}); COMMIT",
            duration.as_secs()
        );
        std::thread::spawn(move || {
            // PostgreSQL may end an idle holder earlier, which is as good.
            drop(psql(&url, &statement).output());
        })
    }

    /// Process ids of the sessions in the services' databases.
    pub(crate) fn sessions(&self) -> Vec<u32> {
        let statement = "SELECT pid FROM pg_stat_activity WHERE datname IN \
                         ('ingestion','scoring','offers','renewals','metrics') AND backend_type = 'client backend'";
        let rows = sql(&self.url, statement);
        rows.lines().map(|pid| pid.parse().unwrap()).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = Command::new(script())
            .arg("stop")
            .arg(&self.folder)
            .stderr(Stdio::null())
            .status();
        drop(stopped);
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("postgres")
}

fn binaries() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").unwrap();
    let mut found: Vec<_> = versions.map(|version| version.unwrap().path().join("bin")).collect();
    found.sort();
    found.pop().unwrap()
}

/// PostgreSQL refuses to run as root.
fn owned(program: &Path) -> Command {
    let root = fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt as _;
        own.uid() == 0
    });
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn psql(url: &str, statement: &str) -> Command {
    let mut command = Command::new(binaries().join("psql"));
    command.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, url]);
    command
}

fn sql(url: &str, statement: &str) -> String {
    let output = psql(url, statement).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statement}: {error}");
    String::from_utf8(output.stdout).unwrap()
}
