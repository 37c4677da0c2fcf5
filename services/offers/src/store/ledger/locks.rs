//! The row locks of accounts, and which accounts count together (I-3).
//!
//! Merged accounts share a root in their rows. A step in the ledger finds out who counts together with its account, and
//! then locks all of them in one round, in the order of their ids, so that two steps cannot wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict, Query},
};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};

use super::entities::state::{Column, Entity, Model};
use crate::store::{Reads, padded, shape};

/// Accounts in one statement.
const CHUNK: usize = 500;

/// Accounts that count together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The account that goes on; of one alone, itself.
    pub root: String,
    /// All of them, the root among them, by id.
    pub members: Vec<String>,
    /// Their time: `now`, or the latest time that was recorded, so that a clock which steps back frees no place.
    pub now: Timestamp,
}

/// Takes the row locks of these accounts and of all that count together with them, until the transaction ends.
/// Returns the family of each. Errors: ABORTED `CONCURRENT_CHANGE` when a merge got in between.
pub async fn account_touch_lock(
    tx: &Tx,
    account_ids: &BTreeSet<String>,
    now: Timestamp,
) -> Result<BTreeMap<String, Family>, Problem> {
    let mut locked: BTreeMap<String, Model> = BTreeMap::new();
    let known = account_touch_families(&**tx, account_ids, now).await?;
    let all: BTreeSet<String> = known.into_values().flat_map(|family| family.members).collect();
    let mut wanted: Vec<String> = all.into_iter().collect();
    // Once for all; again only for what was merged meanwhile, and then two that do so may meet: `retrying` is for them.
    while !wanted.is_empty() {
        locked.extend(rows_lock(tx, &wanted, now).await?);
        let related = rows_related(&**tx, locked.values()).await?;
        wanted = related
            .into_iter()
            .map(|row| row.account_id)
            .filter(|id| !locked.contains_key(id))
            .collect();
    }
    Ok(families(account_ids, &locked, now))
}

/// The families of these accounts, without a lock.
pub async fn account_touch_families(
    db: &impl Reads,
    account_ids: &BTreeSet<String>,
    now: Timestamp,
) -> Result<BTreeMap<String, Family>, Problem> {
    let ids: Vec<String> = account_ids.iter().cloned().collect();
    let mut known: BTreeMap<String, Model> = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let found = Entity::find()
            .filter(Column::AccountId.is_in(padded(chunk)))
            .all(db)
            .await?;
        known.extend(found.into_iter().map(|row| (row.account_id.clone(), row)));
    }
    let related = rows_related(db, known.values()).await?;
    known.extend(related.into_iter().map(|row| (row.account_id.clone(), row)));
    Ok(families(account_ids, &known, now))
}

/// Says which account these count together with; empty for each alone. Their locks are held.
pub async fn account_touch_root_set(tx: &Tx, account_ids: &[String], root: &str) -> Result<(), Problem> {
    let update = Entity::update_many()
        .col_expr(Column::RootId, Expr::value(root))
        .filter(Column::AccountId.is_in(account_ids));
    update.exec(&**tx).await?;
    Ok(())
}

async fn rows_lock(tx: &Tx, ids: &[String], now: Timestamp) -> Result<BTreeMap<String, Model>, Problem> {
    let latest = match tx.get_database_backend() {
        DbBackend::Postgres => "GREATEST(account_touch_state.recorded_at, excluded.recorded_at)",
        _ => "MAX(account_touch_state.recorded_at, excluded.recorded_at)",
    };
    let mut rows = BTreeMap::new();
    let mut rest = ids;
    while !rest.is_empty() {
        let (chunk, others) = rest.split_at(shape(rest.len(), CHUNK));
        rest = others;
        let known = OnConflict::column(Column::AccountId)
            .value(Column::Version, Expr::cust("account_touch_state.version + 1"))
            .value(Column::RecordedAt, Expr::cust(latest))
            .to_owned();
        let mut upsert = Query::insert();
        upsert
            .into_table(Entity)
            .columns([Column::AccountId, Column::Version, Column::RecordedAt, Column::RootId])
            .on_conflict(known)
            .returning(Query::returning().columns([
                Column::AccountId,
                Column::Version,
                Column::RecordedAt,
                Column::RootId,
            ]));
        for id in chunk {
            upsert.values_panic([id.as_str().into(), 1_i64.into(), micros(now).into(), "".into()]);
        }
        for row in tx.query_all(&upsert).await? {
            let row = <Model as sea_orm::FromQueryResult>::from_query_result(&row, "")?;
            rows.insert(row.account_id.clone(), row);
        }
    }
    Ok(rows)
}

async fn rows_related<'a>(db: &impl Reads, rows: impl Iterator<Item = &'a Model>) -> Result<Vec<Model>, Problem> {
    let roots: BTreeSet<String> = rows
        .map(|row| row.root_id.clone())
        .filter(|root| !root.is_empty())
        .collect();
    let roots: Vec<String> = roots.into_iter().collect();
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let found = Entity::find().filter(Column::RootId.is_in(padded(&roots)));
    Ok(found.order_by_asc(Column::AccountId).all(db).await?)
}

fn families(
    account_ids: &BTreeSet<String>,
    rows: &BTreeMap<String, Model>,
    now: Timestamp,
) -> BTreeMap<String, Family> {
    let mut by_root: BTreeMap<&str, Vec<&Model>> = BTreeMap::new();
    for row in rows.values().filter(|row| !row.root_id.is_empty()) {
        by_root.entry(&row.root_id).or_default().push(row);
    }
    let family = |id: &String| {
        let own = rows.get(id);
        let root = own.map(|row| row.root_id.as_str()).filter(|root| !root.is_empty());
        let alone: Vec<&Model> = own.into_iter().collect();
        let related = root.and_then(|root| by_root.get(root)).unwrap_or(&alone);
        let mut members: Vec<String> = related.iter().map(|row| row.account_id.clone()).collect();
        if members.is_empty() {
            members.push(id.clone());
        }
        let recorded = related.iter().map(|row| from_micros(row.recorded_at)).max();
        let family = Family {
            root: root.unwrap_or(id).to_owned(),
            members,
            now: recorded.map_or(now, |recorded| recorded.max(now)),
        };
        (id.clone(), family)
    };
    account_ids.iter().map(family).collect()
}
