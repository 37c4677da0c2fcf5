//! Raw facts: append-only, found by key, or by account through the runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{
    ConnectionTrait, ExprTrait as _, QueryResult,
    sea_query::{Cond, Expr, Order, Query, SelectStatement},
};
use upswell_runtime::{
    db::{Column, Rows, Tx, epoch_day, from_epoch_day, from_micros, micros},
    problem::Problem,
};

use super::{
    CHUNK, any_key,
    tables::{Correction, Fact, FactRun},
};
use crate::domain::{
    fact::FactKey,
    intake::{Candidate, ContentHash},
    rollup::{Cell, Count, Tally},
    words::Kind,
};

/// Runs read at a time while a page of facts is gathered.
const RUNS: u64 = 128;

/// A fact as it is stored.
#[derive(Clone, Debug)]
pub struct StoredFact {
    /// Its number.
    pub id: i64,
    /// What names it.
    pub key: FactKey,
    /// Its canonical encoding.
    pub payload: Vec<u8>,
    /// Hash of its content.
    pub hash: ContentHash,
    /// When it was recorded.
    pub recorded: Timestamp,
}

/// Which facts of an account a page is made of.
#[derive(Clone, Debug, Default)]
pub struct FactFilter {
    /// Happened at or after.
    pub start: Option<Timestamp>,
    /// Happened before.
    pub end: Option<Timestamp>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this metric, feature or object.
    pub name: Option<String>,
}

/// Inserts the candidates whose keys are new and returns their numbers by key. Another writer's insert of a key is
/// waited for. The candidates come sorted by account.
pub async fn facts_insert(
    tx: &Tx,
    candidates: &[&Candidate],
    now: Timestamp,
) -> Result<BTreeMap<FactKey, i64>, Problem> {
    let mut rows = Rows::new(INSERTED);
    for Candidate {
        fact, payload, hash, ..
    } in candidates
    {
        let count = fact.body.count();
        rows.push([
            fact.source.as_str().into(),
            fact.external_id.as_str().into(),
            fact.account_id.as_str().into(),
            fact.body.kind().code().into(),
            fact.body.name().into(),
            count.map(|(day, _)| epoch_day(day)).into(),
            count.map(|(_, count)| count.sum).into(),
            count.map(|(_, count)| count.max).into(),
            micros(fact.occur_time).into(),
            micros(now).into(),
            hash.to_vec().into(),
            payload.clone().into(),
        ]);
    }
    let tail = "ON CONFLICT (source, external_id) DO NOTHING RETURNING id, source, external_id";
    let inserted = rows.insert_returning(tx, "fact", tail).await?;
    inserted
        .iter()
        .map(|row| Ok((key_of(row)?, row.try_get("", "id")?)))
        .collect()
}

const INSERTED: [(&str, Column); 12] = [
    ("source", Column::Text),
    ("external_id", Column::Text),
    ("account_id", Column::Text),
    ("kind", Column::SmallInt),
    ("name", Column::Text),
    ("day", Column::IntOrNull),
    ("count_sum", Column::BigIntOrNull),
    ("count_max", Column::BigIntOrNull),
    ("occurred_at", Column::BigInt),
    ("recorded_at", Column::BigInt),
    ("content_hash", Column::Bytes),
    ("payload", Column::Bytes),
];

/// Notes under which numbers the facts of each account lie: account → first and last.
pub async fn runs_insert(tx: &Tx, runs: &BTreeMap<&str, (i64, i64)>, now: Timestamp) -> Result<(), Problem> {
    let mut rows = Rows::new([
        ("account_id", Column::Text),
        ("first_id", Column::BigInt),
        ("last_id", Column::BigInt),
        ("recorded_at", Column::BigInt),
    ]);
    for (account_id, (first, last)) in runs {
        rows.push([
            (*account_id).into(),
            (*first).into(),
            (*last).into(),
            micros(now).into(),
        ]);
    }
    rows.insert(tx, "fact_run", "").await?;
    Ok(())
}

/// The stored facts of these keys.
pub async fn facts_fetch(tx: &Tx, keys: &[FactKey]) -> Result<Vec<StoredFact>, Problem> {
    let mut facts = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(CHUNK) {
        let mut select = facts_select();
        select.cond_where(any_key(Fact::Source, Fact::ExternalId, chunk.iter()));
        facts.extend(stored_all(&**tx, &select).await?);
    }
    Ok(facts)
}

/// Up to `limit` facts of these accounts after number `after`, in the order of recording.
pub async fn facts_list(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
    filter: &FactFilter,
    after: i64,
    limit: u64,
) -> Result<Vec<StoredFact>, Problem> {
    let (mut after, mut page) = (after, Vec::new());
    loop {
        let mut runs = runs_after(connection, account_ids, after).await?;
        // The run too many says how far the others reach for certain: runs of concurrent writers may interleave.
        let reach = if runs.len() > RUNS as usize {
            runs.pop().map(|(first, _)| first - 1)
        } else {
            None
        };
        let Some(end) = reach.or_else(|| runs.iter().map(|(_, last)| *last).max()) else {
            return Ok(page);
        };
        let ranges = runs.iter().fold(Cond::any(), |any, (first, last)| {
            any.add(Expr::col(Fact::Id).between(Ord::max(*first, after + 1), Ord::min(*last, end)))
        });
        let mut select = facts_select();
        select
            .and_where(Expr::col(Fact::AccountId).is_in(account_ids.iter().copied()))
            .cond_where(ranges);
        narrow(&mut select, filter);
        select.order_by(Fact::Id, Order::Asc).limit(limit - page.len() as u64);
        page.extend(stored_all(connection, &select).await?);
        if page.len() as u64 >= limit || reach.is_none() {
            return Ok(page);
        }
        after = end;
    }
}

