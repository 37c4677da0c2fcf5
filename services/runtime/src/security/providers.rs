//! Issuers that publish their keys at an address. The set is fetched at the start, again every `jwks_refresh_s`, and when
//! a token names a key that is not known, but no sooner than `jwks_retry_s` after the last time: who sends invented names
//! of keys must not make us knock at the issuer's door. While the issuer is away the keys that are known stay.

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rustls::RootCertStore;
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Security, settings::SecuritySettings, tls::outward, token::keys::Keys};

/// How long an issuer, and a caller for an issuer, is waited for; the shortest default deadline is longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Callers that wait at once; whoever comes on top is refused, so that invented names do not take every place.
const WAITING: usize = 32;
/// Bytes of a key set at most.
const SET_MAX: usize = 256 * 1024;

/// The issuers of the settings that publish their keys.
#[derive(Debug, Default)]
pub(super) struct Providers(Vec<Provider>);

#[derive(Debug)]
struct Provider {
    /// Of the issuer in the settings.
    place: usize,
    url: String,
    refresh: Duration,
    retry: Duration,
    asked: Notify,
    rounds: watch::Sender<Rounds>,
    waiting: Semaphore,
}

/// Fetches so far.
#[derive(Clone, Copy, Debug, Default)]
struct Rounds {
    begun: u64,
    ended: u64,
    /// From when on a token may cause the next; none before the first has ended.
    open: Option<Instant>,
}

impl Providers {
    pub(super) fn new(settings: &SecuritySettings) -> Self {
        let published = settings.issuers.values().enumerate();
        let published = published.filter(|(_, issuer)| !issuer.jwks_url.is_empty());
        let provider = published.map(|(place, issuer)| Provider {
            place,
            url: issuer.jwks_url.clone(),
            refresh: Duration::from_secs(issuer.jwks_refresh_s),
            retry: Duration::from_secs(issuer.jwks_retry_s),
            asked: Notify::new(),
            rounds: watch::Sender::default(),
            waiting: Semaphore::new(WAITING),
        });
        Self(provider.collect())
    }

    /// Asks those for their keys that may be asked now, and waits for what they say.
    pub(super) async fn ask(&self) {
        futures::future::join_all(self.0.iter().map(Provider::ask)).await;
    }
}

/// Fetches until `ending`.
pub(super) async fn follow(security: &Security, ending: &CancellationToken) {
    let following = security.providers().0.iter();
    let following = following.map(|provider| ending.run_until_cancelled(provider.follow(security)));
    futures::future::join_all(following).await;
}

impl Provider {
    /// Waits for the fetch that is under way, or for one that begins now, if one may.
    async fn ask(&self) {
        let mut rounds = self.rounds.subscribe();
        let Rounds { begun, ended, open } = *rounds.borrow();
        let Ok(_place) = self.waiting.try_acquire() else {
            return;
        };
        let wanted = match open {
            None => 1,
            Some(_) if begun > ended => begun,
            Some(open) if open <= Instant::now() => {
                self.asked.notify_one();
                begun + 1
            }
            Some(_) => return,
        };
        // Without an answer in time the token is judged by the keys that are known.
        let answered = rounds.wait_for(|rounds| rounds.ended >= wanted);
        timeout(PATIENCE, answered).await.map(drop).ok();
    }

    async fn follow(&self, security: &Security) {
        let (mut known, mut faults) = (String::new(), 0_u32);
        loop {
            self.rounds.send_modify(|rounds| rounds.begun += 1);
            let fetched = self.fetch(security).await;
            let pause = match fetched {
                Ok(keys) => {
                    (known, faults) = (String::new(), 0);
                    if security.renew_keys(self.place, keys) {
                        tracing::info!(issuer.keys = self.url, "the keys of an issuer were renewed");
                    }
                    self.refresh
                }
                Err(told) => {
                    if told != known {
                        let fault = told.as_str();
                        tracing::warn!(
                            issuer.keys = self.url,
                            error.source = fault,
                            "keys cannot be fetched; the old ones stay"
                        );
                    }
                    (known, faults) = (told, faults + 1);
                    Duration::from_secs(1_u64 << faults.min(6)).min(self.refresh)
                }
            };
            let open = Instant::now() + self.retry;
            self.rounds.send_modify(|rounds| {
                rounds.ended = rounds.begun;
                rounds.open = Some(open);
            });
            let asked = async {
                sleep_until(open).await;
                self.asked.notified().await;
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = asked => {}
            }
        }
    }

    async fn fetch(&self, security: &Security) -> Result<Keys, String> {
        let state = security.state();
        let roots = state.issuers.get(self.place).and_then(|issuer| issuer.roots.clone());
        let answer = timeout(PATIENCE, get(&self.url, roots)).await;
        Keys::parse(&answer.map_err(|_| "no answer in time".to_owned())??)
    }
}

/// Redirects are not followed: the settings say who is asked.
async fn get(url: &str, roots: Option<Arc<RootCertStore>>) -> Result<String, String> {
    let connector = match roots {
        Some(roots) => HttpsConnectorBuilder::new().with_tls_config(outward(roots).map_err(|fault| told(&fault))?),
        None => HttpsConnectorBuilder::new().with_webpki_roots(),
    };
    // By then the settings have let http:// pass for this machine only.
    let connector = connector.https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::get(url)
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .header(header::USER_AGENT, concat!("upswell/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|fault| told(&fault))?;
    let answer = client.request(request).await.map_err(|fault| told(&fault))?;
    if answer.status() != StatusCode::OK {
        return Err(format!("it answers {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), SET_MAX).collect().await;
    let body = body.map_err(|fault| told(fault.as_ref()))?.to_bytes();
    String::from_utf8(body.to_vec()).map_err(|fault| told(&fault))
}

/// A fault with what caused it.
fn told(fault: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(fault.source(), |cause| (*cause).source());
    let all = std::iter::once(fault.to_string()).chain(causes.map(ToString::to_string));
    all.collect::<Vec<_>>().join(": ")
}
