//! Whose deals, tasks, contacts and reviews a CSM may touch, where the access table says: their own.

use std::collections::BTreeSet;

use tonic::Status;
use upswell_proto::renewals::v1::{
    AdvanceDealRequest, BeginContactRequest, CancelContactRequest, CloseDealRequest, CloseReviewRequest,
    CompleteTaskRequest, Deal, FinishContactRequest, ListContactsRequest, ListDealsRequest, ListOnboardingPlansRequest,
    ListReviewsRequest, ListTasksRequest, MoveReviewRequest, MoveStagesRequest, PlanContactRequest,
    RecordNoticeRequest, RenewalContact, RenewalTerms, SetOnboardingOwnerRequest, SetRenewalTermsRequest,
    SummarizeReviewRequest, care_service_client::CareServiceClient, contact_service_client::ContactServiceClient,
    deal::Stage, finish_contact_request::Outcome, renewal_contact::Kind, renewal_service_client::RenewalServiceClient,
};
use upswell_proto::vocabulary::v1::Channel;
use upswell_runtime::{
    ids,
    problem::{Kind as Fault, Problem},
    testing::called_by,
};

use crate::{
    pipeline::kazakh,
    world::{World, plan, wire_date},
};

/// The CSM of the account, and another one.
const OWN: &str = "anna";
const OTHER: &str = "boris";
/// The methods that are tried below.
const TRIED: [&str; 14] = [
    "AdvanceDeal",
    "CloseDeal",
    "MoveStages",
    "SetRenewalTerms",
    "RecordNotice",
    "CompleteTask",
    "MoveReview",
    "CloseReview",
    "SummarizeReview",
    "SetOnboardingOwner",
    "PlanContact",
    "BeginContact",
    "FinishContact",
    "CancelContact",
];

/// Refused because of whose it is, and not for anything else.
fn not_yours<T>(answer: Result<T, Status>) -> bool {
    let problem = answer.err().map(Problem::from);
    problem.is_some_and(|problem| (problem.kind(), problem.reason()) == (Fault::PermissionDenied, "NOT_YOURS"))
}

fn request_id(what: &str) -> String {
    ids::derive("request", &[what]).to_string()
}

async fn world() -> (World, Deal) {
    let world = World::new("2026-10-12").await;
    let facts = vec![
        kazakh("acme", Some("2026-09-20")),
        plan("acme", "v1", "2026-09-20", "2027-09-20"),
    ];
    world.tell(facts).await;
    let deals = world.client.clone().list_deals(ListDealsRequest::default()).await;
    let deal = deals.unwrap().into_inner().deals.remove(0);
    assert_eq!(deal.owner_id, OWN);
    (world, deal)
}

#[test]
fn every_method_that_is_open_for_ones_own_is_tried() {
    let rules = upswell_proto::ACCESS.split("\n[rules.");
    let rules = rules.filter(|part| part.starts_with("\"upswell.renewals."));
    let lines = rules.flat_map(str::lines).filter(|line| line.contains(" own = ["));
    let open: BTreeSet<_> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(open, BTreeSet::from(TRIED));
}

#[tokio::test]
async fn a_csm_changes_only_deals_and_tasks_that_are_theirs() {
    let (world, deal) = world().await;
    let client = |name| RenewalServiceClient::new(called_by(world.service.routes.clone(), name));
    let (deal_id, etag) = (deal.deal_id.clone(), deal.etag.clone());
    let advance = AdvanceDealRequest {
        deal_id: deal_id.clone(),
        stage: Stage::Negotiation.into(),
        etag: etag.clone(),
        request_id: request_id("advance"),
    };
    let close = CloseDealRequest {
        deal_id: deal_id.clone(),
        renewed: true,
        loss_reason: None,
        etag: etag.clone(),
        request_id: request_id("close"),
    };
    let stages = MoveStagesRequest {
        deal_id: deal_id.clone(),
        negotiation_end_date: Some(wire_date("2027-08-15")),
        reason: "their board".into(),
        etag: etag.clone(),
        request_id: request_id("stages"),
    };
    let terms = SetRenewalTermsRequest {
        deal_id: deal_id.clone(),
        terms: Some(RenewalTerms {
            auto_renew: true,
            notice_days: 40,
            term_months: 0,
        }),
        etag: etag.clone(),
        request_id: request_id("terms"),
    };
    let notice = RecordNoticeRequest {
        deal_id,
        notice_date: Some(wire_date("2026-10-12")),
        etag,
        request_id: request_id("notice"),
    };
    let tasks = world.client.clone().list_tasks(ListTasksRequest::default()).await;
    let task = tasks.unwrap().into_inner().tasks.remove(0);
    let complete = |what| CompleteTaskRequest {
        task_id: task.task_id.clone(),
        etag: task.etag.clone(),
        request_id: request_id(what),
    };
    for name in [OTHER, ""] {
        let mut other = client(name);
        assert!(not_yours(other.advance_deal(advance.clone()).await), "{name}");
        assert!(not_yours(other.close_deal(close.clone()).await), "{name}");
        assert!(not_yours(other.move_stages(stages.clone()).await), "{name}");
        assert!(not_yours(other.set_renewal_terms(terms.clone()).await), "{name}");
        assert!(not_yours(other.record_notice(notice.clone()).await), "{name}");
        assert!(not_yours(other.complete_task(complete("other")).await), "{name}");
    }
    assert!(client(OWN).complete_task(complete("own")).await.is_ok());
    let moved = client(OWN).advance_deal(advance).await.unwrap().into_inner();
    assert_eq!(moved.deal.unwrap().stage(), Stage::Negotiation);
}

