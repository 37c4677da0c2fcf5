//! Who is asked, who next, and what an edit makes of an approval (C-14).

use tonic::Code;
use upswell_proto::{
    gtype,
    offers::v1::{self as pb, approval, delegation, offer::State, touch},
    vocabulary::v1::Motion,
};

use super::{
    approvals::{approve, asked_of, reject, try_approve},
    events::day,
    world::{World, acting, at, request_id, wire},
};

async fn all_approvals(world: &World) -> Vec<pb::Approval> {
    let list = world
        .approvals()
        .list_approvals(pb::ListApprovalsRequest::default())
        .await;
    list.unwrap().into_inner().approvals
}

async fn delegate(
    world: &World,
    kind: delegation::Kind,
    to: &str,
    actor: &str,
) -> Result<pb::Delegation, tonic::Status> {
    let request = pb::DelegateApprovalsRequest {
        person_id: "csm-1".into(),
        delegate_id: to.into(),
        kind: kind.into(),
        start_date: day("2026-10-12"),
        end_date: None::<gtype::Date>,
        request_id: request_id(to),
    };
    let answer = world.approvals().delegate_approvals(acting(request, actor)).await?;
    Ok(answer.into_inner().delegation.unwrap())
}

async fn edit(
    world: &World,
    offer: &pb::Offer,
    actor: &str,
    body: &str,
) -> Result<pb::EditOfferResponse, tonic::Status> {
    let request = pb::EditOfferRequest {
        offer_id: offer.offer_id.clone(),
        subject: "Seats".into(),
        body: body.into(),
        banner: None,
        etag: offer.etag.clone(),
        request_id: request_id(body),
    };
    Ok(world.offers().edit_offer(acting(request, actor)).await?.into_inner())
}

#[tokio::test]
async fn c14_silence_escalates_to_the_deputy_and_the_lead_and_then_means_not_sent() {
    let (world, approval) = asked_of("csm-1").await;
    delegate(&world, delegation::Kind::Deputy, "csm-2", "csm-1")
        .await
        .unwrap();
    assert_eq!(
        delegate(&world, delegation::Kind::Deputy, "csm-3", "csm-3")
            .await
            .unwrap_err()
            .code(),
        Code::PermissionDenied
    );
    world.clock.set(at("2026-10-14T05:00:00Z"));
    // Too late, before anything noticed.
    assert_eq!(
        try_approve(&world, &approval, "csm-1").await.unwrap_err().code(),
        Code::FailedPrecondition
    );
    for (now, asked, until) in [
        ("2026-10-14T05:00:00Z", "csm-2", "2026-10-16T05:00:00Z"),
        // Friday and two business days: Tuesday.
        ("2026-10-16T05:00:00Z", "lead", "2026-10-20T05:00:00Z"),
    ] {
        world.run_to(now).await;
        let approval = world.approval().await;
        assert_eq!(
            (approval.state(), approval.approver_id.as_str()),
            (approval::State::Pending, asked)
        );
        assert_eq!(approval.expire_time, Some(wire(at(until))));
    }
    assert_eq!(
        try_approve(&world, &approval, "csm-1").await.unwrap_err().code(),
        Code::PermissionDenied
    );
    world.run_to("2026-10-20T05:00:00Z").await;
    let expired = world.approval().await;
    let passed: Vec<&str> = expired
        .passed_over
        .iter()
        .map(|passed| passed.approver_id.as_str())
        .collect();
    assert_eq!(
        (expired.state(), passed),
        (approval::State::Expired, vec!["csm-1", "csm-2"])
    );
    world.offer(Motion::Capacity, State::Rejected).await;
    assert_eq!(world.spool_count(), 0);
}

#[tokio::test]
async fn c14_the_next_one_may_approve() {
    let (world, approval) = asked_of("csm-1").await;
    world.run_to("2026-10-14T05:00:00Z").await;
    try_approve(&world, &approval, "lead").await.unwrap();
    world.run().await;
    world.offer(Motion::Capacity, State::Sent).await;
    let digest = pb::GetApprovalDigestRequest::default();
    let digest = world
        .approvals()
        .get_approval_digest(digest)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((digest.pending_count, digest.decided_count), (0, 1));
    assert_eq!(digest.median_wait_seconds, Some(2 * 86_400));
}

#[tokio::test]
async fn c14_while_the_csm_is_away_the_delegate_is_asked() {
    let mut world = World::new().await;
    delegate(&world, delegation::Kind::Absence, "csm-2", "lead")
        .await
        .unwrap();
    world.known().await;
    world.profile(true, "csm-1").await;
    world
        .limit_signal(upswell_proto::scoring::v1::signal::State::Open)
        .await;
    world.run_to(super::world::SLOT).await;
    let approval = world.approval().await;
    assert_eq!(approval.approver_id, "csm-2");
    let listed = world
        .approvals()
        .list_delegations(pb::ListDelegationsRequest::default())
        .await
        .unwrap();
    let delegation = listed.into_inner().delegations.remove(0);
    assert_eq!(
        (delegation.author.as_str(), delegation.kind()),
        ("lead", delegation::Kind::Absence)
    );
    let end = pb::EndDelegationRequest {
        delegation_id: delegation.delegation_id,
        request_id: request_id("end"),
    };
    let ended = world
        .approvals()
        .end_delegation(acting(end, "csm-1"))
        .await
        .unwrap()
        .into_inner();
    assert!(ended.delegation.unwrap().end_time.is_some());
}

