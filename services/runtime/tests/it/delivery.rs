//! Outbox → relay → gRPC → inbox.

use std::{sync::Arc, time::Duration};

use prost::Message as _;
use tonic::service::Routes as Rpcs;
use upswell_proto::admin::v1::{DeadLetter, OutboxDestination};
use upswell_runtime::{
    clock::Clock,
    outbox::{MAX_PAYLOAD, NewEvent, append},
    relay::{Relay, RelaySettings},
};

use crate::world::*;

#[tokio::test]
async fn events_arrive_once_and_in_the_order_of_their_key() {
    let world = World::new().await;
    world.append(&["a", "b", "a"]).await;
    world.append(&["a", "c"]).await;
    assert_eq!(world.relay_all(start()).await, 5);
    assert_eq!(
        world.effects().await,
        pairs(&[("a", 1), ("b", 1), ("a", 2), ("a", 3), ("c", 1)])
    );
    assert_eq!(world.relay.run_once(after(60)).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_rolled_back_is_never_sent() {
    let world = World::new().await;
    let tx = world.sender.db.begin().await.unwrap();
    append(&tx, SENDER, &routes(), vec![event("a")]).await.unwrap();
    drop(tx);
    world.append(&["a"]).await;
    assert_eq!(world.relay_all(start()).await, 1);
    assert_eq!(world.effects().await, pairs(&[("a", 1)]));
}

#[tokio::test]
async fn an_event_goes_to_each_destination_of_its_topic_with_numbers_of_its_own() {
    let world = World::new().await;
    let routes = routes().to("upswell.admin.v1.DeadLetter", &["elsewhere"]);
    let tx = world.sender.db.begin().await.unwrap();
    append(&tx, SENDER, &routes, vec![event("a"), event("a")])
        .await
        .unwrap();
    let other = NewEvent::of("a", start(), &OutboxDestination::default());
    append(&tx, SENDER, &routes, vec![other, event("a")]).await.unwrap();
    tx.commit().await.unwrap();
    for (dest, last) in [("receiver", 4), ("elsewhere", 3)] {
        let query = format!("SELECT last_seq FROM outbox_seq WHERE dest = '{dest}' AND key = 'a'");
        assert_eq!(number(&world.sender.db, &query).await, last, "{dest}");
    }
}

#[tokio::test]
async fn an_event_that_cannot_travel_is_not_written() {
    let world = World::new().await;
    let huge = NewEvent {
        payload: vec![0; MAX_PAYLOAD + 1],
        ..event("a")
    };
    let lost = NewEvent {
        topic: "no.such.Topic".into(),
        ..event("a")
    };
    for wrong in [huge, lost, event("")] {
        append_all(&world.sender.db, vec![event("b"), wrong]).await.unwrap_err();
    }
    assert_eq!(number(&world.sender.db, "SELECT COUNT(*) FROM outbox").await, 0);
}

#[tokio::test]
async fn a_long_log_goes_in_batches_bounded_by_count_and_size() {
    let world = World::new().await;
    let keys: Vec<String> = (0..1300).map(|index| format!("key-{}", index % 7)).collect();
    append_all(&world.sender.db, keys.iter().map(|key| event(key)).collect())
        .await
        .unwrap();
    // PostgreSQL sends a batch of each of its shards at a time.
    let first = world.relay.run_once(start()).await.unwrap();
    assert!(first == 500 || world.sender.is_postgres());
    assert_eq!(first + world.relay_all(start()).await, 1300);
    let large = |index: i32| {
        let letter = DeadLetter {
            key: format!("l{index}"),
            payload: vec![7; 200_000],
            ..DeadLetter::default()
        };
        NewEvent {
            payload: letter.encode_to_vec(),
            ..event(&letter.key)
        }
    };
    append_all(&world.sender.db, (0..25).map(large).collect())
        .await
        .unwrap();
    let first = world.relay.run_once(start()).await.unwrap();
    assert!(first == 10 || world.sender.is_postgres());
    assert_eq!(first + world.relay_all(start()).await, 25);
}

#[tokio::test]
async fn f11_a_crash_between_answer_and_cursor_sends_again_and_changes_nothing() {
    let world = World::new().await;
    world.append(&["a", "b", "a"]).await;
    assert_eq!(world.relay_all(start()).await, 3);
    // The crash: the answer had come, the cursor had not moved.
    sql(&world.sender.db, "UPDATE outbox_lane SET txid = 0, position = 0").await;
    let restarted = relay(&world.sender.db, &world.peers, &world.settings);
    assert_eq!(restarted.run_once(start()).await.unwrap(), 3);
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("b", 1), ("a", 2)]));
}

