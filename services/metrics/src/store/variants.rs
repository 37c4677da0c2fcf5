//! Which account got which variant, and what came of it.

use sea_orm::{ConnectionTrait, FromQueryResult};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};

use super::rows::{execute, select};
use crate::domain::variants::{Assignment, Variant};

/// Keeps the account's variant; the first one stays for good.
pub async fn assignment_insert(tx: &Tx, assignment: Assignment) -> Result<(), Problem> {
    let Assignment {
        account_id,
        experiment,
        variant,
        control,
        weight,
        assigned_at,
    } = assignment;
    let query = "INSERT INTO variant_arms (experiment, account_id, variant, control, weight, assigned_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (experiment, account_id) DO NOTHING";
    let values = [
        experiment.into(),
        account_id.into(),
        variant.into(),
        control.into(),
        weight.into(),
        micros(assigned_at).into(),
    ];
    execute(&**tx, query, values).await
}

/// The variants of an experiment with their accounts, the control first, then by name. An account counts as accepted
/// when it accepted an offer that was sent to it after the assignment.
pub async fn variant_list(connection: &impl ConnectionTrait, experiment: &str) -> Result<Vec<Variant>, Problem> {
    let query = "SELECT v.variant AS variant, MAX(CASE WHEN v.control THEN 1 ELSE 0 END) AS control, \
                 MAX(v.weight) AS weight, COUNT(*) AS accounts, \
                 CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM offers f WHERE f.account_id = v.account_id \
                 AND f.sent_at >= v.assigned_at AND f.accepted_at >= v.assigned_at) THEN 1 ELSE 0 END) AS BIGINT) \
                 AS accepted FROM variant_arms v WHERE v.experiment = $1 GROUP BY v.variant ORDER BY 2 DESC, 1";
    let rows: Vec<Row> = select(connection, query, [experiment.into()]).await?;
    let count = |value: i64| u64::try_from(value).unwrap_or_default();
    let variant = |row: Row| Variant {
        name: row.variant,
        control: row.control == 1,
        weight: row.weight,
        accounts: count(row.accounts),
        accepted: count(row.accepted),
    };
    Ok(rows.into_iter().map(variant).collect())
}

#[derive(FromQueryResult)]
struct Row {
    variant: String,
    control: i32,
    weight: f64,
    accounts: i64,
    accepted: i64,
}
