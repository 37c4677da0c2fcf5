//! I1, I2, I3, I5 on PostgreSQL, and the memory of the service meanwhile (X1).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use upswell_proto::ingestion::v1::{
    Fact, RecordFactsRequest, StreamFactsRequest, ingestion_service_client::IngestionServiceClient,
};

use super::facts_limits::{Copies, commit_rate, group_rate, limits_create, queue_rate};
use crate::{
    Bench,
    arrivals::{Load, Op, Outcome, closed, levels},
    channels::{Channels, outcome},
    facts::{Mix, SOURCE, allot, facts},
    postgres::{Postgres, number},
    server::{Plan, Server, sink},
    sheet::{Line, Samples, Target},
    usage::{Watched, memory_mib},
};

/// Facts of a large request.
pub(super) const BATCH: u64 = 1000;
/// Large requests under way.
pub(super) const BATCHES: usize = 8;
/// Small requests under way.
const SINGLES: usize = 256;
/// Streams, and unacknowledged messages of each.
const STREAMS: usize = 4;
const WINDOW: usize = 4;
/// Recorded facts that a storm brings again: they are the first that any run records.
const KNOWN: u64 = 20_000;

/// A service with a database, and what its callers were promised.
pub(super) struct Intake {
    pub(super) postgres: Postgres,
    pub(super) server: Server,
    pub(super) channels: Channels,
    pub(super) acknowledged: Arc<AtomicU64>,
}

impl Intake {
    pub(super) async fn start() -> Result<Self> {
        let postgres = Postgres::start().await?;
        let plan = Plan::of("ingestion", &sink().await?).on(postgres.create("ingestion").await?);
        let server = Server::start(&plan).await?;
        Ok(Self {
            channels: Channels::open(server.url()).await?,
            server,
            postgres,
            acknowledged: Arc::default(),
        })
    }

    pub(super) fn watched(&self) -> Watched {
        Watched {
            server: self.server.pid(),
            database: self.postgres.pid(),
        }
    }

    /// Records `count` new facts a request.
    pub(super) fn record(&self, count: u64, mix: Mix) -> Op {
        self.record_made(move |_| facts(allot(count), count, mix))
    }

    /// Records what `make` makes for each request.
    fn record_made(&self, make: impl Fn(u64) -> Vec<Fact> + Send + Sync + 'static) -> Op {
        let (channels, acknowledged) = (self.channels.clone(), Arc::clone(&self.acknowledged));
        Arc::new(move |number| {
            let (channel, acknowledged) = (channels.of(number), Arc::clone(&acknowledged));
            let facts = make(number);
            Box::pin(async move {
                let (outcome, recorded) = record(channel, facts).await;
                acknowledged.fetch_add(recorded, Ordering::Relaxed);
                outcome
            })
        })
    }

    /// Everything that was acknowledged is stored, and nothing twice.
    pub(super) async fn check(&self) -> Result<String> {
        let pool = self.postgres.pool("ingestion", 1).await?;
        let stored = number(&pool, &format!("SELECT count(*) FROM fact WHERE source = '{SOURCE}'")).await?;
        let distinct = format!("SELECT count(DISTINCT external_id) FROM fact WHERE source = '{SOURCE}'");
        let distinct = number(&pool, &distinct).await?;
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        ensure!(stored == distinct, "{} facts are stored twice", stored - distinct);
        ensure!(
            stored as u64 >= acknowledged,
            "{acknowledged} facts were acknowledged, {stored} are stored"
        );
        Ok(format!("{acknowledged} acknowledged, {stored} stored, 0 twice"))
    }
}

