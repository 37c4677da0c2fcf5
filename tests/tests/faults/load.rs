//! Steady load from many callers: facts and touches at a pace, each sent again under its own key until it is answered.

use std::{
    collections::BTreeSet,
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use jiff::SignedDuration;
use serde_json::json;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Interval, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;
use upswell::wire::to_instant;
use upswell_proto::{
    ingestion::v1::{Fact, RecordFactsRequest, ingestion_service_client::IngestionServiceClient},
    offers::v1::{
        BeginSendRequest, ConfirmRequest, ReserveRequest, reserve_response::Outcome,
        touch_ledger_service_client::TouchLedgerServiceClient,
    },
    vocabulary::v1::{Channel, TouchClass},
};
use upswell_runtime::{
    client::{self, ClientSettings, Peers, Traced},
    clock::Clock,
    ids,
    problem::{Kind, Problem},
};

/// Accounts under load.
pub(crate) const ACCOUNTS: u64 = 60;
/// Facts of one request.
const BATCH: u64 = 20;
const WRITERS: u64 = 3;
const SENDERS: u64 = 12;
/// Each caller makes a call so often, as long as it is answered sooner.
const PACE: Duration = Duration::from_millis(400);
/// The longest wait for calls to be answered.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the load lasts in a test: 10 s, or as `UPSWELL_FAULT_SECONDS` says.
pub(crate) fn duration() -> Duration {
    let asked = env::var("UPSWELL_FAULT_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(10))
}

/// A logical call may take this long with all its attempts; a caller in earnest waits and repeats.
pub(crate) fn settings() -> ClientSettings {
    ClientSettings {
        deadline_ms: 10_000,
        attempts: 5,
        ..ClientSettings::default()
    }
}

/// What the callers did.
#[derive(Default)]
pub(crate) struct Tally {
    /// External ids of the facts that were acknowledged.
    pub(crate) facts: Mutex<BTreeSet<String>>,
    /// Touches that were granted.
    pub(crate) granted: Mutex<BTreeSet<String>>,
    /// Logical calls that failed although their client repeats; they are made again under the same key.
    pub(crate) failed: Mutex<Vec<String>>,
    /// Answered calls by second since the beginning.
    answered: Mutex<Vec<u64>>,
    /// How long they took with all their attempts, in ms, since it was last asked.
    latency: Mutex<Latency>,
    refused: AtomicU64,
    one_more: Notify,
}

/// Times of calls in ms.
struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new(3).unwrap())
    }
}

impl Tally {
    fn answer(&self, begun: Instant, asked: Instant) {
        let millis = u64::try_from(asked.elapsed().as_millis()).unwrap();
        self.latency.lock().unwrap().0.record(millis).unwrap();
        let second = usize::try_from(begun.elapsed().as_secs()).unwrap();
        let mut answered = self.answered.lock().unwrap();
        if answered.len() <= second {
            answered.resize(second + 1, 0);
        }
        answered[second] += 1;
        self.one_more.notify_waiters();
    }

    /// Median and 99th percentile in ms of the calls since this was last asked.
    pub(crate) fn latency(&self) -> (u64, u64) {
        let Latency(times) = std::mem::take(&mut *self.latency.lock().unwrap());
        (times.value_at_quantile(0.5), times.value_at_quantile(0.99))
    }

    /// Logical calls that failed.
    pub(crate) fn failed(&self) -> Vec<String> {
        self.failed.lock().unwrap().clone()
    }

    /// A line about what happened.
    pub(crate) fn summary(&self) -> String {
        let (facts, granted) = (self.facts.lock().unwrap().len(), self.granted.lock().unwrap().len());
        let (refused, failed) = (self.refused.load(Ordering::Relaxed), self.failed.lock().unwrap().len());
        let answered = self.answered();
        format!(
            "{facts} facts acknowledged, {granted} touches granted, {refused} refused, {failed} logical calls failed and \
             made again; answered by second {answered:?}"
        )
    }

    /// Answered calls a second over whole seconds of the load.
    pub(crate) fn rate(&self, seconds: std::ops::Range<usize>) -> f64 {
        let answered = self.answered.lock().unwrap();
        let whole: Vec<u64> = seconds
            .clone()
            .map(|second| answered.get(second).copied().unwrap_or(0))
            .collect();
        whole.iter().sum::<u64>() as f64 / whole.len() as f64
    }

