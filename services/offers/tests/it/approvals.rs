//! Enterprise offers wait for a person (C-14).

use tonic::{Code, Status};
use upswell_proto::{
    ingestion::v1::ticket::Severity,
    offers::v1::{self as pb, approval, offer::State, touch},
    scoring::v1::signal,
    vocabulary::v1::{Motion, TouchClass},
};

use super::world::{SLOT, World, acting, at, request_id, wire};

/// An enterprise account whose offer waits for `csm`, or the lead.
pub(crate) async fn asked_of(csm: &str) -> (World, pb::Approval) {
    let mut world = World::new().await;
    world.known().await;
    world.profile(true, csm).await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    let approval = world.approval().await;
    (world, approval)
}

pub(crate) fn approve(approval: &pb::Approval) -> pb::ApproveOfferRequest {
    pb::ApproveOfferRequest {
        approval_id: approval.approval_id.clone(),
        content_hash: approval.content_hash.clone(),
        comment: "go".into(),
        request_id: request_id("approve"),
    }
}

pub(crate) fn reject(approval: &pb::Approval) -> pb::RejectOfferRequest {
    pb::RejectOfferRequest {
        approval_id: approval.approval_id.clone(),
        comment: "not now".into(),
        request_id: request_id("reject"),
    }
}

pub(crate) async fn try_approve(world: &World, approval: &pb::Approval, actor: &str) -> Result<pb::Approval, Status> {
    let answer = world
        .approvals()
        .approve_offer(acting(approve(approval), actor))
        .await?;
    Ok(answer.into_inner().approval.unwrap())
}

#[tokio::test]
async fn c14_the_csm_is_asked_and_the_offer_waits() {
    let (world, approval) = asked_of("csm-1").await;
    assert_eq!(
        (approval.approver_id.as_str(), approval.author.as_str()),
        ("csm-1", "autopilot")
    );
    // Two business days from Monday.
    assert_eq!(approval.expire_time, Some(wire(at("2026-10-14T05:00:00Z"))));
    let offer = world.offer(Motion::Capacity, State::AwaitingApproval).await;
    assert_eq!(approval.snapshot.as_ref().unwrap().message, offer.message);
    assert_eq!((world.touches().await, world.spool_count()), (vec![], 0));

    world.clock.set(at("2026-10-13T09:30:00Z"));
    assert_eq!(
        try_approve(&world, &approval, "csm-1").await.unwrap().state(),
        approval::State::Approved
    );
    world.offer(Motion::Capacity, State::Reserved).await;
    // Asked again with the same id: the same answer.
    assert_eq!(
        try_approve(&world, &approval, "csm-1").await.unwrap().state(),
        approval::State::Approved
    );
    world.run().await;
    let sent = world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!(sent.send_time, Some(wire(at("2026-10-13T09:30:00Z"))));
    assert_eq!(world.approval().await.state(), approval::State::Consumed);
    assert_eq!(world.touches().await[0].state(), touch::State::Confirmed);
}

#[tokio::test]
async fn c14_only_the_named_approver_decides() {
    let (world, approval) = asked_of("csm-1").await;
    let nobody = world.approvals().approve_offer(approve(&approval)).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
    for (actor, code) in [("csm-2", Code::PermissionDenied), ("autopilot", Code::PermissionDenied)] {
        assert_eq!(
            try_approve(&world, &approval, actor).await.unwrap_err().code(),
            code,
            "{actor}"
        );
        let rejected = world
            .approvals()
            .reject_offer(acting(reject(&approval), actor))
            .await
            .unwrap_err();
        assert_eq!(rejected.code(), code, "{actor}");
    }
    world.offer(Motion::Capacity, State::AwaitingApproval).await;
}

#[tokio::test]
async fn c14_without_a_csm_the_lead_decides() {
    let (world, approval) = asked_of("").await;
    assert_eq!(approval.approver_id, "lead");
    try_approve(&world, &approval, "lead").await.unwrap();
}

#[tokio::test]
async fn c14_a_rejected_offer_is_not_sent_and_rests() {
    let (mut world, approval) = asked_of("csm-1").await;
    let wordless = pb::RejectOfferRequest {
        comment: " ".into(),
        ..reject(&approval)
    };
    let wordless = world
        .approvals()
        .reject_offer(acting(wordless, "csm-1"))
        .await
        .unwrap_err();
    assert_eq!(wordless.code(), Code::InvalidArgument);
    world
        .approvals()
        .reject_offer(acting(reject(&approval), "csm-1"))
        .await
        .unwrap();
    let rejected = world.offer(Motion::Capacity, State::Rejected).await;
    assert_eq!(rejected.close_reason, "not now");
    let late = try_approve(&world, &approval, "csm-1").await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);
    world.limit_signal(signal::State::Open).await;
    world.run_to("2026-11-12T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Rejected).await;
    assert_eq!(world.spool_count(), 0);
}

#[tokio::test]
async fn c14_only_what_was_seen_is_approved() {
    let (world, approval) = asked_of("csm-1").await;
    let other = pb::Approval {
        content_hash: "0".repeat(64),
        ..approval.clone()
    };
    assert_eq!(
        try_approve(&world, &other, "csm-1").await.unwrap_err().code(),
        Code::Aborted
    );
    world.offer(Motion::Capacity, State::AwaitingApproval).await;
}

#[tokio::test]
async fn c14_an_approval_is_checked_again_when_given() {
    let (mut world, approval) = asked_of("csm-1").await;
    world.ticket(Severity::Critical, false).await;
    assert_eq!(
        try_approve(&world, &approval, "csm-1").await.unwrap_err().code(),
        Code::FailedPrecondition
    );
    let withdrawn = world.offer(Motion::Capacity, State::Withdrawn).await;
    assert!(withdrawn.close_reason.contains("SC-9"), "{withdrawn:#?}");
    assert_eq!(world.approval().await.state(), approval::State::Revoked);
}

#[tokio::test]
async fn c14_an_approval_is_not_used_up_by_what_is_not_sent() {
    // The limits say no at the last moment, or the place was not used in time.
    for (observed, time) in [(true, "2026-10-12T05:00:00Z"), (false, "2026-10-13T06:00:00Z")] {
        let (mut world, approval) = asked_of("csm-1").await;
        try_approve(&world, &approval, "csm-1").await.unwrap();
        if observed {
            world.observed(TouchClass::Commercial, "2026-10-12T04:00:00Z").await;
        }
        world.clock.set(at(time));
        world.job("offers.send_due").await;
        let deferred = world.offer(Motion::Capacity, State::Deferred).await;
        assert_eq!((deferred.touch_id.as_str(), world.spool_count()), ("", 0));
        assert_eq!(world.approval().await.state(), approval::State::Revoked, "{time}");
    }
}

#[tokio::test]
async fn c14_an_approved_offer_is_checked_again_when_sent() {
    let (mut world, approval) = asked_of("csm-1").await;
    try_approve(&world, &approval, "csm-1").await.unwrap();
    world.limit_signal(signal::State::Expired).await;
    world.run().await;
    world.offer(Motion::Capacity, State::Withdrawn).await;
    assert_eq!(world.touches().await[0].state(), touch::State::Released);
    assert_eq!(world.spool_count(), 0);
}
