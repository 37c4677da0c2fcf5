//! What PostgreSQL can do without the service: the same table by COPY, a queue, a bare group commit, a commit a row.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use sea_orm::sqlx::{PgPool, query};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
};

use crate::{
    arrivals::{Op, Outcome, closed},
    facts::{account, allot, external_id},
    postgres::{copy_in, copy_out, execute, number},
};

/// Rows of one COPY, and how many of them are made at most.
const ROWS: i64 = 10_000;
const COPIES: i64 = 12;
/// Streams of COPY.
const STREAMS: usize = 2;
/// Messages of one send to the queue, and senders.
const MESSAGES: u64 = 100;
const SENDERS: usize = 4;
/// The largest group of the bare group commit, and its writers.
const GROUP: usize = 1024;
const WRITERS: usize = 2;

/// The tables of the limits.
pub(super) async fn limits_create(pool: &PgPool) -> Result<()> {
    execute(
        pool,
        "CREATE TABLE IF NOT EXISTS limit_fact (LIKE fact INCLUDING ALL);
         CREATE TABLE IF NOT EXISTS limit_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text NOT NULL,
             external_id text NOT NULL, account_id text NOT NULL, day integer NOT NULL, amount bigint NOT NULL,
             recorded_at bigint NOT NULL, payload bytea NOT NULL, UNIQUE (source, external_id));
         CREATE TABLE IF NOT EXISTS limit_queue (msg_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
             read_ct integer NOT NULL DEFAULT 0, enqueued_at timestamptz NOT NULL DEFAULT now(), vt timestamptz NOT NULL,
             message jsonb, headers jsonb);
         CREATE INDEX IF NOT EXISTS limit_queue_vt ON limit_queue (vt)",
    )
    .await
}

/// Rows of the service's own table, ready to be copied in.
pub(super) struct Copies(Vec<Arc<Vec<u8>>>);

impl Copies {
    /// Takes rows that the service stored.
    pub(super) async fn of_stored(pool: &PgPool) -> Result<Self> {
        let first = number(pool, "SELECT coalesce(min(id), 0) FROM fact").await?;
        let last = number(pool, "SELECT coalesce(max(id), 0) FROM fact").await?;
        let mut connection = pool.acquire().await?;
        let mut copies = Vec::new();
        for place in 0..COPIES.min((last - first) / ROWS) {
            let from = first + place * ROWS;
            let select = format!("SELECT * FROM fact WHERE id >= {from} AND id < {}", from + ROWS);
            copies.push(Arc::new(copy_out(&mut connection, &select).await?));
        }
        ensure!(!copies.is_empty(), "too few facts are stored to copy them");
        Ok(Self(copies))
    }

    /// Rows a second into the empty table, a transaction a COPY.
    pub(super) async fn rate(&self, pool: &PgPool) -> Result<f64> {
        execute(pool, "TRUNCATE limit_fact").await?;
        let begun = Instant::now();
        let mut streams = JoinSet::new();
        for stream in 0..STREAMS {
            let own: Vec<_> = self.0.iter().skip(stream).step_by(STREAMS).cloned().collect();
            let pool = pool.clone();
            streams.spawn(async move {
                let (mut connection, mut rows) = (pool.acquire().await?, 0);
                for bytes in own {
                    rows += copy_in(&mut connection, "limit_fact", &bytes).await?;
                }
                anyhow::Ok(rows)
            });
        }
        let mut rows = 0;
        while let Some(done) = streams.join_next().await {
            rows += done??;
        }
        Ok(rows as f64 / begun.elapsed().as_secs_f64())
    }
}

/// Messages a second into a queue as pgmq keeps it.
pub(super) async fn queue_rate(pool: &PgPool, span: Duration) -> Result<f64> {
    execute(pool, "TRUNCATE limit_queue").await?;
    let pool = pool.clone();
    let send: Op = Arc::new(move |_| {
        let pool = pool.clone();
        Box::pin(async move {
            let first = allot(MESSAGES);
            let message = |number| {
                let (key, account) = (external_id(number), account(number));
                format!(
                    r#"{{"source":"bench","external_id":"{key}","account":"{account}","metric":"metric-1","value":7}}"#
                )
            };
            let messages: Vec<String> = (first..first + MESSAGES).map(message).collect();
            let insert =
                "INSERT INTO limit_queue (vt, message) SELECT clock_timestamp(), m::jsonb FROM unnest($1::text[]) m";
            done(query(insert).bind(messages).execute(&pool).await.map(|_| MESSAGES))
        })
    });
    let load = closed(SENDERS, span, &send).await;
    ensure!(load.failed == 0, "the queue refuses");
    Ok(load.rate())
}

