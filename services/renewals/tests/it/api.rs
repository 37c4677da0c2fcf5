use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use upswell_proto::renewals::v1::{
    AdvanceDealRequest, CloseDealRequest, CompleteTaskRequest, Deal, GetDealRequest, ListDealsRequest,
    ListTasksRequest, LossReason, deal::Stage, loss_reason::Category, task::State,
};

use crate::world::*;

const REQUEST: &str = "3f0f6a52-1d3b-4f43-9a53-6c9f7f4d2a10";
const OTHER: &str = "c9f7b0de-3a54-4c8e-8f3a-5f0a4f6a7b21";

fn reason(status: &Status) -> (Code, String) {
    (
        status.code(),
        status
            .get_details_error_info()
            .map(|info| info.reason)
            .unwrap_or_default(),
    )
}

/// One deal in preparation, as a caller sees it.
async fn world() -> (World, Deal) {
    let world = World::new("2026-10-12").await;
    world
        .tell(vec![
            profile("acme", "csm-1"),
            plan("acme", "v1", "2026-02-01", "2027-02-01"),
        ])
        .await;
    let deal = world.deals_told().remove(0).deal.unwrap();
    assert_eq!(deal.stage(), Stage::Preparation);
    (world, deal)
}

fn advance(deal: &Deal, stage: Stage, request_id: &str) -> AdvanceDealRequest {
    AdvanceDealRequest {
        deal_id: deal.deal_id.clone(),
        stage: stage.into(),
        etag: deal.etag.clone(),
        request_id: request_id.to_owned(),
    }
}

fn close(deal: &Deal, loss_reason: Option<LossReason>, request_id: &str) -> CloseDealRequest {
    CloseDealRequest {
        deal_id: deal.deal_id.clone(),
        renewed: loss_reason.is_none(),
        loss_reason,
        etag: deal.etag.clone(),
        request_id: request_id.to_owned(),
    }
}

#[tokio::test]
async fn rn2_a_person_moves_a_deal_on_once() {
    let (world, deal) = world().await;
    let mut client = world.client.clone();
    let mut request = Request::new(advance(&deal, Stage::Negotiation, REQUEST));
    request
        .metadata_mut()
        .insert("x-upswell-actor", "anna".parse().unwrap());
    let moved = client.advance_deal(request).await.unwrap().into_inner().deal.unwrap();
    assert_eq!(moved.stage(), Stage::Negotiation);
    assert_eq!(moved.history.last().unwrap().actor, "anna");
    let again = client
        .advance_deal(advance(&deal, Stage::Negotiation, REQUEST))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        again.deal.unwrap(),
        moved,
        "the stored answer, though the etag has changed since"
    );
    let reused = client
        .advance_deal(advance(&deal, Stage::Agreement, REQUEST))
        .await
        .unwrap_err();
    assert_eq!(reason(&reused), (Code::InvalidArgument, "REQUEST_ID_REUSED".into()));
    let stale = client
        .advance_deal(advance(&deal, Stage::Agreement, OTHER))
        .await
        .unwrap_err();
    assert_eq!(reason(&stale), (Code::Aborted, "ETAG_MISMATCH".into()));
    let behind = client
        .advance_deal(advance(&moved, Stage::Preparation, OTHER))
        .await
        .unwrap_err();
    assert_eq!(reason(&behind), (Code::FailedPrecondition, "STAGE_NOT_AHEAD".into()));
    world.until("2026-10-12").await;
    assert_eq!(world.deals_told().len(), 1, "one change, one event");
}

