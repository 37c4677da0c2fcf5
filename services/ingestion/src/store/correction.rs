//! Which fact is corrected by which.

use sea_orm::{
    ConnectionTrait,
    sea_query::{OnConflict, Query},
};
use upswell_runtime::{db::Tx, problem::Problem};

use super::{CHUNK, any_key, tables::Correction as Columns};
use crate::domain::{
    correction::{Correction, Corrections},
    fact::FactKey,
};

/// Notes corrections.
pub async fn corrections_insert(tx: &Tx, corrections: &[Correction]) -> Result<(), Problem> {
    for chunk in corrections.chunks(CHUNK) {
        let mut insert = Query::insert();
        let key = [Columns::Source, Columns::CorrectedExternalId, Columns::ExternalId];
        insert
            .into_table(Columns::Table)
            .columns([
                Columns::Source,
                Columns::CorrectedExternalId,
                Columns::ExternalId,
                Columns::AccountId,
            ])
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned());
        for Correction {
            corrected,
            by,
            account_id,
        } in chunk
        {
            let FactKey { source, external_id } = corrected;
            insert.values_panic([source.into(), external_id.into(), by.into(), account_id.into()]);
        }
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// The corrections that name any of `keys`.
pub async fn corrections_fetch(connection: &impl ConnectionTrait, keys: &[FactKey]) -> Result<Corrections, Problem> {
    let mut corrections = Vec::new();
    for chunk in keys.chunks(CHUNK) {
        let mut select = Query::select();
        select
            .columns([
                Columns::Source,
                Columns::CorrectedExternalId,
                Columns::ExternalId,
                Columns::AccountId,
            ])
            .from(Columns::Table)
            .cond_where(any_key(Columns::Source, Columns::CorrectedExternalId, chunk.iter()));
        for row in connection.query_all(&select).await? {
            let (source, external_id) = (row.try_get("", "source")?, row.try_get("", "corrected_external_id")?);
            let (by, account_id) = (row.try_get("", "external_id")?, row.try_get("", "account_id")?);
            corrections.push(Correction {
                corrected: FactKey { source, external_id },
                by,
                account_id,
            });
        }
    }
    Ok(corrections.into_iter().collect())
}
