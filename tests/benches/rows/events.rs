//! E1: events from a commit in one service to a commit in the next: the real outbox, relay and inbox over loopback, on two
//! databases, with a receiver that writes one row an event.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use prost::Name as _;
use sea_orm::{ConnectionTrait as _, Statement};
use tempfile::TempDir;
use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, async_trait, service::Routes as Rpcs};
use upswell_proto::{
    admin::v1::DeadLetter,
    delivery::v1::{
        DeliverRequest, DeliverResponse,
        delivery_service_server::{DeliveryService, DeliveryServiceServer},
    },
};
use upswell_runtime::{
    client::{ClientSettings, Peers},
    clock::Clock,
    db::{Db, DbSettings, Tx},
    inbox::{Delivery, Inbound, Inbox},
    outbox::{NewEvent, Routes, append},
    problem::Problem,
    relay::{Relay, RelaySettings},
    server::{self, ServerSettings},
    telemetry::OutboxTrace,
    testing::RuntimeMigrator,
};

use super::ledger_limits::queue_drain_rate;
use crate::{
    Bench,
    arrivals::{Load, Op, Outcome, open},
    postgres::Postgres,
    sheet::{Line, Samples, Target},
};

const KEYS: u64 = 5_000;
/// Events of one transaction while the log is filled.
const PER_TRANSACTION: u64 = 500;
const PAYLOAD: usize = 200;
/// Largest batch.
const MESSAGE: usize = 64 << 20;
/// The longest wait for the last event.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let postgres = Postgres::start().await?;
    sustained(bench, &postgres).await?;
    let way = Way::on_postgres(&postgres, "paced").await?;
    paced(bench, way, 1000.0, Target::AtMost(250.0), "PostgreSQL").await?;
    let way = Way::on_sqlite().await?;
    paced(bench, way, 200.0, Target::AtMost(500.0), "SQLite").await
}

/// How fast a log that is full is delivered.
async fn sustained(bench: &mut Bench, postgres: &Postgres) -> Result<()> {
    let events = bench.options.size(40_000, 5_000);
    let [mut ours, mut queue] = [const { Samples(Vec::new()) }; 2];
    for round in 0..bench.options.repetitions() {
        let way = Way::on_postgres(postgres, &format!("round{round}")).await?;
        for first in (0..events).step_by(PER_TRANSACTION as usize) {
            way.append(first, PER_TRANSACTION).await?;
        }
        let begun = Instant::now();
        way.relay_until(events).await?;
        ours.push(events as f64 / begun.elapsed().as_secs_f64());
        let limits = postgres.pool("postgres", 4).await?;
        queue.push(queue_drain_rate(&limits, events).await?);
    }
    let line = Line::of(
        "E1",
        "events from commit to commit, a full log, PostgreSQL",
        &ours,
        "events/s",
    );
    bench.sheet.add(line.judged(Target::AtLeast(10_000.0)));
    let line = Line::of("E1", "the same beside a queue in PostgreSQL", &ours, "events/s");
    let limit = "pgmq's statements: read 500, delete 500";
    bench.sheet.add(line.beside(limit, &ours, &queue, Target::None));
    Ok(())
}

/// How long an event travels while they come one by one.
async fn paced(bench: &mut Bench, way: Way, rate: f64, target: Target, database: &str) -> Result<()> {
    let span = bench.options.span() * 3;
    let way = Arc::new(way);
    let sender = Arc::clone(&way);
    let append: Op = Arc::new(move |number| {
        let way = Arc::clone(&sender);
        Box::pin(async move {
            way.append(number, 1)
                .await
                .map_or(Outcome::Failed, |()| Outcome::Done(1))
        })
    });
    let relaying = way.relay.spawn(way.shutdown.clone());
    let load = open(rate, span, &append).await;
    way.wait(load.answered).await?;
    way.shutdown.cancel();
    relaying.await?;
    let travelled = way.post.travelled();
    let mut p99 = Samples::default();
    p99.push(travelled.quantile_ms(0.99));
    let line = Line::of(
        "E1",
        format!("p99 from commit to commit at {rate} events/s, {database}"),
        &p99,
        "ms",
    );
    let note = format!(
        "p50 {:.1} ms; {} events, {} could not be written",
        travelled.quantile_ms(0.5),
        load.answered,
        load.failed
    );
    bench.sheet.add(line.judged(target).note(note));
    Ok(())
}

/// A sender and a receiver.
struct Way {
    sender: Db,
    routes: Routes,
    relay: Relay,
    post: Arc<Post>,
    shutdown: CancellationToken,
    _folder: Option<TempDir>,
}

/// When events were committed on either side, by number.
#[derive(Default)]
struct Post {
    sent: Mutex<BTreeMap<u64, Instant>>,
    arrived: Mutex<BTreeMap<u64, Instant>>,
}

