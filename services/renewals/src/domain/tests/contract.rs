use super::*;
use crate::domain::{
    contract::terms,
    deal::{CALENDAR, CONTRACT, ENDED, LossCategory},
};

fn annual() -> World {
    let mut world = World::new([version("v1", "2026-01-01", "2027-01-01")]);
    world.settle("2026-09-10");
    world
}

#[test]
fn rn1_a_version_from_the_renewal_day_on_is_the_next_term() {
    let versions = [
        version("v3", "2027-01-01", "2028-01-01"),
        version("v1", "2026-01-01", "2027-01-01"),
        version("v2", "2026-06-01", "2027-02-01"),
    ];
    let found: Vec<_> = terms(&versions)
        .iter()
        .map(|term| (term.from, term.renewal_on))
        .collect();
    // The second moved the date by a month, so that the third renews it early.
    assert_eq!(
        found,
        [
            (day("2026-01-01"), day("2027-02-01")),
            (day("2027-01-01"), day("2028-01-01"))
        ]
    );
    let found: Vec<_> = terms(&versions[..2]).iter().map(|term| term.renewal_on).collect();
    assert_eq!(found, [day("2027-01-01"), day("2028-01-01")]);
}

#[test]
fn c8_a_moved_date_moves_the_deal_which_stays_the_same() {
    let mut world = annual();
    assert_eq!(world.stage(), Stage::Preparation);
    let id = world.last().deal_id;
    world
        .learn(version("v2", "2026-09-01", "2027-06-01"))
        .settle("2026-09-11");
    assert_eq!(world.moves(), [Some(day("2027-01-01"))]);
    assert_eq!((world.last().deal_id, world.stages()), (id, vec![Stage::Scheduled]));
    world
        .learn(version("v3", "2026-09-02", "2026-10-20"))
        .settle("2026-09-12");
    assert_eq!(world.moves(), [Some(day("2027-06-01"))]);
    assert_eq!((world.last().deal_id, world.stages()), (id, vec![Stage::Negotiation]));
}

#[test]
fn rn8_a_next_term_renews_the_deal_and_opens_the_next() {
    let mut world = annual();
    world
        .learn(version("v2", "2027-01-01", "2028-01-01"))
        .settle("2026-11-01");
    assert_eq!(world.stages(), [Stage::Renewed, Stage::Scheduled], "signed early");
    assert_eq!(world.renewal.deals[0].history.last().unwrap().actor, CONTRACT);
    assert_eq!(world.moves(), [None, None]);
    assert_eq!(world.last().renewal_on, day("2028-01-01"));
}

#[test]
fn rn8_a_later_date_after_the_date_passed_is_a_renewal() {
    let mut world = annual();
    world.settle("2027-01-05");
    assert_eq!(world.stages(), [Stage::Lapsed]);
    world
        .learn(version("v2", "2026-12-20", "2028-01-01"))
        .settle("2027-01-06");
    assert_eq!(world.stages(), [Stage::Renewed, Stage::Scheduled]);
}

#[test]
fn c8_a_corrected_date_that_was_never_true_is_no_renewal() {
    let mut world = annual();
    world.settle("2027-01-05");
    let wrong = Version {
        superseded: true,
        ..version("v1", "2026-01-01", "2027-01-01")
    };
    world
        .learn(wrong)
        .learn(version("v2", "2026-01-01", "2027-04-01"))
        .settle("2027-01-06");
    assert_eq!(world.stages(), [Stage::Initiation]);
    assert_eq!(world.moves(), [Some(day("2027-01-01"))]);
}

#[test]
fn rn8_an_imported_history_opens_only_the_coming_renewal() {
    let mut world = World::new([
        version("v1", "2024-01-01", "2025-01-01"),
        version("v2", "2025-01-01", "2026-01-01"),
        version("v3", "2026-01-01", "2027-01-01"),
    ]);
    world.settle("2026-03-01");
    assert_eq!(world.stages(), [Stage::Scheduled]);
    assert_eq!(world.last().renewal_on, day("2027-01-01"));
}

#[test]
fn rn4_an_early_end_loses_the_deal_on_that_day_and_a_correction_takes_it_back() {
    let mut world = annual();
    let ending = Version {
        end_on: Some(day("2026-11-01")),
        ..version("v2", "2026-09-01", "2027-01-01")
    };
    world.learn(ending.clone()).settle("2026-10-31");
    assert_eq!(world.stages(), [Stage::Initiation], "there is still time to keep it");
    world.settle("2026-11-01");
    assert_eq!(world.stages(), [Stage::Lost]);
    let loss = world.last().loss.clone().unwrap();
    assert_eq!((loss.category, loss.detail.as_str()), (LossCategory::Other, ENDED));
    let id = world.last().deal_id;
    world
        .learn(Version {
            superseded: true,
            ..ending
        })
        .settle("2026-11-02");
    assert_eq!((world.stages(), world.last().deal_id), (vec![Stage::Negotiation], id));
    assert_eq!(world.last().loss, None);
    assert_eq!(world.last().history.last().unwrap().actor, CALENDAR);
}

#[test]
fn rn1_an_end_with_the_term_has_its_days_of_grace() {
    let fixed = Version {
        end_on: Some(day("2027-01-01")),
        ..version("v1", "2026-01-01", "2027-01-01")
    };
    let mut world = World::new([fixed]);
    world.settle("2026-12-31").settle("2027-01-30");
    assert_eq!(world.stages(), [Stage::Lapsed]);
    assert_eq!(world.check_on, Some(day("2027-01-31")));
    world.settle("2027-01-31");
    assert_eq!(world.stages(), [Stage::Lost]);
    world
        .learn(version("v2", "2027-02-10", "2028-02-10"))
        .settle("2027-02-10");
    assert_eq!(world.stages(), [Stage::Lost, Stage::Scheduled], "they came back");
}

#[test]
fn rn1_what_ended_long_ago_has_no_deal() {
    let ended = Version {
        end_on: Some(day("2025-06-01")),
        ..version("v1", "2025-01-01", "2026-01-01")
    };
    let mut world = World::new([ended]);
    world.settle("2026-09-01");
    assert!(world.renewal.deals.is_empty());
    assert_eq!(world.check_on, None);
}

#[test]
fn rn4_a_contract_that_never_was_closes_its_deal() {
    let mut world = annual();
    world
        .learn(Version {
            superseded: true,
            ..version("v1", "2026-01-01", "2027-01-01")
        })
        .settle("2026-09-11");
    assert_eq!(world.stages(), [Stage::Lost]);
}

#[test]
fn rn8_a_person_renewed_it_before_the_contract_says_so() {
    let mut world = annual();
    world.renew("2026-12-01").settle("2027-01-05");
    assert_eq!(world.stages(), [Stage::Renewed]);
    world
        .learn(version("v2", "2027-01-01", "2028-01-01"))
        .settle("2027-01-06");
    assert_eq!(world.stages(), [Stage::Renewed, Stage::Scheduled]);
    assert_ne!(world.renewal.deals[0].deal_id, world.renewal.deals[1].deal_id);
}

#[test]
fn rn3_the_amount_is_the_one_that_renews() {
    let mut world = annual();
    world
        .learn(Version {
            mrr: kzt(368_000),
            ..version("v2", "2026-10-01", "2027-01-01")
        })
        .settle("2026-09-11");
    assert_eq!(
        world.last().mrr,
        kzt(368_000),
        "it holds on the renewal day, though not yet"
    );
    assert!(world.news.is_empty(), "neither date nor stage changed");
}
