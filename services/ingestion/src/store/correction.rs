//! Which fact is corrected by which.

use sea_orm::{ConnectionTrait, QueryResult, sea_query::Query};
use upswell_runtime::{
    db::{Column, Rows, Tx},
    problem::Problem,
};

use super::{CHUNK, any_key, tables::Correction as Columns};
use crate::domain::{
    correction::{Correction, Corrections},
    fact::FactKey,
};

const COLUMNS: [Columns; 5] = [
    Columns::Source,
    Columns::CorrectedExternalId,
    Columns::ExternalId,
    Columns::AccountId,
    Columns::OccurredAt,
];

/// Notes corrections, and says which of them were not noted before.
pub async fn corrections_insert(tx: &Tx, corrections: &[Correction]) -> Result<Vec<Correction>, Problem> {
    let mut rows = Rows::new([
        ("source", Column::Text),
        ("corrected_external_id", Column::Text),
        ("external_id", Column::Text),
        ("account_id", Column::Text),
        ("occurred_at", Column::BigInt),
    ]);
    for Correction {
        corrected,
        by,
        account_id,
        occurred_at,
    } in corrections
    {
        rows.push([
            corrected.source.as_str().into(),
            corrected.external_id.as_str().into(),
            by.as_str().into(),
            account_id.as_str().into(),
            (*occurred_at).into(),
        ]);
    }
    let tail = "ON CONFLICT (source, corrected_external_id, external_id) DO NOTHING \
                RETURNING source, corrected_external_id, external_id, account_id, occurred_at";
    let inserted = rows.insert_returning(tx, "correction", tail).await?;
    inserted.iter().map(read).collect()
}

/// The corrections that name any of `keys`.
pub async fn corrections_fetch(connection: &impl ConnectionTrait, keys: &[FactKey]) -> Result<Corrections, Problem> {
    let mut corrections = Vec::new();
    for chunk in keys.chunks(CHUNK) {
        let mut select = Query::select();
        select.columns(COLUMNS).from(Columns::Table).cond_where(any_key(
            Columns::Source,
            Columns::CorrectedExternalId,
            chunk.iter(),
        ));
        for row in connection.query_all(&select).await? {
            corrections.push(read(&row)?);
        }
    }
    Ok(corrections.into_iter().collect())
}

fn read(row: &QueryResult) -> Result<Correction, Problem> {
    let (source, external_id) = (row.try_get("", "source")?, row.try_get("", "corrected_external_id")?);
    Ok(Correction {
        corrected: FactKey { source, external_id },
        by: row.try_get("", "external_id")?,
        account_id: row.try_get("", "account_id")?,
        occurred_at: row.try_get("", "occurred_at")?,
    })
}
