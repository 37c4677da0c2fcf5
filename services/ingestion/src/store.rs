//! The only SQL. Everything works in sets: a few statements per table and batch, none per fact.
//!
//! Raw facts carry no index by account: it would cost more than all the rest of a write. Facts of one account are
//! inserted side by side, and `fact_run` keeps one row per account and batch with the range of their numbers, so that
//! an account's facts are read by ranges of the primary key ([`fact`]). What is no count also stands in `document`,
//! which is small and indexed by account ([`document`]).

pub mod account;
pub mod conflict;
pub mod correction;
pub mod document;
pub mod fact;
pub mod merge;
pub mod migrations;
pub mod offer;
pub mod rollup;
#[expect(
    clippy::enum_variant_names,
    reason = "a column is named as the contract names its field"
)]
mod tables;

use std::collections::BTreeMap;

use sea_orm::{
    DbBackend, ExprTrait as _,
    sea_query::{Cond, Expr, IntoColumnRef},
};
use upswell_runtime::db::Db;

use crate::domain::fact::FactKey;

/// Rows per statement, so that the parameters stay below what both databases take.
const CHUNK: usize = 1_024;

/// True for SQLite, whose writers wait for each other.
pub fn has_one_writer(db: &Db) -> bool {
    db.backend() == DbBackend::Sqlite
}

/// A condition for any of `keys`: one list of ids per source, which the unique index serves; it is filled up with its last
/// id to a power of two: a connection keeps the statements that it prepared, and these come in few lengths so.
fn any_key<'a, C: IntoColumnRef + Clone>(source: C, external_id: C, keys: impl Iterator<Item = &'a FactKey>) -> Cond {
    let mut by_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for key in keys {
        by_source.entry(&key.source).or_default().push(&key.external_id);
    }
    by_source.into_iter().fold(Cond::any(), |any, (name, mut ids)| {
        let last = ids.last().copied().unwrap_or_default();
        ids.resize(ids.len().next_power_of_two(), last);
        let of_source = Expr::col(source.clone()).eq(name);
        any.add(of_source.and(Expr::col(external_id.clone()).is_in(ids)))
    })
}
