//! The log under many writers and many relays. Where only PostgreSQL has the trouble, SQLite returns early.

use std::{collections::BTreeMap, time::Duration};

use sea_orm::ConnectionTrait as _;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes as Rpcs};
use upswell_proto::delivery::v1::{
    DeliverRequest, DeliverResponse,
    delivery_service_server::{DeliveryService, DeliveryServiceServer},
};
use upswell_runtime::{
    clock::Clock,
    db::Db,
    inbox::Delivery,
    outbox::append,
    problem::Problem,
    relay::{Relay, RelaySettings},
};

use crate::world::*;

const PATIENCE: Duration = Duration::from_secs(60);

/// A relay as it runs in production: by the system clock, and beside others.
fn working(world: &World) -> Relay {
    let settings = RelaySettings {
        poll_ms: 20,
        backoff_ms: 1,
        ..RelaySettings::default()
    };
    Relay::new(
        world.sender.db.clone(),
        SENDER,
        world.peers.clone(),
        settings,
        Clock::system(),
    )
}

/// Waits until nothing is left to send.
async fn delivered(relay: &Relay) {
    let empty = async {
        while relay.backlog().await.unwrap().iter().any(|dest| dest.waiting > 0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, empty).await.unwrap();
}

/// Runs `relay` until it has sent `count` events. Others may still commit what it is to send.
async fn delivered_by(relay: &Relay, count: usize) {
    let sending = async {
        let mut sent = 0;
        while sent < count {
            sent += relay.run_once(start()).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, sending).await.unwrap();
}

/// Per key, the sequence numbers in the order of their effects: 1, 2, 3, … and nothing twice.
fn assert_each_once_in_order(effects: &[(String, i64)]) {
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for (key, seq) in effects {
        let before = last.insert(key, *seq).unwrap_or_default();
        assert_eq!(*seq, before + 1, "key {key}");
    }
}

/// One transaction that holds its number for a while before it writes events, and for a while after.
async fn write_slowly(db: &Db, writer: usize, turn: usize) -> Result<(), Problem> {
    let tx = db.begin().await?;
    let mark = format!("INSERT INTO effects (key, seq) VALUES ('writer-{writer}', {turn})");
    tx.execute_unprepared(&mark).await?;
    let dawdle = match db.backend() {
        sea_orm::DbBackend::Postgres => "SELECT pg_sleep(random() * 0.02)",
        _ => "SELECT 1",
    };
    tx.execute_unprepared(dawdle).await?;
    let shared = format!("shared-{}", (writer + turn) % 5);
    append(
        &tx,
        SENDER,
        &routes(),
        vec![event(&shared), event(&format!("own-{writer}"))],
    )
    .await?;
    tx.execute_unprepared(dawdle).await?;
    tx.commit().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f4_of_sixteen_writers_with_random_commit_delays_no_event_is_lost() {
    let world = World::new().await;
    let shutdown = CancellationToken::new();
    let relay = working(&world);
    let worker = relay.spawn(shutdown.clone());
    let writers = (0..16).map(|writer| {
        let db = world.sender.db.clone();
        tokio::spawn(async move {
            for turn in 0..25 {
                write_slowly(&db, writer, turn).await.unwrap();
            }
        })
    });
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    delivered(&relay).await;
    shutdown.cancel();
    worker.await.unwrap();
    let effects = world.effects().await;
    assert_eq!(effects.len(), 16 * 25 * 2);
    assert_each_once_in_order(&effects);
    assert_eq!(number(&world.sender.db, "SELECT COUNT(*) FROM outbox_blocked").await, 0);
}

#[tokio::test]
async fn f4_a_transaction_that_began_before_and_writes_to_a_key_after_keeps_the_order() {
    let world = World::new().await;
    if !world.sender.is_postgres() {
        return;
    }
    let early = world.sender.db.begin().await.unwrap();
    early
        .execute_unprepared("INSERT INTO effects (key, seq) VALUES ('early', 1)")
        .await
        .unwrap();
    world.append(&["a"]).await;
    append(&early, SENDER, &routes(), vec![event("a")]).await.unwrap();
    early.commit().await.unwrap();
    assert_eq!(world.relay_all(start()).await, 2);
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("a", 2)]));
}

#[tokio::test]
async fn f4_a_lane_of_a_transaction_that_was_rolled_back_is_made_by_the_next() {
    let world = World::new().await;
    for keep in [false, true] {
        let tx = world.sender.db.begin().await.unwrap();
        append(&tx, SENDER, &routes(), vec![event("a")]).await.unwrap();
        if keep {
            tx.commit().await.unwrap();
        } else {
            drop(tx);
        }
        let lanes = number(&world.sender.db, "SELECT COUNT(*) FROM outbox_lane").await;
        assert_eq!(lanes, i64::from(keep));
    }
    assert_eq!(world.relay_all(start()).await, 1);
}

