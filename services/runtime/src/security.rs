//! Who may call a process, over what, and who it is itself: TLS with rotation, certificates and tokens of callers, the
//! access table, and the audit log.
//!
//! Three states. Nothing is set: loopback only, everybody there is believed. `insecure`: any address, nobody is asked and
//! nobody believed; the network has to keep strangers out. Certificates or issuers are set: every call, also from
//! loopback, needs an identity, and the access table says what it may do.

pub mod audit;
mod cache;
mod caller;
mod connector;
mod files;
mod guard;
mod listener;
mod policy;
mod providers;
mod secret;
mod settings;
#[cfg(test)]
mod tests;
mod tls;
mod token;

use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock, PoisonError, RwLock},
    time::Duration,
};

use http::HeaderValue;
use rustls::{ClientConfig, ServerConfig};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::{
    audit::Throttle,
    cache::Cache,
    files::Files,
    providers::Providers,
    tls::Configs,
    token::{Issuer, keys::Keys},
};
pub use self::{
    caller::{Caller, Reach, Via, caller},
    policy::{Policy, Roles},
    secret::Secret,
    settings::{IssuerSettings, SecuritySettings, TlsSettings},
};
pub(crate) use self::{connector::Connector, listener::connections};
use crate::{
    clock::Clock,
    problem::{Problem, Violations},
};

/// What a process knows about callers and itself. Clones share it; the default is the state in which nothing is set.
#[derive(Clone, Debug)]
pub struct Security(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: SecuritySettings,
    clock: Clock,
    state: RwLock<Arc<State>>,
    cache: Cache,
    throttle: Throttle,
    providers: Providers,
}

/// What came of the files and of the issuers; it changes as a whole.
#[derive(Clone, Debug, Default)]
struct State {
    digest: Vec<u8>,
    configs: Configs,
    issuers: Vec<Issuer>,
    bearer: Option<HeaderValue>,
}

impl Default for Security {
    fn default() -> Self {
        static NOTHING: LazyLock<Security> = LazyLock::new(|| {
            Security(Arc::new(Inner {
                settings: SecuritySettings::default(),
                clock: Clock::system(),
                state: RwLock::default(),
                cache: Cache::default(),
                throttle: Throttle::default(),
                providers: Providers::default(),
            }))
        });
        NOTHING.clone()
    }
}

impl Security {
    /// Checks the settings and reads every file that they name. `clock` says when tokens end; certificates end by the
    /// clock of the machine. Errors: INVALID_ARGUMENT with everything that is wrong.
    pub fn load(settings: &SecuritySettings, clock: Clock) -> Result<Self, Problem> {
        let mut violations = Violations::new();
        settings.validate(&mut violations);
        violations.into_result()?;
        let state = State::read(settings)?;
        Ok(Self(Arc::new(Inner {
            settings: settings.clone(),
            clock,
            state: RwLock::new(Arc::new(state)),
            cache: Cache::default(),
            throttle: Throttle::default(),
            providers: Providers::new(settings),
        })))
    }

    /// Reads the files again; true when something in them changed. With a fault everything stays as it was.
    pub fn reload(&self) -> Result<bool, Problem> {
        let mut state = State::read(&self.0.settings)?;
        let mut current = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.digest == current.digest {
            return Ok(false);
        }
        for (issuer, before) in state.issuers.iter_mut().zip(&current.issuers) {
            if !issuer.settings.jwks_url.is_empty() {
                issuer.keys = Arc::clone(&before.keys);
            }
        }
        *current = Arc::new(state);
        drop(current);
        // What the old keys verified has to be verified by the new ones.
        self.0.cache.clear();
        Ok(true)
    }

