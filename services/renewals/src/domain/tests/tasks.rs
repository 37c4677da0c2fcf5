use super::*;
use crate::domain::{
    renewal::DealFault,
    task::{Task, TaskKind, TaskState},
};

fn known_on(on: &str) -> World {
    let mut world = World::new([version("v1", "2026-01-01", "2027-01-01")]);
    world.settle(on);
    world
}

fn task(world: &World, kind: TaskKind) -> &Task {
    world.renewal.tasks.iter().find(|task| task.kind == kind).unwrap()
}

fn states(world: &World) -> Vec<(TaskKind, TaskState)> {
    let mut states: Vec<_> = world.renewal.tasks.iter().map(|task| (task.kind, task.state)).collect();
    states.sort_unstable();
    states
}

fn done(world: &mut World, kind: TaskKind, on: &str) {
    let task = task(world, kind);
    let (id, etag) = (task.task_id, task.etag());
    let decision = world
        .renewal
        .task_done((id, &etag), &world.account, &world.policy, noon(on))
        .unwrap();
    world.take(decision);
}

#[test]
fn rn1_every_task_is_due_inside_its_stage() {
    for kind in TaskKind::ALL {
        let Some(stage) = kind.stage() else { continue };
        assert_eq!(by_date(kind.due_days_before()), stage, "{kind}");
    }
}

#[test]
fn rn1_a_stage_brings_its_tasks() {
    let mut world = known_on("2026-05-01");
    assert!(world.renewal.tasks.is_empty());
    world.settle("2026-09-03");
    let kinds: Vec<_> = states(&world).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        [
            TaskKind::PrepareHealth,
            TaskKind::ScheduleReview,
            TaskKind::SolveProblems
        ]
    );
    assert!(world.renewal.tasks.iter().all(|task| task.assignee_id == "csm-1"));
    assert_eq!(
        task(&world, TaskKind::PrepareHealth).due_on,
        day("2026-09-11"),
        "the 13th is a Sunday"
    );
}

#[test]
fn rn2_what_is_late_is_overdue_and_what_is_planned_late_is_not() {
    let mut world = known_on("2026-09-03");
    world.settle("2026-09-11");
    assert_eq!(task(&world, TaskKind::PrepareHealth).state, TaskState::Open);
    world.settle("2026-09-12");
    assert_eq!(task(&world, TaskKind::PrepareHealth).state, TaskState::Overdue);
    let late = known_on("2026-11-25");
    assert_eq!(task(&late, TaskKind::AgreeTerms).due_on, day("2026-11-25"));
    assert_eq!(task(&late, TaskKind::AgreeTerms).state, TaskState::Open);
}

#[test]
fn rn2_a_task_is_done_once() {
    let mut world = known_on("2026-09-03");
    done(&mut world, TaskKind::PrepareHealth, "2026-09-04");
    assert_eq!(
        task(&world, TaskKind::PrepareHealth).completed_at,
        Some(noon("2026-09-04"))
    );
    let id = task(&world, TaskKind::PrepareHealth).task_id;
    let again = world
        .renewal
        .task_done((id, ""), &world.account, &world.policy, noon("2026-09-05"));
    assert_eq!(again.unwrap_err(), DealFault::TaskDone);
}

#[test]
fn rn2_a_new_csm_takes_over_what_is_to_be_done() {
    let mut world = known_on("2026-09-03");
    done(&mut world, TaskKind::PrepareHealth, "2026-09-04");
    world.account.owner_id = "csm-2".to_owned();
    world.settle("2026-09-05");
    assert_eq!(task(&world, TaskKind::PrepareHealth).assignee_id, "csm-1");
    assert_eq!(task(&world, TaskKind::SolveProblems).assignee_id, "csm-2");
    assert_eq!(world.last().owner_id, "csm-2");
}

#[test]
fn c8_a_date_that_moves_away_cancels_what_is_not_due_until_its_stage_comes_again() {
    let mut world = known_on("2026-09-03");
    done(&mut world, TaskKind::PrepareHealth, "2026-09-04");
    world
        .learn(version("v2", "2026-02-01", "2027-06-01"))
        .settle("2026-09-05");
    assert_eq!(
        states(&world),
        [
            (TaskKind::PrepareHealth, TaskState::Done),
            (TaskKind::ScheduleReview, TaskState::Cancelled),
            (TaskKind::SolveProblems, TaskState::Cancelled),
        ]
    );
    world.settle("2027-02-01");
    assert_eq!(task(&world, TaskKind::ScheduleReview).state, TaskState::Open);
    assert_eq!(task(&world, TaskKind::ScheduleReview).due_on, day("2027-02-16"));
    assert_eq!(task(&world, TaskKind::PrepareHealth).state, TaskState::Done);
}

#[test]
fn c8_a_date_that_moves_nearer_plans_the_rest_anew() {
    let mut world = known_on("2026-09-03");
    world.settle("2026-09-20");
    assert_eq!(task(&world, TaskKind::PrepareHealth).state, TaskState::Overdue);
    world
        .learn(version("v2", "2026-02-01", "2026-11-10"))
        .settle("2026-09-21");
    assert_eq!(world.stage(), Stage::Negotiation);
    assert_eq!(
        task(&world, TaskKind::PrepareHealth).due_on,
        day("2026-09-21"),
        "passed stages: today"
    );
    assert_eq!(task(&world, TaskKind::PrepareHealth).state, TaskState::Open);
    assert_eq!(task(&world, TaskKind::AgreeTerms).due_on, day("2026-09-25"));
}

#[test]
fn rn1_a_closed_deal_needs_no_work() {
    let mut world = known_on("2026-09-03");
    world.renew("2026-09-04");
    assert!(
        world
            .renewal
            .tasks
            .iter()
            .all(|task| task.state == TaskState::Cancelled)
    );
    let id = task(&world, TaskKind::SolveProblems).task_id;
    let late = world
        .renewal
        .task_done((id, ""), &world.account, &world.policy, noon("2026-09-05"));
    assert_eq!(late.unwrap_err(), DealFault::TaskCancelled);
}