impl Way {
    async fn on_postgres(postgres: &Postgres, name: &str) -> Result<Self> {
        let sender = postgres.create(&format!("sender_{name}")).await?;
        let receiver = postgres.create(&format!("receiver_{name}")).await?;
        Self::between(&sender, &receiver, None).await
    }

    async fn on_sqlite() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
        let (sender, receiver) = (url("sender.db"), url("receiver.db"));
        Self::between(&sender, &receiver, Some(folder)).await
    }

    async fn between(sender: &str, receiver: &str, folder: Option<TempDir>) -> Result<Self> {
        let (sender, receiver) = (store(sender).await?, store(receiver).await?);
        let tx = receiver.begin().await?;
        let create = "CREATE TABLE effects (key TEXT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (key, seq))";
        tx.execute_unprepared(create).await?;
        tx.commit().await?;
        let (post, shutdown) = (Arc::new(Post::default()), CancellationToken::new());
        let address = listen(receiver, Arc::clone(&post), shutdown.clone()).await?;
        let peers = Peers::new(
            &BTreeMap::from([("receiver".to_owned(), address)]),
            &ClientSettings::default(),
        )?;
        let relay = Relay::new(
            sender.clone(),
            "sender",
            peers,
            RelaySettings::default(),
            Clock::system(),
        );
        Ok(Self {
            sender,
            routes: Routes::new().to(&DeadLetter::full_name(), &["receiver"]),
            relay,
            post,
            shutdown,
            _folder: folder,
        })
    }

    /// Writes events in one transaction.
    async fn append(&self, first: u64, count: u64) -> Result<()> {
        let numbers = first..first + count;
        let now = Clock::system().now();
        let events = numbers.clone().map(|number| {
            let key = format!("acct-{:06}", number % KEYS);
            let mut payload = vec![7; PAYLOAD];
            payload[..8].copy_from_slice(&number.to_be_bytes());
            let letter = DeadLetter {
                key: key.clone(),
                payload,
                ..DeadLetter::default()
            };
            NewEvent::of(key, now, &letter)
        });
        let tx = self.sender.begin().await?;
        append(&tx, "sender", &self.routes, events.collect()).await?;
        tx.commit().await?;
        note(&self.post.sent, numbers);
        Ok(())
    }

    async fn relay_until(&self, events: u64) -> Result<()> {
        let relaying = self.relay.spawn(self.shutdown.clone());
        self.wait(events).await?;
        self.shutdown.cancel();
        relaying.await?;
        Ok(())
    }

    async fn wait(&self, events: u64) -> Result<()> {
        let begun = Instant::now();
        loop {
            let arrived = self.post.arrived.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
            if arrived == events {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "{arrived} of {events} events arrived");
            sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Post {
    /// How long each event was under way.
    fn travelled(&self) -> Load {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let mut load = Load::new();
        for (number, at) in sent.iter() {
            if let Some(arrived) = arrived.get(number) {
                load.note(Outcome::Done(1), arrived.saturating_duration_since(*at));
            }
        }
        load
    }
}

fn note(times: &Mutex<BTreeMap<u64, Instant>>, numbers: impl Iterator<Item = u64>) {
    let now = Instant::now();
    let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
    times.extend(numbers.map(|number| (number, now)));
}

async fn store(url: &str) -> Result<Db> {
    let settings = DbSettings {
        url: url.to_owned(),
        readers: 4,
        connections: 16,
        busy_timeout_ms: 5000,
    };
    let db = Db::open::<RuntimeMigrator>(&settings).await?;
    db.migrate::<RuntimeMigrator>().await?;
    Ok(db)
}

async fn listen(receiver: Db, post: Arc<Post>, shutdown: CancellationToken) -> Result<String> {
    let inner = Delivery::new(receiver, Arc::new(Writer), Arc::new(Notify::new()), OutboxTrace::Link);
    let delivery = DeliveryServiceServer::new(Watched { inner, post }).max_decoding_message_size(MESSAGE);
    let bound = server::bind(&ServerSettings::default()).await?;
    let address = format!("http://{}", bound.local_addr());
    let health = server::health_reporter().await;
    tokio::spawn(bound.serve(Rpcs::new(delivery), health, shutdown));
    Ok(address)
}

/// The delivery, with a note of what it has committed.
struct Watched {
    inner: Delivery,
    post: Arc<Post>,
}

#[async_trait]
impl DeliveryService for Watched {
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let events = request.get_ref().events.iter();
        let numbers: Vec<u64> = events.filter_map(|event| number(&event.payload)).collect();
        let answer = self.inner.deliver(request).await?;
        note(&self.post.arrived, numbers.into_iter());
        Ok(answer)
    }
}

fn number(payload: &[u8]) -> Option<u64> {
    let letter: DeadLetter = prost::Message::decode(payload).ok()?;
    Some(u64::from_be_bytes(letter.payload.get(..8)?.try_into().ok()?))
}

/// Writes what it applies, a batch in one statement.
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
        tx.execute_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            insert,
            values,
        ))
        .await?;
        Ok(())
    }
}
