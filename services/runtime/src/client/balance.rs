//! The replicas behind one address: found by name, by a list or in a file, each with a channel of its own.
//!
//! A channel of tonic stays with the one address it connected to, so behind a name with many addresses it would load a
//! single replica. Of two replicas taken at random the one with fewer open calls gets the next. A replica that cannot
//! be reached is left out for a while, doubling up to a quarter of a minute; when all are, the one that comes back
//! first is tried, so that nothing is refused without a look.

use std::{
    error::Error,
    fmt, io,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::poll_fn;
use http::{Request, Response, Uri};
use rand::seq::IndexedRandom as _;
use tokio::{
    net::lookup_host,
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tonic::{
    Code, Status,
    body::Body,
    transport::{Channel, Endpoint},
};
use tower_service::Service as _;

use super::ClientSettings;
use crate::{problem::Problem, security::Connector};

/// Reasons for which every replica would refuse.
const EVERYWHERE: [&str; 2] = ["STORE_LOCKED", "PEER_UNAVAILABLE"];

/// The fault of a call that got no answer.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// How long a replica is left out after the first failure, and at most.
const OUT: Duration = Duration::from_millis(250);
const OUT_MAX: Duration = Duration::from_secs(15);
/// A call that was given up sooner than this says nothing about its replica.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the replicas of a peer are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `http://a:1,http://b:1`: these, as they stand.
    Fixed(Vec<Uri>),
    /// `http://name:1`: every address that the name has now, e.g. those of a headless service.
    Name(Uri),
    /// `file:path`: one `http://host:port` a line.
    File(PathBuf),
}

impl Target {
    /// Reads an address of the settings.
    pub(super) fn parse(address: &str) -> Result<Self, String> {
        if let Some(path) = address.strip_prefix("file:") {
            return Ok(Self::File(path.into()));
        }
        let uris = address
            .split(',')
            .map(|one| uri(one.trim()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(match uris.as_slice() {
            [one] if is_name(one) => Self::Name(one.clone()),
            _ => Self::Fixed(uris),
        })
    }

    /// True where every connection has TLS; a file is read later and may hold both.
    pub(super) fn is_encrypted(&self) -> bool {
        let mut uris = match self {
            Self::Fixed(uris) => uris.iter(),
            Self::Name(uri) => std::slice::from_ref(uri).iter(),
            Self::File(_) => return false,
        };
        uris.all(is_https)
    }

    /// True where nobody listens in: TLS, or this machine.
    pub(super) fn is_private(&self) -> bool {
        let own = |uri: &Uri| is_https(uri) || is_loopback(uri);
        match self {
            Self::Fixed(uris) => uris.iter().all(own),
            Self::Name(uri) => own(uri),
            Self::File(_) => false,
        }
    }

    /// Host and port for spans: those of the settings, not of a replica.
    pub(super) fn shown(&self) -> (String, u16) {
        match self {
            Self::Fixed(uris) => uris.first().map(host_port).unwrap_or_default(),
            Self::Name(uri) => host_port(uri),
            Self::File(path) => (path.display().to_string(), 0),
        }
    }

    async fn resolve(&self) -> io::Result<Vec<Uri>> {
        match self {
            Self::Fixed(uris) => Ok(uris.clone()),
            Self::Name(uri) => addresses(uri).await,
            Self::File(path) => listed(path).await,
        }
    }
}

/// The replicas of one peer. Clones share them.
#[derive(Clone)]
pub(super) struct Balance {
    shared: Arc<Shared>,
}

struct Shared {
    /// What certificates of the replicas are for, where they are found by a name.
    name: Option<String>,
    /// None until they were looked up for the first time.
    replicas: watch::Sender<Option<Arc<[Arc<Replica>]>>>,
    /// How long a call waits for the first look-up.
    patience: Duration,
}

impl Balance {
    /// Begins to look the replicas up, again and again where they may change. Needs a tokio runtime.
    pub(super) fn new(target: Target, settings: &ClientSettings) -> Self {
        let name = match &target {
            Target::Name(uri) => uri.host().map(str::to_owned),
            Target::Fixed(_) | Target::File(_) => None,
        };
        let shared = Arc::new(Shared {
            name,
            replicas: watch::Sender::new(None),
            patience: Duration::from_millis(settings.connect_timeout_ms),
        });
        let balance = Self { shared };
        if let Target::Fixed(uris) = &target {
            balance.shared.update(uris.clone(), settings);
        } else {
            tokio::spawn(follow(target, Arc::downgrade(&balance.shared), settings.clone()));
        }
        balance
    }

    /// Sends a request to one of the replicas.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let replica = self.pick().await?;
        let mut open = Open::new(&replica);
        let mut channel = replica.channel.clone();
        let answer = match poll_fn(|context| channel.poll_ready(context)).await {
            Ok(()) => channel.call(request).await,
            Err(fault) => Err(fault),
        };
        open.answered = true;
        replica.note(answer.as_ref().is_ok_and(|answer| !is_refusal(answer)));
        Ok(answer?)
    }

    async fn pick(&self) -> Result<Arc<Replica>, Status> {
        let mut known = self.shared.replicas.subscribe();
        let found = timeout(self.shared.patience, known.wait_for(Option::is_some)).await;
        let replicas = match found {
            Ok(Ok(replicas)) => replicas.clone().unwrap_or_default(),
            _ => return Err(unreachable("the addresses of the peer cannot be looked up")),
        };
        pick(&replicas, Instant::now()).ok_or_else(|| unreachable("the peer has no address"))
    }
}

impl fmt::Debug for Balance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Balance")
            .field(&*self.shared.replicas.borrow())
            .finish()
    }
}

