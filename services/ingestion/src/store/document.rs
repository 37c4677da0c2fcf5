//! Facts that are no counts, by account and object. The content stays with the fact; here stands how to find it.

use jiff::Timestamp;
use sea_orm::{
    ConnectionTrait, ExprTrait as _,
    sea_query::{Expr, Order, Query, SelectStatement},
};
use upswell_runtime::{
    db::{Column, Rows, Tx, from_micros, micros},
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
    let mut rows = Rows::new([
        ("fact_id", Column::BigInt),
        ("account_id", Column::Text),
        ("kind", Column::SmallInt),
        ("object_id", Column::Text),
        ("counts", Column::Bool),
    ]);
    for document in documents {
        rows.push([
            document.fact_id.into(),
            document.account_id.into(),
            document.kind.code().into(),
            document.object_id.into(),
            document.counts.into(),
        ]);
    }
    rows.insert(tx, "document", "").await?;
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

/// The counting documents of these accounts and `kinds` in the order of recording; of the kinds `within` only those that
/// happened between the instants, both included.
pub async fn documents_within(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
    kinds: &[Kind],
    within: &[Kind],
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Content>, Problem> {
    let mut contents = Vec::new();
    for accounts in account_ids.chunks(CHUNK) {
        let mut select = documents_select(accounts, kinds);
        let always = document(Document::Kind).is_not_in(within.iter().map(|kind| kind.code()));
        let happened = Expr::col((Fact::Table, Fact::OccurredAt)).between(micros(from), micros(to));
        select
            .and_where(always.or(happened))
            .order_by((Document::Table, Document::FactId), Order::Asc);
        read_into(connection, &select, &mut contents).await?;
    }
    Ok(contents)
}

/// The newest `limit` counting documents of one kind of these accounts, by the time they happened.
pub async fn documents_newest(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
    kind: Kind,
    limit: u64,
) -> Result<Vec<Content>, Problem> {
    let mut select = documents_select(account_ids, &[kind]);
    for column in [Fact::OccurredAt, Fact::Source, Fact::ExternalId] {
        select.order_by((Fact::Table, column), Order::Desc);
    }
    let mut contents = Vec::new();
    read_into(connection, select.limit(limit), &mut contents).await?;
    Ok(contents)
}

fn document(column: Document) -> Expr {
    Expr::col((Document::Table, column))
}

fn documents_select(accounts: &[&str], kinds: &[Kind]) -> SelectStatement {
    let of_kinds = (!kinds.is_empty()).then(|| document(Document::Kind).is_in(kinds.iter().map(|kind| kind.code())));
    Query::select()
        .columns([(Fact::Table, Fact::Payload), (Fact::Table, Fact::RecordedAt)])
        .from(Document::Table)
        .inner_join(
            Fact::Table,
            Expr::col((Fact::Table, Fact::Id)).equals((Document::Table, Document::FactId)),
        )
        .and_where(document(Document::AccountId).is_in(accounts.iter().copied()))
        .and_where(document(Document::Counts).eq(true))
        .and_where_option(of_kinds)
        .take()
}

async fn fetch_into(
    connection: &impl ConnectionTrait,
    accounts: &[&str],
    kinds: &[Kind],
    objects: Option<&[&str]>,
    contents: &mut Vec<Content>,
) -> Result<(), Problem> {
    let mut select = documents_select(accounts, kinds);
    select
        .and_where_option(objects.map(|objects| document(Document::ObjectId).is_in(objects.iter().copied())))
        .order_by((Document::Table, Document::FactId), Order::Asc);
    read_into(connection, &select, contents).await
}

async fn read_into(
    connection: &impl ConnectionTrait,
    select: &SelectStatement,
    contents: &mut Vec<Content>,
) -> Result<(), Problem> {
    for row in connection.query_all(select).await? {
        contents.push((
            row.try_get("", "payload")?,
            from_micros(row.try_get("", "recorded_at")?),
        ));
    }
    Ok(())
}
