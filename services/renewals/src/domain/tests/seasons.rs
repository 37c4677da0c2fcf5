//! Seasons and working days: where the stages of a renewal go when a country rests (RN-6).

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::domain::{deal::StageMove, renewal::DealFault, schedule::Shift, task::TaskKind};

fn kazakh(renewal: &str) -> World {
    let start = days_before(day(renewal), 365);
    let mut world = World::new([version("v1", &start.to_string(), renewal)]);
    world.account.country = "KZ".to_owned();
    world.account.time_zone = TimeZone::get("Asia/Almaty").unwrap();
    world
}

#[test]
fn rn6_negotiation_ends_before_july_in_kazakhstan() {
    for (renewal, ends, shift) in [
        ("2027-08-15", "2027-06-29", Shift::Season),
        ("2027-07-31", "2027-06-30", Shift::None),
        ("2027-08-01", "2027-06-29", Shift::Season),
        ("2027-09-30", "2027-06-29", Shift::Season),
        ("2027-10-01", "2027-06-29", Shift::Season),
        ("2027-10-02", "2027-09-01", Shift::None),
        ("2027-07-20", "2027-06-19", Shift::None),
        ("2027-03-31", "2027-02-28", Shift::None),
    ] {
        let mut world = kazakh(renewal);
        world.settle("2026-12-01");
        let schedule = world.last().schedule();
        assert_eq!(
            (schedule.ends(Stage::Negotiation), schedule.shift),
            (day(ends), shift),
            "{renewal}"
        );
        assert_eq!(
            schedule.opens(Stage::LastMile),
            days_before(day(renewal), 15),
            "the money stays where it is"
        );
    }
    let mut elsewhere = kazakh("2027-08-15");
    elsewhere.account.country = "DE".to_owned();
    elsewhere.settle("2026-12-01");
    assert_eq!(elsewhere.last().schedule(), Schedule::plain(day("2027-08-15")));
}

#[test]
fn rn6_stages_marks_and_tasks_move_together() {
    let mut world = kazakh("2027-08-15");
    world.settle("2026-12-01");
    let mut seen = Vec::new();
    let mut today = day("2026-12-01");
    while today <= day("2027-08-20") {
        world.settle(&today.to_string());
        seen.extend(world.marks().into_iter().map(|mark| (mark, today.to_string())));
        today = today.tomorrow().unwrap();
    }
    let seen: Vec<_> = seen.iter().map(|(mark, on)| (*mark, on.as_str())).collect();
    assert_eq!(seen, [(120, "2027-04-01"), (60, "2027-05-31"), (30, "2027-06-29")]);
    let entered: Vec<_> = world
        .last()
        .history
        .iter()
        .map(|entry| (entry.stage, entry.entered_at))
        .collect();
    assert!(entered.contains(&(Stage::Agreement, noon("2027-06-30"))), "{entered:?}");
    assert!(entered.contains(&(Stage::LastMile, noon("2027-07-31"))), "{entered:?}");
    let due = |kind| {
        world
            .renewal
            .tasks
            .iter()
            .find(|task| task.kind == kind)
            .unwrap()
            .due_on
    };
    assert_eq!(due(TaskKind::SendProposal), day("2027-06-25"));
    assert_eq!(
        due(TaskKind::Sign),
        day("2027-06-30"),
        "before the season, not on day 22 in it"
    );
    assert_eq!(due(TaskKind::ConfirmRenewal), day("2027-08-13"));
}

#[test]
fn rn6_a_csm_moves_the_stages_with_a_reason_and_gives_them_back() {
    let mut world = kazakh("2027-08-15");
    world.settle("2027-04-05");
    assert_eq!(world.stage(), Stage::Preparation);
    let moved = |on: &str| {
        Some(StageMove {
            negotiated_on: day(on),
            reason: "their board meets in July".into(),
        })
    };
    let change = |world: &World, moved| {
        let (id, etag) = world.last_key();
        world
            .renewal
            .stages_moved((id, &etag), moved, &world.account, &world.policy, noon("2027-04-05"))
    };
    for late in ["2027-08-01", "2026-08-14"] {
        assert_eq!(
            change(&world, moved(late)).unwrap_err(),
            DealFault::OutOfReach(day("2027-08-15")),
            "{late}"
        );
    }
    let decision = change(&world, moved("2027-07-31")).unwrap();
    world.take(decision);
    assert_eq!((world.last().shift, world.stage()), (Shift::Person, Stage::Scheduled));
    assert_eq!(world.last().schedule().ends(Stage::Negotiation), day("2027-07-30"));
    assert_eq!(world.moves(), [None], "told, though the date stays");
    let decision = change(&world, None).unwrap();
    world.take(decision);
    assert_eq!((world.last().shift, world.stage()), (Shift::Season, Stage::Preparation));
}

#[test]
fn rn6_working_days_know_weekends_holidays_and_those_moved_from_a_weekend() {
    let kz = kazakhstan();
    for (on, works) in [
        ("2026-03-20", true),
        ("2026-03-21", false),
        ("2026-03-23", false),
        ("2026-03-24", false),
        ("2026-03-25", false),
        ("2026-03-26", true),
        ("2026-12-16", false),
        ("2026-05-27", false),
        ("2027-05-27", true),
        ("2026-01-05", true),
    ] {
        assert_eq!(kz.is_working(day(on)), works, "{on}");
    }
    assert_eq!(kz.working_until(day("2026-03-25")), day("2026-03-20"));
    assert_eq!(kz.working_after(day("2026-03-20"), 1), day("2026-03-26"));
    assert!(kz.favours_expansion(day("2026-12-10")) && !kz.favours_expansion(day("2026-11-30")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rn6_whatever_the_date_negotiation_never_ends_in_a_dead_season(renewal in 0_i32..1_500, notice in 0_i32..200) {
        let renewal_on = days_before(day("2026-01-01"), -renewal);
        let notice_on = (notice > 0).then(|| days_before(renewal_on, notice));
        let kz = kazakhstan();
        let schedule = Schedule::of(renewal_on, &kz, notice_on, None);
        prop_assert!(kz.dead_season(schedule.ends(Stage::Negotiation)).is_none());
        prop_assert!(notice_on.is_none_or(|day| schedule.ends(Stage::Negotiation) < day));
        let stages: Vec<Stage> = (0..400).rev().map(|left| schedule.stage_on(days_before(renewal_on, left))).collect();
        prop_assert!(stages.is_sorted(), "stages only go forward");
    }
}
