//! SG-4, SG-8, SG-9 and SG-13.

use super::build::*;
use crate::domain::{
    facts::{Facts, What},
    signal::{Grade, Kind},
};

/// `low` people on each of 29 days and `peak` on one.
fn people(low: i64, peak: i64, seats: i64) -> Facts {
    Facts {
        active_users: series(run(0, 1, peak).chain(run(1, 29, low))),
        terms: vec![terms(seats, &[])],
        ..account()
    }
}

#[test]
fn sg4_daily_use_below_a_fifth_of_the_busiest_day() {
    // Mean (29 × low + peak) / 30 against the peak: 20 % is 5 × 29 × low = peak × 25.
    for (low, peak, holds) in [
        (5, 29, false),
        (50, 290, false),
        (49, 290, true),
        (51, 290, false),
        (1, 290, true),
    ] {
        let seen = seen(&people(low, peak, 0));
        assert_eq!(
            grade(&seen, Kind::WeakAdoption, "daily_use").is_some(),
            holds,
            "{low} of {peak}"
        );
    }
    let few = Facts {
        active_users: series(run(0, 13, 1)),
        ..account()
    };
    assert!(is_unknown(&seen(&few), Kind::WeakAdoption, "daily_use"));
    assert_eq!(grade(&seen(&account()), Kind::WeakAdoption, "daily_use"), None);
}

#[test]
fn sg4_less_than_30_percent_of_the_key_features() {
    for (used, holds) in [(0, true), (2, true), (3, false), (4, false)] {
        let mut facts = account();
        features(&mut facts, used, 1, 30);
        facts.feature_users.insert("another".into(), series(run(0, 30, 1)));
        let seen = seen(&facts);
        assert_eq!(
            grade(&seen, Kind::WeakAdoption, "key_features").is_some(),
            holds,
            "{used} of 10"
        );
    }
    // Use before the window does not count, and without any feature fact nobody can tell.
    let mut facts = account();
    facts.feature_users.insert("feature-0".into(), series(run(30, 30, 9)));
    let old = seen(&facts);
    assert_eq!(
        figure(
            observation(&old, Kind::WeakAdoption, "key_features").unwrap(),
            "key_features_percent"
        ),
        0.0
    );
    assert_eq!(grade(&seen(&account()), Kind::WeakAdoption, "key_features"), None);
}

#[test]
fn sg4_more_than_40_percent_of_the_licences_idle() {
    for (active, seats, holds) in [
        (60, 100, false),
        (59, 100, true),
        (61, 100, false),
        (0, 100, true),
        (5, 0, false),
    ] {
        let seen = seen(&people(active, active, seats));
        assert_eq!(
            grade(&seen, Kind::WeakAdoption, "licences").is_some(),
            holds,
            "{active} of {seats}"
        );
    }
}

#[test]
fn sg8_95_percent_of_the_seats() {
    for (active, seats, expected) in [
        (94, 100, None),
        (95, 100, Some(Grade::Normal)),
        (96, 100, Some(Grade::Normal)),
        (100, 100, Some(Grade::High)),
        (130, 100, Some(Grade::High)),
        (5, 0, None),
    ] {
        let seen = seen(&people(1, active, seats));
        assert_eq!(grade(&seen, Kind::SeatsShort, "seats"), expected, "{active} of {seats}");
    }
    let found = seen(&people(1, 95, 100));
    let found = observation(&found, Kind::SeatsShort, "seats").unwrap();
    assert_eq!(
        (
            figure(found, "seats_percent"),
            figure(found, "active_users"),
            figure(found, "seats")
        ),
        (95.0, 95.0, 100.0)
    );
}

#[test]
fn sg8_a_shared_login() {
    for (hours, holds) in [(1, true), (30 * 24 - 1, true), (30 * 24, false), (-1, false)] {
        let facts = Facts {
            happenings: vec![happening(What::SharedLogin, "", hours)],
            ..account()
        };
        assert_eq!(
            grade(&seen(&facts), Kind::SeatsShort, "shared_login").is_some(),
            holds,
            "{hours}"
        );
    }
}

#[test]
fn sg9_80_percent_of_the_features_of_the_plan() {
    for (plan, used, holds) in [
        ("pro", 7, false),
        ("pro", 8, true),
        ("pro", 9, true),
        ("basic", 3, false),
        ("basic", 4, true),
        ("unheard", 10, false),
    ] {
        let mut facts = account();
        let mut terms = terms(5, &[]);
        terms.product = plan.into();
        facts.terms = vec![terms];
        features(&mut facts, used, 1, 30);
        assert_eq!(
            grade(&seen(&facts), Kind::TariffSaturation, plan).is_some(),
            holds,
            "{used} of {plan}"
        );
    }
}

#[test]
fn sg13_three_people_on_20_of_30_days_with_80_percent_of_the_key_features() {
    for (people, days, used, on_features, holds) in [
        (3, 20, 8, 3, true),
        (2, 20, 8, 3, false),
        (3, 19, 8, 3, false),
        (3, 20, 7, 3, false),
        (3, 20, 8, 2, false),
        (4, 30, 10, 5, true),
    ] {
        let mut facts = account();
        facts.active_users = series(run(0, days, people));
        features(&mut facts, used, on_features, 30);
        let seen = seen(&facts);
        let found = grade(&seen, Kind::PowerUsers, "key_features").is_some();
        assert_eq!(
            found, holds,
            "{people} people, {days} days, {used} features by {on_features}"
        );
    }
}
