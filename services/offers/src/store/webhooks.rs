//! What providers told before: the same message twice is one (Standard Webhooks).

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, Statement};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};

/// Notes a message of a provider; false when it was noted before. A second transaction with the same one waits for the
/// first.
pub async fn webhook_note(tx: &Tx, endpoint: &str, webhook_id: &str, now: Timestamp) -> Result<bool, Problem> {
    let insert = "INSERT INTO webhooks_seen (endpoint, webhook_id, seen_at) VALUES ($1, $2, $3) \
                  ON CONFLICT (endpoint, webhook_id) DO NOTHING";
    let values = [endpoint.into(), webhook_id.into(), micros(now).into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), insert, values);
    Ok(tx.execute_raw(statement).await?.rows_affected() == 1)
}

/// Forgets what was noted before `until`; the number of messages.
pub async fn webhooks_prune(tx: &Tx, until: Timestamp) -> Result<u64, Problem> {
    let delete = "DELETE FROM webhooks_seen WHERE seen_at < $1";
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), delete, [micros(until).into()]);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}