#[tokio::test]
async fn f5_an_open_transaction_delays_what_came_after_it_and_loses_nothing() {
    let world = World::new().await;
    if !world.sender.is_postgres() {
        return;
    }
    let relay = working(&world);
    world.append(&["a", "b", "c", "slow"]).await;
    delivered_by(&relay, 4).await;
    let idle = world.sender.db.begin().await.unwrap();
    append(&idle, SENDER, &routes(), vec![event("slow")]).await.unwrap();
    world.append(&["a", "b", "c"]).await;
    assert_eq!(relay.run_once(start()).await.unwrap(), 0, "they may not overtake it");
    assert_eq!(
        relay.backlog().await.unwrap()[0].waiting,
        3,
        "the operator sees that they wait"
    );
    idle.commit().await.unwrap();
    let worker = CancellationToken::new();
    let running = relay.spawn(worker.clone());
    delivered(&relay).await;
    worker.cancel();
    running.await.unwrap();
    let expected = ["a", "b", "c", "slow"].map(|key| [(key, 1), (key, 2)]).concat();
    assert_eq!(world.effects().await, pairs(&expected));
}

#[tokio::test]
async fn f6_readers_with_old_snapshots_hold_nothing_up() {
    let world = World::new().await;
    if !world.sender.is_postgres() {
        return;
    }
    let mut readers = Vec::new();
    for _ in 0..4 {
        let reader = world.sender.db.begin().await.unwrap();
        reader
            .execute_unprepared("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            .await
            .unwrap();
        reader.execute_unprepared("SELECT COUNT(*) FROM outbox").await.unwrap();
        readers.push(reader);
    }
    world.append(&["a", "b"]).await;
    assert_eq!(working(&world).run_once(start()).await.unwrap(), 2);
    drop(readers);
}

#[tokio::test]
async fn f9_a_relay_that_stalled_past_its_lease_is_fenced() {
    let world = World::new().await;
    if !world.sender.is_postgres() {
        return;
    }
    let (stalled, other) = (working(&world), working(&world));
    world.append(&["a"]).await;
    assert_eq!(stalled.run_once(start()).await.unwrap(), 1);
    world.append(&["a"]).await;
    assert_eq!(other.run_once(start()).await.unwrap(), 0, "the lane is taken");
    // It stops, and its lease ends.
    sql(&world.sender.db, "UPDATE outbox_lane SET lease_until = 0").await;
    assert_eq!(other.run_once(start()).await.unwrap(), 1);
    world.append(&["a"]).await;
    assert_eq!(
        stalled.run_once(start()).await.unwrap(),
        0,
        "it wakes up, and the lane is another's"
    );
    // It wakes up believing in its lease: the row says that nobody has it, the epoch says who had it last.
    sql(&world.sender.db, "UPDATE outbox_lane SET lease_until = 0").await;
    assert_eq!(stalled.run_once(start()).await.unwrap(), 0, "the receiver refuses it");
    assert_eq!(other.run_once(start()).await.unwrap(), 1);
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("a", 2), ("a", 3)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f9_relays_share_the_lanes_and_take_over_those_of_one_that_ends() {
    let world = World::new().await;
    if !world.sender.is_postgres() {
        return;
    }
    let relays = [working(&world), working(&world)];
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let keys: Vec<String> = (0..40).map(|key| format!("key-{key}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let workers = [relays[0].spawn(first.clone()), relays[1].spawn(second.clone())];
    let owners = "SELECT COUNT(DISTINCT lease_owner) FROM outbox_lane WHERE lease_until > 0";
    let mut appended = 0;
    let shared = async {
        while number(&world.sender.db, owners).await < 2 {
            world.append(&keys).await;
            appended += keys.len();
        }
    };
    tokio::time::timeout(PATIENCE, shared).await.unwrap();
    first.cancel();
    world.append(&keys).await;
    appended += keys.len();
    delivered(&relays[1]).await;
    second.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
    let effects = world.effects().await;
    assert_eq!(effects.len(), appended);
    assert_each_once_in_order(&effects);
}

/// Applies what it is sent and loses every second answer.
struct LosesAnswers {
    inner: Delivery,
    calls: std::sync::atomic::AtomicUsize,
}

#[async_trait::async_trait]
impl DeliveryService for LosesAnswers {
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let answer = self.inner.deliver(request).await?;
        match self.calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 2 {
            0 => Err(Status::unavailable("the answer was lost")),
            _ => Ok(answer),
        }
    }
}

#[tokio::test]
async fn f10_a_receiver_that_dies_between_commit_and_answer_has_applied_once() {
    let world = World::new().await;
    let lossy = LosesAnswers {
        inner: receiver(&world.receiver.db, &world.recorder),
        calls: std::sync::atomic::AtomicUsize::new(0),
    };
    let (address, _server) = serve(Rpcs::new(DeliveryServiceServer::new(lossy))).await;
    let relay = relay(&world.sender.db, &peers(&[(RECEIVER, &address)]), &world.settings);
    world.append(&["a", "b", "a"]).await;
    for seconds in 0..60 {
        relay.run_once(after(seconds * 10)).await.unwrap();
    }
    assert_eq!(relay.backlog().await.unwrap()[0].waiting, 0);
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("b", 1), ("a", 2)]));
}

