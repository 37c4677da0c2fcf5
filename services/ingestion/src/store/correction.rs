//! Which fact is corrected by which.

use sea_orm::{
    ConnectionTrait, QueryResult,
    sea_query::{OnConflict, Query},
};
use upswell_runtime::{db::Tx, problem::Problem};

use super::{CHUNK, any_key, pieces, tables::Correction as Columns};
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
    let mut inserted = Vec::with_capacity(corrections.len());
    for chunk in pieces(corrections) {
        let mut insert = Query::insert();
        let key = [Columns::Source, Columns::CorrectedExternalId, Columns::ExternalId];
        insert
            .into_table(Columns::Table)
            .columns(COLUMNS)
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .returning(Query::returning().columns(COLUMNS));
        for Correction {
            corrected,
            by,
            account_id,
            occurred_at,
        } in chunk
        {
            let FactKey { source, external_id } = corrected;
            insert.values_panic([
                source.into(),
                external_id.into(),
                by.into(),
                account_id.into(),
                (*occurred_at).into(),
            ]);
        }
        for row in tx.query_all(&insert).await? {
            inserted.push(read(&row)?);
        }
    }
    Ok(inserted)
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
