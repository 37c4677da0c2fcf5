use tonic::Code;
use upswell_proto::{
    ingestion::v1::{AccountProfile, AccountProfileChanged},
    renewals::v1::{
        Deal, GetAccountCalendarRequest, GetForecastRequest, ListDealsRequest, ListNoticesRequest,
        ListOnboardingPlansRequest, ListReviewsRequest, ListTasksRequest, MoveReviewRequest, MoveStagesRequest,
        RemoveAbsenceRequest, Review, SetAbsenceRequest,
        calendar_entry::Kind,
        care_service_client::CareServiceClient,
        deal::{Shift, Stage},
        duty_service_client::DutyServiceClient,
        notice, review,
    },
};
use upswell_renewals::{NAME, api::export};
use upswell_runtime::{ids, outbox::NewEvent};

use crate::world::*;

fn request_id(of: &str) -> String {
    ids::derive("request", &[of]).to_string()
}

pub(crate) fn kazakh(account: &str, since: Option<&str>) -> NewEvent {
    let profile = AccountProfile {
        time_zone: "Asia/Almaty".into(),
        csm_id: "anna".into(),
        country_code: "KZ".into(),
        segment: "smb".into(),
        customer_since: since.map(wire_date),
        ..AccountProfile::default()
    };
    event(
        account,
        &AccountProfileChanged {
            account_id: account.into(),
            profile: Some(profile),
        },
    )
}

async fn deals(world: &World) -> Vec<Deal> {
    let mut client = world.client.clone();
    client
        .list_deals(ListDealsRequest::default())
        .await
        .unwrap()
        .into_inner()
        .deals
}

