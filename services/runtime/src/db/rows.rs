//! Many rows in one statement.
//!
//! On PostgreSQL the rows come as one array a column, so that the text of the statement is the same whatever their
//! number: a text for every number would be planned anew each time, and push the others out of the cache of prepared
//! statements. SQLite has no arrays and reads a list of values.

use sea_orm::{
    ConnectionTrait, DbBackend, QueryResult, Statement, Value,
    sea_query::{ArrayType, ValueType as _},
};

use super::Tx;
use crate::problem::Problem;

/// Values of one statement on SQLite, which takes 32,766.
const VALUES_MAX: usize = 30_000;
/// Rows of one statement.
const ROWS_MAX: usize = 1_000;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A UUID.
    Uuid,
    /// i64.
    BigInt,
    /// i32.
    Int,
    /// i16.
    SmallInt,
    /// A truth value.
    Bool,
    /// i32, or NULL; the least number stands for NULL on the way.
    IntOrNull,
    /// i64, or NULL; the least number stands for NULL on the way.
    BigIntOrNull,
}

impl Column {
    fn sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bytes => "bytea",
            Self::Uuid => "uuid",
            Self::BigInt | Self::BigIntOrNull => "bigint",
            Self::Int | Self::IntOrNull => "integer",
            Self::SmallInt => "smallint",
            Self::Bool => "boolean",
        }
    }

    fn array(self) -> ArrayType {
        match self {
            Self::Text => String::array_type(),
            Self::Bytes => ArrayType::Bytes,
            Self::Uuid => ArrayType::Uuid,
            Self::BigInt | Self::BigIntOrNull => i64::array_type(),
            Self::Int | Self::IntOrNull => i32::array_type(),
            Self::SmallInt => i16::array_type(),
            Self::Bool => bool::array_type(),
        }
    }

    /// What an array can hold.
    fn filled(self, value: Value) -> Value {
        match (self, value) {
            (Self::IntOrNull, Value::Int(value)) => value.unwrap_or(i32::MIN).into(),
            (Self::BigIntOrNull, Value::BigInt(value)) => value.unwrap_or(i64::MIN).into(),
            (_, value) => value,
        }
    }

    fn selected(self, name: &str) -> String {
        match self {
            Self::IntOrNull => format!("NULLIF(r.{name}, {}) AS {name}", i32::MIN),
            Self::BigIntOrNull => format!("NULLIF(r.{name}, {}) AS {name}", i64::MIN),
            _ => format!("r.{name}"),
        }
    }
}

/// Rows of named columns.
#[derive(Debug)]
pub struct Rows<const N: usize> {
    columns: [(&'static str, Column); N],
    rows: Vec<[Value; N]>,
}

impl<const N: usize> Rows<N> {
    /// No rows yet.
    pub fn new(columns: [(&'static str, Column); N]) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row; its values are of the types of the columns.
    pub fn push(&mut self, row: [Value; N]) {
        self.rows.push(row);
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// `INSERT INTO <table> (<columns>) SELECT … <tail>`, in pieces where there are many; the number of rows changed.
    pub async fn insert(self, tx: &Tx, table: &str, tail: &str) -> Result<u64, Problem> {
        let statement = self.insertion(table, tail);
        self.write(tx, statement).await
    }

    /// As [`Self::insert`], with what RETURNING in `tail` gives.
    pub async fn insert_returning(self, tx: &Tx, table: &str, tail: &str) -> Result<Vec<QueryResult>, Problem> {
        let statement = self.insertion(table, tail);
        self.read(tx, statement).await
    }

    /// Runs the statement that is made from the text of the rows, which stands where a table may stand in FROM; the number
    /// of rows changed.
    pub async fn write(self, tx: &Tx, statement: impl Fn(&str) -> String) -> Result<u64, Problem> {
        let mut changed = 0;
        for piece in self.pieces(tx.get_database_backend(), statement) {
            changed += tx.execute_raw(piece).await?.rows_affected();
        }
        Ok(changed)
    }

    /// As [`Self::write`]; the rows that the statement gives.
    pub async fn read(self, tx: &Tx, statement: impl Fn(&str) -> String) -> Result<Vec<QueryResult>, Problem> {
        self.select(&**tx, statement).await
    }

    /// As [`Self::read`], for what only reads: outside a transaction too.
    pub async fn select(
        self,
        connection: &impl ConnectionTrait,
        statement: impl Fn(&str) -> String,
    ) -> Result<Vec<QueryResult>, Problem> {
        let mut found = Vec::new();
        for piece in self.pieces(connection.get_database_backend(), statement) {
            found.extend(connection.query_all_raw(piece).await?);
        }
        Ok(found)
    }

    fn insertion(&self, table: &str, tail: &str) -> impl Fn(&str) -> String + use<N> {
        let names = self.columns.map(|(name, _)| name).join(", ");
        let (table, tail) = (table.to_owned(), tail.to_owned());
        // Without WHERE, SQLite takes ON for a part of the join.
        move |rows| format!("INSERT INTO {table} ({names}) SELECT {names} FROM {rows} WHERE 1 = 1 {tail}")
    }

    fn pieces(self, backend: DbBackend, statement: impl Fn(&str) -> String) -> impl Iterator<Item = Statement> {
        let (columns, mut rest) = (self.columns, self.rows);
        let most = (VALUES_MAX / N.max(1)).min(ROWS_MAX);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let after = rest.split_off(most.min(rest.len()));
            let piece = std::mem::replace(&mut rest, after);
            let (source, values) = match backend {
                DbBackend::Postgres => arrays(columns, piece),
                _ => list(columns, piece),
            };
            Some(Statement::from_sql_and_values(backend, statement(&source), values))
        })
    }
}

/// `(SELECT r.a, … FROM UNNEST($1::text[], …) AS r (a, …)) AS r`
fn arrays<const N: usize>(columns: [(&'static str, Column); N], rows: Vec<[Value; N]>) -> (String, Vec<Value>) {
    let mut values: [Vec<Value>; N] = std::array::from_fn(|_| Vec::with_capacity(rows.len()));
    for row in rows {
        for ((into, value), (_, column)) in values.iter_mut().zip(row).zip(columns) {
            into.push(column.filled(value));
        }
    }
    let names = columns.map(|(name, _)| name).join(", ");
    let selected = columns.map(|(name, column)| column.selected(name)).join(", ");
    let mut places = 0;
    let arrays = columns.map(|(_, column)| {
        places += 1;
        format!("${places}::{}[]", column.sql())
    });
    let source = format!(
        "(SELECT {selected} FROM UNNEST({}) AS r ({names})) AS r",
        arrays.join(", ")
    );
    let values = values.into_iter().zip(columns);
    let values = values.map(|(values, (_, column))| Value::Array(column.array(), Some(Box::new(values))));
    (source, values.collect())
}

/// `(WITH r (a, …) AS (VALUES ($1, …), …) SELECT * FROM r) AS r`
fn list<const N: usize>(columns: [(&'static str, Column); N], rows: Vec<[Value; N]>) -> (String, Vec<Value>) {
    let names = columns.map(|(name, _)| name).join(", ");
    let mut places = 0;
    let tuples: Vec<String> = rows
        .iter()
        .map(|row| {
            let row = row.each_ref().map(|_| {
                places += 1;
                format!("${places}")
            });
            format!("({})", row.join(", "))
        })
        .collect();
    let source = format!(
        "(WITH r ({names}) AS (VALUES {}) SELECT * FROM r) AS r",
        tuples.join(", ")
    );
    (source, rows.into_iter().flatten().collect())
}
