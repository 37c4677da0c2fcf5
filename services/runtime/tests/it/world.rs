//! Two services that send each other events: a sender with an outbox and a receiver that writes down what it applies.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use prost::Name as _;
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::service::Routes as Rpcs;
use upswell_proto::{
    admin::v1::{DeadLetter, OutboxDestination},
    delivery::v1::delivery_service_server::DeliveryServiceServer,
};
use upswell_runtime::{
    client::{ClientSettings, Peers},
    clock::Clock,
    db::{Db, Tx, runtime_migrations},
    inbox::{Delivery, Inbound, Inbox},
    outbox::{NewEvent, Routes, append},
    problem::Problem,
    relay::{Relay, RelaySettings},
    server::{self, ServerSettings},
    telemetry::OutboxTrace,
    testing::TempDb,
};

pub(crate) const SENDER: &str = "sender";
pub(crate) const RECEIVER: &str = "receiver";

pub(crate) fn start() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

pub(crate) fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = runtime_migrations();
        all.push(Box::new(Effects));
        all
    }
}

struct Effects;

impl MigrationName for Effects {
    fn name(&self) -> &str {
        "test_0001_effects"
    }
}

#[async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Effects {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let id = match manager.get_database_backend() {
            DbBackend::Postgres => "BIGSERIAL",
            _ => "INTEGER",
        };
        let table = format!("CREATE TABLE effects (id {id} PRIMARY KEY, key TEXT NOT NULL, seq BIGINT NOT NULL)");
        manager.get_connection().execute_unprepared(&table).await.map(drop)
    }
}

/// The receiver's handler: takes `DeadLetter` as a topic like any other, and fails where it is told to.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Keys whose events fail.
    pub(crate) poison: Mutex<HashSet<String>>,
    /// Keys whose events make the handler panic.
    pub(crate) panics: Mutex<HashSet<String>>,
    /// How often each (key, seq) fails before it works.
    pub(crate) flaky: Mutex<BTreeMap<(String, i64), u32>>,
    /// Makes everything fail as a store that is away does.
    pub(crate) away: Mutex<bool>,
}

#[async_trait]
impl Inbox for Recorder {
    async fn apply(&self, tx: &Tx, event: &Inbound) -> Result<(), Problem> {
        if !event.is::<DeadLetter>() {
            return Err(event.unknown());
        }
        let letter: DeadLetter = event.decode()?;
        assert_eq!(letter.key, event.key);
        let insert = "INSERT INTO effects (key, seq) VALUES ($1, $2)";
        tx.execute_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            insert,
            [event.key.as_str().into(), event.seq.into()],
        ))
        .await?;
        assert!(!self.panics.lock().unwrap().contains(&event.key), "told to panic");
        if *self.away.lock().unwrap() {
            return Err(Problem::unavailable("STORE_UNAVAILABLE", "the store is not available"));
        }
        if let Some(left) = self
            .flaky
            .lock()
            .unwrap()
            .get_mut(&(event.key.clone(), event.seq))
            .filter(|left| **left > 0)
        {
            *left -= 1;
            return Err(Problem::internal("flaky"));
        }
        match self.poison.lock().unwrap().contains(&event.key) {
            true => Err(Problem::internal("poison")),
            false => Ok(()),
        }
    }
}

pub(crate) struct World {
    pub(crate) sender: TempDb,
    pub(crate) receiver: TempDb,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) relay: Relay,
    pub(crate) peers: Peers,
    pub(crate) settings: RelaySettings,
    _server: DropGuard,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(RelaySettings {
            max_attempts: 3,
            backoff_ms: 1000,
            ..RelaySettings::default()
        })
        .await
    }

    pub(crate) async fn with(settings: RelaySettings) -> Self {
        let sender = TempDb::open::<Migrator>().await.unwrap();
        let receiver = TempDb::open::<Migrator>().await.unwrap();
        let recorder = Arc::new(Recorder::default());
        let rpcs = Rpcs::new(delivery(&receiver.db, &recorder));
        let (address, server) = serve(rpcs).await;
        let peers = peers(&[(RECEIVER, &address)]);
        let relay = relay(&sender.db, &peers, &settings);
        Self {
            sender,
            receiver,
            recorder,
            relay,
            peers,
            settings,
            _server: server,
        }
    }

    /// Appends an event per key in one transaction.
    pub(crate) async fn append(&self, keys: &[&str]) {
        let events = keys.iter().map(|key| event(key)).collect();
        append_all(&self.sender.db, events).await.unwrap();
    }

    /// Runs the relay at `now` until it does nothing; the events acknowledged.
    pub(crate) async fn relay_all(&self, now: Timestamp) -> usize {
        let mut total = 0;
        loop {
            match self.relay.run_once(now).await.unwrap() {
                0 => return total,
                count => total += count,
            }
        }
    }

    /// What the receiver applied, by key, in the order of each key. Between keys there is none to keep.
    pub(crate) async fn effects(&self) -> Vec<(String, i64)> {
        by_key(effects(&self.receiver.db).await)
    }
}

