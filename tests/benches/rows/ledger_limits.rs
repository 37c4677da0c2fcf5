//! What PostgreSQL can do for a decision without the service: one conditional statement, the dialogue with a lock; and
//! taking messages out of a queue.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use sea_orm::sqlx::{Connection, PgConnection, PgPool, query, query_scalar};
use uuid::Uuid;

use super::facts_limits::done;
use crate::{
    arrivals::{Op, closed},
    facts::allot,
    postgres::execute,
};

/// Accounts of the ledger.
pub(super) const ACCOUNTS: u64 = 100_000;
/// A window of the cap, µs.
const WINDOW: i64 = 7 * 86_400_000_000;
/// Windows that are asked for in turn, so that there is room.
const WEEKS: u64 = 40;

/// The tables of the limits, with every account.
pub(super) async fn limits_create(pool: &PgPool) -> Result<()> {
    execute(
        pool,
        &format!(
            "CREATE TABLE limit_state (account_id text PRIMARY KEY, version bigint NOT NULL) WITH (fillfactor = 70);
             CREATE TABLE limit_touch (touch_id uuid PRIMARY KEY, account_id text NOT NULL, class text NOT NULL,
                 channel text NOT NULL, sender text NOT NULL, idempotency_key text NOT NULL, state text NOT NULL,
                 counts_at bigint NOT NULL, UNIQUE (sender, idempotency_key));
             CREATE INDEX limit_touch_by_account ON limit_touch (account_id, counts_at);
             INSERT INTO limit_state SELECT 'acct-' || lpad(g::text, 6, '0'), 0 FROM generate_series(0, {ACCOUNTS} - 1) g"
        ),
    )
    .await
}

/// One decision as the limits know it: for the hot account, or for one after the other.
struct Ask {
    account: String,
    touch: Uuid,
    key: String,
    at: i64,
}

impl Ask {
    fn new(is_hot: bool) -> Self {
        let number = allot(1);
        let (account, round) = if is_hot {
            (0, number)
        } else {
            (number % ACCOUNTS, number / ACCOUNTS)
        };
        Self {
            account: format!("acct-{account:06}"),
            touch: upswell_runtime::ids::derive("bench", &["limit", &number.to_string()]),
            key: format!("limit-{number}"),
            at: (round % WEEKS) as i64 * (WINDOW + 1),
        }
    }
}

/// Decisions a second in one conditional statement each.
pub(super) async fn cte_rate(pool: &PgPool, in_flight: usize, span: Duration) -> Result<f64> {
    let pool = pool.clone();
    let ask: Op = Arc::new(move |_| {
        let pool = pool.clone();
        Box::pin(async move {
            let ask = Ask::new(false);
            let statement = "WITH state AS (UPDATE limit_state SET version = version + 1 WHERE account_id = $1 RETURNING version) \
                             INSERT INTO limit_touch SELECT $2, $1, 'commercial', 'email', 'bench', $3, 'reserved', $4 FROM state \
                             WHERE NOT EXISTS (SELECT 1 FROM limit_touch WHERE account_id = $1 AND counts_at > $4 - $5 \
                             AND counts_at < $4 + $5)";
            let statement = query(statement)
                .bind(ask.account)
                .bind(ask.touch)
                .bind(ask.key)
                .bind(ask.at)
                .bind(WINDOW);
            done(statement.execute(&pool).await.map(|_| 1))
        })
    });
    let load = closed(in_flight, span, &ask).await;
    ensure!(load.failed == 0, "the statement fails");
    Ok(load.rate())
}

/// Decisions a second in a dialogue each: lock, count, insert, commit.
pub(super) async fn dialogue_rate(pool: &PgPool, in_flight: usize, span: Duration, is_hot: bool) -> Result<f64> {
    let pool = pool.clone();
    let ask: Op = Arc::new(move |_| {
        let pool = pool.clone();
        Box::pin(async move {
            let talk = async {
                let mut connection = pool.acquire().await?;
                dialogue(&mut connection, Ask::new(is_hot)).await
            };
            done(talk.await.map(|()| 1))
        })
    });
    let load = closed(in_flight, span, &ask).await;
    ensure!(load.failed == 0, "the dialogue fails");
    Ok(load.rate())
}

async fn dialogue(connection: &mut PgConnection, ask: Ask) -> sea_orm::sqlx::Result<()> {
    let mut tx = Connection::begin(connection).await?;
    let lock = "SELECT version FROM limit_state WHERE account_id = $1 FOR UPDATE";
    let _: i64 = query_scalar(lock).bind(&ask.account).fetch_one(&mut *tx).await?;
    let count =
        "SELECT count(*) FROM limit_touch WHERE account_id = $1 AND counts_at > $2 - $3 AND counts_at < $2 + $3";
    let count: i64 = query_scalar(count)
        .bind(&ask.account)
        .bind(ask.at)
        .bind(WINDOW)
        .fetch_one(&mut *tx)
        .await?;
    if count == 0 {
        let insert = "INSERT INTO limit_touch VALUES ($1, $2, 'commercial', 'email', 'bench', $3, 'reserved', $4)";
        let insert = query(insert)
            .bind(ask.touch)
            .bind(&ask.account)
            .bind(ask.key)
            .bind(ask.at);
        insert.execute(&mut *tx).await?;
        let update = "UPDATE limit_state SET version = version + 1 WHERE account_id = $1";
        query(update).bind(&ask.account).execute(&mut *tx).await?;
    }
    tx.commit().await
}

/// Messages a second out of a queue as pgmq keeps it: read 500, delete 500.
pub(super) async fn queue_drain_rate(pool: &PgPool, messages: u64) -> Result<f64> {
    execute(
        pool,
        &format!(
            "DROP TABLE IF EXISTS drained;
             CREATE TABLE drained (msg_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, read_ct integer NOT NULL DEFAULT 0,
                 enqueued_at timestamptz NOT NULL DEFAULT now(), vt timestamptz NOT NULL, message jsonb);
             CREATE INDEX drained_vt ON drained (vt);
             INSERT INTO drained (vt, message) SELECT now(), jsonb_build_object('key', g, 'payload', repeat('7', 200))
                 FROM generate_series(1, {messages}) g"
        ),
    )
    .await?;
    let (begun, mut taken) = (Instant::now(), 0);
    while taken < messages {
        let read = "UPDATE drained SET vt = clock_timestamp() + interval '30 seconds', read_ct = read_ct + 1 WHERE msg_id IN \
                    (SELECT msg_id FROM drained WHERE vt <= clock_timestamp() ORDER BY msg_id LIMIT 500 FOR UPDATE SKIP LOCKED) \
                    RETURNING msg_id";
        let ids: Vec<i64> = query_scalar(read).fetch_all(pool).await?;
        ensure!(!ids.is_empty(), "the queue is empty too early");
        query("DELETE FROM drained WHERE msg_id = ANY($1)")
            .bind(&ids)
            .execute(pool)
            .await?;
        taken += ids.len() as u64;
    }
    Ok(messages as f64 / begun.elapsed().as_secs_f64())
}
