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

/// The rows in slices, each of a power of two up to [`CHUNK`]: a connection keeps the statements that it prepared, and
/// those that write rows come in few lengths so.
fn pieces<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let length = 1 << rest.len().min(CHUNK).checked_ilog2()?;
        let (piece, left) = rest.split_at(length);
        rest = left;
        Some(piece)
    })
}

/// A condition for any of `keys`: one list of ids per source, which the unique index serves; it is filled up with its last
/// id to a power of two, for the same reason.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_few_lengths_and_none_is_lost() {
        for (rows, lengths) in [
            (0, &[][..]),
            (1, &[1]),
            (7, &[4, 2, 1]),
            (1_000, &[512, 256, 128, 64, 32, 8]),
            (2_049, &[1_024, 1_024, 1]),
        ] {
            let rows: Vec<usize> = (0..rows).collect();
            let found: Vec<usize> = pieces(&rows).map(<[usize]>::len).collect();
            assert_eq!(found, lengths);
            assert_eq!(pieces(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        }
    }
}