#[tokio::test]
async fn f7_a_poison_event_is_parked_and_the_other_keys_flow() {
    let world = World::new().await;
    world.recorder.poison.lock().unwrap().insert("bad".into());
    world.append(&["bad", "good", "bad"]).await;
    assert_eq!(world.relay_all(start()).await, 1);
    world.append(&["good", "bad"]).await;
    assert_eq!(world.relay_all(start()).await, 1, "the key waits for its time");
    for seconds in [1, 2, 3, 60, 600] {
        assert_eq!(world.relay_all(after(seconds)).await, 0);
    }
    assert_eq!(world.effects().await, pairs(&[("good", 1), ("good", 2)]));
    let backlog = world.relay.backlog().await.unwrap();
    assert_eq!(
        (backlog[0].waiting, backlog[0].parked, backlog[0].blocked_keys),
        (0, 1, 1)
    );
    assert_eq!(
        number(&world.sender.db, "SELECT CAST(attempts AS BIGINT) FROM outbox_blocked").await,
        3
    );
}

#[tokio::test]
async fn a_flaky_event_holds_its_key_until_it_works() {
    let world = World::new().await;
    // A delivery of several events calls the handler twice for one that fails: in the batch, and alone.
    world.recorder.flaky.lock().unwrap().insert(("a".into(), 2), 4);
    world.append(&["a", "a", "a", "b"]).await;
    assert_eq!(world.relay_all(start()).await, 2);
    world.append(&["a", "b"]).await;
    assert_eq!(world.relay_all(start()).await, 1);
    let backlog = world.relay.backlog().await.unwrap();
    assert_eq!(
        (backlog[0].waiting, backlog[0].parked, backlog[0].oldest_at),
        (3, 0, Some(start().as_microsecond()))
    );
    assert_eq!(world.relay_all(after(1)).await, 0, "the second failure");
    assert_eq!(world.relay_all(after(2)).await, 0, "the pause has doubled");
    assert_eq!(world.relay_all(after(3)).await, 3);
    let effects = world.effects().await;
    assert_eq!(
        effects,
        pairs(&[("a", 1), ("b", 1), ("b", 2), ("a", 2), ("a", 3), ("a", 4)])
    );
    assert_eq!(number(&world.sender.db, "SELECT COUNT(*) FROM outbox_blocked").await, 0);
}

#[tokio::test]
async fn many_flaky_keys_end_complete_and_in_order() {
    let settings = RelaySettings {
        batch: 7,
        max_attempts: 9,
        backoff_ms: 1000,
        ..RelaySettings::default()
    };
    let world = World::with(settings).await;
    for key in 0..5 {
        for seq in 1..=20 {
            let times = u32::try_from((key * 7 + seq * 3) % 4).unwrap();
            world
                .recorder
                .flaky
                .lock()
                .unwrap()
                .insert((key.to_string(), seq), times);
        }
    }
    for _ in 0..20 {
        world.append(&["0", "1", "2", "3", "4"]).await;
        world.relay.run_once(start()).await.unwrap();
    }
    for step in 1..500 {
        world.relay.run_once(after(step * 10)).await.unwrap();
    }
    let effects = world.effects().await;
    assert_eq!(effects.len(), 100);
    for key in 0..5 {
        let seqs: Vec<i64> = effects
            .iter()
            .filter(|(of, _)| *of == key.to_string())
            .map(|(_, seq)| *seq)
            .collect();
        assert_eq!(seqs, (1..=20).collect::<Vec<_>>(), "key {key}");
    }
}

#[tokio::test]
async fn f8_a_topic_that_the_receiver_does_not_know_is_parked_at_once_with_its_bytes() {
    let world = World::new().await;
    let strange = OutboxDestination {
        destination: "x".into(),
        ..OutboxDestination::default()
    };
    let unreadable = NewEvent {
        payload: vec![0xff, 0xff],
        ..event("b")
    };
    append_all(
        &world.sender.db,
        vec![NewEvent::of("a", start(), &strange), event("c"), unreadable],
    )
    .await
    .unwrap();
    assert_eq!(world.relay_all(start()).await, 1);
    assert_eq!(world.relay.backlog().await.unwrap()[0].parked, 2);
    assert_eq!(world.effects().await, pairs(&[("c", 1)]));
}

#[tokio::test]
async fn a_handler_that_panics_stops_its_key_only() {
    let world = World::new().await;
    world.recorder.panics.lock().unwrap().insert("bad".into());
    world.append(&["good", "bad", "good"]).await;
    assert_eq!(world.relay_all(start()).await, 2);
    assert_eq!(world.effects().await, pairs(&[("good", 1), ("good", 2)]));
}