/// Rows a second with a transaction each.
pub(super) async fn commit_rate(pool: &PgPool, clients: usize, span: Duration) -> Result<f64> {
    execute(pool, "TRUNCATE limit_row").await?;
    let pool = pool.clone();
    let insert: Op = Arc::new(move |_| {
        let pool = pool.clone();
        Box::pin(async move {
            let row = Row::new();
            let insert = "INSERT INTO limit_row (source, external_id, account_id, day, amount, recorded_at, payload) \
                          VALUES ('bench', $1, $2, $3, $4, 0, $5) ON CONFLICT DO NOTHING";
            let insert = query(insert)
                .bind(row.external_id)
                .bind(row.account_id)
                .bind(row.day)
                .bind(row.amount);
            done(insert.bind(row.payload).execute(&pool).await.map(|_| 1))
        })
    });
    let load = closed(clients, span, &insert).await;
    ensure!(load.failed == 0, "rows are refused");
    Ok(load.rate())
}

/// Rows a second when those who wait share a transaction.
pub(super) async fn group_rate(pool: &PgPool, waiting: usize, span: Duration) -> Result<f64> {
    execute(pool, "TRUNCATE limit_row").await?;
    let (queue, coming) = mpsc::unbounded_channel();
    let coming = Arc::new(Mutex::new(coming));
    for _ in 0..WRITERS {
        tokio::spawn(write(pool.clone(), Arc::clone(&coming)));
    }
    let insert: Op = Arc::new(move |_| {
        let queue = queue.clone();
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            drop(queue.send((Row::new(), answer)));
            answered.await.unwrap_or(Outcome::Failed)
        })
    });
    let load = closed(waiting, span, &insert).await;
    ensure!(load.failed == 0, "groups are refused");
    Ok(load.rate())
}

struct Row {
    external_id: String,
    account_id: String,
    day: i32,
    amount: i64,
    payload: Vec<u8>,
}

impl Row {
    fn new() -> Self {
        let number = allot(1);
        Self {
            external_id: external_id(number),
            account_id: account(number.wrapping_mul(7_919)),
            day: 20_000,
            amount: 7,
            payload: vec![7; 80],
        }
    }
}

type Waiting = (Row, oneshot::Sender<Outcome>);

async fn write(pool: PgPool, coming: Arc<Mutex<mpsc::UnboundedReceiver<Waiting>>>) {
    let count = AtomicU64::new(0);
    loop {
        let mut group = Vec::with_capacity(GROUP);
        if coming.lock().await.recv_many(&mut group, GROUP).await == 0 {
            return;
        }
        count.fetch_add(group.len() as u64, Ordering::Relaxed);
        let (rows, answers): (Vec<Row>, Vec<_>) = group.into_iter().unzip();
        let outcome = done(insert(&pool, rows).await.map(|()| 1));
        for answer in answers {
            answer.send(outcome).ok();
        }
    }
}

async fn insert(pool: &PgPool, rows: Vec<Row>) -> sea_orm::sqlx::Result<()> {
    let [mut keys, mut accounts] = [Vec::new(), Vec::new()];
    let (mut days, mut amounts, mut payloads) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        keys.push(row.external_id);
        accounts.push(row.account_id);
        days.push(row.day);
        amounts.push(row.amount);
        payloads.push(row.payload);
    }
    let insert = "INSERT INTO limit_row (source, external_id, account_id, day, amount, recorded_at, payload) \
                  SELECT 'bench', k, a, d, n, 0, p FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::bytea[]) \
                  AS r (k, a, d, n, p) ON CONFLICT DO NOTHING";
    query(insert)
        .bind(keys)
        .bind(accounts)
        .bind(days)
        .bind(amounts)
        .bind(payloads)
        .execute(pool)
        .await?;
    Ok(())
}

/// What a statement came to.
pub(super) fn done<E>(result: Result<u64, E>) -> Outcome {
    result.map_or(Outcome::Failed, Outcome::Done)
}
