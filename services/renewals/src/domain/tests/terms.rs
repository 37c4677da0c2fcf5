//! Terms of contracts: renewal by itself, notice, years, add-ons (RN-8).

use super::*;
use crate::domain::{
    contract::{AddOn, StatedTerms, co_terminating},
    deal::RenewalTerms,
    renewal::DealFault,
    schedule::Shift,
    task::{Task, TaskKind, TaskState},
};

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

fn stating(id: &str, effective: &str, renewal: &str, auto_renew: bool, notice_days: i32) -> Version {
    Version {
        stated: StatedTerms {
            auto_renew: Some(auto_renew),
            notice_days: Some(notice_days),
            term_months: None,
        },
        ..version(id, effective, renewal)
    }
}

#[test]
fn rn8_what_the_contract_says_about_its_renewal_holds_until_a_person_says_otherwise() {
    let mut world = World::new([stating("v1", "2026-01-01", "2027-01-01", true, 60)]);
    world.settle("2026-05-01");
    let said = world.last().terms;
    assert_eq!((said.auto_renew, said.notice_days), (true, 60));
    assert_eq!(world.last().notice_on(), Some(day("2026-11-02")));
    // A person knows better, and what the source says again does not take it back.
    let better = RenewalTerms {
        notice_days: 30,
        ..said
    };
    with_terms(&mut world, better, "2026-05-02");
    world
        .settle("2026-05-03")
        .learn(stating("v2", "2026-05-04", "2027-01-01", true, 60))
        .settle("2026-05-04");
    assert_eq!(world.last().terms, better);
    // Other terms do; a version that says nothing changes nothing.
    world
        .learn(stating("v3", "2026-05-05", "2027-01-01", true, 90))
        .settle("2026-05-05");
    world
        .learn(version("v4", "2026-05-06", "2027-01-01"))
        .settle("2026-05-06");
    assert_eq!(
        (world.last().terms.auto_renew, world.last().terms.notice_days),
        (true, 90)
    );
    world.settle("2027-01-01");
    assert_eq!(world.stages(), [Stage::Renewed, Stage::Scheduled]);
    assert_eq!(world.last().terms.notice_days, 90, "the next term has the same terms");
}

#[test]
fn rn8_an_imported_contract_that_renewed_by_itself_has_one_deal_for_its_present_term() {
    let mut world = World::new([stating("v1", "2022-03-01", "2023-03-01", true, 0)]);
    world.settle("2026-10-12");
    assert_eq!(world.stages(), [Stage::Scheduled]);
    assert_eq!(world.last().renewal_on, day("2027-03-01"));
    let mut years = World::new([Version {
        stated: StatedTerms {
            auto_renew: Some(true),
            notice_days: None,
            term_months: Some(24),
        },
        ..version("v1", "2022-03-01", "2025-03-01")
    }]);
    years.settle("2026-10-12");
    assert_eq!(years.last().renewal_on, day("2027-03-01"), "three years, then two");
}

#[test]
fn rn8_the_last_day_of_notice_is_work_with_a_deadline() {
    let settle = |world: &World| -> Option<Task> {
        let found = world
            .renewal
            .tasks
            .iter()
            .find(|task| task.kind == TaskKind::SettleBeforeNotice);
        found.cloned()
    };
    let mut world = World::new([stating("v1", "2026-01-01", "2027-01-01", true, 20)]);
    world.settle("2026-09-10");
    assert_eq!(settle(&world), None, "it comes with negotiation");
    world.settle("2026-11-10");
    assert_eq!(world.last().notice_on(), Some(day("2026-12-12")));
    let task = settle(&world).unwrap();
    assert_eq!((task.due_on, task.state), (day("2026-12-09"), TaskState::Open));
    // Another notice period moves it, though no stage moves.
    let longer = RenewalTerms {
        notice_days: 25,
        ..world.last().terms
    };
    with_terms(&mut world, longer, "2026-11-11");
    assert_eq!(settle(&world).unwrap().due_on, day("2026-12-04"));
    world.settle("2026-12-05");
    assert_eq!(
        settle(&world).unwrap().state,
        TaskState::Overdue,
        "it does not move with the days"
    );
    let (id, etag) = world.last_key();
    let (account, policy) = (&world.account, &world.policy);
    let late = world
        .renewal
        .notice_given((id, &etag), day("2026-12-08"), account, policy, noon("2026-12-08"));
    assert_eq!(late.unwrap_err(), DealFault::NoticeLate(day("2026-12-07")));
    let given = world
        .renewal
        .notice_given((id, &etag), day("2026-12-07"), account, policy, noon("2026-12-08"));
    world.take(given.unwrap());
    assert_eq!(settle(&world).unwrap().state, TaskState::Cancelled);
    let mut without = World::new([version("v1", "2026-01-01", "2027-01-01")]);
    without.settle("2026-11-10");
    assert_eq!(settle(&without), None, "no notice period, no deadline");
}

#[test]
fn rn8_a_term_that_begins_early_renews_the_deal_and_a_shorter_shift_moves_it() {
    for (effective, renewal, stages, renews) in [
        // Signed two months ahead for a year from then, or for a year after the old term.
        (
            "2026-11-01",
            "2027-11-01",
            vec![Stage::Renewed, Stage::Scheduled],
            "2027-11-01",
        ),
        (
            "2026-11-01",
            "2028-01-01",
            vec![Stage::Renewed, Stage::Scheduled],
            "2028-01-01",
        ),
        // Moved to the day of another contract: co-termination.
        ("2026-11-01", "2027-04-01", vec![Stage::Scheduled], "2027-04-01"),
        // Far from its end a later date is a longer term.
        ("2026-06-01", "2028-01-01", vec![Stage::Scheduled], "2028-01-01"),
    ] {
        let mut world = World::new([version("v1", "2026-01-01", "2027-01-01")]);
        world.settle("2026-10-12");
        world.learn(version("v2", effective, renewal)).settle("2026-11-02");
        assert_eq!(
            (world.stages(), world.last().renewal_on),
            (stages, day(renews)),
            "{effective} to {renewal}"
        );
    }
}
