//! F52: many times more calls than can be answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};
use tonic::Code;
use upswell_proto::{
    offers::v1::{GetAllowanceRequest, touch_ledger_service_client::TouchLedgerServiceClient},
    vocabulary::v1::TouchClass,
};
use upswell_runtime::client::Traced;

use crate::{
    fleet::{Fleet, Plan, is_quiet},
    load::{ACCOUNTS, Load, duration, name, settings},
    oracles,
};

/// Callers who together find out what can be answered.
const CALLERS: u64 = 24;
/// How many times more than that is asked then.
const TIMES: f64 = 10.0;
/// How long a caller waits.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the generator wakes.
const BEAT: Duration = Duration::from_millis(10);

type Ledger = TouchLedgerServiceClient<Traced>;

/// What came of the calls.
#[derive(Default)]
struct Outcomes {
    asked: AtomicU64,
    answered: AtomicU64,
    shed: AtomicU64,
    other: AtomicU64,
}

impl Outcomes {
    fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

async fn ask(mut ledger: Ledger, number: u64, outcomes: Arc<Outcomes>) {
    let mut request = tonic::Request::new(GetAllowanceRequest {
        account_id: name(number % ACCOUNTS),
        class: TouchClass::Commercial.into(),
        ..GetAllowanceRequest::default()
    });
    request.set_timeout(PATIENCE);
    outcomes.asked.fetch_add(1, Ordering::Relaxed);
    let count = match ledger.get_allowance(request).await {
        Ok(_) => &outcomes.answered,
        Err(status) if status.code() == Code::ResourceExhausted => &outcomes.shed,
        Err(_) => &outcomes.other,
    };
    count.fetch_add(1, Ordering::Relaxed);
}

/// Answers a second when each caller asks as soon as it was answered.
async fn peak(ledger: &Ledger, lasting: Duration) -> f64 {
    let (outcomes, begun) = (Arc::new(Outcomes::default()), Instant::now());
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (ledger, outcomes) = (ledger.clone(), outcomes.clone());
        callers.spawn(async move {
            for round in 0.. {
                ask(ledger.clone(), caller + round, outcomes.clone()).await;
                if begun.elapsed() > lasting {
                    return;
                }
            }
        });
    }
    callers.join_all().await;
    outcomes.answered() as f64 / begun.elapsed().as_secs_f64()
}

/// Asks so often a second, whatever is answered: an open loop.
async fn flood(ledger: &Ledger, rate: f64, lasting: Duration) -> Arc<Outcomes> {
    let (outcomes, begun) = (Arc::new(Outcomes::default()), Instant::now());
    let (mut calls, mut beat, mut sent) = (JoinSet::new(), interval(BEAT), 0_u64);
    beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while begun.elapsed() < lasting {
        beat.tick().await;
        let due = (begun.elapsed().as_secs_f64() * rate) as u64;
        for number in sent..due {
            calls.spawn(ask(ledger.clone(), number, outcomes.clone()));
        }
        sent = due;
        while calls.try_join_next().is_some() {}
    }
    calls.join_all().await;
    outcomes
}

/// F52: ten times what can be answered is asked. What cannot be answered is refused at once and the rest is answered; when
/// it is over everything is as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f52_ten_times_the_load_is_shed_and_the_rest_answered() {
    let plan = Plan::of(1).with("OFFERS__SERVER__MAX_CONCURRENT_REQUESTS", "32");
    let Some(fleet) = Fleet::start(plan) else { return };
    let peers = fleet.peers(&settings());
    let load = Load::start(&peers).await;
    // The accounts have arrived when touches are granted.
    load.answers(60).await;
    let tally = load.end().await;
    let ledger = TouchLedgerServiceClient::new(peers.channel("offers").unwrap());
    let lasting = duration() / 2;
    let before = peak(&ledger, lasting).await;
    let flooded = flood(&ledger, before * TIMES, duration()).await;
    let goodput = flooded.answered() as f64 / duration().as_secs_f64();
    let after = peak(&ledger, lasting).await;
    let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
    eprintln!(
        "F52: {before:.0} answers a second at the peak; of {} asked within {:?} {} were answered ({goodput:.0} a second, \
         {:.0} %), {} shed, {} late or failed; {after:.0} a second right afterwards",
        count(&flooded.asked),
        duration(),
        count(&flooded.answered),
        100.0 * goodput / before,
        count(&flooded.shed),
        count(&flooded.other),
    );
    assert!(count(&flooded.shed) > 0, "nothing was shed");
    assert!(count(&flooded.answered) > 0, "nothing was answered");
    assert!(!is_quiet() || goodput >= 0.7 * before);
    assert!(!is_quiet() || after >= 0.9 * before);
    oracles::check(&fleet, &tally).await;
}
