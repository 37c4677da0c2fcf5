//! SG-7.

use jiff::civil::Date;

use super::build::*;
use crate::domain::{
    facts::Facts,
    moment::Moment,
    signal::{Grade, Kind},
};

/// `used` of `limit`, spread over the first `day` days of September 2026 (30 days), looked at on the evening of `day`.
fn month(used: i64, limit: i64, day: i8) -> Option<Grade> {
    let share = used / i64::from(day);
    let counts = (1..=day).map(|d| {
        let count = if d == day {
            used - share * i64::from(day - 1)
        } else {
            share
        };
        (Date::constant(2026, 9, d), count)
    });
    let facts = Facts {
        terms: vec![terms(0, &[("shipments", limit, false)])],
        ..usage(counts)
    };
    let evening = zone()
        .to_timestamp(Date::constant(2026, 9, day).at(22, 0, 0, 0))
        .unwrap();
    grade(
        &seen_at(&facts, &Moment::at(evening, &zone())),
        Kind::LimitApproach,
        "shipments",
    )
}

#[test]
fn sg7_is_graded_by_the_time_to_exhaustion() {
    use Grade::*;
    for (used, day, expected) in [
        (799, 27, None),
        (800, 27, Some(Low)),
        (801, 27, Some(Low)),
        (899, 29, Some(Low)),
        (900, 29, Some(Normal)),
        (850, 26, Some(Low)),
        (999, 30, Some(Normal)),
        (1000, 30, Some(Exceeded)),
        (1500, 20, Some(Exceeded)),
        // Exhausted before the month ends.
        (800, 23, Some(High)),
        (899, 27, Some(Low)),
        (900, 27, Some(High)),
        (901, 27, Some(High)),
        // The forecast alone.
        (300, 3, Some(High)),
        (299, 3, None),
        (301, 3, Some(High)),
        (600, 2, None),
        (600, 10, Some(High)),
        (500, 10, None),
        (40, 1, None),
    ] {
        assert_eq!(month(used, 1000, day), expected, "{used} of 1000 on day {day}");
    }
}

#[test]
fn sg7_a_limit_of_zero_includes_nothing() {
    assert_eq!(month(0, 0, 5), None);
    assert_eq!(month(1, 0, 5), Some(Grade::Exceeded));
}

#[test]
fn sg7_a_new_month_starts_from_nothing() {
    let counts = (1..=30).map(|day| (Date::constant(2026, 9, day), 100));
    let facts = Facts {
        terms: vec![terms(0, &[("shipments", 1000, false)])],
        ..usage(counts)
    };
    let first = zone().to_timestamp(Date::constant(2026, 10, 1).at(1, 0, 0, 0)).unwrap();
    assert_eq!(
        grade(
            &seen_at(&facts, &Moment::at(first, &zone())),
            Kind::LimitApproach,
            "shipments"
        ),
        None
    );
}

/// A standing amount that grew evenly from `before` to `used` in 30 days.
fn standing(before: i64, used: i64) -> Option<Grade> {
    let counts = (0..=30).map(|days| (back(days), used - (used - before) * i64::from(days) / 30));
    let facts = Facts {
        terms: vec![terms(0, &[("shipments", 1000, true)])],
        ..usage(counts)
    };
    grade(&seen(&facts), Kind::LimitApproach, "shipments")
}

#[test]
fn sg7_standing_limits_are_graded_by_the_growth_of_30_days() {
    use Grade::*;
    for (before, used, expected) in [
        (799, 799, None),
        (800, 800, Some(Low)),
        (900, 900, Some(Normal)),
        (600, 800, Some(Normal)),
        (601, 800, Some(Low)),
        (900, 980, Some(High)),
        (100, 850, Some(High)),
        (1000, 1000, Some(Exceeded)),
        (0, 790, None),
        (900, 700, None),
    ] {
        assert_eq!(standing(before, used), expected, "{before} → {used}");
    }
}

#[test]
fn sg7_evidence_names_what_messages_need() {
    let counts = (1..=20).map(|day| (Date::constant(2026, 10, day), 45));
    let facts = Facts {
        terms: vec![terms(0, &[("shipments", 1000, false)])],
        ..usage(counts)
    };
    let seen = seen(&facts);
    let found = observation(&seen, Kind::LimitApproach, "shipments").unwrap();
    assert_eq!(figure(found, "used_percent"), 90.0);
    assert_eq!(figure(found, "used"), 900.0);
    assert_eq!(figure(found, "limit_value"), 1000.0);
    assert!((figure(found, "days_to_exhaustion") - 100.0 / 45.0).abs() < 1e-9);
    assert_eq!(figure(found, "days_left"), 11.0);
}

#[test]
fn sg7_limits_of_several_subscriptions_add_up_and_ended_ones_do_not_count() {
    let counts = (1..=20).map(|day| (Date::constant(2026, 10, day), 45));
    let mut more = terms(0, &[("shipments", 500, false)]);
    more.subscription_id = "more".into();
    let both = Facts {
        terms: vec![terms(0, &[("shipments", 1000, false)]), more.clone()],
        ..usage(counts.clone())
    };
    assert_eq!(grade(&seen(&both), Kind::LimitApproach, "shipments"), None);
    more.end = Some(back(1));
    let ended = Facts {
        terms: vec![terms(0, &[("shipments", 1000, false)]), more],
        ..usage(counts)
    };
    assert_eq!(
        grade(&seen(&ended), Kind::LimitApproach, "shipments"),
        Some(Grade::High)
    );
}

#[test]
fn sg7_what_the_product_says_of_a_limit_stands_for_the_contract() {
    let counts = (1..=20).map(|day| (Date::constant(2026, 10, day), 45));
    for (value, expected) in [
        (Some(1000), Some(Grade::High)),
        (Some(900), Some(Grade::Exceeded)),
        (Some(5000), None),
        (None, None),
    ] {
        let limit = crate::domain::facts::PlanLimit {
            metric: "shipments".into(),
            value,
            standing: false,
            at: hours_ago(5),
        };
        let facts = Facts {
            terms: vec![terms(0, &[("shipments", 100, false)])],
            plan_limits: vec![limit],
            ..usage(counts.clone())
        };
        assert_eq!(
            grade(&seen(&facts), Kind::LimitApproach, "shipments"),
            expected,
            "{value:?}"
        );
    }
}
