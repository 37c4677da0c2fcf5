//! Settings of the service; `config.toml` holds every key with its default.

use serde::Deserialize;
use upswell_runtime::{
    client::ClientSettings, db::DbSettings, problem::Violations, relay::RelaySettings, server::ServerSettings,
};

/// Section `[metrics]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The store.
    pub db: DbSettings,
    /// The listener.
    pub server: ServerSettings,
    /// The relay of the outbox; the service sends no events of its own yet.
    pub relay: RelaySettings,
    /// Calls to other services.
    pub client: ClientSettings,
}

impl Settings {
    /// Notes every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        let Self {
            db,
            server,
            relay,
            client,
        } = self;
        violations.at("db", |violations| db.validate(violations));
        violations.at("server", |violations| server.validate(violations));
        violations.at("relay", |violations| relay.validate(violations));
        violations.at("client", |violations| client.validate(violations));
    }
}
