//! The work queue of customer success.

use tonic::Code;
use upswell_proto::offers::v1::{
    self as pb,
    decline_offer_request::Reason,
    offer::State,
    task::{Outcome, State as TaskState},
};
use upswell_proto::vocabulary::v1::Motion;

use crate::world::{World, acting, at, request_id, wire};

type Client = pb::task_service_client::TaskServiceClient<tonic::transport::Channel>;

fn client(world: &World) -> Client {
    Client::new(world.channel.clone())
}

/// Premium support, proposed by the account's CSM, a week after the recipe.
pub(crate) async fn support_task() -> World {
    let mut world = World::new().await;
    world.known().await;
    world.ticket_signal().await;
    world.run().await;
    world.run_to("2026-10-19T05:00:00Z").await;
    world
}

pub(crate) async fn queue(world: &World, assignee: &str) -> Vec<pb::Task> {
    let request = pb::ListTasksRequest {
        assignee_id: assignee.into(),
        ..Default::default()
    };
    client(world).list_tasks(request).await.unwrap().into_inner().tasks
}

fn claim(task: &pb::Task, id: &str) -> pb::ClaimTaskRequest {
    pb::ClaimTaskRequest {
        task_id: task.task_id.clone(),
        etag: task.etag.clone(),
        request_id: request_id(id),
    }
}

fn complete(task: &pb::Task, outcome: Outcome, id: &str) -> pb::CompleteTaskRequest {
    pb::CompleteTaskRequest {
        task_id: task.task_id.clone(),
        outcome: outcome.into(),
        reason: Reason::Unspecified.into(),
        comment: "they will think".into(),
        etag: task.etag.clone(),
        request_id: request_id(id),
    }
}

#[tokio::test]
async fn t2_a_task_is_claimed_put_off_and_ended_by_one_person() {
    let world = support_task().await;
    let task = queue(&world, "csm-1").await.remove(0);
    assert_eq!(
        (task.assignee_id.as_str(), task.state(), task.motion()),
        ("csm-1", TaskState::Open, Motion::PremiumSupport)
    );
    assert_eq!(queue(&world, "csm-2").await, []);
    assert_eq!(queue(&world, "").await.len(), 1);

    let mut tasks = client(&world);
    assert_eq!(
        tasks.claim_task(claim(&task, "nobody")).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let taken = tasks
        .claim_task(acting(claim(&task, "a"), "csm-1"))
        .await
        .unwrap()
        .into_inner()
        .task
        .unwrap();
    assert_eq!(
        (taken.claimed_by.as_str(), taken.state()),
        ("csm-1", TaskState::Claimed)
    );
    let stale = tasks.claim_task(acting(claim(&task, "b"), "csm-1")).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    let other = tasks.claim_task(acting(claim(&taken, "c"), "csm-2")).await.unwrap_err();
    assert_eq!(other.code(), Code::FailedPrecondition);

    let mut snooze = pb::SnoozeTaskRequest {
        task_id: taken.task_id.clone(),
        snooze_time: Some(wire(at("2026-10-20T05:00:00Z"))),
        etag: taken.etag.clone(),
        request_id: request_id("s"),
    };
    let asleep = tasks
        .snooze_task(acting(snooze.clone(), "csm-1"))
        .await
        .unwrap()
        .into_inner()
        .task
        .unwrap();
    assert_eq!(queue(&world, "csm-1").await, []);
    (snooze.etag, snooze.request_id) = (asleep.etag.clone(), request_id("too late"));
    snooze.snooze_time = Some(wire(at("2027-10-20T05:00:00Z")));
    assert_eq!(
        tasks.snooze_task(acting(snooze, "csm-1")).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    world.clock.set(at("2026-10-20T06:00:00Z"));
    assert_eq!(queue(&world, "csm-1").await.len(), 1);

    let done = tasks
        .complete_task(acting(complete(&asleep, Outcome::Talked, "t"), "csm-1"))
        .await
        .unwrap()
        .into_inner();
    let (task, offer) = (done.task.unwrap(), done.offer.unwrap());
    assert_eq!(
        (task.state(), task.outcome(), offer.state()),
        (TaskState::Done, Outcome::Talked, State::Sent)
    );
    assert_eq!(queue(&world, "csm-1").await, []);
}

#[tokio::test]
async fn t5_a_csm_accepts_for_the_account_once() {
    let world = support_task().await;
    let task = queue(&world, "csm-1").await.remove(0);
    let mut tasks = client(&world);
    let yes = complete(&task, Outcome::Accepted, "yes");
    let first = tasks
        .complete_task(acting(yes.clone(), "csm-1"))
        .await
        .unwrap()
        .into_inner();
    let again = tasks.complete_task(acting(yes, "csm-1")).await.unwrap().into_inner();
    assert_eq!(first, again);
    assert_eq!(
        (first.offer.unwrap().state(), world.all_orders().await.len()),
        (State::Accepted, 1)
    );
}

#[tokio::test]
async fn t8_a_csm_declines_with_a_reason() {
    let world = support_task().await;
    let task = queue(&world, "csm-1").await.remove(0);
    let mut tasks = client(&world);
    let mut no = complete(&task, Outcome::Declined, "no");
    assert_eq!(
        tasks
            .complete_task(acting(no.clone(), "csm-1"))
            .await
            .unwrap_err()
            .code(),
        Code::InvalidArgument
    );
    no.set_reason(Reason::Timing);
    tasks.complete_task(acting(no, "csm-1")).await.unwrap();
    assert_eq!(
        world.offer(Motion::PremiumSupport, State::Declined).await.close_reason,
        "timing: they will think"
    );
}

#[tokio::test]
async fn t2_the_digest_tells_the_day() {
    let world = support_task().await;
    let digest = |person: &str| pb::GetTaskDigestRequest {
        assignee_id: person.into(),
    };
    let mine = client(&world)
        .get_task_digest(digest("csm-1"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (mine.open_count, mine.urgent_count, mine.expected_values.len()),
        (1, 0, 1)
    );
    assert!(
        mine.text.starts_with("1 open, 0 of them end within two days; $"),
        "{}",
        mine.text
    );
    assert!(
        mine.text.contains("\n1. acme: Acme: offer Premium support, $"),
        "{}",
        mine.text
    );
    let empty = client(&world)
        .get_task_digest(digest("csm-2"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((empty.open_count, empty.text.lines().count()), (0, 1));
    assert_eq!(
        client(&world).get_task_digest(digest("")).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}
