//! The renewals service between an ingestion that tells it facts, a scoring and an offers that write down what they are
//! told; all over real channels, with a clock that is set by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use jiff::Timestamp;
use prost::Name;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::service::Routes as Rpcs;
use upswell_proto::{
    gtype,
    ingestion::v1::{
        AccountProfile, AccountProfileChanged, SubscriptionChanged, SubscriptionTerms, subscription_terms::Kind,
    },
    offers::v1::touch_ledger_service_server::TouchLedgerServiceServer,
    renewals::v1::{DealChanged, RenewalMarkReached, renewal_service_client::RenewalServiceClient},
    scoring::v1::{Score, ScoreChanged},
};
use upswell_renewals::{DEFAULTS, NAME, Settings, build};
use upswell_runtime::{
    client::{ClientSettings, Peers, Traced},
    clock::Clock,
    config::{self, Section},
    db::Tx,
    inbox::{Inbound, Inbox, delivery_server},
    outbox::{NewEvent, Routes, append},
    problem::Problem,
    relay::{Relay, RelaySettings},
    server::{self, ServerSettings},
    service::{Deps, Service},
    telemetry::OutboxTrace,
    testing::{Place, RuntimeMigrator, TempDb},
};

use crate::ledger::Ledger;

/// A neighbour: keeps what it is told, and has an outbox of its own.
struct Neighbour {
    db: TempDb,
    told: Arc<Told>,
    ledger: Arc<Ledger>,
    address: String,
    _server: DropGuard,
}

#[derive(Default)]
struct Told(Mutex<Vec<Inbound>>);

#[async_trait]
impl Inbox for Told {
    async fn apply(&self, _tx: &Tx, event: &Inbound) -> Result<(), Problem> {
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }
}

impl Neighbour {
    async fn new() -> Self {
        let db = TempDb::open::<RuntimeMigrator>().await.unwrap();
        let told = Arc::new(Told::default());
        let inbox: Arc<dyn Inbox> = Arc::<Told>::clone(&told);
        let rpcs = Rpcs::new(delivery_server(
            db.db.clone(),
            inbox,
            Arc::new(Notify::new()),
            OutboxTrace::Link,
        ));
        let ledger = Arc::new(Ledger::default());
        let rpcs = rpcs.add_service(TouchLedgerServiceServer::from_arc(Arc::clone(&ledger)));
        let (address, server) = serve(rpcs).await;
        Self {
            db,
            told,
            ledger,
            address,
            _server: server,
        }
    }

    fn take<M: prost::Message + Name + Default>(&self) -> Vec<M> {
        let mut told = self.told.0.lock().unwrap();
        let events = told.drain(..);
        events.map(|event| event.decode().unwrap()).collect()
    }
}

pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) clock: Clock,
    pub(crate) peers: Peers,
    pub(crate) client: RenewalServiceClient<Traced>,
    ingestion: Neighbour,
    scoring: Neighbour,
    offers: Neighbour,
    _server: DropGuard,
    _place: Place,
}

impl World {
    /// A world at noon of `day`, in UTC.
    pub(crate) async fn new(day: &str) -> Self {
        let (store, place) = Place::new().await.unwrap();
        let (ingestion, scoring, offers) = (Neighbour::new().await, Neighbour::new().await, Neighbour::new().await);
        let clock = Clock::manual(noon(day));
        let neighbours = peers(&[("scoring", &scoring.address), ("offers", &offers.address)]);
        let settings = Settings {
            db: store,
            ..settings()
        };
        let deps = Deps {
            clock: clock.clone(),
            peers: neighbours,
            trace_mode: OutboxTrace::Link,
        };
        let service = build(settings, deps).await.unwrap();
        let (address, server) = serve(service.routes.clone()).await;
        let peers = peers(&[(NAME, &address)]);
        let client = RenewalServiceClient::new(peers.channel(NAME).unwrap());
        Self {
            service,
            clock,
            peers,
            client,
            ingestion,
            scoring,
            offers,
            _server: server,
            _place: place,
        }
    }

    /// Ingestion tells of things in this order; the renewals service comes to rest.
    pub(crate) async fn tell(&self, events: Vec<NewEvent>) {
        self.send("ingestion", &self.ingestion, events).await;
    }

    /// Scoring tells of a risk of churn.
    pub(crate) async fn score(&self, account: &str, churn_risk: f64) {
        let score = Score {
            account_id: account.into(),
            churn_risk,
            ..Default::default()
        };
        self.send(
            "scoring",
            &self.scoring,
            vec![event(account, &ScoreChanged { score: Some(score) })],
        )
        .await;
    }

