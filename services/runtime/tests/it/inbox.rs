//! The delivery service called directly, as a relay that misbehaves would.

use prost::{Message as _, Name as _};
use prost_types::Timestamp as WireTime;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use upswell_proto::{
    admin::v1::DeadLetter,
    delivery::v1::{DeliverRequest, Event, delivery_service_client::DeliveryServiceClient, event_result::Outcome},
};
use upswell_runtime::ids;

use crate::world::*;

fn wire(key: &str, sequence: i64) -> Event {
    Event {
        event_id: ids::derive("event", &[SENDER, RECEIVER, key, &sequence.to_string()]).to_string(),
        key: key.into(),
        sequence,
        topic: DeadLetter::full_name(),
        payload: DeadLetter {
            key: key.into(),
            ..DeadLetter::default()
        }
        .encode_to_vec(),
        occur_time: Some(WireTime {
            seconds: 1_772_442_000,
            nanos: 0,
        }),
        ..Event::default()
    }
}

fn batch(events: &[(&str, i64)]) -> DeliverRequest {
    let events = events.iter().map(|(key, sequence)| wire(key, *sequence)).collect();
    DeliverRequest {
        source: SENDER.into(),
        shard: 0,
        lease_epoch: 1,
        events,
    }
}

async fn deliver(world: &World, request: DeliverRequest) -> Result<Vec<Outcome>, Status> {
    let mut client = DeliveryServiceClient::new(world.peers.channel(RECEIVER).unwrap());
    let response = client.deliver(Request::new(request)).await?.into_inner();
    Ok(response.results.iter().map(|result| result.outcome()).collect())
}

#[tokio::test]
async fn f1_a_batch_delivered_a_hundred_times_has_one_effect() {
    let world = World::new().await;
    let request = batch(&[("a", 1), ("b", 1), ("a", 2)]);
    assert_eq!(deliver(&world, request.clone()).await.unwrap(), [Outcome::Applied; 3]);
    for _ in 1..100 {
        assert_eq!(deliver(&world, request.clone()).await.unwrap(), [Outcome::Duplicate; 3]);
    }
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("b", 1), ("a", 2)]));
}

#[tokio::test]
async fn f1_the_same_batch_at_the_same_time_has_one_effect() {
    let world = World::new().await;
    let request = batch(&[("a", 1), ("a", 2)]);
    let calls = (0..16).map(|_| deliver(&world, request.clone()));
    let results: Vec<_> = futures::future::join_all(calls)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        results
            .iter()
            .filter(|result| **result == [Outcome::Applied; 2])
            .count(),
        1
    );
    assert_eq!(world.effects().await, pairs(&[("a", 1), ("a", 2)]));
}

#[tokio::test]
async fn f2_gaps_and_shuffles_wait_for_what_is_missing() {
    use Outcome::{Applied, Duplicate, OutOfOrder};
    let world = World::new().await;
    assert_eq!(
        deliver(&world, batch(&[("a", 2), ("b", 1)])).await.unwrap(),
        [OutOfOrder, Applied]
    );
    let shuffled = batch(&[("a", 3), ("a", 1), ("b", 1), ("a", 2), ("b", 3)]);
    assert_eq!(
        deliver(&world, shuffled).await.unwrap(),
        [OutOfOrder, Applied, Duplicate, Applied, OutOfOrder]
    );
    assert_eq!(
        deliver(&world, batch(&[("a", 3), ("b", 2), ("b", 3)])).await.unwrap(),
        [Applied; 3]
    );
    assert_eq!(
        world.effects().await,
        pairs(&[("b", 1), ("a", 1), ("a", 2), ("a", 3), ("b", 2), ("b", 3)])
    );
}

#[tokio::test]
async fn f7_a_failing_event_is_alone_in_its_batch() {
    use Outcome::{Applied, OutOfOrder, Refused, Retry};
    let world = World::new().await;
    world.recorder.poison.lock().unwrap().insert("bad".into());
    let mut request = batch(&[("a", 1), ("bad", 1), ("bad", 2), ("b", 1), ("c", 1), ("d", 1)]);
    request.events[4].topic = "no.such.Topic".into();
    request.events[5].payload = vec![0xff];
    let expected = [Applied, Retry, OutOfOrder, Applied, Refused, Refused];
    assert_eq!(deliver(&world, request).await.unwrap(), expected);
    assert_eq!(
        world.effects().await,
        pairs(&[("a", 1), ("b", 1)]),
        "what failed left nothing behind"
    );
    assert_eq!(number(&world.receiver.db, "SELECT COUNT(*) FROM inbox").await, 2);
    world.recorder.poison.lock().unwrap().clear();
    assert_eq!(
        deliver(&world, batch(&[("bad", 1), ("bad", 2)])).await.unwrap(),
        [Applied; 2]
    );
}

#[tokio::test]
async fn f9_a_relay_that_lost_its_lease_is_refused() {
    let world = World::new().await;
    let at = |epoch, events: &[_]| DeliverRequest {
        lease_epoch: epoch,
        ..batch(events)
    };
    deliver(&world, at(2, &[("a", 1)])).await.unwrap();
    let refused = deliver(&world, at(1, &[("a", 2)])).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "RELAY_FENCED");
    deliver(&world, at(2, &[("a", 2)])).await.unwrap();
    let other_shard = DeliverRequest {
        shard: 1,
        ..at(1, &[("b", 1)])
    };
    deliver(&world, other_shard).await.unwrap();
}

#[tokio::test]
async fn a_malformed_envelope_is_refused_whole_with_all_faults() {
    let world = World::new().await;
    let wrong = Event {
        event_id: "x".into(),
        key: "a\0".into(),
        topic: String::new(),
        occur_time: None,
        ..wire("a", 0)
    };
    let request = DeliverRequest {
        source: String::new(),
        shard: 0,
        lease_epoch: 0,
        events: vec![wire("b", 1), wrong],
    };
    let status = deliver(&world, request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let violations = status.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = violations.into_iter().map(|violation| violation.field).collect();
    let expected = ["event_id", "key", "topic", "sequence", "occur_time"].map(|field| format!("events[1].{field}"));
    assert_eq!(
        fields,
        [&["source".into(), "lease_epoch".into()], &expected[..]].concat()
    );
    assert_eq!(world.effects().await, []);
    deliver(
        &world,
        DeliverRequest {
            events: Vec::new(),
            ..batch(&[])
        },
    )
    .await
    .unwrap_err();
}