#[tokio::test]
async fn c14_f25_an_edit_revokes_what_was_approved() {
    let (world, first) = asked_of("csm-1").await;
    try_approve(&world, &first, "csm-1").await.unwrap();
    let reserved = world.offer(Motion::Capacity, State::Reserved).await;
    world.clock.set(at("2026-10-12T06:00:00Z"));
    let stale = pb::Offer {
        etag: "0".into(),
        ..reserved.clone()
    };
    assert_eq!(
        edit(&world, &stale, "csm-1", "x").await.unwrap_err().code(),
        Code::Aborted
    );
    let edited = edit(&world, &reserved, "csm-1", "25 seats more for 99 USD")
        .await
        .unwrap();
    let second = edited.approval.unwrap();
    // Four eyes: the editor is not asked about the own words.
    assert_eq!((second.author.as_str(), second.approver_id.as_str()), ("csm-1", "lead"));
    assert_ne!(second.content_hash, first.content_hash);
    let states: Vec<_> = all_approvals(&world).await.iter().map(pb::Approval::state).collect();
    assert_eq!(states, [approval::State::Revoked, approval::State::Pending]);
    assert_eq!(world.touches().await[0].state(), touch::State::Released);
    // What was approved before cannot be approved or sent any more.
    world.run().await;
    assert_eq!(world.spool_count(), 0);
    for stale in [
        &first,
        &pb::Approval {
            content_hash: first.content_hash.clone(),
            ..second.clone()
        },
    ] {
        let mut again = approve(stale);
        again.request_id = request_id(&format!("again{}", stale.approval_id));
        let refused = world
            .approvals()
            .approve_offer(acting(again, &stale.approver_id))
            .await
            .unwrap_err();
        assert!(
            matches!(refused.code(), Code::FailedPrecondition | Code::Aborted),
            "{refused:?}"
        );
    }
    let mut yes = approve(&second);
    yes.request_id = request_id("yes");
    world.approvals().approve_offer(acting(yes, "lead")).await.unwrap();
    world.run().await;
    let sent = world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!(sent.message.as_ref().unwrap().body, "25 seats more for 99 USD");
    assert_eq!(
        edit(&world, &sent, "csm-1", "y").await.unwrap_err().code(),
        Code::FailedPrecondition
    );
}

#[tokio::test]
async fn c14_a_batch_decides_each_by_itself() {
    let (mut world, first) = asked_of("csm-1").await;
    world.account = "beta".into();
    world.known().await;
    world.profile(true, "csm-1").await;
    world
        .limit_signal(upswell_proto::scoring::v1::signal::State::Open)
        .await;
    world.run_to("2026-10-13T05:00:00Z").await;
    let second = all_approvals(&world)
        .await
        .into_iter()
        .find(|approval| approval.account_id == "beta")
        .unwrap();
    let no = reject(&second);
    let decisions = vec![
        pb::ApprovalDecision {
            approval_id: first.approval_id.clone(),
            approve: true,
            content_hash: first.content_hash.clone(),
            comment: String::new(),
        },
        pb::ApprovalDecision {
            approval_id: second.approval_id.clone(),
            approve: false,
            content_hash: String::new(),
            comment: no.comment,
        },
        pb::ApprovalDecision {
            approval_id: request_id("nobody"),
            approve: true,
            content_hash: "x".into(),
            comment: String::new(),
        },
    ];
    let request = pb::DecideApprovalsRequest {
        decisions,
        request_id: request_id("batch"),
    };
    let decide = || async {
        let answer = world
            .approvals()
            .decide_approvals(acting(request.clone(), "csm-1"))
            .await;
        answer.unwrap().into_inner()
    };
    let answer = decide().await;
    let told: Vec<_> = answer
        .results
        .iter()
        .map(|result| {
            (
                result.approval.as_ref().map(pb::Approval::state),
                result.reason.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some(approval::State::Approved), ""),
            (Some(approval::State::Rejected), ""),
            (None, "APPROVAL_NOT_FOUND"),
        ]
    );
    assert_eq!(decide().await, answer);
    let twice = pb::DecideApprovalsRequest {
        decisions: vec![request.decisions[0].clone(), request.decisions[0].clone()],
        ..request.clone()
    };
    let refused = world
        .approvals()
        .decide_approvals(acting(twice, "csm-1"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn m5_a_discount_beyond_the_csm_waits_for_the_lead() {
    let folder = super::learning::policy(&[]);
    let catalogue = folder.path().join("catalogue.yaml");
    let text = std::fs::read_to_string(&catalogue).unwrap();
    let authority = "discounts: {authority: {autopilot: 0, csm: 10, lead: 25}}\n";
    std::fs::write(&catalogue, format!("{text}{authority}")).unwrap();
    let growth = folder.path().join("playbooks/capacity-growth.yaml");
    let text = std::fs::read_to_string(&growth).unwrap();
    let dealt = text.replace("{by_subject: true, quantity: 1}", "{by_subject: true, discount: 20}");
    assert_ne!(text, dealt);
    std::fs::write(&growth, dealt).unwrap();
    let mut world = World::with(&[("POLICY__DIR", &folder.path().display().to_string())]).await;
    world.known().await;
    world
        .limit_signal(upswell_proto::scoring::v1::signal::State::Open)
        .await;
    world.run_to(super::world::SLOT).await;
    let asked = world.approval().await;
    assert_eq!(asked.approver_id, "lead");
    let terms = asked.snapshot.as_ref().unwrap().terms.as_ref().unwrap();
    assert_eq!(
        (terms.granted_basis_points, terms.grantor()),
        (2_000, pb::terms::Grantor::Lead)
    );
    let refused = world
        .approvals()
        .approve_offer(acting(approve(&asked), "csm-1"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let request = pb::ApproveOfferRequest {
        request_id: request_id("lead"),
        ..approve(&asked)
    };
    world.approvals().approve_offer(acting(request, "lead")).await.unwrap();
    world.run().await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!(offer.terms.unwrap().unit_price.unwrap().units, 20);
}
