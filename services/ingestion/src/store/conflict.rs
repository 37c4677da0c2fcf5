//! Contents that were refused because another one stands (I-4).

use jiff::Timestamp;
use sea_orm::{
    ConnectionTrait, ExprTrait as _,
    sea_query::{Expr, OnConflict, Order, Query},
};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};

use super::{
    CHUNK,
    tables::{Conflict, Fact},
};
use crate::domain::intake::ContentHash;

/// A refused content to note.
#[derive(Clone, Copy, Debug)]
pub struct NewConflict<'a> {
    /// Number of the fact that stands.
    pub fact_id: i64,
    /// Account of the fact that stands.
    pub account_id: &'a str,
    /// Hash of the refused content.
    pub hash: ContentHash,
    /// The refused content.
    pub refused: &'a [u8],
}

/// Two contents.
#[derive(Clone, Debug)]
pub struct StoredConflict {
    /// Its number.
    pub id: i64,
    /// What stands.
    pub recorded: Vec<u8>,
    /// What was refused.
    pub refused: Vec<u8>,
    /// When that arrived first.
    pub at: Timestamp,
}

/// Notes refused contents; one that was noted before is not noted again.
pub async fn conflicts_insert(tx: &Tx, conflicts: &[NewConflict<'_>], now: Timestamp) -> Result<(), Problem> {
    for chunk in conflicts.chunks(CHUNK) {
        let mut insert = Query::insert();
        let columns = [
            Conflict::FactId,
            Conflict::AccountId,
            Conflict::RefusedHash,
            Conflict::Refused,
            Conflict::ConflictedAt,
        ];
        insert.into_table(Conflict::Table).columns(columns).on_conflict(
            OnConflict::columns([Conflict::FactId, Conflict::RefusedHash])
                .do_nothing()
                .to_owned(),
        );
        for NewConflict {
            fact_id,
            account_id,
            hash,
            refused,
        } in chunk
        {
            insert.values_panic([
                (*fact_id).into(),
                (*account_id).into(),
                hash.to_vec().into(),
                refused.to_vec().into(),
                micros(now).into(),
            ]);
        }
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Up to `limit` conflicts before number `before`, the newest first, of one account or (empty) of all.
pub async fn conflicts_list(
    connection: &impl ConnectionTrait,
    account_id: &str,
    before: i64,
    limit: u64,
) -> Result<Vec<StoredConflict>, Problem> {
    let conflict = |column| Expr::col((Conflict::Table, column));
    let mut select = Query::select();
    select
        .columns([Conflict::Id, Conflict::Refused, Conflict::ConflictedAt].map(|column| (Conflict::Table, column)))
        .column((Fact::Table, Fact::Payload))
        .from(Conflict::Table)
        .inner_join(
            Fact::Table,
            Expr::col((Fact::Table, Fact::Id)).equals((Conflict::Table, Conflict::FactId)),
        )
        .and_where(conflict(Conflict::Id).lt(before))
        .and_where_option((!account_id.is_empty()).then(|| conflict(Conflict::AccountId).eq(account_id)))
        .order_by((Conflict::Table, Conflict::Id), Order::Desc)
        .limit(limit);
    let rows = connection.query_all(&select).await?;
    let read = rows.iter().map(|row| {
        Ok(StoredConflict {
            id: row.try_get("", "id")?,
            recorded: row.try_get("", "payload")?,
            refused: row.try_get("", "refused")?,
            at: from_micros(row.try_get("", "conflicted_at")?),
        })
    });
    read.collect()
}
