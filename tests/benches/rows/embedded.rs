//! I4: the same on SQLite, beside a plain loop over a table of the same shape.

use std::{str::FromStr as _, time::Instant};

use anyhow::Result;
use sea_orm::sqlx::{
    ConnectOptions as _, Connection as _, QueryBuilder, Sqlite, SqliteConnection, raw_sql,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tempfile::TempDir;

use super::facts::{BATCH, record};
use crate::{
    Bench,
    arrivals::{Op, closed},
    channels::Channels,
    facts::{Mix, account, allot, external_id, facts},
    server::{Plan, Server, sink},
    sheet::{Line, Samples, Target},
    usage::Watched,
};

/// Requests under way: SQLite has one writer.
const REQUESTS: usize = 4;
/// Rows of one statement of the loop; 7 values each.
const ROWS: u64 = 500;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("ingestion.db").display());
    let server = Server::start(&Plan::of("ingestion", &sink().await?).on(url)).await?;
    let channels = Channels::open(server.url()).await?;
    let batch: Op = std::sync::Arc::new(move |number| {
        let channel = channels.of(number);
        Box::pin(async move { record(channel, facts(allot(BATCH), BATCH, Mix::Export)).await.0 })
    });
    let watched = Watched {
        server: server.pid(),
        database: 0,
    };
    let mut limit = Loop::open(&folder).await?;
    let [mut ours, mut plain] = [const { Samples(Vec::new()) }; 2];
    let before = watched.now();
    let first = closed(REQUESTS, bench.options.span(), &batch).await;
    let cpu = watched.now().per_million(before, first.units);
    for _ in 0..bench.options.repetitions() {
        ours.push(closed(REQUESTS, bench.options.span(), &batch).await.rate());
        plain.push(limit.rate(bench.options.span().as_secs_f64()).await?);
    }
    let line = Line::of(
        "I4",
        "RecordFacts, 1,000 facts a request, SQLite, synchronous FULL",
        &ours,
        "facts/s",
    );
    let limit = "plain loop, same key, 1,000 rows a transaction";
    let line = line.beside(limit, &ours, &plain, Target::AtLeast(0.85)).cpu(cpu);
    bench
        .sheet
        .add(line.note("the loop only inserts: no rollup, no runs, no events, no gRPC"));
    Ok(())
}

/// A connection that inserts and does nothing else.
struct Loop(SqliteConnection);

impl Loop {
    async fn open(folder: &TempDir) -> Result<Self> {
        let url = format!("sqlite:{}", folder.path().join("limit.db").display());
        let options = SqliteConnectOptions::from_str(&url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let create = "CREATE TABLE fact (id integer PRIMARY KEY AUTOINCREMENT, source text NOT NULL, external_id text NOT NULL, \
                      account_id text NOT NULL, day integer NOT NULL, amount bigint NOT NULL, recorded_at bigint NOT NULL, \
                      payload blob NOT NULL); CREATE UNIQUE INDEX fact_by_key ON fact (source, external_id)";
        raw_sql(create).execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Rows a second.
    async fn rate(&mut self, seconds: f64) -> Result<f64> {
        let (begun, mut rows) = (Instant::now(), 0);
        while begun.elapsed().as_secs_f64() < seconds {
            let mut tx = self.0.begin_with("BEGIN IMMEDIATE").await?;
            for _ in 0..BATCH / ROWS {
                let numbers = allot(ROWS);
                let columns = "INSERT INTO fact (source, external_id, account_id, day, amount, recorded_at, payload) ";
                let mut insert = QueryBuilder::<Sqlite>::new(columns);
                insert.push_values(numbers..numbers + ROWS, |mut row, number| {
                    row.push_bind("bench")
                        .push_bind(external_id(number))
                        .push_bind(account(number));
                    row.push_bind(20_000)
                        .push_bind(7_i64)
                        .push_bind(0_i64)
                        .push_bind(vec![7_u8; 80]);
                });
                insert.push(" ON CONFLICT DO NOTHING").build().execute(&mut *tx).await?;
            }
            tx.commit().await?;
            rows += BATCH;
        }
        Ok(rows as f64 / begun.elapsed().as_secs_f64())
    }
}
