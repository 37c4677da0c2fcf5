//! Statements with parameters, and rows written in sets.

use sea_orm::{
    ConnectionTrait, FromQueryResult, Statement, Value,
    sea_query::{Expr, OnConflict, Query},
};
use upswell_runtime::{
    money::{Currency, Money},
    problem::Problem,
};

/// Parameters per statement, below what both databases take.
const PARAMETERS_MAX: usize = 30_000;
/// Rows per statement.
const ROWS_MAX: usize = 500;

/// Rows of a statement with `$1`-style parameters.
pub(super) async fn select<T: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>, Problem> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let rows = connection.query_all_raw(statement).await?;
    let rows: Result<Vec<T>, _> = rows.iter().map(|row| T::from_query_result(row, "")).collect();
    Ok(rows?)
}

/// Runs a statement with `$1`-style parameters.
pub(super) async fn execute(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<(), Problem> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await?;
    Ok(())
}

/// Where rows are written.
pub(super) struct Target {
    /// The table.
    pub(super) table: &'static str,
    /// Its primary key.
    pub(super) key: &'static [&'static str],
    /// The other columns.
    pub(super) columns: &'static [&'static str],
}

impl Target {
    /// Inserts rows (key first, then the columns); one whose key exists replaces the row that is there. The keys of
    /// `rows` must differ.
    pub(super) async fn upsert(&self, connection: &impl ConnectionTrait, rows: &[Vec<Value>]) -> Result<(), Problem> {
        let names: Vec<&'static str> = self.key.iter().chain(self.columns).copied().collect();
        for chunk in rows.chunks(ROWS_MAX.min(PARAMETERS_MAX / names.len())) {
            let mut replace = OnConflict::columns(self.key.iter().copied());
            if self.columns.is_empty() {
                replace.do_nothing();
            } else {
                replace.update_columns(self.columns.iter().copied());
            }
            let mut insert = Query::insert();
            insert
                .into_table(self.table)
                .columns(names.clone())
                .on_conflict(replace);
            for row in chunk {
                insert.values_panic(row.iter().cloned().map(Into::into));
            }
            connection.execute(&insert).await?;
        }
        Ok(())
    }
}

impl Target {
    /// Inserts rows; one whose key exists is added to the row that is there, column by column. The keys of `rows` must
    /// differ and come in order, so that two writers meet in the same order.
    pub(super) async fn add(&self, connection: &impl ConnectionTrait, rows: &[Vec<Value>]) -> Result<(), Problem> {
        let names: Vec<&'static str> = self.key.iter().chain(self.columns).copied().collect();
        for chunk in rows.chunks(ROWS_MAX.min(PARAMETERS_MAX / names.len())) {
            let mut sum = OnConflict::columns(self.key.iter().copied());
            for column in self.columns {
                let both = format!("\"{}\".\"{column}\" + \"excluded\".\"{column}\"", self.table);
                sum.value(*column, Expr::cust(both));
            }
            let mut insert = Query::insert();
            insert.into_table(self.table).columns(names.clone()).on_conflict(sum);
            for row in chunk {
                insert.values_panic(row.iter().cloned().map(Into::into));
            }
            connection.execute(&insert).await?;
        }
        Ok(())
    }
}

/// The money of two stored columns. Errors: INTERNAL when the store holds a currency that does not exist.
pub(super) fn money(minor: i64, currency: &str) -> Result<Money, Problem> {
    Ok(Money::new(minor, stored_currency(currency)?))
}

/// A stored currency code.
pub(super) fn stored_currency(code: &str) -> Result<Currency, Problem> {
    code.parse().map_err(Problem::internal)
}
