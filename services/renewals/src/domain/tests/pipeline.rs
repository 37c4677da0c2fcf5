use jiff::tz::TimeZone;

use super::*;
use crate::domain::{
    deal::{CALENDAR, LossCategory, LossReason},
    renewal::DealFault,
    risk::at_risk,
};

fn annual() -> World {
    World::new([version("v1", "2026-01-01", "2027-01-01")])
}

#[test]
fn rn1_stages_by_days_left() {
    for (days, stage) in [
        (400, Stage::Scheduled),
        (121, Stage::Scheduled),
        (120, Stage::Preparation),
        (91, Stage::Preparation),
        (90, Stage::Initiation),
        (61, Stage::Initiation),
        (60, Stage::Negotiation),
        (31, Stage::Negotiation),
        (30, Stage::Agreement),
        (16, Stage::Agreement),
        (15, Stage::LastMile),
        (0, Stage::LastMile),
        (-1, Stage::Lapsed),
    ] {
        assert_eq!(by_date(days), stage, "{days}");
    }
}

#[test]
fn rn1_a_deal_opens_scheduled_and_is_not_looked_at_before_its_day() {
    let mut world = annual();
    world.settle("2026-05-01");
    assert_eq!(world.stages(), [Stage::Scheduled]);
    assert_eq!(world.moves(), [None]);
    assert_eq!(world.last().owner_id, "csm-1");
    assert_eq!(world.check_on, Some(day("2026-09-03")), "120 days before");
    world.settle("2026-09-02");
    assert!(world.news.is_empty());
    world.settle("2026-09-03");
    assert_eq!(world.stage(), Stage::Preparation);
    assert_eq!(world.check_on, Some(day("2026-09-04")));
    assert!(world.last().history.iter().all(|entry| entry.actor == CALENDAR));
}

#[test]
fn rn1_days_are_those_of_the_account() {
    let mut world = annual();
    world.account.time_zone = TimeZone::get("Asia/Almaty").unwrap();
    world.settle_at("2026-09-02T18:59:59Z".parse().unwrap());
    assert_eq!(world.stage(), Stage::Scheduled);
    world.settle_at("2026-09-02T19:00:00Z".parse().unwrap());
    assert_eq!(world.stage(), Stage::Preparation, "midnight in Almaty");
}

#[test]
fn rn2_people_go_ahead_and_the_calendar_never_takes_it_back() {
    let mut world = annual();
    world.settle("2026-09-10").advance(Stage::Agreement, "2026-09-10");
    assert_eq!(world.last().history.last().unwrap().actor, "anna");
    world.settle("2026-11-15");
    assert_eq!(world.stage(), Stage::Agreement, "the date alone says negotiation");
    world.settle("2026-12-20");
    assert_eq!(world.stage(), Stage::LastMile);
}

#[test]
fn rn2_optimistic_concurrency() {
    let mut world = annual();
    world.settle("2026-09-10");
    let (id, etag) = world.last_key();
    let advance = |etag: &str, stage| {
        world.renewal.advanced(
            (id, etag),
            stage,
            "anna",
            &world.account,
            &world.policy,
            noon("2026-09-10"),
        )
    };
    assert_eq!(advance("0", Stage::Agreement).unwrap_err(), DealFault::Changed);
    let behind = DealFault::NotAhead {
        from: Stage::Preparation,
        to: Stage::Preparation,
    };
    assert_eq!(advance(&etag, Stage::Preparation).unwrap_err(), behind);
    let decision = advance(&etag, Stage::Agreement).unwrap();
    assert_ne!(decision.renewal.deals[0].etag(), etag);
}

#[test]
fn rn1_nobody_said_how_it_went() {
    let mut world = annual();
    world.settle("2026-12-31").settle("2027-01-01");
    assert_eq!(world.stage(), Stage::LastMile);
    world.settle("2027-01-02");
    assert_eq!(world.stage(), Stage::Lapsed);
    world.settle("2028-01-02");
    assert_eq!(
        world.stages(),
        [Stage::Lapsed],
        "the contract has no end, so that only a person or a fact closes it"
    );
    world.renew("2028-01-02");
    assert_eq!(world.stages(), [Stage::Renewed]);
    world.settle("2028-01-03");
    assert_eq!(world.stages(), [Stage::Renewed], "the next deal waits for its date");
    assert_eq!(world.check_on, None);
}

#[test]
fn rn4_a_closed_deal_stays_closed() {
    let mut world = annual();
    world.settle("2026-09-10");
    let (id, etag) = world.last_key();
    let loss = LossReason {
        category: LossCategory::Price,
        detail: "too dear".into(),
        competitor: String::new(),
        integration: String::new(),
    };
    let now = noon("2026-09-11");
    let lost = world
        .renewal
        .closed(
            (id, &etag),
            Some(loss.clone()),
            "anna",
            &world.account,
            &world.policy,
            now,
        )
        .unwrap();
    world.take(lost);
    assert_eq!(world.last().loss, Some(loss));
    assert!(world.last().at_risk.is_zero());
    world.settle("2026-12-30");
    assert_eq!(world.stages(), [Stage::Lost]);
    let (id, etag) = world.last_key();
    let again = world
        .renewal
        .closed((id, &etag), None, "anna", &world.account, &world.policy, now);
    assert_eq!(again.unwrap_err(), DealFault::Closed(Stage::Lost));
}

#[test]
fn rn3_money_at_risk_grows_as_the_days_run_out() {
    let risk = ChurnRisk::from_fraction(0.25).unwrap();
    for (days, money) in [(400, 60_000), (120, 60_000), (60, 90_000), (0, 120_000), (-9, 120_000)] {
        assert_eq!(at_risk(kzt(240_000), risk, None, days), kzt(money), "{days}");
    }
    let most = Money::new(i64::MAX, "KZT".parse().unwrap());
    assert_eq!(at_risk(most, ChurnRisk::from_fraction(1.0).unwrap(), Some(0), 0), most);
    assert_eq!(ChurnRisk::from_fraction(f64::NAN), None);
    assert_eq!(ChurnRisk::from_fraction(1.01), None);
}

#[test]
fn rn3_a_new_score_changes_the_priority_but_not_the_etag() {
    let mut world = annual();
    world.settle("2026-05-01");
    assert_eq!(
        world.last().at_risk,
        kzt(24_000),
        "the risk that is taken without a score"
    );
    let etag = world.last().etag();
    world.account.churn_risk = ChurnRisk::from_fraction(0.5);
    world.settle("2026-05-01");
    assert_eq!(world.last().at_risk, kzt(120_000));
    assert_eq!(world.last().etag(), etag);
    assert!(world.news.is_empty());
}

#[test]
fn i3_an_open_deal_that_comes_to_another_account_is_told_under_it_once() {
    let mut world = annual();
    world.settle("2026-09-10");
    let etag = world.last().etag();
    world.renewal.account_id = "whole".into();
    world.settle("2026-09-10");
    let [
        News::Deal {
            deal,
            previous_renewal_on: None,
        },
    ] = world.news.as_slice()
    else {
        panic!("the deal is told: {:?}", world.news)
    };
    assert_eq!((deal.account_id.as_str(), deal.stage), ("whole", Stage::Preparation));
    assert_ne!(deal.etag(), etag);
    world.settle("2026-09-10");
    assert!(world.news.is_empty());
    world.renew("2026-09-11");
    world.renewal.account_id = "acme".into();
    world.settle("2026-09-12");
    assert!(world.news.is_empty(), "what is over concerns nobody");
    assert_eq!(world.last().account_id, "acme", "but is listed there");
}