impl Shared {
    /// Takes over a new set of addresses; replicas that stay keep their connections.
    fn update(&self, uris: Vec<Uri>, settings: &ClientSettings) {
        self.replicas.send_if_modified(|known| {
            let before = known.clone().unwrap_or_default();
            let same = before.len() == uris.len() && uris.iter().all(|uri| before.iter().any(|one| one.uri == *uri));
            if known.is_some() && same {
                return false;
            }
            let replica = |uri: Uri| {
                let stays = before.iter().find(|replica| replica.uri == uri).cloned();
                stays.unwrap_or_else(|| Arc::new(Replica::new(uri, self.name.as_deref(), settings)))
            };
            *known = Some(uris.into_iter().map(replica).collect());
            true
        });
    }
}

/// Looks the addresses up until nobody uses them any more. What was known stays when a look-up fails.
async fn follow(target: Target, shared: Weak<Shared>, settings: ClientSettings) {
    let mut failing = false;
    loop {
        let found = target.resolve().await;
        let Some(shared) = shared.upgrade() else { return };
        match found {
            Ok(uris) => {
                failing = false;
                shared.update(uris, &settings);
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(server.address = target.shown().0, %error, "addresses cannot be looked up");
                }
                failing = true;
                shared
                    .replicas
                    .send_if_modified(|known| known.is_none().then(|| *known = Some(Arc::default())).is_some());
            }
        }
        drop(shared);
        sleep(Duration::from_millis(settings.resolve_ms)).await;
    }
}

struct Replica {
    uri: Uri,
    channel: Channel,
    open: AtomicUsize,
    health: Mutex<Health>,
}

#[derive(Clone, Copy, Debug)]
struct Health {
    faults: u32,
    out_until: Instant,
}

impl Replica {
    fn new(uri: Uri, name: Option<&str>, settings: &ClientSettings) -> Self {
        let endpoint = Endpoint::from(uri.clone())
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        let channel = if is_https(&uri) {
            let name = name.or(uri.host()).unwrap_or_default();
            endpoint.connect_with_connector_lazy(Connector::new(settings.security.clone(), name))
        } else {
            endpoint.connect_lazy()
        };
        let health = Health {
            faults: 0,
            out_until: Instant::now(),
        };
        Self {
            uri,
            channel,
            open: AtomicUsize::new(0),
            health: Mutex::new(health),
        }
    }

