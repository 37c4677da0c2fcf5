//! The row locks of accounts, and which accounts count together (I-3).
//!
//! Merged accounts share a root in their rows. A step in the ledger finds out who counts together with its account, and
//! then locks all of them in one round, in the order of their ids, so that two steps cannot wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, ConnectionTrait as _, DbBackend, EntityTrait, FromQueryResult as _, QueryFilter, QueryOrder,
    QueryResult, sea_query::Expr,
};
use upswell_runtime::{
    db::{Column as Typed, Rows, Tx, from_micros, micros},
    problem::Problem,
};

use super::entities::state::{Column, Entity, Model};
use crate::store::{Reads, padded};

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
    let known = account_touch_families(&**tx, account_ids, now).await?;
    let all: BTreeSet<String> = known.into_values().flat_map(|family| family.members).collect();
    let wanted: Vec<String> = all.into_iter().collect();
    let locked = rows_lock(tx, &wanted, now).await?;
    let related = rows_related(&**tx, locked.values()).await?;
    // Locks that are taken later are out of order, and two that do so wait for each other.
    if related.iter().any(|row| !locked.contains_key(&row.account_id)) {
        let message = "accounts were merged meanwhile";
        return Err(Problem::aborted("CONCURRENT_CHANGE", message));
    }
    Ok(families(account_ids, &locked, now))
}

/// The families of these accounts, without a lock.
pub async fn account_touch_families(
    db: &impl Reads,
    account_ids: &BTreeSet<String>,
    now: Timestamp,
) -> Result<BTreeMap<String, Family>, Problem> {
    let mut rows = Rows::new([("account_id", Typed::Text)]);
    account_ids.iter().for_each(|id| rows.push([id.as_str().into()]));
    let select = |rows: &str| {
        format!(
            "SELECT s.account_id, s.version, s.recorded_at, s.root_id FROM {rows} \
             CROSS JOIN account_touch_state s WHERE s.account_id = r.account_id"
        )
    };
    let mut known = states(rows.select(db, select).await?)?;
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

/// One statement for all of them, which locks in the order of `ids`.
async fn rows_lock(tx: &Tx, ids: &[String], now: Timestamp) -> Result<BTreeMap<String, Model>, Problem> {
    let latest = match tx.get_database_backend() {
        DbBackend::Postgres => "GREATEST",
        _ => "MAX",
    };
    let mut rows = Rows::new([("account_id", Typed::Text), ("recorded_at", Typed::BigInt)]);
    ids.iter()
        .for_each(|id| rows.push([id.as_str().into(), micros(now).into()]));
    let upsert = |rows: &str| {
        format!(
            "INSERT INTO account_touch_state (account_id, version, recorded_at, root_id) \
             SELECT account_id, 1, recorded_at, '' FROM {rows} WHERE 1 = 1 \
             ON CONFLICT (account_id) DO UPDATE SET version = account_touch_state.version + 1, \
             recorded_at = {latest}(account_touch_state.recorded_at, excluded.recorded_at) \
             RETURNING account_id, version, recorded_at, root_id"
        )
    };
    states(rows.read(tx, upsert).await?)
}

fn states(rows: Vec<QueryResult>) -> Result<BTreeMap<String, Model>, Problem> {
    let state = |row: QueryResult| {
        let state = Model::from_query_result(&row, "")?;
        Ok((state.account_id.clone(), state))
    };
    rows.into_iter().map(state).collect()
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
