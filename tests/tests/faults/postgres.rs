//! A private PostgreSQL, which the test may restart, stop and cut off.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use crate::disk::SmallDisk;

/// A running server; it ends with this value.
pub(crate) struct Postgres {
    /// URL of the administrator's database.
    url: String,
    folder: PathBuf,
    /// The file system that it lies in, if not that of all.
    disk: Option<Arc<SmallDisk>>,
}

impl Postgres {
    /// Starts one that keeps what it acknowledged; none where PostgreSQL cannot be had, which is said.
    pub(crate) fn start() -> Option<Self> {
        Self::start_by(Command::new(script()), None)
    }

    /// Starts one whose files lie in `folder` of a small disk.
    pub(crate) fn start_on(disk: Arc<SmallDisk>, folder: &Path) -> Option<Self> {
        let mut starting = disk.inside(&script());
        starting.env("TMPDIR", folder);
        Self::start_by(starting, Some(disk))
    }

    fn start_by(mut starting: Command, disk: Option<Arc<SmallDisk>>) -> Option<Self> {
        let output = starting.arg("start").stderr(Stdio::piped()).output().unwrap();
        if !output.status.success() {
            eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
            return None;
        }
        let url = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let folder = sql(&url, "SHOW unix_socket_directories").trim().into();
        Some(Self { url, folder, disk })
    }

    /// URL of a database of this server.
    pub(crate) fn database(&self, name: &str) -> String {
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

    /// Restarts the server: `fast` ends its sessions in order, `immediate` leaves it to crash recovery.
    pub(crate) fn restart(&self, mode: &str) {
        assert!(self.control(&["-m", mode, "restart"]), "PostgreSQL does not restart");
    }

    /// Starts the server if it has given up.
    pub(crate) fn start_again(&self) {
        let options = fs::read_to_string(self.seen().join("data/postmaster.opts")).unwrap();
        let (_, options) = options.split_once(' ').unwrap();
        assert!(
            self.control(&["status"]) || self.control(&["-o", options.trim(), "start"]),
            "PostgreSQL does not start"
        );
    }

    /// Its folder, from outside of its file system.
    fn seen(&self) -> PathBuf {
        match &self.disk {
            Some(disk) => disk.seen().join(self.folder.file_name().unwrap()),
            None => self.folder.clone(),
        }
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let program = owned(&binaries().join("pg_ctl"));
        let mut command = match &self.disk {
            Some(disk) => disk.inside(Path::new(program.get_program())),
            None => Command::new(program.get_program()),
        };
        let status = command
            .args(program.get_args())
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(["-w", "-s", "-l"])
            .arg(self.folder.join("log"))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.unwrap().success()
    }

    /// Holds a transaction with an id of its own open for a while.
    pub(crate) fn hold(&self, database: &str, duration: Duration) -> JoinHandle<()> {
        let statement = format!(
            "BEGIN; SELECT pg_current_xact_id(); SELECT pg_sleep({}); COMMIT",
            duration.as_secs()
        );
        self.run(database, statement)
    }

    /// Runs statements beside the test. What becomes of them does not matter.
    pub(crate) fn run(&self, database: &str, statement: String) -> JoinHandle<()> {
        let url = self.database(database);
        std::thread::spawn(move || drop(psql(&url, &statement).output()))
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
        let mut stopping = match &self.disk {
            Some(disk) => disk.inside(&script()),
            None => Command::new(script()),
        };
        let stopped = stopping.arg("stop").arg(&self.folder).stderr(Stdio::null()).status();
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
