//! The operator's view: what waits, what is parked, and sending it again.

use tokio_util::sync::DropGuard;
use tonic::{Code, service::Routes as Rpcs};
use upswell_proto::admin::v1::{
    DeadLetter, GetOutboxStatusRequest, ListDeadLettersRequest, RequeueDeadLetterRequest,
    admin_service_client::AdminServiceClient,
};
use upswell_runtime::{admin::admin_server, client::Traced, clock::Clock, ids};

use crate::world::*;

async fn admin(world: &World) -> (AdminServiceClient<Traced>, DropGuard) {
    let rpcs = Rpcs::new(admin_server(world.sender.db.clone(), Clock::manual(start())));
    let (address, server) = serve(rpcs).await;
    (
        AdminServiceClient::new(peers(&[("self", &address)]).channel("self").unwrap()),
        server,
    )
}

/// Parks the first events of `keys`.
async fn park(world: &World, keys: &[&str]) {
    world
        .recorder
        .poison
        .lock()
        .unwrap()
        .extend(keys.iter().map(|key| (*key).to_owned()));
    world.append(keys).await;
    for seconds in [0, 10, 20] {
        world.relay_all(after(seconds)).await;
    }
}

fn requeue(event_id: &str, request: &str) -> RequeueDeadLetterRequest {
    let request_id = ids::derive("test", &[request]).to_string();
    RequeueDeadLetterRequest {
        event_id: event_id.to_owned(),
        request_id,
    }
}

async fn letters(client: &mut AdminServiceClient<Traced>, page_size: i32) -> Vec<DeadLetter> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListDeadLettersRequest {
            destination: String::new(),
            page_size,
            page_token,
        };
        let page = client.list_dead_letters(request).await.unwrap().into_inner();
        assert!(page.dead_letters.len() <= 2);
        all.extend(page.dead_letters);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

#[tokio::test]
async fn the_status_counts_what_waits_and_what_is_parked() {
    let world = World::new().await;
    let (mut client, _server) = admin(&world).await;
    let mut status = async || {
        client
            .get_outbox_status(GetOutboxStatusRequest {})
            .await
            .unwrap()
            .into_inner()
    };
    assert_eq!(status().await.destinations, []);
    park(&world, &["x", "y"]).await;
    world.append(&["a", "x", "b"]).await;
    let destinations = status().await.destinations;
    let [only] = destinations.as_slice() else {
        panic!("{destinations:?}")
    };
    assert_eq!(
        (only.destination.as_str(), only.backlog, only.parked, only.blocked_keys),
        (RECEIVER, 2, 2, 1)
    );
    assert_eq!(only.oldest_occur_time.unwrap().seconds, start().as_second());
}

#[tokio::test]
async fn dead_letters_are_listed_by_pages_with_their_bytes() {
    let world = World::new().await;
    let (mut client, _server) = admin(&world).await;
    park(&world, &["v", "w", "x", "y", "z"]).await;
    let all = letters(&mut client, 2).await;
    let keys: Vec<_> = all.iter().map(|letter| letter.key.as_str()).collect();
    assert_eq!(keys, ["v", "w", "x", "y", "z"]);
    let first = &all[0];
    assert_eq!(
        (first.sequence, first.attempts, first.destination.as_str()),
        (1, 3, RECEIVER)
    );
    assert_eq!(
        (first.topic.as_str(), &first.payload),
        ("upswell.admin.v1.DeadLetter", &event("v").payload)
    );
    assert_eq!(first.error, "OUTCOME_RETRY: INTERNAL: internal error");
    assert!(first.park_time.is_some());
}

#[tokio::test]
async fn a_page_token_belongs_to_its_filter() {
    let world = World::new().await;
    let (mut client, _server) = admin(&world).await;
    park(&world, &["x", "y"]).await;
    let first = ListDeadLettersRequest {
        page_size: 1,
        ..ListDeadLettersRequest::default()
    };
    let page_token = client
        .list_dead_letters(first)
        .await
        .unwrap()
        .into_inner()
        .next_page_token;
    let other = ListDeadLettersRequest {
        destination: RECEIVER.into(),
        page_size: 1,
        page_token,
    };
    assert_eq!(
        client.list_dead_letters(other).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_requeued_event_comes_before_those_that_waited_behind_it() {
    let world = World::new().await;
    let (mut client, _server) = admin(&world).await;
    park(&world, &["x"]).await;
    world.append(&["x", "a", "x"]).await;
    world.relay_all(after(30)).await;
    world.recorder.poison.lock().unwrap().clear();
    let event_id = letters(&mut client, 2).await[0].event_id.clone();
    client.requeue_dead_letter(requeue(&event_id, "1")).await.unwrap();
    world.append(&["x"]).await;
    assert_eq!(world.relay_all(after(30)).await, 4);
    assert_eq!(
        world.effects().await,
        pairs(&[("a", 1), ("x", 1), ("x", 2), ("x", 3), ("x", 4)])
    );
    assert_eq!(letters(&mut client, 2).await, []);
    client.requeue_dead_letter(requeue(&event_id, "1")).await.unwrap();
    assert_eq!(
        client
            .requeue_dead_letter(requeue(&event_id, "2"))
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn requeueing_what_still_fails_parks_it_again() {
    let world = World::new().await;
    let (mut client, _server) = admin(&world).await;
    park(&world, &["x"]).await;
    let event_id = letters(&mut client, 2).await[0].event_id.clone();
    client.requeue_dead_letter(requeue(&event_id, "1")).await.unwrap();
    for seconds in [100, 200, 300] {
        world.relay_all(after(seconds)).await;
    }
    assert_eq!(letters(&mut client, 2).await[0].event_id, event_id);
    assert_eq!(
        client.requeue_dead_letter(requeue("x", "3")).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}
