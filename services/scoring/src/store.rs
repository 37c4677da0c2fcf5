//! The only SQL of the service. Functions are named resource first; all of them take many rows at once.

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};

mod accounts;
mod entities;
mod history;
mod marks;
mod migrations;
mod models;
mod overrides;
mod raised;
mod scores;
mod signals;
mod tiers;

pub use self::{
    accounts::{
        Account, Scored, accounts_are_due, accounts_count, accounts_fetch, accounts_fetch_for_update,
        accounts_list_dirty, accounts_list_ids, accounts_mark_changed, accounts_mark_due, accounts_mark_scored,
    },
    history::{history_list, history_prune, history_told, history_upsert},
    marks::{marks_list, marks_upsert},
    migrations::Migrator,
    models::{
        InUse, fallback_upsert, fallbacks_list, model_fetch, model_fetch_former, model_fetch_in_use, model_insert,
        model_last_number, model_list, model_note_drift, model_retire, model_use, models_in_use, training_fetch,
        training_fetch_open, training_insert, training_stop, training_update,
    },
    overrides::{override_insert, override_list, overrides_standing},
    raised::{Raiser, raised_insert, raised_list, raisers_list, signals_note_outcome},
    scores::{
        past_health_list, past_health_prune, past_health_upsert, score_list, scores_fetch, scores_fetch_told,
        scores_upsert,
    },
    signals::{SignalFilter, signal_list, signals_fetch, signals_list_newest, signals_upsert},
    tiers::{Coverage, coverage_fetch, round_read, round_upsert, tiers_recompute},
};

/// Rows per statement: the widest table has 18 columns, and both databases take 30,000 parameters.
const CHUNK: usize = 500;

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(Problem::internal)
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(Problem::internal)
}

/// Rows of a statement with `$1`-style parameters, which both databases read.
async fn select<T: FromQueryResult>(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>, Problem> {
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    let rows = conn.query_all_raw(statement).await?;
    let rows: Result<Vec<T>, _> = rows.iter().map(|row| T::from_query_result(row, "")).collect();
    Ok(rows?)
}

/// Runs a statement with `$1`-style parameters; the number of rows it changed.
async fn execute(tx: &Tx, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<u64, Problem> {
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}

fn maybe_micros(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(micros)
}

fn maybe_instant(stored: Option<i64>) -> Option<Timestamp> {
    stored.map(from_micros)
}
