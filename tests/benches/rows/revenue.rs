//! M1–M3: revenue questions over the sums that are kept, beside one dense pass over all accounts in memory; a read after
//! a change; the projection made anew from its rows. And how they grow with the number of accounts (X2).

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use jiff::civil::Date;
use sea_orm::sqlx::PgPool;
use tonic::transport::Channel;
use upswell::wire::to_date;
use upswell_metrics::domain::dense::{Dense, pass};
use upswell_proto::metrics::v1::{
    GetCohortsRequest, GetRevenueMetricsRequest, Window, metrics_service_client::MetricsServiceClient,
    revenue_service_client::RevenueServiceClient,
};
use upswell_runtime::clock::Clock;

use super::revenue_seed::{MONTHS, VERSIONS, contract, deliver, seed};
use crate::{
    Bench,
    channels::endpoint,
    facts::day_before,
    postgres::{Postgres, copy_out, execute, number},
    server::{Plan, Server, sink},
    sheet::{Line, Samples, Target},
};

/// Accounts of the dense pass.
const DENSE: usize = 1_000_000;
/// Reads after a change.
const READS: u64 = 200;

/// The service over a number of accounts.
struct Store {
    _server: Server,
    url: String,
    pool: PgPool,
    channel: Channel,
    accounts: u64,
    /// Seconds of one derivation, each beside a copy of the same rows.
    rebuilt: Samples,
    copied: Samples,
}

impl Store {
    async fn start(bench: &Bench, postgres: &Postgres, accounts: u64) -> Result<Self> {
        let database = format!("metrics_{accounts}");
        let plan = Plan::of("metrics", &sink().await?).on(postgres.create(&database).await?);
        let pool = postgres.pool(&database, 2).await?;
        let mut server = Server::start(&plan).await?;
        seed(server.url(), &pool, accounts).await?;
        let [mut rebuilt, mut copied] = [const { Samples(Vec::new()) }; 2];
        for _ in 0..bench.options.repetitions() {
            drop(server);
            execute(&pool, "DELETE FROM revenue_state").await?;
            let cold = Server::start(&plan).await?.ready_after;
            copied.push(copy_seconds(&pool).await?);
            server = Server::start(&plan).await?;
            rebuilt.push(cold.saturating_sub(server.ready_after).as_secs_f64());
        }
        let url = server.url().to_owned();
        let channel = endpoint(&url)?.connect().await?;
        Ok(Self {
            _server: server,
            url,
            pool,
            channel,
            accounts,
            rebuilt,
            copied,
        })
    }

    /// Revenue of every month and the cohorts, over gRPC; ms.
    async fn questions(&self) -> Result<f64> {
        let begun = Instant::now();
        let end = day_before(Clock::system().now(), 0).first_of_month();
        for month in (0..MONTHS).rev() {
            self.ask(months_before(end, month + 1), months_before(end, month))
                .await?;
        }
        let request = GetCohortsRequest {
            start_month: Some(to_date(months_before(end, MONTHS))),
            end_month: Some(to_date(months_before(end, 1))),
        };
        let mut revenue = RevenueServiceClient::new(self.channel.clone()).max_decoding_message_size(64 << 20);
        revenue.get_cohorts(request).await?;
        Ok(begun.elapsed().as_secs_f64() * 1e3)
    }

    /// MRR at the end of a window, minor units.
    async fn ask(&self, start: Date, end: Date) -> Result<i64> {
        let request = GetRevenueMetricsRequest {
            window: Some(Window {
                start_date: Some(to_date(start)),
                end_date: Some(to_date(end)),
            }),
            ..GetRevenueMetricsRequest::default()
        };
        let answer = MetricsServiceClient::new(self.channel.clone())
            .get_revenue_metrics(request)
            .await?;
        let currencies = answer.into_inner().currencies;
        let end = currencies.first().and_then(|revenue| revenue.mrr_end.as_ref());
        Ok(end.map_or(0, |end| end.units * 100 + i64::from(end.nanos / 10_000_000)))
    }

    /// Median of a read of the current month, each after a change of another account; ms. And of delivering the change.
    async fn reads(&self, first: u64) -> Result<(f64, f64)> {
        let now = Clock::system().now();
        let (today, [mut reads, mut changes]) = (day_before(now, 0), [const { Samples(Vec::new()) }; 2]);
        for account in first..first + READS {
            let account = format!("acct-{:07}", 1 + account % self.accounts);
            let begun = Instant::now();
            deliver(
                &self.url,
                "ingestion",
                &account,
                1,
                &contract(&account, VERSIONS + 1, today, now),
            )
            .await?;
            changes.push(begun.elapsed().as_secs_f64() * 1e3);
            let begun = Instant::now();
            self.ask(today.first_of_month(), today.saturating_add(jiff::Span::new().days(1)))
                .await?;
            reads.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        Ok((reads.median(), changes.median()))
    }

    /// What the service says MRR is, against a sum over the contracts, to the cent.
    async fn check(&self) -> Result<()> {
        let today = day_before(Clock::system().now(), 0);
        let told = self
            .ask(today.first_of_month(), today.saturating_add(jiff::Span::new().days(1)))
            .await?;
        let stands = "SELECT CAST(SUM(mrr_minor) AS BIGINT) FROM (SELECT DISTINCT ON (subscription_id) mrr_minor \
                      FROM subscription_versions WHERE NOT superseded ORDER BY subscription_id, effective_on DESC, \
                      occurred_at DESC, version_id DESC) latest";
        let stands = number(&self.pool, stands).await?;
        ensure!(told == stands, "the service says {told}, the contracts {stands}");
        Ok(())
    }
}

fn months_before(day: Date, months: i64) -> Date {
    day.saturating_sub(jiff::Span::new().months(months))
}

async fn copy_seconds(pool: &PgPool) -> Result<f64> {
    let mut connection = pool.acquire().await?;
    let begun = Instant::now();
    black_box(copy_out(&mut connection, "SELECT * FROM subscription_versions").await?);
    Ok(begun.elapsed().as_secs_f64())
}

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let accounts = bench.options.asked("UPSWELL_BENCH_CONTRACTS", 20_000, 2_000);
    let postgres = Postgres::start().await?;
    let small = Store::start(bench, &postgres, accounts / 10).await?;
    let whole = Store::start(bench, &postgres, accounts).await?;
    questions(bench, &small, &whole).await?;
    reads(bench, &small, &whole).await?;
    rebuilds(bench, &small, &whole);
    small.check().await?;
    whole.check().await.context("after the load")
}

