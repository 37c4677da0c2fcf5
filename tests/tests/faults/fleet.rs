//! Replicas of every service as processes of the real binary, on loopback, over one PostgreSQL.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait as _, Database, Statement};
use tempfile::TempDir;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use upswell::cluster::SERVICES;
use upswell_runtime::{
    client::{ClientSettings, Peers},
    server::READINESS,
};
use upswell_tests::{binary, binary_with_failpoints};

use crate::{disk::SmallDisk, postgres::Postgres};

/// The longest wait for a process to come up or to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where the files of SQLite lie by default.
const DATA: &str = "data";

/// True where faults are asked for; if not, that is said.
pub(crate) fn wanted() -> bool {
    let wanted = env::var_os("UPSWELL_FAULTS").is_some();
    if !wanted {
        eprintln!("skipped: UPSWELL_FAULTS is not set");
    }
    wanted
}

/// True on a machine that does nothing else, where rates and times may be judged.
pub(crate) fn is_quiet() -> bool {
    env::var("UPSWELL_FAULTS").is_ok_and(|profile| profile == "nightly")
}

/// What a fleet is made of.
pub(crate) struct Plan {
    replicas: usize,
    settings: Vec<(String, String)>,
    sqlite: bool,
    failpoints: bool,
    /// Size in megabytes of a file system for the stores alone.
    disk: Option<u32>,
}

impl Plan {
    /// `replicas` of every service and the defaults.
    pub(crate) fn of(replicas: usize) -> Self {
        Self {
            replicas,
            settings: Vec::new(),
            sqlite: false,
            failpoints: false,
            disk: None,
        }
    }

    /// With the stores in a small file system of their own.
    pub(crate) fn on_small_disk(mut self, megabytes: u32) -> Self {
        self.disk = Some(megabytes);
        self
    }

    /// On SQLite files, which one replica of each service owns.
    pub(crate) fn on_sqlite(mut self) -> Self {
        self.sqlite = true;
        self.replicas = 1;
        self
    }

    /// With the binary that has failpoints.
    pub(crate) fn with_failpoints(mut self) -> Self {
        self.failpoints = true;
        self
    }

    /// With one setting more, as in the environment without its prefix.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// The running processes and their database.
pub(crate) struct Fleet {
    pub(crate) replicas: Vec<Replica>,
    postgres: Option<Postgres>,
    disk: Option<Arc<SmallDisk>>,
    binary: PathBuf,
    settings: Vec<(String, String)>,
    /// Where the services find their databases.
    database: Option<SocketAddr>,
    /// Where the services find each other, when not at their own addresses.
    detours: BTreeMap<&'static str, String>,
    folder: TempDir,
}

/// One process.
pub(crate) struct Replica {
    pub(crate) service: &'static str,
    pub(crate) port: u16,
    number: usize,
    child: Option<Child>,
}

impl Fleet {
    /// Starts PostgreSQL and all replicas, with schemas up to date; none where PostgreSQL cannot be had.
    pub(crate) fn start(plan: Plan) -> Option<Self> {
        let mut fleet = Self::prepare(plan)?;
        fleet.open();
        Some(fleet)
    }

    /// Starts PostgreSQL and finds ports; nothing runs yet.
    pub(crate) fn prepare(plan: Plan) -> Option<Self> {
        if !wanted() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // PostgreSQL runs as somebody else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let disk = match plan.disk {
            Some(size) => Some(Arc::new(SmallDisk::start(&folder.path().join(DATA), size)?)),
            None => None,
        };
        let postgres = match &disk {
            _ if plan.sqlite => None,
            Some(disk) => Some(Postgres::start_on(disk.clone(), &folder.path().join(DATA))?),
            None => Some(Postgres::start()?),
        };
        if let Some(postgres) = &postgres {
            postgres.create(&SERVICES);
        }
        let numbers = |service| (0..plan.replicas).map(move |number| (service, number));
        let replica = |(service, number)| Replica {
            service,
            number,
            port: free_port(),
            child: None,
        };
        Some(Self {
            replicas: SERVICES.into_iter().flat_map(numbers).map(replica).collect(),
            database: postgres.as_ref().map(Postgres::address),
            postgres,
            binary: if plan.failpoints {
                binary_with_failpoints()
            } else {
                binary()
            },
            settings: plan.settings,
            detours: BTreeMap::new(),
            disk,
            folder,
        })
    }

    /// Brings the schemas up to date and starts every process.
    pub(crate) fn open(&mut self) {
        let migrated = self.command(&["migrate"]).output().unwrap();
        let told = String::from_utf8_lossy(&migrated.stderr);
        assert!(migrated.status.success(), "{told}");
        for index in 0..self.replicas.len() {
            self.spawn(index);
        }
        for index in 0..self.replicas.len() {
            self.wait_open(index);
        }
    }

    /// Processes that start from now on reach their databases here, e.g. through a proxy.
    pub(crate) fn reach_database_at(&mut self, address: SocketAddr) {
        self.database = Some(address);
    }

    /// Processes that start from now on reach a service here: an address as in the settings.
    pub(crate) fn reach_service_at(&mut self, service: &'static str, address: impl Into<String>) {
        self.detours.insert(service, address.into());
    }

    /// The server behind all stores.
    pub(crate) fn postgres(&self) -> &Postgres {
        self.postgres.as_ref().unwrap()
    }

    /// The same, where the stores do not lie in files.
    pub(crate) fn postgres_if_any(&self) -> Option<&Postgres> {
        self.postgres.as_ref()
    }

    /// The small file system of the stores.
    pub(crate) fn disk(&self) -> Option<&SmallDisk> {
        self.disk.as_deref()
    }

