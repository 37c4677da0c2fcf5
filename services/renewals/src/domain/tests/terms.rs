//! Terms of contracts: renewal by itself, notice, years, add-ons (RN-8).

use super::*;
use crate::domain::{
    contract::{AddOn, co_terminating},
    deal::RenewalTerms,
    schedule::Shift,
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
