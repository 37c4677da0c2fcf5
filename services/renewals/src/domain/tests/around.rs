//! Seasons, terms, late work, reviews, onboarding, forecast and losses by example.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::domain::{
    care::{self, AgendaPart, Care, Figures, Person, ReviewState, Surroundings},
    contact::{Contact, ContactFault, ContactKind, ContactState, Outcome, Place, Step},
    contract::{AddOn, co_terminating},
    deal::{LossCategory, LossReason, RenewalTerms, StageMove},
    duty::{self, Absence, DutyRules, NoticeKind, Work},
    forecast::{Prospect, forecast},
    losses::{Loss, SignalRule, analyse},
    renewal::DealFault,
    schedule::Shift,
    task::{TaskKind, TaskState},
};

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

fn with_terms(world: &mut World, terms: RenewalTerms, on: &str) {
    let (id, etag) = world.last_key();
    let decision = world
        .renewal
        .terms_set((id, &etag), terms, &world.account, &world.policy, noon(on));
    world.take(decision.unwrap());
}

#[test]
fn rn8_a_contract_renews_by_itself_unless_notice_is_given() {
    let terms = RenewalTerms {
        auto_renew: true,
        notice_days: 60,
        term_months: 0,
    };
    let mut world = World::new([version("v1", "2026-01-01", "2027-01-01")]);
    world.settle("2026-05-01");
    with_terms(&mut world, terms, "2026-05-01");
    assert_eq!(world.last().notice_on(), Some(day("2026-11-02")));
    assert_eq!(world.last().shift, Shift::Notice);
    assert_eq!(
        world.last().schedule().ends(Stage::Negotiation),
        day("2026-11-01"),
        "before the notice period"
    );
    let mut noticed = World::new([version("v1", "2026-01-01", "2027-01-01")]);
    noticed.settle("2026-05-01");
    with_terms(&mut noticed, terms, "2026-05-01");
    let (id, etag) = noticed.last_key();
    let given = noticed.renewal.notice_given(
        (id, &etag),
        day("2026-10-01"),
        &noticed.account,
        &noticed.policy,
        noon("2026-10-01"),
    );
    noticed.take(given.unwrap());
    assert_eq!(
        noticed.last().at_risk,
        kzt(240_000).ratio(178, 120).unwrap(),
        "all of it, 62 days ahead"
    );
    noticed.settle("2027-01-02");
    assert_eq!(noticed.stages(), [Stage::Lapsed]);
    world.settle("2026-12-31");
    assert_eq!(world.stages(), [Stage::LastMile]);
    world.settle("2027-01-01");
    assert_eq!(world.stages(), [Stage::Renewed, Stage::Scheduled]);
    assert_eq!(
        (world.last().renewal_on, world.last().terms),
        (day("2028-01-01"), terms)
    );
    // Billing says the same some days later: nothing moves.
    world
        .learn(version("v2", "2027-01-01", "2028-01-01"))
        .settle("2027-01-05");
    assert_eq!(world.stages(), [Stage::Renewed, Stage::Scheduled]);
    assert!(world.news.is_empty());
}

#[test]
fn rn8_a_term_of_years_is_one_deal_and_renews_for_as_long() {
    let mut world = World::new([version("v1", "2024-03-01", "2027-03-01")]);
    world.settle("2024-03-05");
    assert_eq!(
        (world.stages(), world.check_on),
        (vec![Stage::Scheduled], Some(day("2026-11-01")))
    );
    with_terms(
        &mut world,
        RenewalTerms {
            auto_renew: true,
            ..RenewalTerms::default()
        },
        "2024-03-05",
    );
    world.settle("2027-03-01");
    assert_eq!(world.last().renewal_on, day("2030-03-01"));
}

#[test]
fn rn8_add_ons_with_the_same_day_renew_together() {
    let add_on = |id: &str, renewal: Option<&str>, minor: i64, superseded| AddOn {
        subscription_id: id.to_owned(),
        effective_on: day("2026-06-01"),
        end_on: None,
        renewal_on: renewal.map(day),
        mrr: Money::new(minor, "KZT".parse().unwrap()),
        version_id: format!("{id}/1"),
        occurred_at: noon("2026-06-01"),
        superseded,
    };
    let add_ons = [
        add_on("seats", Some("2027-01-01"), 100, false),
        add_on("module", Some("2027-05-01"), 200, false),
        add_on("wrong", Some("2027-01-01"), 400, true),
        add_on("loose", None, 800, false),
    ];
    let currency = "KZT".parse().unwrap();
    assert_eq!(co_terminating(&add_ons, day("2027-01-01"), currency).minor, 100);
    let mut world = World::new([version("v1", "2026-01-01", "2027-01-01")]);
    world.renewal.add_ons = add_ons.to_vec();
    world.settle("2026-05-01");
    assert_eq!(world.last().money().minor, 24_000_100);
}

const RULES: fn() -> DutyRules = || DutyRules {
    lead_id: "lead".into(),
    product_id: "product".into(),
    remind_after: 1,
    step: 2,
};

