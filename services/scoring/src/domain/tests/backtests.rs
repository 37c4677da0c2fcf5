//! SG-R5: thresholds tried on history; one table, changed by key.

use jiff::civil::Date;
use upswell_runtime::money::Money;

use super::build::*;
use crate::domain::{
    backtest::{Answer, Outcome, Question, backtest, outcome},
    facts::{Facts, Terms},
    moment::{days_after, days_before},
    signal::Kind,
    thresholds::BadThreshold,
};

fn amount(units: i64) -> Option<Money> {
    Some(Money {
        minor: units * 100,
        currency: "KZT".parse().unwrap(),
    })
}

fn paying(units: i64, effective: Date) -> Terms {
    Terms {
        monthly: amount(units),
        effective,
        ..terms(20, &[])
    }
}

#[test]
fn sgr5_what_followed_is_read_from_the_contracts() {
    let day = days_before(moment().today, 200);
    let today = moment().today;
    let start = days_before(day, 100);
    let ended = |after| Terms {
        end: Some(days_after(day, after)),
        ..paying(100, start)
    };
    for (terms, expected) in [
        (vec![paying(100, start)], Outcome::Unchanged),
        (
            vec![paying(100, start), paying(101, days_after(day, 90))],
            Outcome::Expanded,
        ),
        (
            vec![paying(100, start), paying(101, days_after(day, 91))],
            Outcome::Unchanged,
        ),
        (vec![paying(100, start), paying(101, day)], Outcome::Unchanged),
        (
            vec![paying(100, start), paying(99, days_after(day, 1))],
            Outcome::Contracted,
        ),
        (vec![ended(90)], Outcome::Churned),
        (vec![ended(91)], Outcome::Unchanged),
        (vec![], Outcome::NotPaying),
    ] {
        let facts = Facts { terms, ..account() };
        assert_eq!(outcome(&facts, day, 90, today), expected, "{:?}", facts.terms);
    }
    let facts = Facts {
        terms: vec![paying(100, start)],
        ..account()
    };
    assert_eq!(outcome(&facts, days_before(today, 89), 90, today), Outcome::Pending);
    assert_eq!(outcome(&facts, days_before(today, 90), 90, today), Outcome::Unchanged);
}

/// Volume that grew by 12 % 130 days ago and by 18 % 60 days ago, and a contract that rose 30 days ago.
fn grown() -> Facts {
    let mut facts = usage(run(0, 60, 132).chain(run(60, 70, 112)).chain(run(130, 170, 100)));
    let today = moment().today;
    facts.terms = vec![
        paying(100, days_before(today, 300)),
        paying(150, days_before(today, 30)),
    ];
    facts
}

fn ask(facts: &Facts, changed: Option<f64>) -> Answer {
    let rules = rulebook();
    let question = Question {
        kind: Kind::VolumeGrowth,
        changed: changed.map(|percent| rules.thresholds.with("volume_growth.percent", percent).unwrap()),
        first: days_before(moment().today, 180),
        last: moment().today,
        step_days: 1,
        outcome_days: 30,
    };
    backtest(facts, &question, &rules, now())
}

#[test]
fn sgr5_a_lower_threshold_fires_more_often_on_the_same_history() {
    let answer = ask(&grown(), Some(10.0));
    assert_eq!(
        (answer.present.fired, answer.present.accounts, answer.present.expanded),
        (1, 1, 1)
    );
    let changed = answer.changed.unwrap();
    assert_eq!(changed.fired, 2);
    assert_eq!((changed.expanded, changed.unchanged), (1, 1));
    assert_eq!((answer.base.fired, answer.base.accounts), (181, 1));
    assert_eq!(ask(&grown(), Some(50.0)).changed.unwrap().fired, 0);
    assert_eq!(ask(&grown(), None).changed, None);
}

#[test]
fn sgr5_the_past_does_not_see_the_future() {
    let mut until_then = grown();
    let day = days_before(moment().today, 70);
    let counts = until_then.usage["shipments"]
        .within(crate::domain::series::Window {
            first: Date::MIN,
            last: day,
        })
        .to_vec();
    until_then
        .usage
        .insert("shipments".into(), counts.into_iter().collect());
    let question = Question {
        kind: Kind::VolumeGrowth,
        changed: None,
        first: days_before(day, 100),
        last: day,
        step_days: 3,
        outcome_days: 30,
    };
    let rules = rulebook();
    assert_eq!(
        backtest(&until_then, &question, &rules, now()),
        backtest(&grown(), &question, &rules, now())
    );
}

#[test]
fn sgr5_answers_of_portions_add_up() {
    let one = ask(&grown(), Some(10.0));
    let both = one.plus(Answer::default()).plus(one);
    assert_eq!(both.present.fired, 2);
    assert_eq!(both.changed.unwrap().fired, 4);
    assert_eq!(both.base.accounts, 2);
}

#[test]
fn sgr5_one_table_changed_by_key() {
    let table = rulebook().thresholds;
    let changed = table.with("ticket_cluster.count", 5.0).unwrap();
    assert_eq!((changed.ticket_cluster.count, changed.spend_growth.percent), (5, 15.0));
    assert_eq!(table.get("volume_growth.percent"), Some(15.0));
    for (key, value, unknown) in [
        ("volume_growth.percents", 1.0, true),
        ("volume_growth", 1.0, true),
        ("products.key_features", 1.0, true),
        ("", 1.0, true),
        ("ticket_cluster.count", 2.5, false),
        ("volume_growth.percent", f64::NAN, false),
    ] {
        let fault = table.with(key, value).unwrap_err();
        assert_eq!(matches!(fault, BadThreshold::Unknown(_)), unknown, "{key} {value}");
    }
}