    /// Takes the keys that the issuer at `place` of the settings has published; true when they are others than before.
    fn renew_keys(&self, place: usize, keys: Keys) -> bool {
        let mut current = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&current);
        match state.issuers.get_mut(place) {
            Some(issuer) if *issuer.keys != keys => issuer.keys = Arc::new(keys),
            _ => return false,
        }
        *current = Arc::new(state);
        drop(current);
        self.0.cache.clear();
        true
    }

    /// Reloads files every `reload_ms`, where any are named, and fetches keys that are published, until `ending`.
    pub fn follow(&self, ending: CancellationToken) -> JoinHandle<()> {
        let security = self.clone();
        tokio::spawn(async move {
            tokio::join!(security.follow_files(&ending), providers::follow(&security, &ending));
        })
    }

    async fn follow_files(&self, ending: &CancellationToken) {
        if !self.0.settings.names_files() {
            return;
        }
        let pause = Duration::from_millis(self.0.settings.reload_ms);
        let mut known = String::new();
        while tokio::time::timeout(pause, ending.cancelled()).await.is_err() {
            match self.reload() {
                Ok(renewed) => {
                    known.clear();
                    if renewed {
                        tracing::info!("credentials were renewed");
                    }
                }
                Err(problem) => {
                    let told = problem.to_string();
                    if told != known {
                        tracing::warn!(error.source = %problem, "credentials cannot be renewed; the old ones stay");
                    }
                    known = told;
                }
            }
        }
    }

    /// Nothing when `address` may be listened on. Errors: FAILED_PRECONDITION `UNPROTECTED` with what to do.
    pub fn check_listener(&self, address: SocketAddr) -> Result<(), Problem> {
        let settings = &self.0.settings;
        let encrypted = settings.tls.has_identity();
        if settings.insecure || address.ip().to_canonical().is_loopback() || (encrypted && self.asks()) {
            return Ok(());
        }
        let missing = match (encrypted, self.asks()) {
            (true, _) => {
                "callers are not known: name them in [security.certificates], or whose tokens count in [security.issuers]"
            }
            (_, true) => "tokens would travel in the clear: set security.tls.cert_file and security.tls.key_file",
            _ => {
                "neither encryption nor callers are set: fill [security.tls], and [security.certificates] or \
                 [security.issuers]"
            }
        };
        Err(Problem::failed_precondition(
            "UNPROTECTED",
            format!(
                "{address} can be reached from other machines, and {missing}; or listen on 127.0.0.1; or, where the network \
                 itself keeps strangers out, say so by security.insecure = true"
            ),
        ))
    }

    /// The settings.
    pub fn settings(&self) -> &SecuritySettings {
        &self.0.settings
    }

    /// True when callers have to show who they are.
    pub fn asks(&self) -> bool {
        self.0.settings.asks()
    }

    /// True when this process can check the certificate of a service that it calls.
    pub fn calls_over_tls(&self) -> bool {
        self.state().configs.client.is_some()
    }

    pub(crate) fn server_config(&self) -> Option<Arc<ServerConfig>> {
        self.state().configs.server.clone()
    }

    fn client_config(&self) -> Option<Arc<ClientConfig>> {
        self.state().configs.client.clone()
    }

    /// The value of `authorization` for calls of this process.
    pub(crate) fn bearer(&self) -> Option<HeaderValue> {
        self.state().bearer.clone()
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.0.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// Remembers what was verified by the keys of `state`, unless there are newer ones.
    fn remember(&self, state: &Arc<State>, hash: [u8; 32], verified: token::Verified, now: i64) {
        let current = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, state) {
            self.0.cache.put(hash, verified, now);
        }
    }

    fn providers(&self) -> &Providers {
        &self.0.providers
    }

    fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// Seconds since 1970.
    fn now(&self) -> i64 {
        self.0.clock.now().as_second()
    }
}

impl State {
    fn read(settings: &SecuritySettings) -> Result<Self, Problem> {
        let mut violations = Violations::new();
        let files = Files::read(settings, &mut violations);
        violations.into_result()?;
        let mut violations = Violations::new();
        let configs = violations.take("tls", tls::configs(settings, &files));
        let mut issuers = Vec::new();
        for ((name, issuer), files) in settings.issuers.iter().zip(&files.issuers) {
            let field = if issuer.jwks_url.is_empty() {
                "jwks_file"
            } else {
                "jwks_ca_file"
            };
            let read = Issuer::new(issuer, files.jwks.as_deref(), files.ca.as_deref());
            issuers.extend(violations.take(format!("issuers.{name}.{field}"), read));
        }
        let bearer = files.token.as_deref().map(header);
        let bearer = bearer.and_then(|header| violations.take("token_file", header));
        violations.into_result()?;
        Ok(Self {
            digest: files.digest(),
            configs: configs.unwrap_or_default(),
            issuers,
            bearer,
        })
    }
}

/// The fault does not quote the token.
fn header(token: &str) -> Result<HeaderValue, &'static str> {
    let value = Secret::new(format!("Bearer {token}"));
    let value = HeaderValue::from_str(value.expose()).ok().filter(|_| !token.is_empty());
    let mut value = value.ok_or("holds no token")?;
    value.set_sensitive(true);
    Ok(value)
}