#[tokio::test]
async fn a_receiver_without_store_costs_no_attempts() {
    let world = World::new().await;
    *world.recorder.away.lock().unwrap() = true;
    world.append(&["a"]).await;
    for seconds in 0..100 {
        assert_eq!(world.relay_all(after(seconds * 60)).await, 0);
    }
    assert_eq!(number(&world.sender.db, "SELECT COUNT(*) FROM outbox_blocked").await, 0);
    *world.recorder.away.lock().unwrap() = false;
    assert_eq!(world.relay_all(after(100_000)).await, 1);
}

#[tokio::test]
async fn a_destination_that_is_away_is_left_alone_for_a_while() {
    let world = World::new().await;
    let (address, server) = serve(Rpcs::new(delivery(&world.receiver.db, &world.recorder))).await;
    drop(server);
    let nowhere = relay(
        &world.sender.db,
        &peers(&[(RECEIVER, "http://127.0.0.1:1")]),
        &world.settings,
    );
    let unknown = relay(&world.sender.db, &peers(&[("other", &address)]), &world.settings);
    world.append(&["a"]).await;
    assert_eq!(nowhere.run_once(start()).await.unwrap(), 0);
    assert_eq!(unknown.run_once(start()).await.unwrap(), 0);
    assert_eq!(world.relay_all(start()).await, 1);
}

#[tokio::test]
async fn f9_only_the_newest_relay_moves_the_cursor() {
    let world = World::new().await;
    world.append(&["a"]).await;
    assert_eq!(world.relay_all(start()).await, 1);
    let newer = relay(&world.sender.db, &world.peers, &world.settings);
    world.append(&["a"]).await;
    assert_eq!(newer.run_once(start()).await.unwrap(), 1);
    world.append(&["a"]).await;
    assert_eq!(
        world.relay.run_once(start()).await.unwrap(),
        0,
        "the older one is refused"
    );
    assert_eq!(newer.run_once(start()).await.unwrap(), 1);
    world.append(&["a"]).await;
    assert_eq!(
        world.relay.run_once(after(1)).await.unwrap(),
        1,
        "it may take the lease again"
    );
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("a", 2), ("a", 3), ("a", 4)]));
}

#[tokio::test]
async fn delivered_events_are_pruned_and_waiting_ones_are_not() {
    let world = World::new().await;
    world.recorder.poison.lock().unwrap().insert("bad".into());
    world.append(&["a", "bad", "b", "bad"]).await;
    world.relay_all(start()).await;
    assert_eq!(number(&world.sender.db, "SELECT COUNT(*) FROM outbox").await, 4);
    world.relay_all(after(8 * 86_400)).await;
    assert_eq!(number(&world.sender.db, "SELECT COUNT(*) FROM outbox").await, 2);
    world.append(&["a"]).await;
    assert_eq!(world.relay_all(after(8 * 86_400)).await, 1, "ids are not used twice");
}

#[tokio::test]
async fn a_spawned_relay_is_woken_by_the_commit() {
    let world = World::new().await;
    let shutdown = tokio_util::sync::CancellationToken::new();
    let inbox: Arc<tokio::sync::Notify> = Arc::default();
    let server = upswell_runtime::inbox::delivery_server(
        world.receiver.db.clone(),
        Arc::<Recorder>::clone(&world.recorder),
        Arc::clone(&inbox),
        upswell_runtime::telemetry::OutboxTrace::Parent,
    );
    let (address, _server) = serve(Rpcs::new(server)).await;
    let relay = Relay::new(
        world.sender.db.clone(),
        SENDER,
        peers(&[(RECEIVER, &address)]),
        RelaySettings {
            poll_ms: 3_600_000,
            ..world.settings.clone()
        },
        Clock::system(),
    );
    let worker = relay.spawn(shutdown.clone());
    let applied = inbox.notified();
    tokio::pin!(applied);
    applied.as_mut().enable();
    world.append(&["a"]).await;
    tokio::time::timeout(Duration::from_secs(20), applied).await.unwrap();
    assert_eq!(world.effects().await, pairs(&[("a", 1)]));
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_destination_that_failed_is_not_called_before_its_time() {
    let world = World::new().await;
    *world.recorder.away.lock().unwrap() = true;
    world.append(&["a"]).await;
    assert_eq!(world.relay.run_once(start()).await.unwrap(), 0);
    *world.recorder.away.lock().unwrap() = false;
    assert_eq!(
        world.relay.run_once(start()).await.unwrap(),
        0,
        "it would take events, but is left alone"
    );
    assert_eq!(world.relay.run_once(after(1)).await.unwrap(), 1);
}