async fn questions(bench: &mut Bench, small: &Store, whole: &Store) -> Result<()> {
    let (dense, few) = (table(DENSE), table(DENSE / 100));
    let [mut asked, mut passed, mut slopes, mut dense_slopes] = [const { Samples(Vec::new()) }; 4];
    for _ in 0..bench.options.repetitions() {
        let (of_small, of_whole) = (small.questions().await?, whole.questions().await?);
        asked.push(of_whole);
        passed.push(dense_ms(&dense));
        slopes.push((of_whole / of_small).log10());
        dense_slopes.push((dense_ms(&dense) / dense_ms(&few)).log10() / 2.0);
    }
    let path = format!(
        "waterfall, NRR, GRR, ARPA of 24 months and cohorts over gRPC, {} accounts",
        whole.accounts
    );
    let line = Line::of("M1", path, &asked, "ms").beside(
        "dense pass, 1 M accounts × 24 months, 2 threads",
        &asked,
        &passed,
        Target::AtMost(3.0),
    );
    bench
        .sheet
        .add(line.note("sums that are kept: 25 questions, each a round trip; DuckDB is not at hand"));
    let line = Line::of("M1", "the dense pass itself, 1 M accounts × 24 months", &passed, "ms");
    bench
        .sheet
        .add(line.note("DuckDB took 1,570 + 350 + 440 ms on such a machine"));
    growth(bench, "M1 over gRPC", small.accounts, whole.accounts, &slopes, 1.05);
    growth(
        bench,
        "the dense pass",
        DENSE as u64 / 100,
        DENSE as u64,
        &dense_slopes,
        1.05,
    );
    Ok(())
}

async fn reads(bench: &mut Bench, small: &Store, whole: &Store) -> Result<()> {
    let [mut ours, mut changes, mut slopes] = [const { Samples(Vec::new()) }; 3];
    for round in 0..bench.options.repetitions() as u64 {
        let (of_small, _) = small.reads(round * READS).await?;
        let (of_whole, change) = whole.reads(round * READS).await?;
        ours.push(of_whole);
        changes.push(change);
        slopes.push((of_whole / of_small).log10());
    }
    let path = format!(
        "a month's metrics after one contract change, p50 over gRPC, {} accounts",
        whole.accounts
    );
    let line = Line::of("M2", path, &ours, "ms").judged(Target::AtMost(0.5));
    bench
        .sheet
        .add(line.note(format!("the change itself: {:.1} ms with its commit", changes.median())));
    growth(bench, "M2", small.accounts, whole.accounts, &slopes, 0.1);
    Ok(())
}

fn rebuilds(bench: &mut Bench, small: &Store, whole: &Store) {
    let rows = whole.accounts * VERSIONS;
    let line = Line::of(
        "M3",
        format!("the projection made anew from {rows} versions"),
        &whole.rebuilt,
        "s",
    );
    let limit = "COPY out of the same rows";
    bench
        .sheet
        .add(line.beside(limit, &whole.rebuilt, &whole.copied, Target::AtMost(1.5)));
    let mut slopes = Samples::default();
    slopes.push((whole.rebuilt.median() / small.rebuilt.median()).log10());
    growth(bench, "M3", small.accounts, whole.accounts, &slopes, 1.05);
}

fn growth(bench: &mut Bench, what: &str, small: u64, whole: u64, slopes: &Samples, most: f64) {
    let path = format!("{what}: growth of its time from {small} to {whole} accounts");
    bench
        .sheet
        .add(Line::of("X2", path, slopes, "log-log slope").judged(Target::AtMost(most)));
}

fn dense_ms(mrr: &[i64]) -> f64 {
    let months = MONTHS as usize;
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        black_box(pass(Dense { mrr, months }));
        best = best.min(begun.elapsed());
    }
    best.as_secs_f64() * 1e3
}

/// Accounts that come in some month, grow, shrink, leave and return; the same for every run.
fn table(accounts: usize) -> Vec<i64> {
    let months = MONTHS as usize;
    let mut state = 42_u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64
    };
    let mut mrr = vec![0; accounts * months];
    for account in mrr.chunks_exact_mut(months) {
        let mut level = 0;
        let comes = (next() % MONTHS) as usize;
        for (month, cell) in account.iter_mut().enumerate().skip(comes) {
            level = match next() % 100 {
                _ if month == comes => 1_000 + next() % 100_000,
                0..3 => 0,
                3..8 => level + next() % 5_000,
                8..11 => level * 9 / 10,
                _ => level,
            };
            *cell = level;
        }
    }
    mrr
}
