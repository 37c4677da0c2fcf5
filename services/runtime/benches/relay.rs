//! E1: how many events a second travel from a commit in one service to a commit in the next, over gRPC on loopback.
//!
//! `cargo bench -p upswell-runtime --bench relay`; `UPSWELL_TEST_POSTGRES` puts both stores on PostgreSQL. The receiver
//! writes one row per event, a batch in one statement.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says where it stopped")]

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use prost::Name as _;
use sea_orm::{ConnectionTrait as _, DbErr, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes as Rpcs;
use upswell_proto::admin::v1::DeadLetter;
use upswell_runtime::{
    client::{ClientSettings, Peers},
    clock::Clock,
    db::{Db, Tx, runtime_migrations},
    inbox::{Inbound, Inbox, delivery_server},
    outbox::{NewEvent, Routes, append},
    problem::Problem,
    relay::{Relay, RelaySettings},
    server::{self, ServerSettings},
    telemetry::OutboxTrace,
    testing::TempDb,
};

const EVENTS: usize = 40_000;
const KEYS: usize = 5_000;
const PER_TRANSACTION: usize = 500;
const ROUNDS: usize = 3;

struct Migrator;

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
        "bench_0001_effects"
    }
}

#[async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Effects {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = "CREATE TABLE effects (key TEXT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (key, seq))";
        manager.get_connection().execute_unprepared(table).await.map(drop)
    }
}

/// Writes what it applies.
struct Writer;

#[async_trait]
impl Inbox for Writer {
    async fn apply(&self, tx: &Tx, event: &Inbound) -> Result<(), Problem> {
        self.apply_all(tx, &[event]).await
    }

    fn takes_batches(&self) -> bool {
        true
    }

    async fn apply_all(&self, tx: &Tx, events: &[&Inbound]) -> Result<(), Problem> {
        let places: Vec<String> = (0..events.len())
            .map(|n| format!("(${}, ${})", 2 * n + 1, 2 * n + 2))
            .collect();
        let insert = format!("INSERT INTO effects (key, seq) VALUES {}", places.join(", "));
        let values = events
            .iter()
            .flat_map(|event| [event.key.as_str().into(), event.seq.into()]);
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), insert, values);
        tx.execute_raw(statement).await?;
        Ok(())
    }
}

async fn fill(db: &Db, routes: &Routes) {
    let event = |number: usize| {
        let key = format!("acct-{:06}", number % KEYS);
        let letter = DeadLetter {
            key: key.clone(),
            payload: vec![7; 200],
            ..DeadLetter::default()
        };
        NewEvent::of(key, Timestamp::UNIX_EPOCH, &letter)
    };
    for first in (0..EVENTS).step_by(PER_TRANSACTION) {
        let tx = db.begin().await.unwrap();
        let events = (first..first + PER_TRANSACTION).map(event).collect();
        append(&tx, "sender", routes, events).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Events a second: appending alone, and delivering all that waited.
async fn round() -> (f64, f64) {
    let (sender, receiver) = (
        TempDb::open::<Migrator>().await.unwrap(),
        TempDb::open::<Migrator>().await.unwrap(),
    );
    let delivery = delivery_server(
        receiver.db.clone(),
        Arc::new(Writer),
        Arc::new(Notify::new()),
        OutboxTrace::Link,
    );
    let bound = server::bind(&ServerSettings::default()).await.unwrap();
    let address = format!("http://{}", bound.local_addr());
    let shutdown = CancellationToken::new();
    let health = server::health_reporter().await;
    tokio::spawn(bound.serve(Rpcs::new(delivery), health, shutdown.clone()));
    let peers = BTreeMap::from([("receiver".to_owned(), address)]);
    let peers = Peers::new(&peers, &ClientSettings::default()).unwrap();
    let settings = RelaySettings::default();
    let relay = Relay::new(sender.db.clone(), "sender", peers, settings, Clock::system());

    let begun = Instant::now();
    fill(&sender.db, &Routes::new().to(&DeadLetter::full_name(), &["receiver"])).await;
    let appended = EVENTS as f64 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let worker = relay.spawn(shutdown.clone());
    while relay.backlog().await.unwrap().iter().any(|dest| dest.waiting > 0) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let delivered = EVENTS as f64 / begun.elapsed().as_secs_f64();
    shutdown.cancel();
    worker.await.unwrap();
    (appended, delivered)
}

#[tokio::main]
async fn main() {
    for number in 1..=ROUNDS {
        let (appended, delivered) = round().await;
        println!("round {number}: {EVENTS} events, appended {appended:.0}/s, delivered {delivered:.0}/s");
    }
}
