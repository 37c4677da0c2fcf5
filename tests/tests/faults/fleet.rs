//! Replicas of every service as processes of the real binary, on loopback, over one PostgreSQL.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use upswell::cluster::SERVICES;
use upswell_runtime::client::{ClientSettings, Peers};
use upswell_tests::binary;

use crate::postgres::Postgres;

/// The longest wait for a process to come up or to end.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a fleet is made of.
pub(crate) struct Plan {
    replicas: usize,
    settings: Vec<(String, String)>,
}

impl Plan {
    /// `replicas` of every service and the defaults.
    pub(crate) fn of(replicas: usize) -> Self {
        Self {
            replicas,
            settings: Vec::new(),
        }
    }

    /// With one setting more, as in the environment without its prefix.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// The running processes and their database.
pub(crate) struct Fleet {
    pub(crate) postgres: Postgres,
    pub(crate) replicas: Vec<Replica>,
    settings: Vec<(String, String)>,
    /// Where the services find their databases.
    database: SocketAddr,
    /// Where the services find each other, when not at their own addresses.
    detours: BTreeMap<&'static str, SocketAddr>,
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
        if env::var_os("UPSWELL_FAULTS").is_none() {
            eprintln!("skipped: UPSWELL_FAULTS is not set");
            return None;
        }
        let postgres = Postgres::start()?;
        postgres.create(&SERVICES);
        let numbers = |service| (0..plan.replicas).map(move |number| (service, number));
        let replica = |(service, number)| Replica {
            service,
            number,
            port: free_port(),
            child: None,
        };
        Some(Self {
            replicas: SERVICES.into_iter().flat_map(numbers).map(replica).collect(),
            database: postgres.address(),
            postgres,
            settings: plan.settings,
            detours: BTreeMap::new(),
            folder: tempfile::tempdir().unwrap(),
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
        self.database = address;
    }

    /// Processes that start from now on reach a service here.
    pub(crate) fn reach_service_at(&mut self, service: &'static str, address: SocketAddr) {
        self.detours.insert(service, address);
    }

    /// Address of the first replica of a service.
    pub(crate) fn address(&self, service: &str) -> SocketAddr {
        let first = self.replicas.iter().find(|replica| replica.service == service).unwrap();
        ([127, 0, 0, 1], first.port).into()
    }

    /// Starts a replica that does not run.
    pub(crate) fn spawn(&mut self, index: usize) {
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
            .stdout(Stdio::null())
            .stderr(log);
        self.replicas[index].child = Some(command.spawn().unwrap());
    }

    /// Waits until a replica takes connections.
    pub(crate) fn wait_open(&mut self, index: usize) {
        let begun = Instant::now();
        let port = self.replicas[index].port;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let child = self.replicas[index].child.as_mut().unwrap();
            let ended = child.try_wait().unwrap();
            let told = || fs::read_to_string(self.log(&self.replicas[index])).unwrap_or_default();
            assert!(ended.is_none(), "a replica ended: {}", told());
            assert!(begun.elapsed() < PATIENCE, "a replica does not open: {}", told());
            std::thread::park_timeout(Duration::from_millis(20));
        }
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
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.folder.path());
        for service in SERVICES {
            let upper = service.to_uppercase();
            let detour = self.detours.get(service).map(|address| format!("http://{address}"));
            let url = format!("postgres://upswell@{}/{service}", self.database);
            command.env(format!("UPSWELL__{upper}__DB__URL"), url).env(
                format!("UPSWELL__PEERS__{upper}"),
                detour.unwrap_or_else(|| self.addresses(service)),
            );
        }
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
            for replica in &self.replicas {
                let log = fs::read_to_string(self.log(replica)).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(5).collect();
                eprintln!("--- {}-{}: {tail:#?}", replica.service, replica.number);
            }
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