/// Records facts; how many were new.
pub(super) async fn record(channel: Channel, facts: Vec<Fact>) -> (Outcome, u64) {
    let count = facts.len() as u64;
    let request = RecordFactsRequest {
        facts,
        ..RecordFactsRequest::default()
    };
    match IngestionServiceClient::new(channel).record_facts(request).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            let wrong = answer.rejected + answer.conflicts > 0;
            let outcome = if wrong { Outcome::Failed } else { Outcome::Done(count) };
            (outcome, answer.recorded as u64)
        }
        Err(status) => (outcome(&status), 0),
    }
}

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let intake = Intake::start().await?;
    let batch = intake.record(BATCH, Mix::Export);
    let mut known = 0;
    while known < KNOWN {
        let (outcome, recorded) = record(intake.channels.of(0), facts(allot(BATCH), BATCH, Mix::Export)).await;
        ensure!(matches!(outcome, Outcome::Done(_)), "facts cannot be recorded");
        known += recorded;
    }
    intake.acknowledged.fetch_add(known, Ordering::Relaxed);
    let (_, settled) = (
        closed(BATCHES, bench.options.span(), &batch).await,
        memory_mib(intake.server.pid()),
    );
    if bench.options.wants("I1") {
        batches(bench, &intake, &batch).await?;
    }
    if bench.options.wants("I2") {
        singles(bench, &intake).await?;
    }
    if bench.options.wants("I3") || bench.options.wants("I5") {
        streams_and_storms(bench, &intake, &batch).await?;
    }
    let (now, peak) = memory_mib(intake.server.pid());
    let mut samples = Samples::default();
    samples.push(peak);
    let note = format!(
        "{:.0} MiB after the first {:.1} s of load, {now:.0} MiB at the end; {}",
        settled.0,
        bench.options.span().as_secs_f64(),
        intake.check().await?
    );
    let line = Line::of("X1", "ingestion: most memory under I1–I5", &samples, "MiB");
    bench.sheet.add(line.judged(Target::AtMost(300.0)).note(note));
    Ok(())
}

async fn batches(bench: &mut Bench, intake: &Intake, batch: &Op) -> Result<()> {
    let (span, pool) = (bench.options.span(), intake.postgres.pool("ingestion", 4).await?);
    limits_create(&pool).await?;
    let copies = Copies::of_stored(&pool).await?;
    let scattered = intake.record(BATCH, Mix::Scattered);
    let [mut ours, mut apart, mut copied, mut queued, mut calls] = [const { Samples(Vec::new()) }; 5];
    let before = intake.watched().now();
    let first = closed(BATCHES, span, batch).await;
    let cpu = intake.watched().now().per_million(before, first.units);
    for _ in 0..bench.options.repetitions() {
        let load = closed(BATCHES, span, batch).await;
        ours.push(load.rate());
        calls.push(load.calls());
        copied.push(copies.rate(&pool).await?);
        apart.push(closed(BATCHES, span, &scattered).await.rate());
        queued.push(queue_rate(&pool, span).await?);
    }
    let levels = levels(calls.median(), span, batch).await;
    let path = "RecordFacts, 1,000 facts a request about 100 accounts, PostgreSQL";
    let line = Line::of("I1", path, &ours, "facts/s").beside(
        "COPY binary, 2 streams, same table",
        &ours,
        &copied,
        Target::AtLeast(0.6),
    );
    bench.sheet.add(
        line.levels(levels)
            .cpu(cpu)
            .note("durable, rolled up and told before the answer"),
    );
    let line = Line::of("I1", "the same beside a queue in PostgreSQL", &ours, "facts/s");
    let limit = "pgmq's table and statement, batches of 100";
    bench
        .sheet
        .add(line.beside(limit, &ours, &queued, Target::AtLeast(0.6)));
    let line = Line::of("I1", "the same, each fact about another account", &apart, "facts/s");
    bench
        .sheet
        .add(line.beside("COPY binary, 2 streams, same table", &apart, &copied, Target::None));
    Ok(())
}

