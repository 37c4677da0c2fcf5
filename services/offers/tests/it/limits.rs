//! What stands in the way of an offer, and how it is explained.

use tonic::Code;
use upswell_proto::{
    ingestion::v1::ticket::Severity,
    offers::v1::{self as pb, gate_verdict::Verdict, offer::State},
    renewals::v1::deal,
    scoring::v1::signal,
    vocabulary::v1::{Channel, Motion, TouchClass},
};

use super::world::{ACCOUNT, SLOT, World, acting, at, request_id, wire};

async fn waiting() -> World {
    let mut world = World::new().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world
}

/// Holds what the account's slot decides now against one gate.
async fn assert_gate(world: &World, gate: &str, rule: &str, verdict: Verdict) {
    let decision = world.explain().await;
    let found = decision.candidates[0].gates.iter().find(|found| found.gate == gate);
    let found = found.unwrap_or_else(|| panic!("no gate {gate}: {decision:#?}"));
    assert_eq!(
        (found.rule_id.as_str(), found.verdict()),
        (rule, verdict),
        "{decision:#?}"
    );
}

#[tokio::test]
async fn c10_a_suppressed_account_is_left_alone() {
    let mut world = waiting().await;
    let suppress = pb::SuppressAccountRequest {
        account_id: ACCOUNT.into(),
        reason: "in dispute".into(),
        expire_time: Some(wire(at("2026-10-14T00:00:00Z"))),
        request_id: request_id("s"),
    };
    let first = world
        .suppressions()
        .suppress_account(acting(suppress.clone(), "csm-1"))
        .await
        .unwrap()
        .into_inner();
    let again = world
        .suppressions()
        .suppress_account(acting(suppress, "csm-1"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);
    assert_eq!(first.suppression.as_ref().unwrap().author, "csm-1");
    world.run_to(SLOT).await;
    assert_eq!(world.all_offers().await, []);
    assert_gate(&world, "suppression", "C-10", Verdict::Block).await;
    let list = pb::ListSuppressionsRequest {
        active_only: true,
        ..Default::default()
    };
    assert_eq!(
        world
            .suppressions()
            .list_suppressions(list)
            .await
            .unwrap()
            .into_inner()
            .suppressions
            .len(),
        1
    );
    // It ends by itself.
    world.run_to("2026-10-14T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Sent).await;
    world.reply("", "+").await;
}

#[tokio::test]
async fn c10_a_lifted_suppression_stands_no_more() {
    let world = waiting().await;
    let suppress = pb::SuppressAccountRequest {
        account_id: ACCOUNT.into(),
        reason: "in dispute".into(),
        expire_time: None,
        request_id: request_id("s"),
    };
    let suppression = world
        .suppressions()
        .suppress_account(suppress)
        .await
        .unwrap()
        .into_inner()
        .suppression
        .unwrap();
    let lift = pb::LiftSuppressionRequest {
        suppression_id: suppression.suppression_id,
        request_id: request_id("l"),
    };
    assert!(
        world
            .suppressions()
            .lift_suppression(lift)
            .await
            .unwrap()
            .into_inner()
            .suppression
            .unwrap()
            .lift_time
            .is_some()
    );
    world.run_to(SLOT).await;
    world.offer(Motion::Capacity, State::Sent).await;
    let unknown = pb::SuppressAccountRequest {
        account_id: "nobody".into(),
        reason: "x".into(),
        expire_time: None,
        request_id: request_id("u"),
    };
    assert_eq!(
        world.suppressions().suppress_account(unknown).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn c10_without_consent_nothing_is_sent() {
    let mut world = waiting().await;
    world.contact(false).await;
    world.run_to(SLOT).await;
    assert_eq!(world.all_offers().await, []);
    assert_gate(&world, "audience", "T-3", Verdict::Block).await;
}

#[tokio::test]
async fn c6_a_touch_of_another_tool_counts() {
    let mut world = waiting().await;
    world.clock.set(at("2026-10-12T04:00:00Z"));
    world.observed(TouchClass::Commercial, "2026-10-12T04:00:00Z").await;
    world.run_to(SLOT).await;
    let offer = world.offer(Motion::Capacity, State::Deferred).await;
    assert_eq!(offer.deferred_until_time, Some(wire(at("2026-10-19T04:00:00Z"))));
    assert_gate(&world, "caps", "C-1", Verdict::Defer).await;
    // C-9: never lost; it goes in the first slot that is legal.
    world.run_to("2026-10-18T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Deferred).await;
    world.run_to("2026-10-19T05:00:00Z").await;
    let sent = world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!(sent.offer_id, offer.offer_id);
}

#[tokio::test]
async fn sc9_problems_come_first() {
    let mut world = waiting().await;
    world.ticket(Severity::Critical, false).await;
    world.run_to(SLOT).await;
    assert_eq!(world.all_offers().await, []);
    assert_gate(&world, "problem_first", "SC-9", Verdict::Block).await;
    world.ticket(Severity::Critical, true).await;
    world.run_to("2026-10-13T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Sent).await;
}

#[tokio::test]
async fn sc9_low_propensity_is_educated_first() {
    let mut world = waiting().await;
    world.score(0.1, 0).await;
    world.run_to(SLOT).await;
    world.offer(Motion::Capacity, State::Deferred).await;
    assert_gate(&world, "education_first", "SC-9", Verdict::Defer).await;
    world.score(0.2, 0).await;
    world.run_to("2026-10-13T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Sent).await;
}

#[tokio::test]
async fn sg_r3_an_offer_without_its_signal_is_withdrawn() {
    let mut world = waiting().await;
    world.score(0.1, 0).await;
    world.run_to(SLOT).await;
    world.offer(Motion::Capacity, State::Deferred).await;
    world.limit_signal(signal::State::Withdrawn).await;
    world.run_to("2026-10-13T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Withdrawn).await;
    assert_eq!(world.spool_count(), 0);
}

#[tokio::test]
async fn c8_a_moved_renewal_takes_the_place_away() {
    let mut world = waiting().await;
    // The place of an approved offer lies ahead, behind a touch of another tool.
    world.profile(true, "csm-1").await;
    world.clock.set(at("2026-10-12T04:00:00Z"));
    world.run_to(SLOT).await;
    let asked = world.approval().await;
    world.observed(TouchClass::Commercial, SLOT).await;
    let approve = pb::ApproveOfferRequest {
        approval_id: asked.approval_id.clone(),
        content_hash: asked.content_hash.clone(),
        comment: String::new(),
        request_id: request_id("a"),
    };
    world.approvals().approve_offer(acting(approve, "csm-1")).await.unwrap();
    let reserved = world.offer(Motion::Capacity, State::Reserved).await;
    let touch = world
        .touches()
        .await
        .into_iter()
        .find(|touch| touch.touch_id == reserved.touch_id)
        .unwrap();
    assert_eq!(touch.planned_time, Some(wire(at("2026-10-19T05:00:00Z"))));
    // C-3: both touches would lie in the last 30 days, where one is allowed.
    world.deal("2026-10-30", deal::Stage::Agreement).await;
    let deferred = world.offer(Motion::Capacity, State::Deferred).await;
    assert_eq!((deferred.touch_id.as_str(), deferred.approval_id.as_str()), ("", ""));
    let touches = world.touches().await;
    let released = touches
        .iter()
        .find(|touch| touch.touch_id == reserved.touch_id)
        .unwrap();
    assert_eq!(released.state(), pb::touch::State::Released);
    assert_eq!(world.approval().await.state(), pb::approval::State::Revoked);
}

#[tokio::test]
async fn c16_a_past_decision_is_shown_as_it_was() {
    let mut world = waiting().await;
    world.run_to(SLOT).await;
    let sent = world.offer(Motion::Capacity, State::Sent).await;
    world.limit_signal(signal::State::Consumed).await;
    world.clock.set(at("2026-10-20T05:00:00Z"));
    let past = |time: &str| pb::ExplainDecisionRequest {
        account_id: ACCOUNT.into(),
        time: Some(wire(at(time))),
    };
    let found = world
        .decisions()
        .explain_decision(past("2026-10-15T00:00:00Z"))
        .await
        .unwrap()
        .into_inner();
    let decision = found.decision.unwrap();
    assert_eq!(decision.winner_offer_id, sent.offer_id);
    assert_eq!(decision.slot_time, Some(wire(at(SLOT))));
    assert_eq!(
        (decision.decision_id, decision.model_version.as_str()),
        (sent.decision_id, "rules-1")
    );
    let candidate = &decision.candidates[0];
    assert!(candidate.won && candidate.gates.len() > 10, "{candidate:#?}");
    assert!(candidate.gates.iter().all(|gate| gate.verdict() == Verdict::Pass));
    let none = world
        .decisions()
        .explain_decision(past("2026-10-12T00:00:00Z"))
        .await
        .unwrap_err();
    assert_eq!(none.code(), Code::NotFound);
}

#[tokio::test]
async fn c12_the_holdout_gets_no_offers() {
    let mut world = World::with(&[("HOLDOUT__SHARE", "1.0")]).await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.ticket_signal().await;
    world.run_to(SLOT).await;
    // Help still comes.
    assert_eq!(world.offer(Motion::Value, State::Sent).await.terms, None);
    assert_eq!(world.all_offers().await.len(), 1);
    let manual = pb::ReserveRequest {
        account_id: ACCOUNT.into(),
        class: TouchClass::Commercial.into(),
        channel: Channel::Email.into(),
        sender: "sales".into(),
        idempotency_key: "by-hand".into(),
        ..Default::default()
    };
    let answer = world
        .ledger()
        .reserve(manual)
        .await
        .unwrap()
        .into_inner()
        .outcome
        .unwrap();
    assert!(
        matches!(answer, pb::reserve_response::Outcome::Granted(_)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn lists_are_paged_by_bound_tokens() {
    let mut world = waiting().await;
    world.ticket_signal().await;
    world.run_to(SLOT).await;
    let page = |size: i32, token: &str| pb::ListOffersRequest {
        page_size: size,
        page_token: token.into(),
        ..Default::default()
    };
    let all = world.all_offers().await;
    assert!(all.len() >= 2, "{all:#?}");
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let answer = world.offers().list_offers(page(1, &token)).await.unwrap().into_inner();
        seen.extend(answer.offers);
        token = answer.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, all);
    let first = world
        .offers()
        .list_offers(page(1, ""))
        .await
        .unwrap()
        .into_inner()
        .next_page_token;
    let mut foreign = page(1, &first);
    foreign.account_id = ACCOUNT.into();
    assert_eq!(
        world.offers().list_offers(foreign).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let unknown = pb::ListOffersRequest {
        states: vec![99],
        ..Default::default()
    };
    assert_eq!(
        world.offers().list_offers(unknown).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}
