//! Other playbooks and limits tried on history and on the present base; nothing is sent (C-16).

use tonic::Code;
use upswell_proto::{
    offers::v1::{self as pb, offer::State, playbook_service_client::PlaybookServiceClient},
    scoring::v1::signal,
    vocabulary::v1::Motion,
};
use upswell_runtime::problem::Problem;

use super::world::{SLOT, START, World, at, wire};

/// An account that got an offer and then help, and one that waits for a better score.
async fn lived() -> World {
    let mut world = World::new().await;
    world.account = "low".into();
    world.known().await;
    world.score(0.1, 0).await;
    world.limit_signal(signal::State::Open).await;
    world.account = super::world::ACCOUNT.into();
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.ticket_signal().await;
    for time in [
        SLOT,
        "2026-10-13T05:00:00Z",
        "2026-10-14T05:00:00Z",
        "2026-10-20T05:00:00Z",
    ] {
        world.run_to(time).await;
    }
    world.offer(Motion::PremiumSupport, State::Sent).await;
    world
}

async fn tried(world: &World, request: pb::SimulatePolicyRequest) -> pb::SimulatePolicyResponse {
    let mut client = PlaybookServiceClient::new(world.channel.clone());
    client.simulate_policy(request).await.unwrap().into_inner()
}

fn history() -> pb::SimulatePolicyRequest {
    pb::SimulatePolicyRequest {
        start_time: Some(wire(at(START))),
        ..pb::SimulatePolicyRequest::default()
    }
}

fn with_cap(key: &str, value: &str, request: pb::SimulatePolicyRequest) -> pb::SimulatePolicyRequest {
    pb::SimulatePolicyRequest {
        caps: [(key.to_owned(), value.to_owned())].into(),
        ..request
    }
}

fn playbook<'a>(answer: &'a pb::SimulatePolicyResponse, key: &str) -> &'a pb::SimulatedPlaybook {
    answer.playbooks.iter().find(|row| row.playbook == key).unwrap()
}

#[tokio::test]
async fn c16_history_through_unchanged_rules_is_history() {
    let world = lived().await;
    let (offers, spooled) = (world.all_offers().await, world.spool_count());
    let answer = tried(&world, history()).await;
    assert!(answer.decisions >= 5 && answer.accounts == 2, "{answer:#?}");
    assert_eq!((answer.changed, answer.changes.len()), (0, 0), "{answer:#?}");
    assert!(answer.playbooks.iter().all(|row| row.was == row.would), "{answer:#?}");
    assert!(answer.rules.iter().all(|row| row.was == row.would), "{answer:#?}");
    assert_eq!(playbook(&answer, "capacity-growth").was.as_ref().unwrap().sent, 1);
    // The files of the policy in force, given as other ones, are the same rules.
    let mut client = PlaybookServiceClient::new(world.channel.clone());
    let policy = client
        .get_policy(pb::GetPolicyRequest { with_files: true })
        .await
        .unwrap()
        .into_inner();
    let files = pb::SimulatePolicyRequest {
        files: policy.files,
        ..history()
    };
    assert_eq!(tried(&world, files).await, answer);
    assert_eq!((world.all_offers().await, world.spool_count()), (offers, spooled));
}

#[tokio::test]
async fn c16_other_limits_change_what_would_have_gone_out() {
    let world = lived().await;
    let none = tried(&world, with_cap("commercial_max", "0", history())).await;
    let growth = playbook(&none, "capacity-growth");
    let (was, would) = (growth.was.as_ref().unwrap(), growth.would.as_ref().unwrap());
    assert_eq!((was.sent, would.sent), (1, 0), "{none:#?}");
    assert!(!was.expected_monthly.is_empty() && would.expected_monthly.is_empty());
    let support = playbook(&none, "premium-support");
    assert_eq!(support.would.as_ref().unwrap().sent, 0);
    assert!(
        none.changes.iter().any(|change| change.why.starts_with("C-1:")),
        "{none:#?}"
    );
    // Help goes out all the same.
    assert_eq!(playbook(&none, "ticket-recipe").would.as_ref().unwrap().sent, 1);
}

#[tokio::test]
async fn m7_a_dry_run_tells_what_the_present_base_would_get() {
    let mut world = World::new().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    let same = tried(&world, pb::SimulatePolicyRequest::default()).await;
    assert_eq!((same.changed, same.accounts), (0, 1), "{same:#?}");
    assert_eq!(playbook(&same, "capacity-growth").would.as_ref().unwrap().sent, 1);
    let none = tried(
        &world,
        with_cap("commercial_max", "0", pb::SimulatePolicyRequest::default()),
    )
    .await;
    assert_eq!(none.changed, 1, "{none:#?}");
    assert_eq!(none.changes[0].was, "capacity-growth (users)");
    assert_eq!(world.all_offers().await, [], "nothing was decided");
}

#[tokio::test]
async fn m7_a_trial_of_wrong_rules_names_every_fault() {
    let world = World::new().await;
    let mut client = PlaybookServiceClient::new(world.channel.clone());
    let policy = client
        .get_policy(pb::GetPolicyRequest { with_files: true })
        .await
        .unwrap()
        .into_inner();
    let mut files = policy.files;
    for file in &mut files {
        file.text = file
            .text
            .replace("motion: capacity\n", "motion: capacty\n")
            .replace("owner: auto", "owner: nobody");
    }
    let mut wrong = with_cap("comercial_max", "2", history());
    wrong.files = files;
    let refused = client.simulate_policy(wrong).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let problem = Problem::from(refused).to_string();
    for place in [
        "capacity-growth.yaml",
        "plan-upgrade.yaml",
        "did you mean `capacity`",
        "comercial_max",
    ] {
        assert!(problem.contains(place), "{place}: {problem}");
    }
    let backwards = pb::SimulatePolicyRequest {
        start_time: Some(wire(at(SLOT))),
        end_time: Some(wire(at(START))),
        ..pb::SimulatePolicyRequest::default()
    };
    assert_eq!(
        client.simulate_policy(backwards).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}