async fn singles(bench: &mut Bench, intake: &Intake) -> Result<()> {
    let (span, pool) = (bench.options.span(), intake.postgres.pool("ingestion", 16).await?);
    limits_create(&pool).await?;
    let single = intake.record(1, Mix::Scattered);
    let [mut ours, mut group, mut rows] = [const { Samples(Vec::new()) }; 3];
    let before = intake.watched().now();
    let first = closed(SINGLES, span, &single).await;
    let cpu = intake.watched().now().per_million(before, first.units);
    for _ in 0..bench.options.repetitions() {
        ours.push(closed(SINGLES, span, &single).await.rate());
        group.push(group_rate(&pool, SINGLES, span).await?);
        rows.push(commit_rate(&pool, 16, span).await?);
    }
    let levels = levels(ours.median(), span, &single).await;
    let mut half = Samples::default();
    half.push(levels[1].p99_ms);
    let path = "RecordFacts, one fact a request, 256 in flight";
    let line = Line::of("I2", path, &ours, "facts/s").beside(
        "one commit a row, 16 clients",
        &ours,
        &rows,
        Target::AtLeast(2.0),
    );
    bench.sheet.add(line.levels(levels).cpu(cpu));
    let line = Line::of("I2", "the same beside a bare group commit", &ours, "facts/s");
    bench
        .sheet
        .add(line.beside("bare group commit, 256 waiting", &ours, &group, Target::None));
    let line = Line::of("I2", "the same: p99 at half load", &half, "ms").judged(Target::AtMost(10.0));
    bench
        .sheet
        .add(line.note("latency from the intended start; the timer of the generator adds up to 1 ms"));
    Ok(())
}

async fn streams_and_storms(bench: &mut Bench, intake: &Intake, batch: &Op) -> Result<()> {
    let span = bench.options.span();
    let half = intake.record_made(|number| {
        let mut made = facts(allot(BATCH / 2), BATCH / 2, Mix::Export);
        made.extend(facts(number * BATCH % KNOWN, BATCH / 2, Mix::Export));
        made
    });
    let all = intake.record_made(|number| facts(number * BATCH % KNOWN, BATCH, Mix::Export));
    let [mut ours, mut streamed, mut halves, mut storms] = [const { Samples(Vec::new()) }; 4];
    for _ in 0..bench.options.repetitions() {
        ours.push(closed(BATCHES, span, batch).await.rate());
        streamed.push(streams(intake, span).await?.rate());
        halves.push(closed(BATCHES, span, &half).await.rate());
        storms.push(closed(BATCHES, span, &all).await.rate());
    }
    let path = "StreamFacts, 4 streams, 1,000 facts a message, each message acknowledged";
    let line = Line::of("I3", path, &streamed, "facts/s");
    bench
        .sheet
        .add(line.beside("I1", &streamed, &ours, Target::AtLeast(0.9)));
    for (share, samples) in [("50", &halves), ("100", &storms)] {
        let line = Line::of(
            "I5",
            format!("redelivery storm, {share} % duplicates"),
            samples,
            "facts/s",
        );
        bench.sheet.add(line.beside("I1", samples, &ours, Target::AtLeast(1.2)));
    }
    Ok(())
}

/// Streams with a window of unacknowledged messages, for `span`.
async fn streams(intake: &Intake, span: Duration) -> Result<Load> {
    let begun = Instant::now();
    let mut streams = JoinSet::new();
    for number in 0..STREAMS {
        streams.spawn(stream(intake.channels.of(number as u64), begun, span));
    }
    let mut load = Load::new();
    while let Some(recorded) = streams.join_next().await {
        let recorded = recorded??;
        load.units += recorded;
        intake.acknowledged.fetch_add(recorded, Ordering::Relaxed);
    }
    load.seconds = begun.elapsed().as_secs_f64();
    Ok(load)
}

async fn stream(channel: Channel, begun: Instant, span: Duration) -> Result<u64> {
    let (messages, waiting) = mpsc::channel(WINDOW);
    let window = Arc::new(Semaphore::new(WINDOW));
    let room = Arc::clone(&window);
    tokio::spawn(async move {
        for sequence in 1.. {
            let Ok(place) = room.acquire().await else { return };
            place.forget();
            let message = StreamFactsRequest {
                sequence,
                facts: facts(allot(BATCH), BATCH, Mix::Export),
            };
            if begun.elapsed() > span || messages.send(message).await.is_err() {
                return;
            }
        }
    });
    let mut client = IngestionServiceClient::new(channel);
    let mut answers = client.stream_facts(ReceiverStream::new(waiting)).await?.into_inner();
    let mut recorded = 0;
    while let Some(answer) = answers.message().await? {
        recorded += answer.outcome.unwrap_or_default().recorded as u64;
        window.add_permits(1);
    }
    Ok(recorded)
}
