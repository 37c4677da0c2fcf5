//! S1, S2: scoring every account and one in a hundred, by the real scoring service, which asks the real ingestion service,
//! beside reading the same counts, a plain model over them and a table made anew.

use std::{
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use jiff::SignedDuration;
use sea_orm::sqlx::PgPool;
use tokio::time::sleep;
use upswell::wire::{to_date, to_instant};
use upswell_proto::{
    gtype::Money,
    ingestion::v1::{AccountChanged, Fact, SubscriptionTerms, UsageCount, fact::Body, subscription_terms},
    vocabulary::v1::BillingPeriod,
};
use upswell_runtime::clock::Clock;

use super::{facts::record, ledger::profile, revenue_seed::deliver};
use crate::{
    Bench,
    arrivals::Outcome,
    channels::Channels,
    facts::day_before,
    postgres::{Postgres, copy_in, copy_out, execute, number},
    server::{Plan, Server, sink},
    sheet::{Line, Samples, Target},
    usage::memory_mib,
};

/// Days of history of every account, two counts each.
const DAYS: u64 = 100;
/// One account in so many is copied from the one that grows.
const GROWING: u64 = 5;
/// The longest wait for a pass.
const PATIENCE: Duration = Duration::from_secs(600);
/// Facts of a seed stay below so many, so that the ids of copies do not meet.
const STRIDE: u64 = 1_000;

struct Store {
    postgres: Postgres,
    scoring: Server,
    _ingestion: Server,
    facts: PgPool,
    scores: PgPool,
    accounts: u64,
    /// Events that the scoring was sent to wake it.
    woken: i64,
}

impl Store {
    async fn start(accounts: u64) -> Result<Self> {
        let (postgres, sink) = (Postgres::start().await?, sink().await?);
        let ingestion = Plan::of("ingestion", &sink).on(postgres.create("ingestion").await?);
        let ingestion = Server::start(&ingestion).await?;
        let scoring = Plan::of("scoring", &sink)
            .with("PEERS__INGESTION", ingestion.url())
            .with("SCORING__CLIENT__DEADLINE_MS", "30000");
        let scoring = Server::start(&scoring.on(postgres.create("scoring").await?)).await?;
        let mut store = Self {
            facts: postgres.pool("ingestion", 2).await?,
            scores: postgres.pool("scoring", 2).await?,
            postgres,
            scoring,
            _ingestion: ingestion,
            accounts,
            woken: 0,
        };
        store.fill().await?;
        Ok(store)
    }

    async fn fill(&mut self) -> Result<()> {
        let channels = Channels::open(self._ingestion.url()).await?;
        for (seed, grown) in [("seed-flat", 100), ("seed-grown", 118)] {
            let facts = customer(seed, grown);
            let count = facts.len() as u64;
            ensure!(
                record(channels.of(0), facts).await.0 == Outcome::Done(count),
                "a seed cannot be recorded"
            );
        }
        let accounts = self.accounts;
        let name = "'acct-' || lpad(g::text, 7, '0')";
        let seed = format!("CASE WHEN g % {GROWING} = 0 THEN 'seed-grown' ELSE 'seed-flat' END");
        let copy = |table: &str, more: &str| {
            format!(
                "INSERT INTO {table} SELECT copy.* FROM generate_series(1, {accounts}) g JOIN {table} s ON s.account_id = {seed}, \
                 LATERAL jsonb_populate_record(s, jsonb_build_object('account_id', {name}{more})) copy;"
            )
        };
        let key = format!(", 'id', s.id + g * {STRIDE}, 'external_id', s.external_id || '-' || g");
        let document = format!(", 'fact_id', s.fact_id + g * {STRIDE}");
        let facts = copy("fact", &key).replace(
            "s.account_id =",
            "s.id IN (SELECT fact_id FROM document) AND s.account_id =",
        );
        execute(
            &self.facts,
            &[
                copy("account", ""),
                facts,
                copy("document", &document),
                copy("rollup", ""),
            ]
            .concat(),
        )
        .await?;
        execute(&self.facts, "VACUUM ANALYZE").await?;
        self.wake().await?;
        let begun = Instant::now();
        while number(
            &self.scores,
            "SELECT count(*) FROM accounts WHERE account_id = 'seed-wake'",
        )
        .await?
            == 0
        {
            ensure!(begun.elapsed() < PATIENCE, "the scoring does not hear of accounts");
            sleep(Duration::from_millis(20)).await;
        }
        let copies = format!(
            "INSERT INTO accounts SELECT copy.* FROM accounts s, generate_series(1, {accounts}) g, LATERAL \
             jsonb_populate_record(s, jsonb_build_object('account_id', {name}, 'change_version', 0, 'scored_version', 0, \
             'is_dirty', false)) copy WHERE s.account_id = 'seed-wake'"
        );
        execute(&self.scores, &copies).await
    }

    /// Tells the scoring of an account that nobody knows, as ingestion would.
    async fn wake(&mut self) -> Result<()> {
        self.woken += 1;
        let changed = AccountChanged {
            account_id: "seed-wake".to_owned(),
            earliest_day: Some(to_date(day_before(Clock::system().now(), 1))),
            fact_count: 1,
        };
        deliver(self.scoring.url(), "ingestion", "seed-wake", self.woken, &changed).await
    }

    /// Marks one account in `step` of the first `accounts` and waits until all are scored; seconds.
    async fn pass(&mut self, accounts: u64, step: u64) -> Result<f64> {
        let mark = format!(
            "UPDATE accounts SET change_version = change_version + 1, is_dirty = true WHERE account_id IN \
             (SELECT 'acct-' || lpad(g::text, 7, '0') FROM generate_series(1, {accounts}, {step}) g)"
        );
        execute(&self.scores, &mark).await?;
        let begun = Instant::now();
        self.wake().await?;
        while number(&self.scores, "SELECT count(*) FROM accounts WHERE is_dirty").await? > 0 {
            ensure!(begun.elapsed() < PATIENCE, "the accounts are not scored");
            sleep(Duration::from_millis(5)).await;
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Reads the counts, weighs them, and makes the table of scores anew; seconds.
    async fn limit(&self) -> Result<f64> {
        let begun = Instant::now();
        let select =
            "SELECT account_id, day, count_sum FROM rollup WHERE account_id >= 'acct-' AND account_id < 'acct.'";
        let mut connection = self.facts.acquire().await?;
        let counts = copy_out(&mut connection, select).await?;
        let scores = predict(&counts);
        ensure!(
            scores.len() as u64 == self.accounts,
            "{} accounts have counts",
            scores.len()
        );
        execute(
            &self.scores,
            "DROP TABLE IF EXISTS limit_scores_new; CREATE TABLE limit_scores_new (LIKE scores)",
        )
        .await?;
        let template = "SELECT * FROM scores LIMIT 1";
        let mut connection = self.scores.acquire().await?;
        let row = copy_out(&mut connection, template).await?;
        // As many rows as accounts, each as large as a real one; the key is made after them.
        let rows = repeated(&row, scores.len());
        copy_in(&mut connection, "limit_scores_new", &rows).await?;
        let swap = "CREATE INDEX ON limit_scores_new (account_id); DROP TABLE IF EXISTS limit_scores; \
                    ALTER TABLE limit_scores_new RENAME TO limit_scores";
        execute(&self.scores, swap).await?;
        Ok(begun.elapsed().as_secs_f64())
    }
}

/// Binary rows of COPY: a header of 19 bytes and a trailer of 2.
const HEADER: usize = 19;

fn repeated(one: &[u8], times: usize) -> Vec<u8> {
    let row = &one[HEADER..one.len() - 2];
    let mut all = one[..HEADER].to_vec();
    for _ in 0..times {
        all.extend_from_slice(row);
    }
    all.extend_from_slice(&[0xff, 0xff]);
    all
}

/// A score for each account: a weight for each of its days.
fn predict(counts: &[u8]) -> BTreeMap<&[u8], f64> {
    let mut scores = BTreeMap::new();
    let mut rest = counts.get(HEADER..).unwrap_or_default();
    while let Some(([0, 3], row)) = rest.split_first_chunk::<2>() {
        let (account, row) = field(row);
        let (day, row) = field(row);
        let (count, row) = field(row);
        let day = day.try_into().map_or(0, i32::from_be_bytes);
        let count = count.try_into().map_or(0, i64::from_be_bytes);
        *scores.entry(account).or_insert(0.0) += count as f64 / f64::from(1 + day % 57);
        rest = row;
    }
    black_box(scores)
}

fn field(row: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, row)) = row.split_first_chunk::<4>() else {
        return (&[], &[]);
    };
    row.split_at(usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0).min(row.len()))
}