#[tokio::test]
async fn a_csm_keeps_only_reviews_and_onboarding_that_are_theirs() {
    let (world, _) = world().await;
    let client = |name| CareServiceClient::new(called_by(world.service.routes.clone(), name));
    let reviews = client(OTHER).list_reviews(ListReviewsRequest::default()).await;
    let review = reviews.unwrap().into_inner().reviews.remove(0);
    let plans = client(OTHER)
        .list_onboarding_plans(ListOnboardingPlansRequest::default())
        .await;
    let onboarding = plans.unwrap().into_inner().plans.remove(0);
    let (review_id, etag) = (review.review_id.clone(), review.etag.clone());
    let moved = |what| MoveReviewRequest {
        review_id: review_id.clone(),
        date: Some(wire_date("2026-12-14")),
        reason: "the director is away".into(),
        etag: etag.clone(),
        request_id: request_id(what),
    };
    let close = CloseReviewRequest {
        review_id: review_id.clone(),
        held: true,
        reason: String::new(),
        etag: etag.clone(),
        request_id: request_id("close"),
    };
    let summarize = SummarizeReviewRequest {
        review_id: review_id.clone(),
        summary: "all is well".into(),
        etag: etag.clone(),
        request_id: request_id("summarize"),
    };
    let take = SetOnboardingOwnerRequest {
        plan_id: onboarding.plan_id,
        owner_id: OTHER.into(),
        etag: onboarding.etag,
        request_id: request_id("take"),
    };
    let mut other = client(OTHER);
    assert!(not_yours(other.move_review(moved("other")).await));
    assert!(not_yours(other.close_review(close).await));
    assert!(not_yours(other.summarize_review(summarize).await));
    assert!(not_yours(other.set_onboarding_owner(take).await));
    assert!(client(OWN).move_review(moved("own")).await.is_ok());
}

#[tokio::test]
async fn a_csm_talks_only_to_accounts_that_are_theirs() {
    let (world, deal) = world().await;
    let client = |name| ContactServiceClient::new(called_by(world.service.routes.clone(), name));
    let plan_contact = |what| PlanContactRequest {
        deal_id: deal.deal_id.clone(),
        kind: Kind::Call.into(),
        channel: Channel::CsmTask.into(),
        request_id: request_id(what),
        ..Default::default()
    };
    assert!(not_yours(client(OTHER).plan_contact(plan_contact("other")).await));
    assert!(client(OWN).plan_contact(plan_contact("own")).await.is_ok());
    let listed = client(OTHER).list_contacts(ListContactsRequest::default()).await;
    let contact: RenewalContact = listed.unwrap().into_inner().contacts.remove(0);
    let (renewal_contact_id, etag) = (contact.renewal_contact_id.clone(), contact.etag.clone());
    let begin = |what| BeginContactRequest {
        renewal_contact_id: renewal_contact_id.clone(),
        etag: etag.clone(),
        request_id: request_id(what),
    };
    let finish = FinishContactRequest {
        renewal_contact_id: renewal_contact_id.clone(),
        outcome: Outcome::Made.into(),
        etag: etag.clone(),
        request_id: request_id("finish"),
    };
    let cancel = CancelContactRequest {
        renewal_contact_id: renewal_contact_id.clone(),
        etag: etag.clone(),
        request_id: request_id("cancel"),
    };
    let mut other = client(OTHER);
    assert!(not_yours(other.begin_contact(begin("other begin")).await));
    assert!(not_yours(other.finish_contact(finish).await));
    assert!(not_yours(other.cancel_contact(cancel).await));
    assert!(client(OWN).begin_contact(begin("own begin")).await.is_ok());
}
