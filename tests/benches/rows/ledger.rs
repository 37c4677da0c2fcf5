//! D1–D3: decisions of the touch ledger on PostgreSQL, how they grow with the number of accounts (X2), and the memory of
//! the service meanwhile (X1). After the load nobody has more than the cap allows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use sea_orm::sqlx::PgPool;
use upswell::wire::to_instant;
use upswell_proto::{
    ingestion::v1::{AccountProfile, AccountProfileChanged},
    offers::v1::{ReserveRequest, reserve_response, touch_ledger_service_client::TouchLedgerServiceClient},
    vocabulary::v1::{Channel as Way, TouchClass},
};
use upswell_runtime::clock::Clock;

use super::{
    ledger_limits::{ACCOUNTS, cte_rate, dialogue_rate, limits_create},
    revenue_seed::deliver,
};
use crate::{
    Bench,
    arrivals::{Op, Outcome, closed, levels, open},
    channels::{Channels, outcome},
    facts::allot,
    postgres::{Postgres, execute, number},
    server::{Plan, Server, sink},
    sheet::{Line, Samples, Target},
    usage::{Watched, memory_mib},
};

/// Weeks that are asked for in turn, so that there is room.
const WEEKS: u64 = 40;

struct Ledger {
    postgres: Postgres,
    server: Server,
    channels: Channels,
    pool: PgPool,
    granted: Arc<AtomicU64>,
}

impl Ledger {
    /// The service with `accounts` accounts that it knows by name.
    async fn start(accounts: u64) -> Result<Self> {
        let postgres = Postgres::start().await?;
        let plan = Plan::of("offers", &sink().await?).on(postgres.create("offers").await?);
        let server = Server::start(&plan).await?;
        let pool = postgres.pool("offers", 64).await?;
        let profile = AccountProfileChanged {
            account_id: "seed".to_owned(),
            profile: Some(profile()),
        };
        deliver(server.url(), "ingestion", "seed", 1, &profile).await?;
        // Their slots never come, so that no daily decision is in the figures.
        execute(
            &pool,
            &format!(
                "INSERT INTO accounts SELECT copy.* FROM accounts, generate_series(0, {accounts} - 1) g, LATERAL \
                 jsonb_populate_record(accounts, jsonb_build_object('account_id', 'acct-' || lpad(g::text, 6, '0'), \
                 'next_slot_at', 9000000000000000, 'decide_now', false)) copy WHERE accounts.account_id = 'seed'"
            ),
        )
        .await?;
        execute(&pool, "VACUUM ANALYZE accounts").await?;
        limits_create(&pool).await?;
        Ok(Self {
            channels: Channels::open(server.url()).await?,
            postgres,
            server,
            pool,
            granted: Arc::default(),
        })
    }

    /// Reserves for one account after the other, or for one alone.
    fn reserve(&self, accounts: u64) -> Op {
        let (channels, granted, begun) = (self.channels.clone(), Arc::clone(&self.granted), Clock::system().now());
        Arc::new(move |call| {
            let number = allot(1);
            let request = request(number % accounts, number / accounts % WEEKS, number, begun);
            let (channel, granted) = (channels.of(call), Arc::clone(&granted));
            Box::pin(async move {
                match TouchLedgerServiceClient::new(channel).reserve(request).await {
                    Ok(answer) => {
                        let is_granted =
                            matches!(answer.into_inner().outcome, Some(reserve_response::Outcome::Granted(_)));
                        granted.fetch_add(u64::from(is_granted), Ordering::Relaxed);
                        Outcome::Done(1)
                    }
                    Err(status) => outcome(&status),
                }
            })
        })
    }

    /// C-1 by brute force: no two commercial touches of an account within seven days; and what was granted is stored.
    async fn check(&self) -> Result<String> {
        let counting = "state NOT IN ('released', 'expired')";
        let close = format!(
            "SELECT count(*) FROM (SELECT counts_at - lag(counts_at) OVER (PARTITION BY account_id ORDER BY counts_at) AS apart \
             FROM touches WHERE class = 'commercial' AND {counting}) gaps WHERE apart < 7 * 86400000000"
        );
        let violations = number(&self.pool, &close).await?;
        let stored = number(&self.pool, "SELECT count(*) FROM touches").await?;
        let granted = self.granted.load(Ordering::Relaxed);
        ensure!(violations == 0, "{violations} touches break the cap");
        ensure!(
            stored as u64 >= granted,
            "{granted} touches were granted, {stored} are stored"
        );
        Ok(format!("{granted} granted, {stored} stored, 0 break the cap"))
    }
}

pub(super) fn profile() -> AccountProfile {
    AccountProfile {
        display_name: "Bench".to_owned(),
        segment: "smb".to_owned(),
        industry: "retail".to_owned(),
        country_code: "US".to_owned(),
        time_zone: "UTC".to_owned(),
        language_code: "en".to_owned(),
        ..AccountProfile::default()
    }
}