/// A paying account whose counts of the last fortnight are `grown` percent of those before.
fn customer(account: &str, grown: i64) -> Vec<Fact> {
    let now = Clock::system().now();
    let fact = |external_id: String, days: u64, body| Fact {
        source: "seed".to_owned(),
        external_id,
        account_id: account.to_owned(),
        occur_time: Some(to_instant(now - SignedDuration::from_hours(24 * days as i64))),
        body: Some(body),
        ..Fact::default()
    };
    let plan = SubscriptionTerms {
        subscription_id: format!("sub-{account}"),
        product: "basic".to_owned(),
        kind: subscription_terms::Kind::Plan.into(),
        unit_price: Some(Money {
            currency_code: "USD".to_owned(),
            units: 100,
            nanos: 0,
        }),
        quantity: 1,
        period: BillingPeriod::Month.into(),
        effective_date: Some(to_date(day_before(now, 400))),
        renewal_date: Some(to_date(day_before(now + SignedDuration::from_hours(24 * 300), 0))),
        ..SubscriptionTerms::default()
    };
    let mut facts = vec![
        fact(format!("{account}-profile"), 90, Body::AccountProfile(profile())),
        fact(format!("{account}-plan"), 90, Body::Subscription(plan)),
    ];
    for metric in ["calls", "exports"] {
        facts.extend((1..=DAYS).map(|days| {
            let count = UsageCount {
                metric: metric.to_owned(),
                day: Some(to_date(day_before(now, days))),
                value: if days <= 14 { 10 * grown } else { 1000 },
            };
            fact(format!("{account}-{metric}-{days}"), days, Body::Usage(count))
        }));
    }
    facts
}

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let accounts = bench.options.asked("UPSWELL_BENCH_SCORED", 10_000, 2_000);
    let mut store = Store::start(accounts).await?;
    let first = store.pass(accounts, 1).await?;
    let [mut full, mut limit, mut tenth, mut dirty, mut slopes] = [const { Samples(Vec::new()) }; 5];
    for _ in 0..bench.options.repetitions() {
        let (whole, part) = (store.pass(accounts, 1).await?, store.pass(accounts / 10, 1).await?);
        full.push(whole);
        tenth.push(part);
        limit.push(store.limit().await?);
        dirty.push(store.pass(accounts, 100).await?);
        slopes.push((whole / part).log10());
    }
    let scored = number(
        &store.scores,
        "SELECT count(*) FROM scores WHERE account_id LIKE 'acct-%'",
    )
    .await?;
    ensure!(
        scored as u64 == accounts,
        "{scored} of {accounts} accounts have a score"
    );
    let signals = number(&store.scores, "SELECT count(*) FROM signals WHERE state = 'open'").await?;
    let line = Line::of(
        "S1",
        format!("full rescoring of {accounts} accounts, 100 days of two counts each"),
        &full,
        "s",
    );
    let line = line.beside("COPY out, weigh, table made anew", &full, &limit, Target::AtMost(1.5));
    bench.sheet.add(line.note(format!(
        "{:.0} accounts/s; the first pass, which opens {signals} signals, {first:.1} s; {:.0} MiB at most",
        accounts as f64 / full.median(),
        memory_mib(store.scoring.pid()).1
    )));
    let line = Line::of("S2", "one account in a hundred changed", &dirty, "s");
    bench
        .sheet
        .add(line.beside("full pass", &dirty, &full, Target::AtMost(0.03)));
    let path = format!("S1: growth of its time from {} to {accounts} accounts", accounts / 10);
    bench
        .sheet
        .add(Line::of("X2", path, &slopes, "log-log slope").judged(Target::AtMost(1.05)));
    drop(store.postgres);
    Ok(())
}
