//! E2: from a fact to the decision about an offer, through ingestion, scoring and offers in one process over PostgreSQL,
//! while other facts come.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use jiff::SignedDuration;
use sea_orm::sqlx::{PgPool, query_scalar};
use tokio::time::sleep;
use upswell::wire::{to_date, to_instant};
use upswell_proto::{
    gtype::Money,
    ingestion::v1::{Fact, LeaveAttempt, SubscriptionTerms, fact::Body, leave_attempt, subscription_terms},
    vocabulary::v1::BillingPeriod,
};
use upswell_runtime::clock::Clock;

use super::{facts::record, ledger::profile};
use crate::{
    Bench,
    arrivals::{Load, Op, Outcome, open},
    channels::Channels,
    facts::{Mix, allot, day_before, facts},
    postgres::{Postgres, number},
    server::{Plan, Server, sink},
    sheet::{Line, Samples, Target},
};

/// Facts of a request of the others, and requests a second: 500 facts/s.
const OTHERS: u64 = 10;
const REQUESTS: f64 = 50.0;
/// Accounts a second that try to leave.
const ATTEMPTS: f64 = 10.0;
/// The longest wait for the last decision.
const PATIENCE: Duration = Duration::from_secs(60);

/// When each account tried to leave, as long as nothing was decided.
type Open = Arc<Mutex<BTreeMap<String, Instant>>>;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let postgres = Postgres::start().await?;
    for service in upswell::cluster::SERVICES {
        postgres.create(service).await?;
    }
    let plan = Plan::of("all", &sink().await?);
    let plan = upswell::cluster::SERVICES.iter().fold(plan, |plan, service| {
        plan.with(&format!("{}__DB__URL", service.to_uppercase()), postgres.url(service))
    });
    let mut server = Server::start(&plan).await?;
    let channels = Channels::open(&server.urls["ingestion"]).await?;
    let span = bench.options.span() * 4;
    let count = (ATTEMPTS * span.as_secs_f64() * 2.0) as u64;
    let known = record(channels.of(0), (0..count).flat_map(customer).collect()).await;
    ensure!(known.0 == Outcome::Done(2 * count), "the accounts cannot be recorded");
    let pool = postgres.pool("offers", 2).await?;
    settle(&pool, "SELECT count(*) FROM accounts", count).await?;
    // Arms are drawn when the service starts and every few minutes; before, nothing is decided about an account.
    drop(server);
    server = Server::start(&plan).await?;
    let channels = Channels::open(&server.urls["ingestion"]).await?;
    settle(&pool, "SELECT count(*) FROM accounts WHERE NOT decide_now", count).await?;

    let open_attempts = Open::default();
    let attempts = attempts(&channels, &open_attempts);
    let others: Op = {
        let channels = channels.clone();
        Arc::new(move |number| {
            let channel = channels.of(number);
            Box::pin(async move { record(channel, facts(allot(OTHERS), OTHERS, Mix::Scattered)).await.0 })
        })
    };
    let watching = tokio::spawn(watch(
        pool,
        Arc::clone(&open_attempts),
        (ATTEMPTS * span.as_secs_f64() * 0.5) as u64,
        span,
    ));
    let (made, _) = tokio::join!(open(ATTEMPTS, span, &attempts), open(REQUESTS, span, &others));
    ensure!(made.failed == 0, "{} attempts could not be recorded", made.failed);
    let decided = watching.await??;
    let mut p99 = Samples::default();
    p99.push(decided.quantile_ms(0.99) / 1e3);
    let line = Line::of(
        "E2",
        "fact → signal → decision about an offer, p99, 500 other facts/s",
        &p99,
        "s",
    );
    let note = format!(
        "p50 {:.2} s over {} decisions; seen by asking every 5 ms",
        decided.quantile_ms(0.5) / 1e3,
        decided.answered
    );
    bench.sheet.add(line.judged(Target::AtMost(1.0)).note(note));
    Ok(())
}

fn name(number: u64) -> String {
    format!("leaver-{number:05}")
}

/// Who the account is and what it pays.
fn customer(number: u64) -> [Fact; 2] {
    let now = Clock::system().now();
    let fact = |external_id: String, body| Fact {
        source: "crm".to_owned(),
        external_id,
        account_id: name(number),
        occur_time: Some(to_instant(now - SignedDuration::from_hours(48))),
        body: Some(body),
        ..Fact::default()
    };
    let plan = SubscriptionTerms {
        subscription_id: format!("sub-{}", name(number)),
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
    [
        fact(format!("profile-{number}"), Body::AccountProfile(profile())),
        fact(format!("plan-{number}"), Body::Subscription(plan)),
    ]
}

/// Waits until offers counts so many accounts.
async fn settle(pool: &PgPool, counting: &str, accounts: u64) -> Result<()> {
    let begun = Instant::now();
    loop {
        let counted = number(pool, counting).await?;
        if counted as u64 >= accounts {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "{counted} of {accounts} accounts: {counting}"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

fn attempts(channels: &Channels, open: &Open) -> Op {
    let (channels, open) = (channels.clone(), Arc::clone(open));
    Arc::new(move |number| {
        let (channel, open) = (channels.of(number), Arc::clone(&open));
        Box::pin(async move {
            let fact = Fact {
                source: "product".to_owned(),
                external_id: format!("attempt-{number}"),
                account_id: name(number),
                occur_time: Some(to_instant(Clock::system().now())),
                body: Some(Body::LeaveAttempt(LeaveAttempt {
                    kind: leave_attempt::Kind::Downgrade.into(),
                    ..LeaveAttempt::default()
                })),
                ..Fact::default()
            };
            open.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name(number), Instant::now());
            record(channel, vec![fact]).await.0
        })
    })
}

/// Sees which of the open attempts were decided, until `span` is over and none is left.
async fn watch(pool: PgPool, open: Open, least: u64, span: Duration) -> Result<Load> {
    let (begun, mut load) = (Instant::now(), Load::new());
    let decided = "SELECT s.account_id FROM signals s JOIN accounts a ON a.account_id = s.account_id \
                   WHERE s.account_id = ANY($1) AND s.kind = 'downgrade_attempt' AND NOT a.decide_now";
    loop {
        let waiting: Vec<String> = open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .cloned()
            .collect();
        if waiting.is_empty() && begun.elapsed() > span && load.answered >= least {
            return Ok(load);
        }
        ensure!(
            begun.elapsed() < span + PATIENCE,
            "{} accounts were not decided",
            waiting.len()
        );
        let seen: Vec<String> = query_scalar(decided).bind(&waiting).fetch_all(&pool).await?;
        for account in seen {
            let attempted = open.lock().unwrap_or_else(PoisonError::into_inner).remove(&account);
            if let Some(at) = attempted {
                load.note(Outcome::Done(1), at.elapsed());
            }
        }
        sleep(Duration::from_millis(5)).await;
    }
}