fn request(account: u64, week: u64, number: u64, begun: Timestamp) -> ReserveRequest {
    let planned = begun + SignedDuration::from_hours(1 + week as i64 * 24 * 8);
    ReserveRequest {
        account_id: format!("acct-{account:06}"),
        class: TouchClass::Commercial.into(),
        channel: Way::Email.into(),
        sender: "bench".to_owned(),
        idempotency_key: format!("touch-{number}"),
        planned_time: Some(to_instant(planned)),
        ..ReserveRequest::default()
    }
}

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let accounts = bench.options.size(ACCOUNTS, 20_000);
    let ledger = Ledger::start(accounts).await?;
    let warm = closed(16, bench.options.span(), &ledger.reserve(accounts)).await;
    ensure!(warm.failed == 0, "touches cannot be reserved");
    if bench.options.wants("D1") {
        for in_flight in [16, 64] {
            spread(bench, &ledger, accounts, in_flight).await?;
        }
        growth(bench, &ledger, accounts).await?;
    }
    if bench.options.wants("D2") {
        let line = Line::unmeasured("D2", "batch evaluation, 100–1,000 accounts a request", "decisions/s");
        bench
            .sheet
            .add(line.note("no RPC takes several accounts; concurrent calls are what D1 measures"));
    }
    if bench.options.wants("D3") {
        hot(bench, &ledger).await?;
    }
    let (now, peak) = memory_mib(ledger.server.pid());
    let mut samples = Samples::default();
    samples.push(peak);
    let line = Line::of("X1", "offers: most memory under D1–D3", &samples, "MiB").judged(Target::AtMost(300.0));
    bench
        .sheet
        .add(line.note(format!("{now:.0} MiB at the end; {}", ledger.check().await?)));
    Ok(())
}

async fn spread(bench: &mut Bench, ledger: &Ledger, accounts: u64, in_flight: usize) -> Result<()> {
    let (span, reserve) = (bench.options.span(), ledger.reserve(accounts));
    let [mut ours, mut cte, mut dialogue] = [const { Samples(Vec::new()) }; 3];
    let watched = Watched {
        server: ledger.server.pid(),
        database: ledger.postgres.pid(),
    };
    let before = watched.now();
    let first = closed(in_flight, span, &reserve).await;
    let cpu = watched.now().per_million(before, first.units);
    for _ in 0..bench.options.repetitions() {
        let load = closed(in_flight, span, &reserve).await;
        ensure!(load.failed == 0, "{} calls failed", load.failed);
        ours.push(load.rate());
        cte.push(cte_rate(&ledger.pool, in_flight, span).await?);
        dialogue.push(dialogue_rate(&ledger.pool, in_flight, span, false).await?);
    }
    let levels = levels(ours.median(), span, &reserve).await;
    let mut half = Samples::default();
    half.push(levels[1].p99_ms);
    let path = format!("Reserve, {accounts} accounts, {in_flight} in flight");
    let line = Line::of("D1", &path, &ours, "decisions/s").levels(levels).cpu(cpu);
    bench
        .sheet
        .add(line.beside("bare conditional statement", &ours, &cte, Target::AtLeast(1.5)));
    let line = Line::of("D1", format!("{path}, beside the dialogue"), &ours, "decisions/s");
    bench
        .sheet
        .add(line.beside("lock, count, insert, commit", &ours, &dialogue, Target::AtLeast(2.0)));
    let line = Line::of("D1", format!("{path}: p99 at half load"), &half, "ms");
    bench.sheet.add(line.judged(Target::AtMost(15.0)));
    Ok(())
}

/// X2: the latency of a decision among a tenth of the accounts and among all.
async fn growth(bench: &mut Bench, ledger: &Ledger, accounts: u64) -> Result<()> {
    let small = Ledger::start(accounts / 10).await?;
    let mut slopes = Samples::default();
    for _ in 0..bench.options.repetitions() {
        let rate = 200.0;
        let few = open(rate, bench.options.span(), &small.reserve(accounts / 10)).await;
        let all = open(rate, bench.options.span(), &ledger.reserve(accounts)).await;
        slopes.push((all.quantile_ms(0.5) / few.quantile_ms(0.5)).log10());
    }
    let path = format!("D1: growth of p50 from {} to {accounts} accounts", accounts / 10);
    let line = Line::of("X2", path, &slopes, "log-log slope").judged(Target::AtMost(0.1));
    bench.sheet.add(line.note("at 200 calls/s"));
    Ok(())
}

async fn hot(bench: &mut Bench, ledger: &Ledger) -> Result<()> {
    let (span, reserve) = (bench.options.span(), ledger.reserve(1));
    let [mut ours, mut dialogue] = [const { Samples(Vec::new()) }; 2];
    for _ in 0..bench.options.repetitions() {
        ours.push(hot_rate(&reserve, span).await?);
        dialogue.push(dialogue_rate(&ledger.pool, 64, span, true).await?);
    }
    let line = Line::of("D3", "Reserve, one hot account, 64 in flight", &ours, "decisions/s");
    let line = line.beside("bare dialogue on the row", &ours, &dialogue, Target::AtLeast(8.0));
    bench
        .sheet
        .add(line.note("a few grants, then refusals with the earliest time; the dialogue says only no"));
    Ok(())
}

async fn hot_rate(reserve: &Op, span: Duration) -> Result<f64> {
    let load = closed(64, span, reserve).await;
    ensure!(load.failed == 0, "{} calls failed", load.failed);
    Ok(load.rate())
}
