use super::*;
use crate::domain::deal::StageMove;

fn known_on(on: &str) -> World {
    let mut world = World::new([version("v1", "2026-01-01", "2027-01-01")]);
    world.settle(on);
    world
}

#[test]
fn sg6_each_mark_is_told_once_and_the_third_on_day_31() {
    let mut world = known_on("2026-05-01");
    let mut told = Vec::new();
    let mut today = day("2026-05-01");
    while today <= day("2027-01-10") {
        for _ in 0..2 {
            world.settle(&today.to_string());
            told.extend(world.marks().into_iter().map(|mark| (mark, today.to_string())));
        }
        today = today.tomorrow().unwrap();
    }
    let told: Vec<_> = told.iter().map(|(mark, on)| (*mark, on.as_str())).collect();
    assert_eq!(told, [(120, "2026-09-03"), (60, "2026-11-02"), (30, "2026-12-01")]);
}

#[test]
fn sg6_marks_of_the_past_are_not_told_except_on_their_very_day() {
    assert!(known_on("2026-09-04").marks().is_empty(), "120 was yesterday");
    assert_eq!(known_on("2026-09-03").marks(), [120]);
    assert_eq!(known_on("2026-11-02").marks(), [60], "and not 120");
    assert!(known_on("2027-01-02").marks().is_empty());
}

#[test]
fn sg6_a_mark_reached_while_nobody_looked_is_told_with_its_day() {
    let mut world = known_on("2026-05-01");
    world.settle("2026-09-08");
    let News::Mark(mark) = &world.news[1] else {
        panic!("a mark is told behind its deal")
    };
    assert_eq!((mark.mark_days, mark.reached_on), (120, day("2026-09-03")));
    world.settle("2027-01-02");
    assert!(world.marks().is_empty(), "the date has passed");
}

#[test]
fn sg6_a_moved_date_has_marks_of_its_own() {
    let mut world = known_on("2026-09-03");
    assert_eq!(world.marks(), [120]);
    world
        .learn(version("v2", "2026-02-01", "2027-02-01"))
        .settle("2026-09-05");
    assert!(world.marks().is_empty());
    world.settle("2026-10-04");
    assert_eq!(world.marks(), [120], "120 days before the new date");
    world
        .learn(version("v3", "2026-02-02", "2027-01-01"))
        .settle("2026-10-05");
    assert!(world.marks().is_empty(), "120 was told for that date");
}

#[test]
fn sg6_a_closed_deal_tells_nothing() {
    let mut world = known_on("2026-05-01");
    world.renew("2026-05-02").settle("2026-09-03");
    assert!(world.news.is_empty());
}

#[test]
fn sg6_stages_that_a_person_moves_behind_the_renewal_leave_the_marks_in_front_of_the_last_30_days() {
    let mut world = known_on("2026-05-01");
    let (id, etag) = world.last_key();
    let moved = StageMove {
        negotiated_on: day("2026-12-17"),
        reason: "their board meets".into(),
    };
    let now = noon("2026-05-02");
    let moved = world
        .renewal
        .stages_moved((id, &etag), Some(moved), &world.account, &world.policy, now);
    world.take(moved.unwrap());
    assert_eq!(world.last().anchor_on, day("2027-01-16"), "15 days behind the renewal");
    let mut told = Vec::new();
    while let Some(next) = world.check_on.filter(|day| *day < world.last().renewal_on) {
        world.settle(&next.to_string());
        told.extend(world.marks().into_iter().map(|mark| (mark, next.to_string())));
    }
    let told: Vec<_> = told.iter().map(|(mark, on)| (*mark, on.as_str())).collect();
    assert_eq!(
        told,
        [(120, "2026-09-03"), (60, "2026-11-02"), (30, "2026-12-01")],
        "C-3"
    );
}