    fn out_until(&self) -> Instant {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).out_until
    }

    fn note(&self, answered: bool) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            (health.faults, health.out_until) = (0, Instant::now());
            return;
        }
        let out = OUT.saturating_mul(1 << health.faults.min(16)).min(OUT_MAX);
        health.faults = health.faults.saturating_add(1);
        health.out_until = Instant::now() + out;
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.uri)
    }
}

/// True for an UNAVAILABLE that is all of the answer: the next attempt should ask another replica. One that would say the
/// same, because it is about a row or about somebody else, is no better.
fn is_refusal(answer: &Response<Body>) -> bool {
    let refused = Status::from_header_map(answer.headers()).filter(|status| status.code() == Code::Unavailable);
    refused.is_some_and(|status| !EVERYWHERE.contains(&Problem::from(status).reason()))
}

/// Counts a call while it lives. One that was given up after a while speaks against its replica, which may take
/// connections and answer none.
struct Open<'a> {
    replica: &'a Replica,
    since: Instant,
    answered: bool,
}

impl<'a> Open<'a> {
    fn new(replica: &'a Replica) -> Self {
        replica.open.fetch_add(1, Ordering::Relaxed);
        Self {
            replica,
            since: Instant::now(),
            answered: false,
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.replica.open.fetch_sub(1, Ordering::Relaxed);
        if !self.answered && self.since.elapsed() >= PATIENCE {
            self.replica.note(false);
        }
    }
}

/// The less busy of two that can be reached, or the one that is back first.
fn pick(replicas: &[Arc<Replica>], now: Instant) -> Option<Arc<Replica>> {
    let well: Vec<_> = replicas.iter().filter(|replica| replica.out_until() <= now).collect();
    let two = well.sample(&mut rand::rng(), 2);
    let less_busy = two.min_by_key(|replica| replica.open.load(Ordering::Relaxed));
    less_busy
        .copied()
        .or_else(|| replicas.iter().min_by_key(|replica| replica.out_until()))
        .cloned()
}

/// UNAVAILABLE with a source, by which a fault of the way is told from one that the peer answered.
fn unreachable(text: &'static str) -> Status {
    let mut status = Status::unavailable(text);
    status.set_source(Arc::new(io::Error::other(text)));
    status
}

fn uri(text: &str) -> Result<Uri, String> {
    let uri = Uri::from_str(text).map_err(|error| error.to_string())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err(
            "must be `http://host:port` or `https://host:port`, several of them with commas between, or `file:path`"
                .to_owned(),
        ),
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A loopback name is left to the connector, which tries both families.
fn is_name(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    host != "localhost" && host.trim_matches(['[', ']']).parse::<IpAddr>().is_err()
}

fn host_port(uri: &Uri) -> (String, u16) {
    let port = uri.port_u16().unwrap_or(if is_https(uri) { 443 } else { 80 });
    (uri.host().unwrap_or_default().to_owned(), port)
}

/// The addresses of a name, of the family that comes first.
async fn addresses(uri: &Uri) -> io::Result<Vec<Uri>> {
    let found: Vec<_> = lookup_host(host_port(uri)).await?.collect();
    let first = found.first().is_some_and(|address| address.is_ipv4());
    let mut found: Vec<_> = found.into_iter().filter(|address| address.is_ipv4() == first).collect();
    found.sort_unstable();
    found.dedup();
    let scheme = uri.scheme_str().unwrap_or("http");
    let parsed = found
        .iter()
        .map(|address| Uri::from_str(&format!("{scheme}://{address}")));
    parsed.collect::<Result<_, _>>().map_err(io::Error::other)
}

async fn listed(path: &Path) -> io::Result<Vec<Uri>> {
    let text = tokio::fs::read_to_string(path).await?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(uri).collect::<Result<_, _>>().map_err(io::Error::other)
}