#[tokio::test]
async fn rn6_a_person_moves_the_stages_with_etag_and_reason() {
    let world = World::new("2027-04-05").await;
    world
        .tell(vec![
            kazakh("acme", None),
            plan("acme", "v1", "2026-08-15", "2027-08-15"),
        ])
        .await;
    let deal = deals(&world).await.remove(0);
    assert_eq!((deal.stage(), deal.shift()), (Stage::Preparation, Shift::Season));
    let request = MoveStagesRequest {
        deal_id: deal.deal_id.clone(),
        negotiation_end_date: Some(wire_date("2027-07-31")),
        reason: "their board meets in July".into(),
        etag: deal.etag.clone(),
        request_id: request_id("move"),
    };
    let mut client = world.client.clone();
    let moved = client
        .move_stages(request.clone())
        .await
        .unwrap()
        .into_inner()
        .deal
        .unwrap();
    assert_eq!(
        (moved.shift(), moved.shift_reason.as_str()),
        (Shift::Person, "their board meets in July")
    );
    assert_eq!(
        client.move_stages(request.clone()).await.unwrap().into_inner().deal,
        Some(moved)
    );
    let stale = MoveStagesRequest {
        request_id: request_id("again"),
        ..request.clone()
    };
    assert_eq!(client.move_stages(stale).await.unwrap_err().code(), Code::Aborted);
    let unsaid = MoveStagesRequest {
        reason: String::new(),
        ..request
    };
    assert_eq!(
        client.move_stages(unsaid).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn rn2_late_work_is_told_once_by_however_many_replicas() {
    let world = World::new("2026-10-12").await;
    world
        .tell(vec![
            kazakh("acme", None),
            plan("acme", "v1", "2026-02-01", "2027-02-01"),
        ])
        .await;
    let mut duty = DutyServiceClient::new(world.peers.channel(NAME).unwrap());
    let absence = SetAbsenceRequest {
        person_id: "anna".into(),
        from_date: Some(wire_date("2026-10-20")),
        until_date: Some(wire_date("2026-10-31")),
        delegate_id: "boris".into(),
        etag: String::new(),
        request_id: request_id("absence"),
    };
    let set = duty
        .set_absence(absence.clone())
        .await
        .unwrap()
        .into_inner()
        .absence
        .unwrap();
    let twice = SetAbsenceRequest {
        request_id: request_id("twice"),
        ..absence
    };
    assert_eq!(
        duty.set_absence(twice).await.unwrap_err().code(),
        Code::Aborted,
        "it exists: its etag is needed"
    );
    for day in [
        "2026-10-14",
        "2026-10-15",
        "2026-10-16",
        "2026-10-19",
        "2026-10-20",
        "2026-10-22",
        "2026-10-23",
    ] {
        world.clock.set(noon(day));
        // Two replicas over one store at the same instant, and once more.
        let (first, second) = tokio::join!(world.service.tick(noon(day)), world.service.tick(noon(day)));
        first.unwrap();
        second.unwrap();
        world.service.tick(noon(day)).await.unwrap();
    }
    let notices = duty
        .list_notices(ListNoticesRequest::default())
        .await
        .unwrap()
        .into_inner()
        .notices;
    let tasks = world
        .client
        .clone()
        .list_tasks(ListTasksRequest::default())
        .await
        .unwrap()
        .into_inner()
        .tasks;
    let health = tasks.iter().find(|task| task.kind == "prepare_health").unwrap();
    let mut told: Vec<_> = notices
        .iter()
        .filter(|notice| notice.subject_id == health.task_id)
        .map(|notice| (notice.kind(), notice.person_id.as_str()))
        .collect();
    told.reverse();
    assert_eq!(
        told,
        [
            (notice::Kind::Due, "anna"),
            (notice::Kind::Late, "anna"),
            (notice::Kind::Delegated, "boris"),
            (notice::Kind::Escalated, "lead")
        ]
    );
    assert_eq!((health.alert_level, health.alerted_id.as_str()), (4, "lead"));
    let of_lead = ListTasksRequest {
        assignee_id: "lead".into(),
        ..Default::default()
    };
    let queue = world
        .client
        .clone()
        .list_tasks(of_lead)
        .await
        .unwrap()
        .into_inner()
        .tasks;
    assert!(
        queue.iter().any(|task| task.task_id == health.task_id),
        "what escalated is in the lead's queue"
    );
    let remove = RemoveAbsenceRequest {
        absence_id: set.absence_id,
        etag: set.etag,
        request_id: request_id("remove"),
    };
    duty.remove_absence(remove.clone()).await.unwrap();
    duty.remove_absence(remove).await.unwrap();
}

#[tokio::test]
async fn rn5_rn9_reviews_and_onboarding_stand_in_queue_calendar_and_export() {
    let world = World::new("2026-10-12").await;
    world
        .tell(vec![
            kazakh("acme", Some("2026-09-20")),
            plan("acme", "v1", "2026-09-20", "2027-09-20"),
        ])
        .await;
    let mut care = CareServiceClient::new(world.peers.channel(NAME).unwrap());
    let plans = care
        .list_onboarding_plans(ListOnboardingPlansRequest::default())
        .await
        .unwrap()
        .into_inner()
        .plans;
    assert_eq!(
        (plans.len(), plans[0].owner_id.as_str(), plans[0].checkpoints.len()),
        (1, "anna", 3)
    );
    let reviews = care
        .list_reviews(ListReviewsRequest::default())
        .await
        .unwrap()
        .into_inner()
        .reviews;
    let review: &Review = &reviews[0];
    assert_eq!((review.state(), review.minutes), (review::State::Planned, 60));
    let request = MoveReviewRequest {
        review_id: review.review_id.clone(),
        date: Some(wire_date("2026-12-14")),
        reason: "the director is away".into(),
        etag: review.etag.clone(),
        request_id: request_id("review"),
    };
    let moved = care
        .move_review(request.clone())
        .await
        .unwrap()
        .into_inner()
        .review
        .unwrap();
    assert_eq!(moved.date, Some(wire_date("2026-12-14")));
    let stale = MoveReviewRequest {
        request_id: request_id("stale"),
        ..request
    };
    assert_eq!(care.move_review(stale).await.unwrap_err().code(), Code::Aborted);
    let calendar = world.client.clone();
    let asked = GetAccountCalendarRequest {
        account_id: "acme".into(),
        ..Default::default()
    };
    let entries = calendar
        .clone()
        .get_account_calendar(asked)
        .await
        .unwrap()
        .into_inner()
        .entries;
    for kind in [Kind::Stage, Kind::Renewal, Kind::Task, Kind::Review] {
        assert!(
            entries.iter().any(|entry| entry.kind() == kind),
            "{kind:?}: {entries:?}"
        );
    }
    let tasks = world
        .client
        .clone()
        .list_tasks(ListTasksRequest::default())
        .await
        .unwrap()
        .into_inner()
        .tasks;
    assert!(
        tasks
            .iter()
            .any(|task| task.kind == "onboarding_30" && task.deal_id.is_empty())
    );
    let pipeline = export::Pipeline {
        deals: deals(&world).await,
        tasks,
        reviews: vec![moved],
    };
    let ical = export::icalendar(&pipeline, "20261012T120000Z");
    assert_eq!(ical, export::icalendar(&pipeline, "20261012T120000Z"));
    assert!(ical.starts_with("BEGIN:VCALENDAR\r\n") && ical.ends_with("END:VCALENDAR\r\n"));
    assert!(ical.contains("DTSTART;VALUE=DATE:20270920") && ical.contains("DTSTART:20261214T050000Z"));
    assert!(ical.lines().all(|line| line.len() <= 75), "lines are folded");
    let lines = world
        .client
        .clone()
        .get_forecast(GetForecastRequest::default())
        .await
        .unwrap()
        .into_inner()
        .lines;
    assert_eq!((lines.len(), lines[0].segment.as_str(), lines[0].deals), (1, "smb", 1));
    let csv = export::csv(&export::Pipeline {
        deals: vec![Deal {
            account_id: "=cmd|' /C calc'!A0".into(),
            shift_reason: "a, \"b\"".into(),
            ..Deal::default()
        }],
        ..Default::default()
    });
    let csv = csv.unwrap();
    assert!(csv.contains("'=cmd|") && csv.contains("\"a, \"\"b\"\"\""), "{csv}");
}
