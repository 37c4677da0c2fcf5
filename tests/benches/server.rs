//! A service as a process of the real binary. What it tells the others goes to a sink which takes everything at once, so
//! that relaying is in the figures and the work of the others is not.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use tonic::{
    Request, Response, Status, async_trait,
    transport::{Server as Listener, server::TcpIncoming},
};
use upswell::cluster::SERVICES;
use upswell_proto::{
    admin::v1::{GetOutboxStatusRequest, admin_service_client::AdminServiceClient},
    delivery::v1::{
        DeliverRequest, DeliverResponse, EventResult,
        delivery_service_server::{DeliveryService, DeliveryServiceServer},
        event_result::Outcome,
    },
};

use crate::channels::endpoint;

/// The longest wait for a process to be ready.
const PATIENCE: Duration = Duration::from_secs(300);
/// Largest batch that a relay sends.
const BATCH_BYTES: usize = 64 << 20;

/// What a process is started with.
#[derive(Clone)]
pub(crate) struct Plan {
    what: &'static str,
    variables: BTreeMap<String, String>,
}

impl Plan {
    /// `serve <what>`, whose neighbours are all at `sink`.
    pub(crate) fn of(what: &'static str, sink: &str) -> Self {
        let peers = SERVICES.map(|service| (format!("UPSWELL__PEERS__{}", service.to_uppercase()), sink.to_owned()));
        Self {
            what,
            variables: peers.into(),
        }
    }

    /// With one setting more, as in the environment without its prefix.
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.variables.insert(format!("UPSWELL__{key}"), value.into());
        self
    }

    /// With the store at `url`.
    pub(crate) fn on(self, url: impl Into<String>) -> Self {
        let key = format!("{}__DB__URL", self.what.to_uppercase());
        self.with(&key, url)
    }
}

/// A running process; it is killed with this value.
pub(crate) struct Server {
    /// `http://host:port` of each service it serves.
    pub(crate) urls: BTreeMap<&'static str, String>,
    /// From the start of the process to its first answer.
    pub(crate) ready_after: Duration,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Brings the schema up to date, starts the process and waits for its first answer.
    pub(crate) async fn start(plan: &Plan) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let services: Vec<&'static str> = if plan.what == "all" {
            SERVICES.to_vec()
        } else {
            vec![plan.what]
        };
        let arguments = if plan.what == "all" {
            vec!["migrate"]
        } else {
            vec!["migrate", plan.what]
        };
        let migrated = command(plan, &folder).args(arguments).output()?;
        ensure!(
            migrated.status.success(),
            "{}",
            String::from_utf8_lossy(&migrated.stderr)
        );
        Self::serve(plan, &services, folder).await
    }

    async fn serve(plan: &Plan, services: &[&'static str], folder: TempDir) -> Result<Self> {
        let mut command = command(plan, &folder);
        let mut urls = BTreeMap::new();
        for service in services {
            let address = format!("127.0.0.1:{}", free_port()?);
            command.env(format!("UPSWELL__{}__SERVER__LISTEN", service.to_uppercase()), &address);
            urls.insert(*service, format!("http://{address}"));
        }
        let log = File::create(folder.path().join("log"))?;
        let begun = Instant::now();
        let child = command
            .args(["serve", plan.what])
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()?;
        let mut server = Self {
            urls,
            ready_after: Duration::ZERO,
            child,
            folder,
        };
        for service in services {
            server.wait(service, begun).await?;
        }
        server.ready_after = begun.elapsed();
        Ok(server)
    }

    /// The address of the one service that it serves.
    pub(crate) fn url(&self) -> &str {
        self.urls.values().next().map_or("", String::as_str)
    }

    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    async fn wait(&mut self, service: &str, begun: Instant) -> Result<()> {
        loop {
            if answers(&self.urls[service]).await.is_ok() {
                return Ok(());
            }
            let ended = self.child.try_wait()?;
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if let Some(status) = ended {
                bail!("the process ended with {status}: {}", log());
            }
            ensure!(begun.elapsed() < PATIENCE, "the process is not ready: {}", log());
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn answers(url: &str) -> Result<()> {
    let channel = endpoint(url)?.connect().await?;
    let mut admin = AdminServiceClient::new(channel);
    timeout(PATIENCE, admin.get_outbox_status(GetOutboxStatusRequest::default())).await??;
    Ok(())
}

fn command(plan: &Plan, folder: &TempDir) -> Command {
    let mut command = Command::new(upswell_tests::binary());
    command.current_dir(folder.path()).envs(&plan.variables);
    command
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Starts a neighbour which takes every event and does nothing; its address.
pub(crate) async fn sink() -> Result<String> {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
    let url = format!("http://{}", incoming.local_addr().context("the sink has no address")?);
    let service = DeliveryServiceServer::new(Sink).max_decoding_message_size(BATCH_BYTES);
    tokio::spawn(Listener::builder().add_service(service).serve_with_incoming(incoming));
    Ok(url)
}

struct Sink;

#[async_trait]
impl DeliveryService for Sink {
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let taken = |event_id| EventResult {
            event_id,
            outcome: Outcome::Applied.into(),
            detail: String::new(),
        };
        let events = request.into_inner().events.into_iter();
        let results = events.map(|event| taken(event.event_id)).collect();
        Ok(Response::new(DeliverResponse { results }))
    }
}
