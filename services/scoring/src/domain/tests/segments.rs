//! SG-24, SC-1, SC-8, SC-9, SC-10 and SC-11; what moved a score (SC-3).

use jiff::SignedDuration;

use super::build::*;
use crate::domain::{
    assess::{Known, assess},
    detect::Segment,
    facts::{Facts, People, What},
    history::{has_moved, movements},
    icp::icp_fit,
    moment::days_before,
    overrides::Subject,
    score::Score,
    stage::{Stage, Tier},
};

fn score(facts: &Facts) -> Score {
    assess("acme", facts, &nothing_known(), now(), &rulebook()).score
}

/// Health of 15 (few login days) to 95, and use that changed by so many percent in 30 days.
fn living(login_days: i32, use_before: i64, use_now: i64, age: i32) -> Facts {
    let mut facts = usage(run(0, 30, use_now).chain(run(30, 30, use_before)));
    facts.logins = series(run(0, login_days, 3));
    facts.active_users = series(run(0, login_days, 15));
    facts.terms = vec![terms(20, &[])];
    facts.nps = vec![nps(9, 100)];
    facts.invoices = vec![invoice(20, 100)];
    facts.profile.as_mut().unwrap().customer_since = Some(days_before(moment().today, age));
    facts
}

#[test]
fn sg24_segments_in_their_order() {
    for (login_days, before, now, age, expected) in [
        (30, 100, 100, 89, Segment::New),
        (30, 100, 10, 89, Segment::New),
        (30, 100, 100, 90, Segment::Active),
        (30, 100, 91, 200, Segment::Active),
        (30, 100, 90, 200, Segment::Middling),
        (30, 100, 71, 200, Segment::Middling),
        (30, 100, 70, 200, Segment::Leaving),
        (30, 100, 69, 200, Segment::Leaving),
    ] {
        let facts = living(login_days, before, now, age);
        assert_eq!(score(&facts).segment, expected, "{before} → {now}, {age} days");
    }
}

#[test]
fn sg24_health_below_40_is_leaving_where_activity_is_known() {
    // Two bad parts leave 15 for no critical ticket and 20 for licences in use, with or without 15 for payments.
    let mut facts = living(4, 100, 100, 200);
    facts.nps = vec![];
    facts.invoices[0].paid = None;
    assert_eq!(
        (score(&facts).health.value, score(&facts).segment),
        (35, Segment::Leaving)
    );
    facts.invoices[0].paid = Some(facts.invoices[0].due);
    assert_eq!(
        (score(&facts).health.value, score(&facts).segment),
        (50, Segment::Middling)
    );
    assert_eq!(
        score(&account()).segment,
        Segment::Middling,
        "want of facts is no illness"
    );
}

#[test]
fn sc9_fit_adds_up_and_says_what_is_missing() {
    let mut rules = rulebook().icp;
    rules.industries = [("freight".to_owned(), 40)].into();
    rules.plans = [("pro".to_owned(), 30)].into();
    for (industry, seats, expected) in [
        ("freight", 50, 100),
        ("freight", 49, 90),
        ("freight", 5, 90),
        ("freight", 4, 80),
        ("bakery", 4, 60),
        ("", 4, 40),
        ("", 0, 30),
    ] {
        let mut facts = account();
        facts.profile.as_mut().unwrap().industry = industry.into();
        facts.terms = vec![terms(seats, &[])];
        let fit = icp_fit(&facts, &moment(), &rules);
        assert_eq!(fit.value, expected, "{industry} {seats}");
        assert_eq!(fit.parts[0].missing, industry.is_empty());
    }
    assert!(
        icp_fit(&account(), &moment(), &rules)
            .parts
            .iter()
            .all(|part| part.missing)
    );
}

#[test]
fn sc10_stages_of_onboarding() {
    let at = |age| {
        score(&living(30, 100, 100, age))
            .onboarding
            .map(|stage| (stage.stage, stage.is_reached))
    };
    for (age, expected) in [
        (0, Some((Stage::FirstTask, true))),
        (29, Some((Stage::FirstTask, true))),
        (30, Some((Stage::RegularUsers, true))),
        (59, Some((Stage::RegularUsers, true))),
        (60, Some((Stage::Benefit, false))),
        (89, Some((Stage::Benefit, false))),
        (90, None),
    ] {
        assert_eq!(at(age), expected, "{age} days");
    }
    let mut idle = account();
    idle.profile.as_mut().unwrap().customer_since = Some(moment().today);
    assert!(!score(&idle).onboarding.unwrap().is_reached);
    let mut few = living(7, 100, 100, 40);
    assert!(
        !score(&few).onboarding.unwrap().is_reached,
        "seven regular days are one too few"
    );
    few.happenings = vec![happening(What::GoalReached, "faster", 5)];
    few.profile.as_mut().unwrap().customer_since = Some(days_before(moment().today, 70));
    assert!(score(&few).onboarding.unwrap().is_reached);
}

