//! Reviews and onboarding by example (RN-5, RN-9).

use super::*;
use crate::domain::{
    care::{self, AgendaPart, Care, Figures, Goal, Person, ReviewState, Surroundings},
    task::{TaskKind, TaskState},
};

fn around<'a>(account: &'a Account, country: &'a Country, anchor_on: Option<&str>) -> Surroundings<'a> {
    Surroundings {
        account,
        country,
        customer_from: Some(day("2026-09-20")),
        anchor_on: anchor_on.map(day),
        prepare_days: 14,
        minutes: 60,
    }
}

fn settled(care: &Care, around: Surroundings<'_>, now: Timestamp) -> (Care, Option<Date>) {
    care.clone().decided(care, around, now)
}

#[test]
fn rn9_onboarding_has_an_owner_and_three_checkpoints_that_become_late_work() {
    let account = Account {
        owner_id: "csm-1".into(),
        country: "KZ".into(),
        ..Account::unknown()
    };
    let kz = kazakhstan();
    let (care, check_on) = settled(&Care::new("acme"), around(&account, &kz, None), noon("2026-10-12"));
    let due: Vec<_> = care
        .tasks
        .iter()
        .map(|task| (task.kind, task.due_on, task.assignee_id.as_str()))
        .collect();
    assert_eq!(
        due,
        [
            (TaskKind::Onboarding30, day("2026-10-20"), "csm-1"),
            (TaskKind::Onboarding60, day("2026-11-19"), "csm-1"),
            (TaskKind::Onboarding90, day("2026-12-18"), "csm-1"),
        ]
    );
    assert_eq!(check_on, Some(day("2026-10-21")));
    let (late, _) = settled(&care, around(&account, &kz, None), noon("2026-10-21"));
    assert_eq!(late.tasks[0].state, TaskState::Overdue);
    let mut done = late.clone();
    for task in &mut done.tasks {
        let etag = task.etag();
        task.done(&etag, noon("2026-12-01")).unwrap();
    }
    let (done, _) = done.decided(&late, around(&account, &kz, None), noon("2026-12-01"));
    assert!(done.plan.unwrap().finished);
    let old = Account {
        customer_since: Some(day("2026-01-01")),
        ..account
    };
    let (care, _) = settled(&Care::new("acme"), around(&old, &kz, None), noon("2026-10-12"));
    assert_eq!(care.plan, None, "a customer of ten months is not onboarded");
}

#[test]
fn rn5_rn6_reviews_are_quarterly_and_never_in_the_dead_season() {
    let kz = kazakhstan();
    let account = Account {
        customer_since: Some(day("2024-01-01")),
        ..Account::unknown()
    };
    for index in 0..40 {
        let name = format!("account-{index}");
        let mut care = Care::new(name.as_str());
        let mut today = day("2027-01-04");
        while today < day("2028-01-01") {
            let (after, _) = settled(
                &care,
                around(&account, &kz, Some("2027-12-20")),
                noon(&today.to_string()),
            );
            let again = settled(
                &after,
                around(&account, &kz, Some("2027-12-20")),
                noon(&today.to_string()),
            );
            assert_eq!(after, again.0, "settling twice changes nothing");
            care = after;
            today = days_before(today, -7);
        }
        let year = care.reviews.iter().filter(|review| review.held_on.year() == 2027);
        let days: Vec<_> = year.map(|review| review.held_on).collect();
        assert_eq!(days.len(), 4, "{name}: {days:?}");
        for on in days {
            assert!(kz.dead_season(on).is_none() && kz.is_working(on), "{name}: {on}");
        }
    }
    let held = care::usual_day("acme", day("2027-07-01"), day("2027-12-20"), &kz);
    assert_eq!(
        held,
        day("2027-09-06"),
        "in the preparation of the renewal, 105 days before"
    );
}