#[test]
fn rn2_late_work_reminds_then_goes_to_the_delegate_then_to_the_lead() {
    let away = |person: &str, from: &str, until: &str, delegate: &str| {
        Absence::new(person.into(), day(from), day(until), delegate.into())
    };
    let work = Work {
        task_id: "t",
        kind: "sign",
        account_id: "acme",
        assignee_id: "anna",
        due_on: day("2026-10-16"),
    };
    let alert = |today: &str, absences: &[Absence]| {
        duty::alert(work, absences, &RULES(), &kazakhstan(), day(today), noon(today))
            .map(|alert| (alert.notice.kind, alert.notice.person_id, alert.next_on))
    };
    let said = |kind, person: &str, next: Option<&str>| Some((kind, person.to_owned(), next.map(day)));
    assert_eq!(alert("2026-10-15", &[]), None);
    // Friday, Monday, Wednesday, Friday; the 25th of October is a Sunday, so that the 26th is free.
    assert_eq!(
        alert("2026-10-16", &[]),
        said(NoticeKind::Due, "anna", Some("2026-10-19"))
    );
    assert_eq!(
        alert("2026-10-20", &[]),
        said(NoticeKind::Late, "anna", Some("2026-10-21"))
    );
    assert_eq!(
        alert("2026-10-21", &[]),
        said(NoticeKind::Delegated, "lead", Some("2026-10-23"))
    );
    let boris = [away("anna", "2026-10-01", "2026-11-30", "boris")];
    assert_eq!(
        alert("2026-10-19", &boris),
        said(NoticeKind::Late, "boris", Some("2026-10-21"))
    );
    let later = [away("anna", "2026-12-01", "2026-12-10", "boris")];
    assert_eq!(
        alert("2026-10-21", &later),
        said(NoticeKind::Delegated, "boris", Some("2026-10-23"))
    );
    let both = [boris[0].clone(), away("boris", "2026-10-10", "2026-10-30", "")];
    assert_eq!(
        alert("2026-10-19", &both),
        said(NoticeKind::Late, "lead", Some("2026-10-21"))
    );
    let circle = [boris[0].clone(), away("boris", "2026-10-10", "2026-10-30", "anna")];
    assert_eq!(
        alert("2026-10-19", &circle),
        said(NoticeKind::Late, "lead", Some("2026-10-21"))
    );
    assert_eq!(alert("2026-11-20", &boris), said(NoticeKind::Escalated, "lead", None));
}

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

