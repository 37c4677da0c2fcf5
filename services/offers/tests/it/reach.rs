//! Whose accounts a CSM may touch, where the access table says: their own.

use std::collections::BTreeSet;

use tonic::Status;
use upswell_proto::offers::v1::{
    self as pb, calendar_service_client::CalendarServiceClient, decline_offer_request::Reason, offer::State,
    offer_service_client::OfferServiceClient, suppression_service_client::SuppressionServiceClient, task::Outcome,
    task_service_client::TaskServiceClient,
};
use upswell_proto::{scoring::v1::signal, vocabulary::v1::Motion};
use upswell_runtime::{
    problem::{Kind, Problem},
    testing::called_by,
};

use super::world::{ACCOUNT, SLOT, World, at, request_id, wire};
use crate::channels::tasks::{queue, support_task};

/// The methods that are tried below.
const TRIED: [&str; 10] = [
    "AcceptOffer",
    "DeclineOffer",
    "EditOffer",
    "PlaceHold",
    "LiftHold",
    "SuppressAccount",
    "LiftSuppression",
    "ClaimTask",
    "SnoozeTask",
    "CompleteTask",
];

/// Refused because of whose it is, and not for anything else.
fn not_yours<T>(answer: Result<T, Status>) -> bool {
    let problem = answer.err().map(Problem::from);
    problem.is_some_and(|problem| (problem.kind(), problem.reason()) == (Kind::PermissionDenied, "NOT_YOURS"))
}

#[test]
fn every_method_that_is_open_for_ones_own_is_tried() {
    let rules = upswell_proto::ACCESS
        .split("\n[rules.")
        .filter(|part| part.starts_with("\"upswell.offers."));
    let lines = rules.flat_map(str::lines).filter(|line| line.contains(" own = ["));
    let open: BTreeSet<_> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(open, BTreeSet::from(TRIED));
}

#[tokio::test]
async fn a_csm_suppresses_only_accounts_that_are_theirs() {
    let mut world = World::new().await;
    world.known().await;
    let client = |name| SuppressionServiceClient::new(called_by(world.service.routes.clone(), name));
    let suppress = |what: &str, account: &str| pb::SuppressAccountRequest {
        account_id: account.into(),
        reason: "they asked".into(),
        expire_time: None,
        request_id: request_id(what),
    };
    for name in ["csm-2", ""] {
        let answer = client(name).suppress_account(suppress("other", ACCOUNT)).await;
        assert!(not_yours(answer), "{name}");
    }
    assert!(not_yours(
        client("csm-1").suppress_account(suppress("none", "nobody")).await
    ));
    let made = client("csm-1").suppress_account(suppress("own", ACCOUNT)).await;
    let made = made.unwrap().into_inner().suppression.unwrap();
    assert_eq!(made.author, "csm-1");
    let lift = |what: &str| pb::LiftSuppressionRequest {
        suppression_id: made.suppression_id.clone(),
        request_id: request_id(what),
    };
    assert!(not_yours(client("csm-2").lift_suppression(lift("other lift")).await));
    assert!(client("csm-1").lift_suppression(lift("own lift")).await.is_ok());
}

#[tokio::test]
async fn a_csm_keeps_only_their_own_accounts_free() {
    let mut world = World::new().await;
    world.known().await;
    let client = |name| CalendarServiceClient::new(called_by(world.service.routes.clone(), name));
    let place = |what: &str| pb::PlaceHoldRequest {
        account_id: ACCOUNT.into(),
        reason: "board meeting".into(),
        start_time: None,
        end_time: Some(wire(at("2026-11-01T00:00:00Z"))),
        request_id: request_id(what),
    };
    assert!(not_yours(client("csm-2").place_hold(place("other")).await));
    let placed = client("csm-1").place_hold(place("own")).await.unwrap();
    let hold_id = placed.into_inner().hold.unwrap().hold_id;
    let lift = |what: &str| pb::LiftHoldRequest {
        hold_id: hold_id.clone(),
        request_id: request_id(what),
    };
    assert!(not_yours(client("csm-2").lift_hold(lift("other lift")).await));
    assert!(client("csm-1").lift_hold(lift("own lift")).await.is_ok());
}

fn accept(offer_id: &str, what: &str) -> pb::AcceptOfferRequest {
    pb::AcceptOfferRequest {
        offer_id: offer_id.into(),
        request_id: request_id(what),
    }
}

fn decline(offer_id: &str) -> pb::DeclineOfferRequest {
    pb::DeclineOfferRequest {
        offer_id: offer_id.into(),
        request_id: request_id("decline"),
        reason: Reason::Price.into(),
        ..Default::default()
    }
}

fn edit(offer_id: &str) -> pb::EditOfferRequest {
    pb::EditOfferRequest {
        offer_id: offer_id.into(),
        subject: "Other words".into(),
        body: "Quite other words.".into(),
        request_id: request_id("edit"),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_csm_answers_only_for_accounts_that_are_theirs() {
    let mut world = World::new().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    let client = |name| OfferServiceClient::new(called_by(world.service.routes.clone(), name));
    // One that is not there is not told from one of somebody else.
    for (name, offer_id) in [("csm-2", offer.offer_id.clone()), ("csm-1", request_id("no offer"))] {
        assert!(
            not_yours(client(name).accept_offer(accept(&offer_id, "other")).await),
            "{name}"
        );
        assert!(
            not_yours(client(name).decline_offer(decline(&offer_id)).await),
            "{name}"
        );
        assert!(not_yours(client(name).edit_offer(edit(&offer_id)).await), "{name}");
    }
    let accepted = client("csm-1")
        .accept_offer(accept(&offer.offer_id, "own"))
        .await
        .unwrap();
    assert_eq!(accepted.into_inner().offer.unwrap().state(), State::Accepted);
}

#[tokio::test]
async fn a_csm_does_only_the_tasks_of_accounts_that_are_theirs() {
    let world = support_task().await;
    let task = queue(&world, "csm-1").await.remove(0);
    let client = |name| TaskServiceClient::new(called_by(world.service.routes.clone(), name));
    let claim = |what: &str| pb::ClaimTaskRequest {
        task_id: task.task_id.clone(),
        etag: task.etag.clone(),
        request_id: request_id(what),
    };
    let snooze = pb::SnoozeTaskRequest {
        task_id: task.task_id.clone(),
        snooze_time: Some(wire(at("2026-10-20T05:00:00Z"))),
        etag: task.etag.clone(),
        request_id: request_id("snooze"),
    };
    let complete = pb::CompleteTaskRequest {
        task_id: task.task_id.clone(),
        outcome: Outcome::Talked.into(),
        etag: task.etag.clone(),
        request_id: request_id("complete"),
        ..Default::default()
    };
    let mut other = client("csm-2");
    assert!(not_yours(other.claim_task(claim("other")).await));
    assert!(not_yours(other.snooze_task(snooze).await));
    assert!(not_yours(other.complete_task(complete).await));
    assert!(client("csm-1").claim_task(claim("own")).await.is_ok());
}