#[test]
fn rn5_a_review_has_deciders_an_agenda_and_growth_only_if_healthy() {
    let person = |id: &str, decides, holds_budget| Person {
        contact_id: id.into(),
        decides,
        holds_budget,
    };
    let figures = Figures {
        people: vec![person("dana", true, false), person("erik", false, true)],
        use_of: vec![care::Figure {
            name: "usage shipments".into(),
            value: 1_180,
            previous: Some(1_000),
        }],
        solved: vec![care::Figure {
            name: "tickets solved: integrations".into(),
            value: 3,
            previous: None,
        }],
        nps: Some(6),
        ..Figures::default()
    };
    let kz = kazakhstan();
    let ready =
        |health, critical, on: &str| care::prepare(figures.clone(), health, critical, &kz, day(on), day("2027-02-01"));
    let review = ready(Some(70), 0, "2026-12-03");
    assert_eq!(review.invited, ["dana"]);
    let parts: Vec<_> = review.agenda.iter().map(|item| item.part).collect();
    assert_eq!(
        parts,
        [
            AgendaPart::Goals,
            AgendaPart::Results,
            AgendaPart::Problems,
            AgendaPart::Plans
        ]
    );
    assert_eq!(review.agenda[1].lines[0], "usage shipments: 1180 after 1000");
    assert_eq!(review.agenda[2].lines, ["last NPS: 6"]);
    assert!(review.expansion_talk && review.agenda[3].lines[1].contains("budgets are open"));
    for (health, critical) in [(Some(69), 0), (Some(90), 1), (None, 0)] {
        let review = ready(health, critical, "2026-12-03");
        assert!(!review.expansion_talk && review.agenda[3].lines.len() == 1);
    }
    assert!(!ready(Some(70), 0, "2026-11-03").agenda[3].lines[1].contains("budgets"));
}

#[test]
fn rn5_a_review_is_held_then_summarized_and_its_tasks_follow() {
    let kz = kazakhstan();
    let account = Account {
        customer_since: Some(day("2024-01-01")),
        ..Account::unknown()
    };
    let around = around(&account, &kz, Some("2027-06-01"));
    let (planned, _) = settled(&Care::new("acme"), around, noon("2026-10-05"));
    let mut held = planned.clone();
    let etag = held.reviews[0].etag();
    held.reviews[0].closed(&etag, None).unwrap();
    let (held, _) = held.decided(&planned, around, noon("2026-11-20"));
    let state = |care: &Care, kind| care.tasks.iter().find(|task| task.kind == kind).map(|task| task.state);
    let own = care::Review::new("acme", day("2026-10-01"), 60).review_id;
    let hold = held
        .tasks
        .iter()
        .find(|task| task.subject_id == own && task.kind == TaskKind::HoldReview);
    assert_eq!(hold.unwrap().state, TaskState::Done);
    assert!(matches!(
        state(&held, TaskKind::SendSummary),
        Some(TaskState::Open | TaskState::Overdue)
    ));
    let mut sent = held.clone();
    let etag = sent.reviews[0].etag();
    sent.reviews[0].summarized(&etag, "we agreed".into()).unwrap();
    let (sent, _) = sent.decided(&held, around, noon("2026-11-21"));
    assert_eq!(
        (sent.reviews[0].state, state(&sent, TaskKind::SendSummary)),
        (ReviewState::Summarized, Some(TaskState::Done))
    );
    assert!(
        sent.clone().reviews[0]
            .moved(
                &sent.reviews[0].etag(),
                day("2026-12-01"),
                "x".into(),
                day("2026-11-21")
            )
            .is_err()
    );
}

#[test]
fn rn5_goals_stand_in_the_agenda_and_in_the_value_report() {
    let goal = |title: &str, target: Option<&str>, reached: Option<&str>| Goal {
        title: title.into(),
        target_on: target.map(day),
        reached_on: reached.map(day),
    };
    let figures = Figures {
        goals: vec![
            goal("faster", Some("2026-12-01"), Some("2026-11-20")),
            goal("cheaper", Some("2027-03-01"), None),
            goal("paperless", Some("2026-11-01"), None),
            goal("calm", None, None),
            goal("older", None, Some("2026-08-10")),
            goal("oldest", None, Some("2026-01-10")),
        ],
        ..Figures::default()
    };
    let review = care::prepare(figures, None, 0, &kazakhstan(), day("2026-12-03"), day("2027-02-01"));
    assert_eq!(
        review.agenda[0].lines,
        [
            "faster: reached on 2026-11-20",
            "cheaper: to be reached by 2027-03-01",
            "paperless: was to be reached by 2026-11-01",
            "calm: open",
        ]
    );
    assert_eq!(review.agenda[1].lines, ["goal reached: faster"]);
    let report: Vec<_> = review
        .figures
        .iter()
        .map(|it| (it.name.as_str(), it.value, it.previous))
        .collect();
    assert_eq!(report, [("goals reached", 1, Some(1)), ("goals open", 3, None)]);
}
