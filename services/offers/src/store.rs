//! The only SQL of the service. Names put the thing first: `offer_fetch`, `offers_save`.

pub mod accounts;
pub mod answers;
pub mod approvals;
pub mod arms;
pub mod copies;
pub mod decisions;
pub mod delegations;
pub mod deliveries;
pub mod entities;
pub mod evidence;
pub mod holds;
pub mod learning;
pub mod ledger;
pub mod merges;
mod migrations;
pub mod offers;
pub mod opt_outs;
pub mod pauses;
pub mod pictures;
pub mod suppressions;
pub mod tasks;
pub mod webhooks;

use sea_orm::{
    ConnectionTrait, DbBackend, EntityTrait, IdenStatic, IntoActiveModel, Iterable, PrimaryKeyToColumn,
    sea_query::OnConflict,
};
use serde::{Serialize, de::DeserializeOwned};
use upswell_runtime::{
    db::{Db, Tx},
    problem::Problem,
};

pub use self::migrations::Migrator;

/// Most parameters of one statement; both databases take more.
const PARAMETERS: usize = 30_000;
/// Most rows of one statement.
const ROWS: usize = 500;

/// Inserts `rows`, or replaces those whose key is there, some hundred a statement.
pub(crate) async fn upsert<E>(tx: &Tx, rows: Vec<E::Model>) -> Result<(), Problem>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let keys: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let is_key = |column: &E::Column| keys.iter().any(|key| key.as_str() == column.as_str());
    let rest: Vec<E::Column> = E::Column::iter().filter(|column| !is_key(column)).collect();
    let replace = OnConflict::columns(keys.clone()).update_columns(rest).to_owned();
    write::<E>(tx, rows, Some(&replace)).await
}

/// Inserts `rows`, some hundred a statement. Errors: ALREADY_EXISTS when one of them is there.
pub(crate) async fn insert<E>(tx: &Tx, rows: Vec<E::Model>) -> Result<(), Problem>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    write::<E>(tx, rows, None).await
}

async fn write<E>(tx: &Tx, rows: Vec<E::Model>, conflict: Option<&OnConflict>) -> Result<(), Problem>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let most = ROWS.min(PARAMETERS / E::Column::iter().count());
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let count = shape(rows.len(), most);
        let some: Vec<E::ActiveModel> = rows
            .by_ref()
            .take(count)
            .map(IntoActiveModel::into_active_model)
            .collect();
        let mut insert = E::insert_many(some);
        if let Some(conflict) = conflict {
            insert = insert.on_conflict(conflict.clone());
        }
        insert.exec_without_returning(&**tx).await?;
    }
    Ok(())
}

/// True where all writers of the process share one connection.
pub(crate) fn has_one_writer(db: &Db) -> bool {
    db.backend() == DbBackend::Sqlite
}

/// How many of `left` rows the next statement writes: a power of two, at most `most`. A connection keeps a hundred prepared
/// statements, and each number of rows is another one.
pub(crate) fn shape(left: usize, most: usize) -> usize {
    1 << left.min(most).max(1).ilog2()
}

/// A list of parameters, filled up with its last value to a power of two: few shapes of a statement are worth more than
/// few parameters, because each shape is prepared once.
pub(crate) fn padded(values: &[String]) -> Vec<String> {
    let mut values = values.to_vec();
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// A document as it is stored.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(Problem::internal)
}

/// A stored document. A fault means that the row was not written by this code.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(Problem::internal)
}

/// A stored word. A fault means that the row was not written by this code.
pub(crate) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(Problem::internal)
}

/// What reads work on: the reader pool or an open transaction.
pub trait Reads: ConnectionTrait {}
impl<C: ConnectionTrait> Reads for C {}

#[cfg(test)]
mod tests {
    use super::{padded, shape};

    #[test]
    fn few_shapes_of_a_statement_cover_any_number_of_rows() {
        let mut shapes = std::collections::BTreeSet::new();
        for rows in 1..2_000_usize {
            let mut left = rows;
            while left > 0 {
                let count = shape(left, 500);
                assert!(count.is_power_of_two() && count <= left.min(500), "{rows}: {count}");
                shapes.insert(count);
                left -= count;
            }
        }
        assert_eq!(shapes.len(), 9);
        let three = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(padded(&three), ["a", "b", "c", "c"]);
        assert_eq!(padded(&[]), Vec::<String>::new());
    }
}