#[tokio::test]
async fn f10_a_receiver_that_dies_before_its_commit_has_applied_nothing() {
    let world = World::new().await;
    *world.recorder.away.lock().unwrap() = true;
    world.append(&["a", "b"]).await;
    assert_eq!(world.relay_all(start()).await, 0);
    assert_eq!(number(&world.receiver.db, "SELECT COUNT(*) FROM inbox").await, 0);
    assert_eq!(world.effects().await, []);
    *world.recorder.away.lock().unwrap() = false;
    assert_eq!(world.relay_all(after(10)).await, 2);
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("b", 1)]));
}

#[tokio::test]
async fn f13_a_receiver_that_was_away_catches_up_with_all_that_waited() {
    let world = World::new().await;
    *world.recorder.away.lock().unwrap() = true;
    let keys: Vec<String> = (0..50).map(|key| format!("key-{key}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for minute in 0..20 {
        world.append(&keys).await;
        world.relay.run_once(after(minute * 60)).await.unwrap();
    }
    let waiting = world.relay.backlog().await.unwrap()[0].waiting;
    assert_eq!((waiting, world.effects().await.len()), (1000, 0));
    *world.recorder.away.lock().unwrap() = false;
    assert_eq!(world.relay_all(after(3600)).await, 1000);
    assert_each_once_in_order(&world.effects().await);
}

#[tokio::test]
async fn f14_a_log_that_was_moved_to_another_cluster_is_sent_again_and_changes_nothing() {
    let world = World::new().await;
    if !world.sender.is_postgres() {
        return;
    }
    world.append(&["a", "b", "a"]).await;
    assert_eq!(world.relay_all(start()).await, 3);
    // What a dump brings: positions of a cluster that had counted much further.
    for table in [
        "outbox SET txid = txid",
        "outbox_lane SET txid = txid",
        "outbox_seq SET last_txid = last_txid",
    ] {
        sql(&world.sender.db, &format!("UPDATE {table} + 1000000000000")).await;
    }
    sql(&world.sender.db, "UPDATE store_origin SET cluster = 'elsewhere'").await;
    world.append(&["a"]).await;
    let restarted = relay(&world.sender.db, &world.peers, &world.settings);
    let mut sent = 0;
    for _ in 0..3 {
        sent += restarted.run_once(start()).await.unwrap();
    }
    assert_eq!(sent, 4, "all of the log");
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("b", 1), ("a", 2), ("a", 3)]));
    assert_eq!(
        number(&world.sender.db, "SELECT CAST(generation AS BIGINT) FROM store_origin").await,
        2
    );
    world.append(&["a"]).await;
    assert_eq!(restarted.run_once(start()).await.unwrap(), 1, "the new numbers count");
}

#[tokio::test]
async fn f3_a_delivery_that_comes_after_the_marks_were_pruned_is_not_applied_again() {
    let world = World::new().await;
    world.append(&["a", "b", "a"]).await;
    assert_eq!(world.relay_all(start()).await, 3);
    let receiving = relay(&world.receiver.db, &world.peers, &world.settings);
    receiving.run_once(after(15 * 86_400)).await.unwrap();
    assert_eq!(number(&world.receiver.db, "SELECT COUNT(*) FROM inbox").await, 0);
    sql(&world.sender.db, "UPDATE outbox_lane SET txid = 0, position = 0").await;
    let late = relay(&world.sender.db, &world.peers, &world.settings);
    assert_eq!(
        late.run_once(start()).await.unwrap(),
        3,
        "the receiver knows them by their numbers"
    );
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("b", 1), ("a", 2)]));
}
