//! Facts that are no counts, by account and object. The content stays with the fact; here stands how to find it.

use jiff::Timestamp;
use sea_orm::{
    ConnectionTrait, ExprTrait as _,
    sea_query::{Expr, Order, Query},
};
use upswell_runtime::{
    db::{Tx, from_micros},
    problem::Problem,
};

use super::{
    CHUNK,
    tables::{Document, Fact},
};
use crate::domain::words::Kind;

/// A document to insert.
#[derive(Clone, Copy, Debug)]
pub struct NewDocument<'a> {
    /// Number of its fact.
    pub fact_id: i64,
    /// The account.
    pub account_id: &'a str,
    /// What it says.
    pub kind: Kind,
    /// The object that it is about; may be empty.
    pub object_id: &'a str,
    /// False when it came after its correction.
    pub counts: bool,
}

/// Content of a document: the canonical encoding of its fact, and when that was recorded.
pub type Content = (Vec<u8>, Timestamp);

/// Inserts documents.
pub async fn documents_insert(tx: &Tx, documents: &[NewDocument<'_>]) -> Result<(), Problem> {
    for chunk in documents.chunks(CHUNK) {
        let mut insert = Query::insert();
        let columns = [
            Document::FactId,
            Document::AccountId,
            Document::Kind,
            Document::ObjectId,
            Document::Counts,
        ];
        insert.into_table(Document::Table).columns(columns);
        for NewDocument {
            fact_id,
            account_id,
            kind,
            object_id,
            counts,
        } in chunk
        {
            insert.values_panic([
                (*fact_id).into(),
                (*account_id).into(),
                kind.code().into(),
                (*object_id).into(),
                (*counts).into(),
            ]);
        }
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Makes the documents of these facts count no longer.
pub async fn documents_revoke(tx: &Tx, fact_ids: &[i64]) -> Result<(), Problem> {
    for chunk in fact_ids.chunks(CHUNK) {
        let mut update = Query::update();
        update
            .table(Document::Table)
            .value(Document::Counts, false)
            .and_where(Expr::col(Document::FactId).is_in(chunk.iter().copied()));
        tx.execute(&update).await?;
    }
    Ok(())
}

/// The counting documents of these accounts, of `kinds` (none: all) and about `objects` (None: all), in the order of
/// recording.
pub async fn documents_fetch(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
    kinds: &[Kind],
    objects: Option<&[&str]>,
) -> Result<Vec<Content>, Problem> {
    let mut contents = Vec::new();
    for accounts in account_ids.chunks(CHUNK) {
        match objects {
            None => fetch_into(connection, accounts, kinds, None, &mut contents).await?,
            Some(objects) => {
                for objects in objects.chunks(CHUNK) {
                    fetch_into(connection, accounts, kinds, Some(objects), &mut contents).await?;
                }
            }
        }
    }
    Ok(contents)
}

async fn fetch_into(
    connection: &impl ConnectionTrait,
    accounts: &[&str],
    kinds: &[Kind],
    objects: Option<&[&str]>,
    contents: &mut Vec<Content>,
) -> Result<(), Problem> {
    let document = |column| Expr::col((Document::Table, column));
    let of_kinds = (!kinds.is_empty()).then(|| document(Document::Kind).is_in(kinds.iter().map(|kind| kind.code())));
    let mut select = Query::select();
    select
        .columns([(Fact::Table, Fact::Payload), (Fact::Table, Fact::RecordedAt)])
        .from(Document::Table)
        .inner_join(
            Fact::Table,
            Expr::col((Fact::Table, Fact::Id)).equals((Document::Table, Document::FactId)),
        )
        .and_where(document(Document::AccountId).is_in(accounts.iter().copied()))
        .and_where(document(Document::Counts).eq(true))
        .and_where_option(of_kinds)
        .and_where_option(objects.map(|objects| document(Document::ObjectId).is_in(objects.iter().copied())))
        .order_by((Document::Table, Document::FactId), Order::Asc);
    for row in connection.query_all(&select).await? {
        contents.push((
            row.try_get("", "payload")?,
            from_micros(row.try_get("", "recorded_at")?),
        ));
    }
    Ok(())
}
