//! How far the events have got, and what is stuck.

use std::collections::BTreeMap;

use sea_orm::FromQueryResult;

use crate::{
    db::{Db, select},
    problem::Problem,
};

/// The state of the events to one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The receiving service.
    pub destination: String,
    /// Events not acknowledged, without the parked ones and those behind them.
    pub waiting: i64,
    /// When the oldest of them happened, µs since the epoch.
    pub oldest_at: Option<i64>,
    /// Events that are parked.
    pub parked: i64,
    /// Keys with events behind a parked one.
    pub blocked_keys: i64,
}

/// One entry per destination, sorted by name.
pub(crate) async fn backlog(db: &Db) -> Result<Vec<Backlog>, Problem> {
    let behind = "SELECT c.dest AS dest, COUNT(o.id) AS waiting, MIN(o.occurred_at) AS oldest_at \
                  FROM outbox_lane c LEFT JOIN outbox o ON o.dest = c.dest AND o.shard = c.shard \
                  AND (o.txid, o.id) > (c.txid, c.position) \
                  AND NOT EXISTS (SELECT 1 FROM outbox_blocked b WHERE b.dest = o.dest AND b.key = o.key) \
                  GROUP BY c.dest";
    let lagging = "SELECT b.dest AS dest, COUNT(o.id) AS waiting, MIN(o.occurred_at) AS oldest_at \
                   FROM outbox_blocked b JOIN outbox o ON o.dest = b.dest AND o.key = b.key AND o.seq >= b.seq \
                   WHERE b.parked_at IS NULL GROUP BY b.dest";
    let parked = "SELECT b.dest AS dest, COUNT(*) AS parked, COUNT(CASE WHEN EXISTS (\
                  SELECT 1 FROM outbox o WHERE o.dest = b.dest AND o.key = b.key AND o.seq > b.seq) THEN 1 END) \
                  AS blocked_keys FROM outbox_blocked b WHERE b.parked_at IS NOT NULL GROUP BY b.dest";
    let mut all: BTreeMap<String, Backlog> = BTreeMap::new();
    for query in [behind, lagging] {
        for row in select::<Waiting>(db.reader(), query, []).await? {
            let entry = all.entry(row.dest).or_default();
            entry.waiting += row.waiting;
            entry.oldest_at = entry.oldest_at.into_iter().chain(row.oldest_at).min();
        }
    }
    for row in select::<Parked>(db.reader(), parked, []).await? {
        let entry = all.entry(row.dest).or_default();
        (entry.parked, entry.blocked_keys) = (row.parked, row.blocked_keys);
    }
    Ok(all
        .into_iter()
        .map(|(destination, entry)| Backlog { destination, ..entry })
        .collect())
}

#[derive(FromQueryResult)]
struct Waiting {
    dest: String,
    waiting: i64,
    oldest_at: Option<i64>,
}

#[derive(FromQueryResult)]
struct Parked {
    dest: String,
    parked: i64,
    blocked_keys: i64,
}