    /// Answered calls by second.
    pub(crate) fn answered(&self) -> Vec<u64> {
        self.answered.lock().unwrap().clone()
    }
}

/// The callers at work.
pub(crate) struct Load {
    pub(crate) tally: Arc<Tally>,
    pub(crate) begun: Instant,
    stop: CancellationToken,
    callers: JoinSet<()>,
}

impl Load {
    /// Records the accounts, then lets the callers begin.
    pub(crate) async fn start(peers: &Peers) -> Self {
        let tally = Arc::new(Tally::default());
        let begun = Instant::now();
        let stop = CancellationToken::new();
        let ingestion = IngestionServiceClient::new(peers.channel("ingestion").unwrap());
        let facts = (0..ACCOUNTS).flat_map(account).collect();
        record(&ingestion, &tally, facts).await.unwrap();
        let mut callers = JoinSet::new();
        for writer in 0..WRITERS {
            callers.spawn(write(ingestion.clone(), writer, tally.clone(), begun, stop.clone()));
        }
        let ledger = TouchLedgerServiceClient::new(peers.channel("offers").unwrap());
        for sender in 0..SENDERS {
            callers.spawn(send(ledger.clone(), sender, tally.clone(), begun, stop.clone()));
        }
        Self {
            tally,
            begun,
            stop,
            callers,
        }
    }

    /// Waits until `count` more calls are answered.
    pub(crate) async fn answers(&self, count: u64) {
        let total = || self.tally.answered().iter().sum::<u64>();
        let enough = total() + count;
        let waiting = async {
            loop {
                let next = self.tally.one_more.notified();
                if total() >= enough {
                    return;
                }
                next.await;
            }
        };
        let come = timeout(PATIENCE, waiting).await;
        assert!(
            come.is_ok(),
            "calls are not answered any more: {:?}",
            self.tally.failed()
        );
    }

    /// Lets the callers go on for so long.
    pub(crate) async fn runs(&self, duration: Duration) {
        drop(timeout(duration, std::future::pending::<()>()).await);
    }

    /// Lets the callers end what they have begun.
    pub(crate) async fn end(mut self) -> Arc<Tally> {
        self.stop.cancel();
        while let Some(ended) = self.callers.join_next().await {
            ended.unwrap();
        }
        self.tally
    }
}

/// Name of an account under load.
pub(crate) fn name(account: u64) -> String {
    format!("load-{account}")
}

/// Monthly price of an account in minor units.
pub(crate) fn price(account: u64) -> u64 {
    10_000 + account * 100
}

