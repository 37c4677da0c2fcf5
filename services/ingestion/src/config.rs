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
    /// The most facts of one transaction that requests share.
    pub group_facts: usize,
    /// The most facts that wait to be recorded; a request that finds no room is refused.
    pub queued_facts: usize,
    /// Facts that happened longer ago, in days, are refused.
    pub keep_days: u32,
}

/// The contract promises batches of up to so many facts, and no more.
const BATCH_FACTS_MAX: usize = 2_000;
const GROUP_FACTS_MAX: usize = 20_000;
const QUEUED_FACTS_MAX: usize = 1_000_000;
const KEEP_DAYS_MAX: u32 = 36_525;

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
        if !(1..=GROUP_FACTS_MAX).contains(&limits.group_facts) {
            violations.add("limits.group_facts", format!("must be 1 to {GROUP_FACTS_MAX}"));
        }
        if !(limits.batch_facts..=QUEUED_FACTS_MAX).contains(&limits.queued_facts) {
            let expected = format!("must be limits.batch_facts to {QUEUED_FACTS_MAX}");
            violations.add("limits.queued_facts", expected);
        }
        if !(1..=KEEP_DAYS_MAX).contains(&limits.keep_days) {
            violations.add("limits.keep_days", format!("must be 1 to {KEEP_DAYS_MAX}"));
        }
    }
}