#[test]
fn rn9_onboarding_has_an_owner_and_three_checkpoints_that_become_late_work() {
    let account = Account {
        owner_id: "csm-1".into(),
        country: "KZ".into(),
        ..Account::unknown()
    };
    let kz = kazakhstan();
    let (care, check_on) = Care::new("acme").settled(around(&account, &kz, None), noon("2026-10-12"));
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
    let (late, _) = care.settled(around(&account, &kz, None), noon("2026-10-21"));
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
    let (care, _) = Care::new("acme").settled(around(&old, &kz, None), noon("2026-10-12"));
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
            let (after, _) = care.settled(around(&account, &kz, Some("2027-12-20")), noon(&today.to_string()));
            let again = after.settled(around(&account, &kz, Some("2027-12-20")), noon(&today.to_string()));
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
    let (planned, _) = Care::new("acme").settled(around, noon("2026-10-05"));
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

fn contact() -> Contact {
    Contact {
        contact_id: uuid::Uuid::nil(),
        deal_id: uuid::Uuid::nil(),
        account_id: "acme".into(),
        kind: ContactKind::Call,
        channel: 7,
        person_id: String::new(),
        proposes_expansion: false,
        planned_at: noon("2026-10-12"),
        state: ContactState::Planned,
        step: Some(Step::Reserve),
        next_at: Some(noon("2026-10-12")),
        attempt: 1,
        touch_id: String::new(),
        blocking: Vec::new(),
        actor: "anna".into(),
        version: 1,
    }
}

#[test]
fn rn2_a_refused_contact_waits_and_an_unknown_outcome_counts() {
    let mut waiting = contact();
    waiting.answered(Place::Refused(vec!["C-3".into()], Some(noon("2026-11-01"))));
    assert_eq!(
        (waiting.state, waiting.next_at),
        (ContactState::Deferred, Some(noon("2026-11-01")))
    );
    waiting.answered(Place::Granted("touch".into()));
    assert_eq!((waiting.state, waiting.begins("3")), (ContactState::Reserved, Ok(())));
    assert_eq!(waiting.begins("2"), Err(ContactFault::Changed));
    let key = waiting.key();
    let mut lost = waiting.clone();
    lost.displaced(Vec::new(), None, noon("2026-11-02"));
    assert_ne!(lost.key(), key, "a lost place is asked for anew");
    waiting.begun(noon("2026-11-01"), SignedDuration::from_hours(24));
    assert!(waiting.cancelled(&waiting.etag(), noon("2026-11-01")).is_err());
    let mut forgotten = waiting.clone();
    forgotten.forgotten();
    assert_eq!((forgotten.state, forgotten.is_closed()), (ContactState::Assumed, true));
    waiting
        .finished(&waiting.etag(), Outcome::Bounced, noon("2026-11-01"))
        .unwrap();
    assert_eq!(
        (waiting.state, waiting.step),
        (ContactState::NotMade, Some(Step::Bounced))
    );
}

fn loss(on: &str, category: LossCategory) -> Loss {
    let reason = LossReason {
        category,
        detail: String::new(),
        competitor: "Rival".into(),
        integration: if category == LossCategory::MissingIntegration {
            "1C".into()
        } else {
            String::new()
        },
    };
    Loss {
        lost_on: day(on),
        reason,
        mrr: kzt(10),
    }
}

#[test]
fn rn4_a_reason_with_two_fifths_of_a_quarters_losses_is_a_product_signal() {
    use LossCategory::*;
    let rule = SignalRule {
        share_percent: 40,
        losses_min: 1,
    };
    let mut losses = vec![
        loss("2026-10-01", MissingIntegration),
        loss("2026-12-31", MissingIntegration),
    ];
    losses.extend(["2026-11-01", "2026-11-02", "2026-11-03"].map(|on| loss(on, Other)));
    let quarters = analyse(&losses, rule);
    let [quarter] = quarters.as_slice() else {
        panic!("one quarter: {quarters:?}")
    };
    assert_eq!((quarter.first_on, quarter.lost), (day("2026-10-01"), 5));
    let shares: Vec<_> = quarter
        .shares
        .iter()
        .map(|share| (share.category, share.count, share.product_signal))
        .collect();
    assert_eq!(
        shares,
        [(Other, 3, false), (MissingIntegration, 2, true)],
        "nobody can answer `other`"
    );
    assert_eq!(quarter.shares[1].integrations, [("1c".to_owned(), 2)]);
    assert_eq!(quarter.shares[1].mrr, [kzt(20)]);
    losses.push(loss("2026-11-04", Price));
    assert!(
        analyse(&losses, rule)[0]
            .shares
            .iter()
            .all(|share| !share.product_signal),
        "2 of 6 are not 40 %"
    );
    losses.push(loss("2027-01-01", Price));
    assert!(analyse(&losses, rule)[1].shares[0].product_signal);
}

fn prospect(on: &str, segment: &str, risk: f64, close: Option<bool>) -> Prospect {
    let mut world = World::new([version("v1", "2026-01-01", on)]);
    world.account.segment = segment.to_owned();
    world.settle("2026-05-01");
    if close == Some(true) {
        world.renew("2026-05-02");
    } else if close == Some(false) {
        let (id, etag) = world.last_key();
        let reason = loss("2026-05-02", LossCategory::Price).reason;
        let lost = world.renewal.closed(
            (id, &etag),
            Some(reason),
            "anna",
            &world.account,
            &world.policy,
            noon("2026-05-02"),
        );
        world.take(lost.unwrap());
    }
    Prospect {
        deal: world.last().clone(),
        risk: ChurnRisk::from_fraction(risk).unwrap(),
    }
}

#[test]
fn rn7_expected_best_and_worst_by_month_and_segment() {
    let lines = forecast(
        [
            prospect("2027-01-01", "smb", 0.25, None),
            prospect("2027-01-31", "smb", 0.0, Some(true)),
            prospect("2027-01-15", "smb", 0.5, Some(false)),
            prospect("2027-02-01", "smb", 0.9, None),
            prospect("2027-01-01", "mid", 0.1, None),
        ],
        200,
    );
    let [mid, smb, february] = lines.as_slice() else {
        panic!("three lines: {lines:?}")
    };
    assert_eq!(
        (mid.segment.as_str(), mid.expected, mid.worst),
        ("mid", kzt(216_000), kzt(192_000))
    );
    assert_eq!(
        (smb.deals, smb.due, smb.renewed, smb.lost),
        (3, kzt(720_000), kzt(240_000), kzt(240_000))
    );
    assert_eq!(
        (smb.expected, smb.best, smb.worst),
        (kzt(420_000), kzt(480_000), kzt(360_000))
    );
    assert_eq!((february.month, february.worst), (day("2027-02-01"), kzt(0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rn7_worst_is_never_above_expected_nor_expected_above_best(
        risks in prop::collection::vec((0.0_f64..=1.0, 0_u8..3), 1..6), factor in 100_u32..1_000,
    ) {
        let close = |kind: u8| [None, Some(true), Some(false)][usize::from(kind)];
        let prospects = risks.iter().map(|(risk, kind)| prospect("2027-01-01", "smb", *risk, close(*kind)));
        for line in forecast(prospects.collect::<Vec<_>>(), factor) {
            prop_assert!(line.worst.minor <= line.expected.minor && line.expected.minor <= line.best.minor);
            prop_assert!(line.best.minor + line.lost.minor <= line.due.minor);
        }
    }

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
