//! Decisions can be made again, and the log shows when it was touched (C-16).

use sea_orm::{ConnectionTrait as _, Statement};
use upswell_proto::{
    offers::v1::{self as pb, offer::State},
    scoring::v1::signal,
    vocabulary::v1::Motion,
};

use super::world::{SLOT, World};

/// Three decisions of three days.
async fn decided(more: &[(&str, &str)]) -> World {
    let mut world = World::with(more).await;
    world.known().await;
    world.score(0.1, 0).await;
    world.limit_signal(signal::State::Open).await;
    for time in [SLOT, "2026-10-13T05:00:00Z"] {
        world.run_to(time).await;
    }
    world.offer(Motion::Capacity, State::Deferred).await;
    world.score(0.1 + 0.2, 0).await;
    world.run_to("2026-10-14T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Sent).await;
    world
}

async fn verify(world: &World) -> pb::VerifyDecisionsResponse {
    let answer = world
        .decisions()
        .verify_decisions(pb::VerifyDecisionsRequest::default())
        .await;
    answer.unwrap().into_inner()
}

async fn tamper(world: &World, sql: &str) {
    let tx = world.service.db.begin().await.unwrap();
    let statement = Statement::from_string(tx.get_database_backend(), sql);
    assert!(tx.execute_raw(statement).await.unwrap().rows_affected() > 0, "{sql}");
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn c16_every_decision_is_made_again_exactly() {
    let mut world = decided(&[]).await;
    // What is known now is another matter.
    world.limit_signal(signal::State::Withdrawn).await;
    world.contact(false).await;
    let all = world
        .decisions()
        .list_decisions(pb::ListDecisionsRequest::default())
        .await
        .unwrap();
    let all = all.into_inner().decisions;
    assert!(all.len() >= 3, "{}", all.len());
    for decision in all {
        let request = pb::ReplayDecisionRequest {
            decision_id: decision.decision_id.clone(),
        };
        let replayed = world.decisions().replay_decision(request).await.unwrap().into_inner();
        assert!(replayed.same, "{}", replayed.difference);
        assert_eq!(replayed.decision.unwrap(), decision);
    }
}

#[tokio::test]
async fn c16_a_replay_says_where_it_differs() {
    let world = decided(&[]).await;
    let all = world
        .decisions()
        .list_decisions(pb::ListDecisionsRequest::default())
        .await
        .unwrap();
    let decision_id = all.into_inner().decisions[0].decision_id.clone();
    let text = "REPLACE(document, '\"holdout\":false', '\"holdout\":true')";
    tamper(&world, &format!("UPDATE decision_pictures SET document = {text}")).await;
    let request = pb::ReplayDecisionRequest { decision_id };
    let replayed = world.decisions().replay_decision(request).await.unwrap().into_inner();
    assert!(
        !replayed.same && replayed.difference.contains("holdout"),
        "{}",
        replayed.difference
    );
}

#[tokio::test]
async fn c16_an_untouched_log_is_intact_and_signed() {
    let world = decided(&[("DECISIONS__SIGNING_KEY", "secret")]).await;
    let found = verify(&world).await;
    assert!(found.intact && found.entries >= 3 && found.unsealed == 0, "{found:?}");
    let head = found.head.unwrap();
    assert_eq!(
        (head.entries, head.signature.len(), head.hash.len()),
        (found.entries, 64, 64)
    );
}

#[tokio::test]
async fn c16_heads_of_the_time_before_there_was_a_key_are_not_signed() {
    let world = decided(&[("DECISIONS__SIGNING_KEY", "secret")]).await;
    tamper(&world, "UPDATE decision_heads SET signature = '' WHERE entries = 1").await;
    assert!(verify(&world).await.intact);
}

#[tokio::test]
async fn c16_the_chain_may_be_followed_in_parts() {
    let world = decided(&[("DECISIONS__SIGNING_KEY", "secret")]).await;
    let whole = verify(&world).await;
    assert!(whole.complete);
    let mut request = pb::VerifyDecisionsRequest {
        max_entries: 1,
        ..Default::default()
    };
    let mut parts = 0;
    let last = loop {
        let part = world
            .decisions()
            .verify_decisions(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert!(part.intact, "{part:?}");
        if part.complete {
            break part;
        }
        parts += 1;
        (request.after, request.after_hash) = (part.entries, part.hash);
    };
    assert_eq!(last, whole);
    assert!(parts >= 2, "{parts}");
    // Another beginning is not that of this chain.
    (request.after, request.after_hash) = (1, "0".repeat(64));
    let other = world
        .decisions()
        .verify_decisions(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((other.intact, other.broken_at), (false, 2));
    request.after_hash.clear();
    let nameless = world.decisions().verify_decisions(request).await.unwrap_err();
    assert_eq!(nameless.code(), tonic::Code::InvalidArgument);
}

#[tokio::test]
async fn c16_whatever_is_touched_breaks_the_chain() {
    for (touched, sql, at) in [
        (
            "changed",
            "UPDATE decisions SET document = document || ' ' WHERE place = 2",
            2,
        ),
        (
            "moved",
            "UPDATE decisions SET decided_at = decided_at + 1 WHERE place = 1",
            1,
        ),
        ("removed", "DELETE FROM decisions WHERE place = 2", 2),
        ("cut off", "DELETE FROM decisions WHERE place >= 3", 3),
        (
            "what it knew",
            "UPDATE decision_pictures SET document = document || ' ' WHERE decision_id = \
             (SELECT decision_id FROM decisions WHERE place = 3)",
            3,
        ),
    ] {
        let world = decided(&[("DECISIONS__SIGNING_KEY", "secret")]).await;
        tamper(&world, sql).await;
        let found = verify(&world).await;
        assert_eq!((found.intact, found.broken_at), (false, at), "{touched}: {found:?}");
    }
    // Heads whose signature was taken away, and one that another key signed.
    for (which, at) in [("entries > 0", 1), ("entries = 2", 2)] {
        let world = decided(&[("DECISIONS__SIGNING_KEY", "secret")]).await;
        tamper(
            &world,
            &format!("UPDATE decision_heads SET signature = '' WHERE {which}"),
        )
        .await;
        let found = verify(&world).await;
        assert!(!found.intact && found.broken_at >= at, "{which}: {found:?}");
    }
    let world = decided(&[("DECISIONS__SIGNING_KEY", "secret")]).await;
    let forged = "UPDATE decision_heads SET signature = '00' WHERE entries = (SELECT MAX(entries) FROM decision_heads)";
    tamper(&world, forged).await;
    assert!(!verify(&world).await.intact);
}