pub(crate) fn event(key: &str) -> NewEvent {
    NewEvent::of(
        key,
        start(),
        &DeadLetter {
            key: key.to_owned(),
            ..DeadLetter::default()
        },
    )
}

/// `DeadLetter` and `OutboxDestination`, which the receiver does not know, both go to the receiver.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .to(&DeadLetter::full_name(), &[RECEIVER])
        .to(&OutboxDestination::full_name(), &[RECEIVER])
}

pub(crate) async fn append_all(db: &Db, events: Vec<NewEvent>) -> Result<(), Problem> {
    let tx = db.begin().await?;
    append(&tx, SENDER, &routes(), events).await?;
    tx.commit().await
}

pub(crate) fn delivery(db: &Db, recorder: &Arc<Recorder>) -> DeliveryServiceServer<Delivery> {
    DeliveryServiceServer::new(receiver(db, recorder))
}

/// The delivery service over `recorder`.
pub(crate) fn receiver(db: &Db, recorder: &Arc<Recorder>) -> Delivery {
    let inbox: Arc<dyn Inbox> = Arc::<Recorder>::clone(recorder);
    Delivery::new(db.clone(), inbox, Arc::new(Notify::new()), OutboxTrace::Link)
}

pub(crate) fn relay(db: &Db, peers: &Peers, settings: &RelaySettings) -> Relay {
    Relay::new(
        db.clone(),
        SENDER,
        peers.clone(),
        settings.clone(),
        Clock::manual(start()),
    )
}

pub(crate) fn peers(addresses: &[(&str, &str)]) -> Peers {
    let addresses = addresses
        .iter()
        .map(|(name, address)| ((*name).to_owned(), (*address).to_owned()))
        .collect();
    Peers::new(&addresses, &ClientSettings::default()).unwrap()
}

/// Serves on a free port until the guard is dropped.
pub(crate) async fn serve(rpcs: Rpcs) -> (String, DropGuard) {
    let settings = ServerSettings {
        drain_ms: 100,
        ..ServerSettings::default()
    };
    let bound = server::bind(&settings).await.unwrap();
    let address = format!("http://{}", bound.local_addr());
    let shutdown = CancellationToken::new();
    let health = server::health_reporter().await;
    tokio::spawn(bound.serve(rpcs, health, shutdown.clone()));
    (address, shutdown.drop_guard())
}

pub(crate) async fn effects(db: &Db) -> Vec<(String, i64)> {
    let query = Statement::from_string(db.backend(), "SELECT key, seq FROM effects ORDER BY id");
    let rows = db.reader().query_all_raw(query).await.unwrap();
    rows.iter()
        .map(|row| (row.try_get("", "key").unwrap(), row.try_get("", "seq").unwrap()))
        .collect()
}

pub(crate) async fn sql(db: &Db, statement: &str) -> u64 {
    let tx = db.begin().await.unwrap();
    let done = tx.execute_unprepared(statement).await.unwrap();
    tx.commit().await.unwrap();
    done.rows_affected()
}

pub(crate) async fn number(db: &Db, query: &str) -> i64 {
    let row = db
        .reader()
        .query_one_raw(Statement::from_string(db.backend(), query))
        .await
        .unwrap()
        .unwrap();
    row.try_get_by_index(0).unwrap()
}

/// What [`World::effects`] is compared with.
pub(crate) fn pairs(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    by_key(expected.iter().map(|(key, seq)| ((*key).to_owned(), *seq)).collect())
}

fn by_key(mut effects: Vec<(String, i64)>) -> Vec<(String, i64)> {
    effects.sort_by(|one, other| one.0.cmp(&other.0));
    effects
}
