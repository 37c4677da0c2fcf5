//! The way in from outside: an HTTP port of its own for signed webhooks of providers, and for the signed links of
//! messages. Nothing is believed without a signature; gRPC stays inside.
//!
//! ```text
//! POST /webhooks/<channel>    what a provider tells: delivered, opened, clicked, bounced, replied, …
//! GET, POST /opt-out/<token>  one click, and no more comes on that channel (RFC 8058)
//! GET, POST /offer/<token>    the offer as it stands, and the answer to it
//! ```
//! The edge lives as long as the service does; it keeps nothing alive.

mod inbound;
mod pages;
mod web;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Weak},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use upswell_runtime::problem::{Problem, Violations};

use crate::{
    app::App,
    channel::{signature::Keys, webhook::keys},
    config::WebhookSettings,
    domain::vocabulary::Channel as Way,
};

/// Connections at once; others wait.
const CONNECTIONS: usize = 256;
/// How long the headers of a request may take.
const HEADERS: Duration = Duration::from_secs(10);
/// How long a connection may stay.
const CONNECTION: Duration = Duration::from_secs(60);
/// After a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Who is believed, by channel.
pub(crate) struct Doors(BTreeMap<Way, Keys>);

impl Doors {
    /// The keys of the settings. Notes those that cannot be used.
    pub(crate) fn new(settings: &WebhookSettings, violations: &mut Violations) -> Self {
        let mut doors = BTreeMap::new();
        for (way, endpoint) in settings.all() {
            let keys = violations.at(way, |violations| {
                keys("inbound_secret_files", &endpoint.inbound_secret_files, violations)
            });
            doors.extend(keys.filter(|keys| !keys.is_empty()).map(|keys| (way, keys)));
        }
        Self(doors)
    }
}

/// What every connection needs.
struct Edge {
    app: Weak<App>,
    doors: Doors,
}

/// Listens where the settings say, until `ending`; none when the edge is off. Errors: the address is taken.
pub(crate) async fn open(
    app: &Arc<App>,
    doors: Doors,
    ending: CancellationToken,
) -> Result<Option<SocketAddr>, Problem> {
    let Some(address) = app.settings.edge.address().map_err(Problem::internal)? else {
        return Ok(None);
    };
    let taken = |fault: std::io::Error| {
        Problem::failed_precondition("EDGE_ADDRESS", format!("edge.listen: {address}: {fault}"))
    };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    let edge = Arc::new(Edge {
        app: Arc::downgrade(app),
        doors,
    });
    tracing::info!(server.address = %address, "the edge is listening");
    tokio::spawn(accept(listener, edge, ending));
    Ok(Some(address))
}

async fn accept(listener: TcpListener, edge: Arc<Edge>, ending: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = ending.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let (edge, ending) = (Arc::clone(&edge), ending.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = ending.cancelled() => {}
                        () = serve(stream, edge) => {}
                    }
                    drop(place);
                });
            }
            // Too many open files, or a peer that was gone at once.
            Err(fault) => {
                tracing::debug!(error = %fault, "a connection to the edge was not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, edge: Arc<Edge>) {
    let service = service_fn(|request| {
        let edge = Arc::clone(&edge);
        async move { Ok::<_, std::convert::Infallible>(web::answer(&edge, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(CONNECTION, connection).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(fault)) => tracing::debug!(error = %fault, "a connection to the edge broke"),
    }
}