    /// First columns of the rows of a question to the store of a service.
    pub(crate) async fn query(&self, service: &str, statement: &str) -> Vec<String> {
        if let Some(postgres) = &self.postgres {
            return postgres.query(service, statement);
        }
        let data = self.disk.as_ref().map_or_else(|| self.file(DATA), |disk| disk.seen());
        let url = format!("sqlite:{}/{service}.db?mode=ro", data.display());
        let database = Database::connect(url).await.unwrap();
        let asked = Statement::from_string(database.get_database_backend(), statement);
        let rows = database.query_all_raw(asked).await.unwrap();
        let texts = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        database.close().await.unwrap();
        texts
    }

    /// A file of the test's own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Address of the first replica of a service.
    pub(crate) fn address(&self, service: &str) -> SocketAddr {
        let first = self.replicas.iter().find(|replica| replica.service == service).unwrap();
        ([127, 0, 0, 1], first.port).into()
    }

    /// Starts a replica that does not run.
    pub(crate) fn spawn(&mut self, index: usize) {
        self.spawn_with(index, &[]);
    }

    /// Starts a replica with more in its environment.
    pub(crate) fn spawn_with(&mut self, index: usize, environment: &[(&str, &str)]) {
        let replica = &self.replicas[index];
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log(replica))
            .unwrap();
        let (service, port) = (replica.service, replica.port);
        let mut command = self.command(&["serve", service]);
        command
            .env(
                format!("UPSWELL__{}__SERVER__LISTEN", service.to_uppercase()),
                format!("127.0.0.1:{port}"),
            )
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(log);
        self.replicas[index].child = Some(command.spawn().unwrap());
    }

    /// Waits until a replica takes connections.
    pub(crate) fn wait_open(&mut self, index: usize) {
        self.wait_open_or_end(index);
        assert!(!self.has_ended(index), "a replica ended: {}", self.told(index));
    }

    /// Waits until a replica takes connections or has ended by itself.
    pub(crate) fn wait_open_or_end(&mut self, index: usize) {
        let begun = Instant::now();
        let port = self.replicas[index].port;
        while !self.has_ended(index) && TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < PATIENCE,
                "a replica does not open: {}",
                self.told(index)
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// What a replica has told on standard error since its first start.
    pub(crate) fn told(&self, index: usize) -> String {
        fs::read_to_string(self.log(&self.replicas[index])).unwrap_or_default()
    }

    /// True when a replica that was started does not run any more.
    pub(crate) fn has_ended(&mut self, index: usize) -> bool {
        let child = self.replicas[index].child.as_mut();
        child.is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    /// True when a replica says that it is ready.
    pub(crate) async fn is_ready(&self, index: usize) -> bool {
        let address = format!("http://127.0.0.1:{}", self.replicas[index].port);
        let peers = Peers::new(&[("self".to_owned(), address)].into(), &ClientSettings::default()).unwrap();
        let request = HealthCheckRequest {
            service: READINESS.to_owned(),
        };
        let answer = HealthClient::new(peers.channel("self").unwrap()).check(request).await;
        answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
    }

    /// Lets go of a replica that has ended by itself.
    pub(crate) fn forget(&mut self, index: usize) {
        self.replicas[index].child = None;
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, index: usize) {
        let mut child = self.replicas[index].child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; waits until the process has ended, and returns how long that took.
    pub(crate) fn terminate(&mut self, index: usize) -> Duration {
        let begun = Instant::now();
        self.signal(index, "TERM");
        let mut child = self.replicas[index].child.take().unwrap();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{status} after SIGTERM");
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "a replica does not end");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Sends a signal by name, e.g. STOP.
    pub(crate) fn signal(&self, index: usize, name: &str) {
        let pid = self.replicas[index].child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Channels that share their calls over the replicas.
    pub(crate) fn peers(&self, settings: &ClientSettings) -> Peers {
        let addresses = SERVICES.map(|service| (service.to_owned(), self.addresses(service)));
        Peers::new(&addresses.into(), settings).unwrap()
    }

    /// Addresses of the replicas of a service.
    pub(crate) fn addresses(&self, service: &str) -> String {
        let own = self.replicas.iter().filter(|replica| replica.service == service);
        own.map(|replica| format!("http://127.0.0.1:{}", replica.port))
            .collect::<Vec<_>>()
            .join(",")
    }

    fn log(&self, replica: &Replica) -> PathBuf {
        let name = format!("{}-{}.log", replica.service, replica.number);
        self.folder.path().join(name)
    }

    /// The binary with the settings of this fleet.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.disk {
            Some(disk) => disk.inside(&self.binary),
            None => Command::new(&self.binary),
        };
        command.args(arguments).current_dir(self.folder.path());
        for service in SERVICES {
            let upper = service.to_uppercase();
            if let Some(database) = self.database {
                let url = format!("postgres://upswell@{database}/{service}");
                command.env(format!("UPSWELL__{upper}__DB__URL"), url);
            }
            let detour = self.detours.get(service).cloned();
            command.env(
                format!("UPSWELL__PEERS__{upper}"),
                detour.unwrap_or_else(|| self.addresses(service)),
            );
        }
        // Colours would only stand in the way of reading what was told.
        command.env("NO_COLOR", "1");
        for (key, value) in &self.settings {
            command.env(format!("UPSWELL__{key}"), value);
        }
        command
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in self.replicas.iter_mut().filter_map(|replica| replica.child.as_mut()) {
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() {
            for (index, replica) in self.replicas.iter().enumerate() {
                let log = self.told(index);
                let tail: Vec<&str> = log.lines().rev().take(5).collect();
                eprintln!("--- {}-{}: {tail:#?}", replica.service, replica.number);
            }
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
