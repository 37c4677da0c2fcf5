//! The only SQL of the service. Functions are named resource first; all of them take many rows at once.

use jiff::Timestamp;
use upswell_runtime::{
    db::{from_micros, micros},
    problem::Problem,
};

mod accounts;
mod entities;
mod marks;
mod migrations;
mod scores;
mod signals;

pub use self::{
    accounts::{
        Account, Scored, accounts_are_due, accounts_fetch, accounts_fetch_for_update, accounts_list_dirty,
        accounts_mark_changed, accounts_mark_due, accounts_mark_scored,
    },
    marks::{marks_list, marks_upsert},
    migrations::Migrator,
    scores::{past_health_list, past_health_prune, past_health_upsert, score_list, scores_fetch, scores_upsert},
    signals::{SignalFilter, signal_list, signals_fetch, signals_list_newest, signals_upsert},
};

/// Rows per statement: the widest table has 17 columns, and both databases take 30,000 parameters.
const CHUNK: usize = 500;

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(Problem::internal)
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(Problem::internal)
}

fn maybe_micros(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(micros)
}

fn maybe_instant(stored: Option<i64>) -> Option<Timestamp> {
    stored.map(from_micros)
}