#[test]
fn sc8_qualification_is_adopted_able_and_aligned() {
    let mut facts = living(30, 100, 100, 200);
    let of = |facts: &Facts| {
        let found = score(facts).qualification;
        (found.is_adopted, found.is_able, found.is_aligned)
    };
    assert_eq!(of(&facts), (Some(true), None, None), "nobody is known");
    facts.people = Some(People {
        has_budget_holder: true,
        has_champion: false,
        has_sponsor: false,
    });
    assert_eq!(of(&facts), (Some(true), Some(true), Some(false)));
    facts.people = Some(People {
        has_budget_holder: false,
        has_champion: true,
        has_sponsor: false,
    });
    assert_eq!(of(&facts), (Some(true), Some(false), Some(true)));
    facts.terms = vec![terms(100, &[])];
    assert_eq!(of(&facts).0, Some(false), "most licences are idle");
    facts.invoices[0].paid = None;
    facts.people = None;
    assert_eq!(
        of(&facts).1,
        Some(false),
        "who pays late is not able, whoever holds the budget"
    );
    assert_eq!(score(&account()).qualification.is_adopted, None);
}

#[test]
fn sc1_the_three_numbers_stay_apart_and_combine() {
    let found = score(&living(30, 100, 100, 200));
    let fit = f64::from(found.icp.value) / 100.0;
    let expected = fit * found.expansion_propensity * (1.0 - found.churn_risk);
    assert!((found.potential - expected).abs() < 1e-12);
    assert!(score(&account()).potential > 0.0, "an unknown fit counts half");
}

#[test]
fn sc3_movements_name_what_moved_and_when() {
    let first = score(&living(30, 100, 100, 200));
    let later = now() + SignedDuration::from_hours(24);
    let at = |facts: &Facts, tier| {
        let known = Known {
            score: Some(first.clone()),
            tier,
            ..nothing_known()
        };
        assess("acme", facts, &known, later, &rulebook())
    };
    let same = at(&living(30, 100, 100, 200), None);
    assert!(!same.has_moved && !has_moved(&first, &same.score));
    assert!(movements(&[first.clone(), same.score]).is_empty());
    let mut worse = living(30, 100, 100, 200);
    worse.nps = vec![nps(3, 1)];
    let worse = at(&worse, Some(Tier::B));
    assert!(worse.has_moved && worse.is_new);
    let moved = movements(&[first.clone(), worse.score]);
    let find = |number: &str, component: &str| moved.iter().find(|m| m.number == number && m.component == component);
    let nps = find("health", "nps").unwrap();
    assert_eq!((nps.before, nps.after, nps.at), (Some(20.0), Some(-15.0), later));
    assert_eq!(find("tier", "").unwrap().after, Some(2.0));
    assert!(find("health", "").is_some() && find("churn_risk", "nps_detractor").is_some());
    assert!(find("health", "logins").is_none());
    let segment = find("segment", "").unwrap();
    assert_eq!(segment.note, "active → middling");
}

#[test]
fn sc11_judgements_must_fit_their_number() {
    for (subject, value, fits) in [
        (Subject::Health, 0.0, true),
        (Subject::Health, 100.0, true),
        (Subject::Health, 101.0, false),
        (Subject::Health, 0.5, false),
        (Subject::ChurnRisk, 0.0, true),
        (Subject::ChurnRisk, 1.0, true),
        (Subject::ChurnRisk, 1.01, false),
        (Subject::ExpansionPropensity, f64::NAN, false),
        (Subject::IcpFit, -1.0, false),
        (Subject::Tier, 1.0, true),
        (Subject::Tier, 4.0, false),
    ] {
        assert_eq!(subject.fault(value).is_none(), fits, "{subject:?} {value}");
    }
    assert!(
        Subject::ALL
            .iter()
            .all(|subject| Subject::parse(subject.as_str()) == Some(*subject))
    );
}
