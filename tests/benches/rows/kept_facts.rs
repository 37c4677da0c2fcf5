//! I6: whether recording slows down with what is stored; G0: what was acknowledged survives SIGKILL of the service and an
//! immediate stop of the database.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};
use sea_orm::sqlx::{PgPool, query_scalar};
use tokio::time::{Duration, sleep};

use super::facts::{BATCH, BATCHES, Intake, record};
use crate::{
    Bench,
    arrivals::{Op, Outcome, closed},
    channels::Channels,
    facts::{Mix, SOURCE, allot, external_id, facts},
    postgres::{execute, number},
    server::{Plan, Server, sink},
    sheet::{Line, Samples, Target},
};

/// Facts of a request of the callers who are cut off, and callers.
const FEW: u64 = 10;
const CALLERS: usize = 32;
/// Facts that are copied at a time to fill the table.
const PORTION: i64 = 10_000;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let intake = Intake::start().await?;
    if bench.options.wants("I6") {
        kept(bench, &intake).await?;
    }
    if bench.options.wants("G0") {
        cut_off(bench, intake).await?;
    }
    Ok(())
}

/// The rate of a full store over that of an empty one, in turn.
async fn kept(bench: &mut Bench, intake: &Intake) -> Result<()> {
    let stored = bench.options.asked("UPSWELL_BENCH_FACTS", 1_000_000, 100_000);
    let batch = intake.record(BATCH, Mix::Export);
    let mut recorded = 0;
    while recorded < 2 * PORTION as u64 {
        let load = closed(BATCHES, bench.options.span(), &batch).await;
        ensure!(load.units > 0, "facts cannot be recorded");
        recorded += load.units;
    }
    fill(&intake.postgres.pool("ingestion", 2).await?, stored as i64).await?;

    let url = intake.postgres.create("ingestion_empty").await?;
    let empty = Server::start(&Plan::of("ingestion", &sink().await?).on(url)).await?;
    let channels = Channels::open(empty.url()).await?;
    let empty: Op = Arc::new(move |number| {
        let channel = channels.of(number);
        Box::pin(async move { record(channel, facts(allot(BATCH), BATCH, Mix::Export)).await.0 })
    });
    let [mut full_rate, mut empty_rate] = [const { Samples(Vec::new()) }; 2];
    for _ in 0..bench.options.repetitions() {
        full_rate.push(closed(BATCHES, bench.options.span(), &batch).await.rate());
        empty_rate.push(closed(BATCHES, bench.options.span(), &empty).await.rate());
    }
    let line = Line::of("I6", format!("I1 with {stored} facts stored"), &full_rate, "facts/s");
    let line = line.beside("the same when empty", &full_rate, &empty_rate, Target::AtLeast(0.8));
    bench
        .sheet
        .add(line.note("10 M and 50 M: UPSWELL_BENCH_FACTS=10000000"));
    Ok(())
}

/// Copies stored facts under other keys until so many are stored.
async fn fill(pool: &PgPool, stored: i64) -> Result<()> {
    let first = number(pool, "SELECT min(id) FROM fact").await?;
    let last = number(pool, "SELECT max(id) FROM fact").await?;
    let times = stored / PORTION;
    for time in 1..=times {
        let shift = last - first + time * PORTION;
        execute(
            pool,
            &format!(
                "INSERT INTO fact SELECT copy.* FROM fact, LATERAL jsonb_populate_record(fact, jsonb_build_object( \
                 'id', fact.id + {shift}, 'source', 'copy', 'external_id', fact.external_id || '-{time}')) copy \
                 WHERE fact.id >= {first} AND fact.id < {first} + {PORTION}"
            ),
        )
        .await?;
    }
    let next = "SELECT setval(pg_get_serial_sequence('fact', 'id'), (SELECT max(id) FROM fact))";
    number(pool, next).await?;
    execute(pool, "VACUUM ANALYZE fact").await
}

/// Kills the service under load and stops the database at once; reads back what was acknowledged.
async fn cut_off(bench: &mut Bench, intake: Intake) -> Result<()> {
    let acknowledged: Arc<Mutex<Vec<u64>>> = Arc::default();
    let (noted, channels) = (Arc::clone(&acknowledged), intake.channels.clone());
    let few: Op = Arc::new(move |number| {
        let (channel, noted) = (channels.of(number), Arc::clone(&noted));
        Box::pin(async move {
            let first = allot(FEW);
            let (outcome, _) = record(channel, facts(first, FEW, Mix::Scattered)).await;
            if outcome == Outcome::Done(FEW) {
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(first);
            } else {
                sleep(Duration::from_millis(20)).await;
            }
            outcome
        })
    });
    let span = bench.options.span();
    let load = tokio::spawn(async move { closed(CALLERS, span, &few).await });
    sleep(span * 3 / 4).await;
    let Intake { postgres, server, .. } = intake;
    drop(server);
    postgres.crash()?;
    load.await?;
    let acknowledged = acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let keys: Vec<String> = acknowledged
        .iter()
        .flat_map(|first| *first..first + FEW)
        .map(external_id)
        .collect();
    let pool = postgres.pool("ingestion", 1).await?;
    let count = "SELECT count(*) FROM fact WHERE source = $1 AND external_id = ANY($2)";
    let stored: i64 = query_scalar(count).bind(SOURCE).bind(&keys).fetch_one(&pool).await?;
    let lost = keys.len() as i64 - stored;
    let mut samples = Samples::default();
    samples.push(lost as f64);
    let line = Line::of(
        "G0",
        "facts lost by SIGKILL of the service and an immediate stop of PostgreSQL",
        &samples,
        "facts",
    );
    let line = line.judged(Target::AtMost(0.0));
    bench
        .sheet
        .add(line.note(format!("{} acknowledged before the kill", keys.len())));
    Ok(())
}