/// Ticks at the pace of a caller; one that was late goes on from there.
fn pace() -> Interval {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

fn account(number: u64) -> Vec<Fact> {
    let account = name(number);
    let price = price(number);
    let profile = json!({"source": "crm", "external_id": account, "account": account, "at": "2026-01-01T00:00:00Z",
        "account_profile": {"name": account, "segment": "smb", "country": "US", "time_zone": "UTC", "language": "en"}});
    let plan = json!({"source": "billing", "external_id": account, "account": account, "at": "2026-01-01T00:00:00Z",
        "subscription": {"subscription_id": format!("sub-{number}"), "product": "basic", "kind": "plan",
            "unit_price": format!("{}.{:02} USD", price / 100, price % 100), "quantity": 1, "period": "month",
            "effective": "2026-01-01", "renewal": "2031-01-01"}});
    vec![fact(&profile.to_string()), fact(&plan.to_string())]
}

fn fact(line: &str) -> Fact {
    upswell_ingestion::jsonl::parse_line(line).unwrap_or_else(|faults| panic!("{line}: {faults:?}"))
}

fn usage(writer: u64, round: u64, place: u64) -> Fact {
    let id = format!("w{writer}-{round}-{place}");
    let account = name(pick(ACCOUNTS, &["account", &id]));
    let day = Clock::system().now() - SignedDuration::from_hours(24 * (1 + place as i64 % 30));
    let line = json!({"source": "load", "external_id": id, "account": account, "at": day.to_string(),
        "usage": {"metric": "calls", "day": day.to_string()[..10], "value": 100 + place}});
    fact(&line.to_string())
}

/// A number below `below` that depends on what it is for.
fn pick(below: u64, what: &[&str]) -> u64 {
    u64::try_from(ids::derive("load", what).as_u128() % u128::from(below)).unwrap()
}

async fn write(
    ingestion: IngestionServiceClient<Traced>,
    writer: u64,
    tally: Arc<Tally>,
    begun: Instant,
    stop: CancellationToken,
) {
    let mut pace = pace();
    for round in 0.. {
        pace.tick().await;
        let asked = Instant::now();
        let facts: Vec<Fact> = (0..BATCH).map(|place| usage(writer, round, place)).collect();
        while let Err(problem) = record(&ingestion, &tally, facts.clone()).await {
            pause(&tally, &problem).await;
        }
        tally.answer(begun, asked);
        if stop.is_cancelled() {
            return;
        }
    }
}

async fn record(ingestion: &IngestionServiceClient<Traced>, tally: &Tally, facts: Vec<Fact>) -> Result<(), Problem> {
    let request = RecordFactsRequest {
        request_id: ids::derive("load request", &[&facts[0].external_id]).to_string(),
        facts,
    };
    let answer = client::call(&settings(), "ingestion.RecordFacts", || {
        let (mut ingestion, request) = (ingestion.clone(), request.clone());
        async move { ingestion.record_facts(request).await }
    })
    .await?;
    assert_eq!(answer.rejected, 0, "{answer:?}");
    let ids = request.facts.into_iter().map(|fact| fact.external_id);
    tally.facts.lock().unwrap().extend(ids);
    Ok(())
}

async fn send(
    ledger: TouchLedgerServiceClient<Traced>,
    sender: u64,
    tally: Arc<Tally>,
    begun: Instant,
    stop: CancellationToken,
) {
    let mut pace = pace();
    for round in 0.. {
        pace.tick().await;
        let asked = Instant::now();
        let request = proposal(sender, round);
        loop {
            match touch(&ledger, &request).await {
                Ok(Some(touch)) => {
                    tally.granted.lock().unwrap().insert(touch);
                    break;
                }
                Ok(None) => {
                    tally.refused.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                // The ledger learns of an account by an event.
                Err(problem) if problem.kind() == Kind::NotFound => drop(pace.tick().await),
                Err(problem) => pause(&tally, &problem).await,
            }
        }
        tally.answer(begun, asked);
        if stop.is_cancelled() {
            return;
        }
    }
}

async fn pause(tally: &Tally, problem: &Problem) {
    tally.failed.lock().unwrap().push(problem.to_string());
    // A caller who is in no hurry.
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn proposal(sender: u64, round: u64) -> ReserveRequest {
    let key = format!("s{sender}-{round}");
    let classes = [TouchClass::Commercial, TouchClass::Commercial, TouchClass::Educational];
    let class = classes[usize::try_from(pick(3, &["class", &key])).unwrap()];
    let hours = i64::try_from(pick(24 * 360, &["hour", &key])).unwrap();
    ReserveRequest {
        account_id: name(pick(ACCOUNTS, &["touch", &key])),
        class: class.into(),
        channel: Channel::Email.into(),
        sender: format!("tool-{sender}"),
        idempotency_key: key,
        // The first hour stays free: some touches are sent at once.
        planned_time: (hours > 24).then(|| to_instant(Clock::system().now() + SignedDuration::from_hours(hours))),
        ..ReserveRequest::default()
    }
}

/// Reserves; a touch for now is also begun and confirmed. None when it was refused.
async fn touch(ledger: &TouchLedgerServiceClient<Traced>, request: &ReserveRequest) -> Result<Option<String>, Problem> {
    let answer = client::call(&settings(), "offers.Reserve", || {
        let (mut ledger, request) = (ledger.clone(), request.clone());
        async move { ledger.reserve(request).await }
    })
    .await?;
    let Some(Outcome::Granted(touch)) = answer.outcome else {
        return Ok(None);
    };
    if request.planned_time.is_none() {
        let begin = BeginSendRequest {
            touch_id: touch.touch_id.clone(),
        };
        let settings = settings();
        let begun = client::call(&settings, "offers.BeginSend", || {
            let (mut ledger, begin) = (ledger.clone(), begin.clone());
            async move { ledger.begin_send(begin).await }
        });
        begun.await?;
        let confirm = ConfirmRequest {
            touch_id: touch.touch_id.clone(),
            ..ConfirmRequest::default()
        };
        let confirmed = client::call(&settings, "offers.Confirm", || {
            let (mut ledger, confirm) = (ledger.clone(), confirm.clone());
            async move { ledger.confirm(confirm).await }
        });
        confirmed.await?;
    }
    Ok(Some(touch.touch_id))
}