#[tokio::test]
async fn rn4_a_loss_needs_its_reason() {
    let (world, deal) = world().await;
    let mut client = world.client.clone();
    let loss = LossReason {
        category: Category::Price.into(),
        detail: "too dear".into(),
        competitor: "beta".into(),
        missing_integration: String::new(),
    };
    let unsaid = CloseDealRequest {
        renewed: false,
        ..close(&deal, None, REQUEST)
    };
    assert_eq!(
        client.close_deal(unsaid).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let both = CloseDealRequest {
        renewed: true,
        ..close(&deal, Some(loss.clone()), REQUEST)
    };
    assert_eq!(client.close_deal(both).await.unwrap_err().code(), Code::InvalidArgument);
    let lost = client
        .close_deal(close(&deal, Some(loss.clone()), REQUEST))
        .await
        .unwrap()
        .into_inner()
        .deal
        .unwrap();
    assert_eq!((lost.stage(), lost.loss_reason.clone()), (Stage::Lost, Some(loss)));
    let late = client
        .advance_deal(advance(&lost, Stage::Agreement, OTHER))
        .await
        .unwrap_err();
    assert_eq!(reason(&late), (Code::FailedPrecondition, "DEAL_CLOSED".into()));
    let open = client
        .list_deals(ListDealsRequest::default())
        .await
        .unwrap()
        .into_inner()
        .deals;
    assert!(open.is_empty());
    let all = ListDealsRequest {
        include_closed: true,
        ..ListDealsRequest::default()
    };
    assert_eq!(client.list_deals(all).await.unwrap().into_inner().deals, [lost]);
    let tasks = ListTasksRequest {
        deal_id: deal.deal_id,
        include_closed: true,
        ..ListTasksRequest::default()
    };
    let tasks = client.list_tasks(tasks).await.unwrap().into_inner().tasks;
    assert!(tasks.iter().all(|task| task.state() == State::Cancelled));
    assert_eq!(tasks.len(), 3);
}

#[tokio::test]
async fn rn2_a_task_is_done_once() {
    let (world, deal) = world().await;
    let mut client = world.client.clone();
    let tasks = ListTasksRequest {
        deal_id: deal.deal_id,
        page_size: 2,
        ..ListTasksRequest::default()
    };
    let page = client.list_tasks(tasks.clone()).await.unwrap().into_inner();
    assert_eq!(page.tasks.len(), 2);
    let next = ListTasksRequest {
        page_token: page.next_page_token,
        ..tasks.clone()
    };
    let rest = client.list_tasks(next).await.unwrap().into_inner();
    assert_eq!((rest.tasks.len(), rest.next_page_token.as_str()), (1, ""));
    let done = CompleteTaskRequest {
        task_id: page.tasks[0].task_id.clone(),
        request_id: REQUEST.into(),
        etag: page.tasks[0].etag.clone(),
    };
    let task = client
        .complete_task(done.clone())
        .await
        .unwrap()
        .into_inner()
        .task
        .unwrap();
    assert_eq!(task.state(), State::Done);
    assert!(task.complete_time.is_some());
    assert_eq!(
        client.complete_task(done.clone()).await.unwrap().into_inner().task,
        Some(task)
    );
    let twice = client
        .complete_task(CompleteTaskRequest {
            request_id: OTHER.into(),
            ..done
        })
        .await
        .unwrap_err();
    assert_eq!(reason(&twice), (Code::FailedPrecondition, "TASK_DONE".into()));
    assert_eq!(client.list_tasks(tasks).await.unwrap().into_inner().tasks.len(), 2);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let (world, _) = world().await;
    let mut client = world.client.clone();
    let deal = client
        .get_deal(GetDealRequest { deal_id: OTHER.into() })
        .await
        .unwrap_err();
    assert_eq!(reason(&deal), (Code::NotFound, "DEAL_NOT_FOUND".into()));
    let nothing = Deal {
        deal_id: OTHER.into(),
        etag: "1".into(),
        ..Deal::default()
    };
    let deal = client
        .advance_deal(advance(&nothing, Stage::Agreement, REQUEST))
        .await
        .unwrap_err();
    assert_eq!(reason(&deal), (Code::NotFound, "DEAL_NOT_FOUND".into()));
    let task = CompleteTaskRequest {
        task_id: OTHER.into(),
        request_id: REQUEST.into(),
        etag: "1".into(),
    };
    assert_eq!(
        reason(&client.complete_task(task).await.unwrap_err()),
        (Code::NotFound, "TASK_NOT_FOUND".into())
    );
}

#[tokio::test]
async fn every_fault_of_a_request_is_told() {
    let (world, _) = world().await;
    let mut client = world.client.clone();
    let request = AdvanceDealRequest {
        deal_id: "x".into(),
        stage: Stage::Lapsed.into(),
        ..Default::default()
    };
    let status = client.advance_deal(request).await.unwrap_err();
    let mut fields: Vec<_> = status
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|fault| fault.field)
        .collect();
    fields.sort();
    assert_eq!(fields, ["deal_id", "etag", "request_id", "stage"]);
    let loss = LossReason {
        category: 0,
        detail: "a\0b".into(),
        competitor: "\u{202e}".into(),
        missing_integration: String::new(),
    };
    let request = CloseDealRequest {
        loss_reason: Some(loss),
        etag: "1".into(),
        ..CloseDealRequest::default()
    };
    let status = client.close_deal(request).await.unwrap_err();
    assert_eq!(status.get_details_bad_request().unwrap().field_violations.len(), 5);
    let page = ListDealsRequest {
        page_token: "bm9uc2Vuc2U".into(),
        page_size: -1,
        ..ListDealsRequest::default()
    };
    assert_eq!(client.list_deals(page).await.unwrap_err().code(), Code::InvalidArgument);
}
