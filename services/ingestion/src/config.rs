//! Settings of this service; `config.toml` documents every key.

use serde::Deserialize;
use upswell_runtime::{db::DbSettings, problem::Violations, relay::RelaySettings, server::ServerSettings};

/// Section `[ingestion]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The store.
    pub db: DbSettings,
    /// The listener.
    pub server: ServerSettings,
    /// How events leave.
    pub relay: RelaySettings,
    /// What a caller may send at once.
    pub limits: Limits,
}

/// Section `[ingestion.limits]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most facts of one request.
    pub batch_facts: usize,
}

/// The contract promises batches of up to so many facts, and no more.
const BATCH_FACTS_MAX: usize = 2_000;

impl Settings {
    /// Notes every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        let Self {
            db,
            server,
            relay,
            limits,
        } = self;
        violations.at("db", |violations| db.validate(violations));
        violations.at("server", |violations| server.validate(violations));
        violations.at("relay", |violations| relay.validate(violations));
        if !(1..=BATCH_FACTS_MAX).contains(&limits.batch_facts) {
            violations.add("limits.batch_facts", format!("must be 1 to {BATCH_FACTS_MAX}"));
        }
    }
}