    async fn send(&self, source: &'static str, from: &Neighbour, events: Vec<NewEvent>) {
        let topics: BTreeSet<String> = events.iter().map(|event| event.topic.clone()).collect();
        let routes = topics
            .iter()
            .fold(Routes::new(), |routes, topic| routes.to(topic, &[NAME]));
        let tx = from.db.db.begin().await.unwrap();
        append(&tx, source, &routes, events).await.unwrap();
        tx.commit().await.unwrap();
        let relay = Relay::new(
            from.db.db.clone(),
            source,
            self.peers.clone(),
            RelaySettings::default(),
            self.clock.clone(),
        );
        while relay.run_once(self.clock.now()).await.unwrap() > 0 {}
        let stuck: i32 = relay
            .backlog()
            .await
            .unwrap()
            .iter()
            .map(|lane| i32::try_from(lane.parked).unwrap())
            .sum();
        assert_eq!(stuck, 0, "an event was refused");
        self.rest().await;
    }

    /// Sets the clock to noon of `day`, and lets the service come to rest.
    pub(crate) async fn until(&self, day: &str) {
        self.clock.set(noon(day));
        self.rest().await;
    }

    async fn rest(&self) {
        self.service.drain(self.clock.now()).await.unwrap();
        self.service.tick(self.clock.now()).await.unwrap();
        self.service.drain(self.clock.now()).await.unwrap();
        assert_eq!(
            self.service.drain(self.clock.now()).await.unwrap(),
            0,
            "nothing is left to do"
        );
        assert_eq!(self.service.tick(self.clock.now()).await.unwrap(), 0, "nothing is due");
    }

    /// The ledger of offers.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.offers.ledger
    }

    /// What offers was told since the last look.
    pub(crate) fn deals_told(&self) -> Vec<DealChanged> {
        self.offers.take()
    }

    /// What scoring was told since the last look.
    pub(crate) fn marks_told(&self) -> Vec<RenewalMarkReached> {
        self.scoring.take()
    }
}

/// The shipped settings.
pub(crate) fn settings() -> Settings {
    let sections = [Section {
        name: NAME,
        defaults: DEFAULTS,
    }];
    config::load(&sections, None, std::iter::empty())
        .unwrap()
        .section(NAME)
        .unwrap()
}

pub(crate) fn noon(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

pub(crate) fn wire_date(day: &str) -> gtype::Date {
    let day: jiff::civil::Date = day.parse().unwrap();
    gtype::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}

pub(crate) fn event<M: prost::Message + Name>(account: &str, message: &M) -> NewEvent {
    NewEvent::of(account, Timestamp::UNIX_EPOCH, message)
}

pub(crate) fn profile(account: &str, csm: &str) -> NewEvent {
    let profile = AccountProfile {
        time_zone: "Asia/Almaty".into(),
        csm_id: csm.into(),
        ..AccountProfile::default()
    };
    event(
        account,
        &AccountProfileChanged {
            account_id: account.into(),
            profile: Some(profile),
        },
    )
}

/// The plan of an account from a day on.
pub(crate) fn plan(account: &str, version: &str, effective: &str, renewal: &str) -> NewEvent {
    contract_line((account, account), Kind::Plan, version, effective, renewal)
}

/// The plan of `part`, told under the account that it is part of.
pub(crate) fn plan_under(account: &str, part: &str, version: &str, effective: &str, renewal: &str) -> NewEvent {
    contract_line((account, part), Kind::Plan, version, effective, renewal)
}

/// Ingestion's word about an add-on of `account`.
pub(crate) fn add_on(account: &str, version: &str, effective: &str, renewal: &str) -> NewEvent {
    contract_line((account, account), Kind::AddOn, version, effective, renewal)
}

fn contract_line((account, part): (&str, &str), kind: Kind, version: &str, effective: &str, renewal: &str) -> NewEvent {
    let (name, units) = match kind {
        Kind::AddOn => ("add-on", 10_000),
        _ => ("plan", 240_000),
    };
    let terms = SubscriptionTerms {
        subscription_id: format!("{part}-{name}"),
        kind: kind.into(),
        effective_date: Some(wire_date(effective)),
        renewal_date: Some(wire_date(renewal)),
        ..SubscriptionTerms::default()
    };
    let changed = SubscriptionChanged {
        account_id: account.into(),
        version_id: format!("{part}/{name}/{version}"),
        terms: Some(terms),
        mrr: Some(gtype::Money {
            currency_code: "KZT".into(),
            units,
            nanos: 0,
        }),
        occur_time: Some(prost_types::Timestamp::default()),
        superseded: false,
        renewal_mrr: None,
    };
    event(account, &changed)
}

fn peers(addresses: &[(&str, &str)]) -> Peers {
    let addresses: BTreeMap<String, String> = addresses
        .iter()
        .map(|(name, address)| ((*name).to_owned(), (*address).to_owned()))
        .collect();
    Peers::new(&addresses, &ClientSettings::default()).unwrap()
}

async fn serve(rpcs: Rpcs) -> (String, DropGuard) {
    let bound = server::bind(&ServerSettings {
        drain_ms: 100,
        ..ServerSettings::default()
    })
    .await
    .unwrap();
    let address = format!("http://{}", bound.local_addr());
    let shutdown = CancellationToken::new();
    let health = server::health_reporter().await;
    tokio::spawn(bound.serve(rpcs, health, shutdown.clone()));
    (address, shutdown.drop_guard())
}
