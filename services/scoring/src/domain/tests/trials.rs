//! SG-17, SG-20 and SG-23.

use jiff::civil::Date;

use super::build::*;
use crate::domain::{
    facts::{Facts, Trial, What},
    moment::{Moment, days_after},
    signal::Kind,
};

fn trial(started: i32, ends_in: i32, is_running: bool) -> Trial {
    Trial {
        product: "pro".into(),
        start: days_after(moment().today, -started),
        end: days_after(moment().today, ends_in),
        is_running,
    }
}

fn tried(trial: Trial, uses: i64) -> Facts {
    let mut facts = Facts {
        trials: vec![trial],
        ..account()
    };
    facts.trial_uses.insert("routes".into(), series([(back(0), uses)]));
    facts
}

#[test]
fn sg17_three_days_before_a_trial_that_is_used_ends() {
    for (ends_in, is_running, uses, holds) in [
        (4, true, 1, false),
        (3, true, 1, true),
        (2, true, 1, true),
        (1, true, 1, true),
        (0, true, 1, false),
        (3, true, 0, false),
        (3, false, 1, false),
    ] {
        let seen = seen(&tried(trial(10, ends_in, is_running), uses));
        assert_eq!(
            seen_trial(&seen),
            holds,
            "{ends_in} days, {uses} uses, running {is_running}"
        );
    }
}

fn seen_trial(seen: &crate::domain::detect::Sightings) -> bool {
    grade(seen, Kind::TrialEnding, "pro").is_some()
}

#[test]
fn sg17_use_before_the_trial_is_none_of_it() {
    let mut facts = tried(trial(3, 2, true), 0);
    facts.trial_uses.insert("routes".into(), series([(back(20), 50)]));
    assert!(!seen_trial(&seen(&facts)));
}

#[test]
fn sg23_twenty_uses_of_premium_features_in_a_fortnight_of_the_trial() {
    for (uses, holds) in [(19, false), (20, true), (21, true)] {
        let seen = seen(&tried(trial(10, 20, true), uses));
        assert_eq!(grade(&seen, Kind::HeavyTrialUse, "pro").is_some(), holds, "{uses}");
    }
    let ended = seen(&tried(trial(10, 20, false), 50));
    assert_eq!(grade(&ended, Kind::HeavyTrialUse, "pro"), None);
}

fn budget_on(day: Date, renewal_in: i32) -> Vec<String> {
    let mut terms = terms(5, &[]);
    terms.effective = Date::constant(2020, 1, 1);
    terms.renewal = Some(days_after(day, renewal_in));
    let facts = Facts {
        terms: vec![terms],
        ..account()
    };
    let noon = zone().to_timestamp(day.at(12, 0, 0, 0)).unwrap();
    let seen = seen_at(&facts, &Moment::at(noon, &zone()));
    let budget = seen.keys().filter(|key| key.kind == Kind::BudgetMoment);
    budget.map(|key| key.subject.clone()).collect()
}

#[test]
fn sg20_renewal_and_calendar() {
    let date = Date::constant;
    for (day, renewal_in, expected) in [
        (date(2026, 10, 20), 91, vec![]),
        (date(2026, 10, 20), 90, vec!["renewal"]),
        (date(2026, 10, 20), 0, vec!["renewal"]),
        (date(2026, 11, 30), 300, vec![]),
        (date(2026, 12, 1), 300, vec!["december"]),
        (date(2026, 12, 31), 300, vec!["december"]),
        (date(2026, 9, 9), 300, vec![]),
        (date(2026, 9, 10), 300, vec!["quarter_planning"]),
        (date(2026, 9, 30), 300, vec!["quarter_planning"]),
        (date(2026, 10, 1), 300, vec![]),
        (date(2026, 2, 28), 300, vec![]),
    ] {
        assert_eq!(budget_on(day, renewal_in), expected, "{day} {renewal_in}");
    }
}

#[test]
fn sg20_the_fiscal_year_is_configuration() {
    let mut rules = rulebook();
    rules.thresholds.budget_moment.fiscal_month = 4;
    let facts = Facts {
        terms: vec![terms(5, &[])],
        ..account()
    };
    for (day, holds) in [(1, false), (2, true), (31, true)] {
        let noon = zone()
            .to_timestamp(Date::constant(2026, 3, day).at(12, 0, 0, 0))
            .unwrap();
        let seen = crate::domain::detect::detect(&facts, &Moment::at(noon, &zone()), &rules.thresholds);
        assert_eq!(
            grade(&seen, Kind::BudgetMoment, "fiscal_year").is_some(),
            holds,
            "March {day}"
        );
    }
}

#[test]
fn sg20_nothing_is_planned_with_who_does_not_pay_and_a_report_speaks() {
    let reported = |terms| Facts {
        terms,
        happenings: vec![happening(What::BudgetPlanning, "", 24)],
        ..account()
    };
    let paying = seen(&reported(vec![terms(5, &[])]));
    assert!(grade(&paying, Kind::BudgetMoment, "planning").is_some());
    assert_eq!(grade(&seen(&reported(vec![])), Kind::BudgetMoment, "planning"), None);
}