fn narrow(select: &mut SelectStatement, filter: &FactFilter) {
    let FactFilter { start, end, kind, name } = filter;
    let occurred = || Expr::col(Fact::OccurredAt);
    select
        .and_where_option(start.map(|at| occurred().gte(micros(at))))
        .and_where_option(end.map(|at| occurred().lt(micros(at))))
        .and_where_option(kind.map(|kind| Expr::col(Fact::Kind).eq(kind.code())))
        .and_where_option(name.as_deref().map(|name| Expr::col(Fact::Name).eq(name)));
}

async fn runs_after(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
    after: i64,
) -> Result<Vec<(i64, i64)>, Problem> {
    let mut select = Query::select();
    select
        .columns([FactRun::FirstId, FactRun::LastId])
        .from(FactRun::Table)
        .and_where(Expr::col(FactRun::AccountId).is_in(account_ids.iter().copied()))
        .and_where(Expr::col(FactRun::LastId).gt(after))
        .order_by(FactRun::FirstId, Order::Asc)
        .limit(RUNS + 1);
    let rows = connection.query_all(&select).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "first_id")?, row.try_get("", "last_id")?)))
        .collect()
}

/// The counting facts of these cells, each as a tally of one, from what was recorded between the two instants.
pub async fn counts_fetch(
    tx: &Tx,
    cells: &[Cell],
    recorded: (Timestamp, Timestamp),
) -> Result<BTreeMap<i64, (Cell, Tally)>, Problem> {
    let mut counts = BTreeMap::new();
    for chunk in cells.chunks(CHUNK) {
        for row in tx.query_all(&counts_select(chunk, recorded)).await? {
            let code: i16 = row.try_get("", "kind")?;
            let kind = Kind::from_code(code).ok_or_else(|| Problem::internal(format!("unknown kind {code}")))?;
            let (account_id, name) = (row.try_get("", "account_id")?, row.try_get("", "name")?);
            let cell = Cell {
                account_id,
                kind,
                name,
                day: from_epoch_day(row.try_get("", "day")?),
            };
            if chunk.binary_search(&cell).is_ok() {
                let count = Count {
                    sum: row.try_get("", "count_sum")?,
                    max: row.try_get("", "count_max")?,
                };
                let tally = Tally::of(count, from_micros(row.try_get("", "recorded_at")?));
                counts.insert(row.try_get("", "id")?, (cell, tally));
            }
        }
    }
    Ok(counts)
}

/// A superset of the counting facts of the cells: every account of them with every day of them.
fn counts_select(cells: &[Cell], recorded: (Timestamp, Timestamp)) -> SelectStatement {
    let fact = |column| Expr::col((Fact::Table, column));
    let run = |column| Expr::col((FactRun::Table, column));
    let corrected = Query::select()
        .expr(Expr::val(1))
        .from(Correction::Table)
        .and_where(Expr::col((Correction::Table, Correction::Source)).equals((Fact::Table, Fact::Source)))
        .and_where(
            Expr::col((Correction::Table, Correction::CorrectedExternalId)).equals((Fact::Table, Fact::ExternalId)),
        )
        .and_where(Expr::col((Correction::Table, Correction::AccountId)).equals((Fact::Table, Fact::AccountId)))
        .take();
    let within = fact(Fact::Id)
        .between(run(FactRun::FirstId), run(FactRun::LastId))
        .and(fact(Fact::AccountId).equals((FactRun::Table, FactRun::AccountId)));
    let columns = [
        Fact::Id,
        Fact::AccountId,
        Fact::Kind,
        Fact::Name,
        Fact::Day,
        Fact::CountSum,
        Fact::CountMax,
    ];
    Query::select()
        .columns(columns.map(|column| (Fact::Table, column)))
        .column((Fact::Table, Fact::RecordedAt))
        .from(FactRun::Table)
        .inner_join(Fact::Table, within)
        .and_where(run(FactRun::AccountId).is_in(cells.iter().map(|cell| cell.account_id.as_str())))
        .and_where(run(FactRun::RecordedAt).between(micros(recorded.0), micros(recorded.1)))
        .and_where(fact(Fact::Day).is_in(cells.iter().map(|cell| epoch_day(cell.day))))
        .and_where(Expr::exists(corrected).not())
        .take()
}

fn facts_select() -> SelectStatement {
    Query::select()
        .columns([
            Fact::Id,
            Fact::Source,
            Fact::ExternalId,
            Fact::Payload,
            Fact::ContentHash,
            Fact::RecordedAt,
        ])
        .from(Fact::Table)
        .take()
}

async fn stored_all(connection: &impl ConnectionTrait, select: &SelectStatement) -> Result<Vec<StoredFact>, Problem> {
    connection.query_all(select).await?.iter().map(stored).collect()
}

fn stored(row: &QueryResult) -> Result<StoredFact, Problem> {
    let hash: Vec<u8> = row.try_get("", "content_hash")?;
    let hash = hash
        .try_into()
        .map_err(|_| Problem::internal("a stored hash has another length"))?;
    let recorded = from_micros(row.try_get("", "recorded_at")?);
    let (id, payload) = (row.try_get("", "id")?, row.try_get("", "payload")?);
    Ok(StoredFact {
        id,
        key: key_of(row)?,
        payload,
        hash,
        recorded,
    })
}

fn key_of(row: &QueryResult) -> Result<FactKey, Problem> {
    Ok(FactKey {
        source: row.try_get("", "source")?,
        external_id: row.try_get("", "external_id")?,
    })
}
