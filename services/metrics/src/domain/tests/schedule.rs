//! What contracts say about later days, causes, and the switches.

use upswell_runtime::money::Period;

use super::*;
use crate::domain::{
    movement::Cause,
    rules::{ChurnDay, Reactivation},
    schedule::{Discount, Escalator, Price, Step, steps},
    timeline::timeline_by,
};

fn price(unit: i64) -> Price {
    Price {
        unit: usd(unit),
        quantity: 1,
        period: Period::Month,
        discounts: Vec::new(),
        escalator: None,
    }
}

fn told_steps(price: &Price, from: &str, end: Option<&str>) -> (i64, Vec<(String, i64, Cause)>) {
    let (first, steps) = steps(price, day(from), end.map(day)).unwrap();
    let tell = |Step { on, mrr, cause }: Step| (on.to_string(), mrr.minor, cause);
    (first.minor, steps.into_iter().map(tell).collect())
}

fn causes(timeline: &Timeline) -> Vec<String> {
    let tell = |m: &crate::domain::movement::Movement| format!("{:?} {:?} {}", m.kind, m.cause, m.amount.minor);
    timeline.movements.iter().map(tell).collect()
}

#[test]
fn k1_a_discount_that_runs_out_is_an_expansion_of_its_own_cause() {
    let discounted = Price {
        discounts: vec![
            Discount {
                basis_points: 2_000,
                end_on: Some(day("2026-04-01")),
            },
            Discount {
                basis_points: 1_000,
                end_on: None,
            },
        ],
        ..price(10_000)
    };
    let (first, steps) = steps(&discounted, day("2026-01-01"), None).unwrap();
    assert_eq!((first, steps.len()), (usd(7_200), 1));
    let version = Version {
        mrr: first,
        terms: Terms {
            steps,
            ..Terms::default()
        },
        ..terms("plan", "2026-01-01", 0)
    };
    let lived = line(std::slice::from_ref(&version));
    assert_eq!(causes(&lived), ["New Added 7200", "Expansion DiscountExpiry 1800"]);
    assert_eq!(
        causes(&line(&[version.clone().until("2026-03-01")])),
        ["New Added 7200", "Churn Ended -7200"]
    );
    let replaced = line(&[version, terms("plan", "2026-02-01", 8_000)]);
    assert_eq!(causes(&replaced), ["New Added 7200", "Expansion Price 800"]);
}

#[test]
fn k1_an_escalator_rises_on_its_days_on_what_it_rose_to() {
    let rising = Price {
        escalator: Some(Escalator {
            basis_points: 700,
            first_on: day("2027-01-01"),
            every_months: 12,
        }),
        quantity: 3,
        period: Period::Year,
        ..price(120_001)
    };
    assert_eq!(
        told_steps(&rising, "2026-01-01", Some("2029-06-01")),
        (
            30_000,
            vec![
                ("2027-01-01".to_owned(), 32_100, Cause::Escalator),
                ("2028-01-01".to_owned(), 34_347, Cause::Escalator),
                ("2029-01-01".to_owned(), 36_752, Cause::Escalator),
            ]
        )
    );
    assert_eq!(
        told_steps(&rising, "2028-05-01", Some("2028-06-01")),
        (34_347, Vec::new())
    );
}

#[test]
fn k1_periods_are_rounded_once() {
    for (period, unit, quantity, monthly) in [
        (Period::Year, 50_000, 4, 16_667),
        (Period::Quarter, 100, 1, 33),
        (Period::Week, 700, 1, 3_044),
        (Period::Day, 100, 1, 3_044),
        (Period::Month, 1_999, 3, 5_997),
        (Period::Year, 1, 7, 1),
    ] {
        let of = Price {
            quantity,
            period,
            ..price(unit)
        };
        assert_eq!(told_steps(&of, "2026-01-01", None).0, monthly, "{period}");
    }
}

#[test]
fn k1_the_largest_amounts_are_computed_and_what_is_larger_is_refused() {
    let of = |unit, quantity, rise| Price {
        discounts: vec![Discount {
            basis_points: 1_000,
            end_on: Some(day("2026-07-01")),
        }],
        escalator: Some(Escalator {
            basis_points: rise,
            first_on: day("2027-01-01"),
            every_months: 12,
        }),
        quantity,
        ..price(unit)
    };
    // Above 9.2 × 10¹⁴ the four digits more no longer fit 64 bits: 920,000,000,000,003 × 0.9 and so on, to the unit.
    let (first, later) = told_steps(&of(920_000_000_000_003, 1, 700), "2026-01-01", Some("2027-06-01"));
    assert_eq!(first, 828_000_000_000_003);
    assert_eq!((later[0].1, later[1].1), (920_000_000_000_003, 984_400_000_000_003));
    let (first, later) = told_steps(&of(i64::MAX / 4, 1, 1), "2026-01-01", Some("2027-06-01"));
    assert_eq!(
        (first, later[0].1),
        (2_075_258_708_292_324_556, 2_305_843_009_213_693_951)
    );
    for (unit, quantity, rise) in [(i64::MAX, 2, 1), (i64::MAX / 2, 1, 10_000)] {
        let refused = steps(&of(unit, quantity, rise), day("2026-01-01"), None).unwrap_err();
        assert_eq!(refused.to_string(), "amount is out of range");
    }
}

#[test]
fn k1_causes_follow_from_what_differs() {
    let seats = |from: &str, mrr, quantity, product: &str| Version {
        terms: Terms {
            product: product.to_owned(),
            plan: true,
            quantity,
            ..Terms::default()
        },
        ..terms("plan", from, mrr)
    };
    let credited = Version {
        terms: Terms {
            stated: Some(Cause::Credit),
            ..seats("2026-06-01", 0, 30, "pro").terms
        },
        ..seats("2026-06-01", 900, 30, "pro")
    };
    let lived = line(&[
        seats("2026-01-01", 500, 10, "basic"),
        seats("2026-02-01", 600, 12, "basic"),
        seats("2026-03-01", 660, 12, "basic"),
        seats("2026-04-01", 1_000, 12, "pro"),
        seats("2026-05-01", 950, 30, "pro").ordered("o-1"),
        credited,
        terms("add-on", "2026-07-01", 50),
        terms("other", "2026-08-01", 40).until("2026-09-01"),
        terms("swap", "2026-09-01", 45),
    ]);
    assert_eq!(
        causes(&lived),
        [
            "New Added 500",
            "Expansion Seats 100",
            "Expansion Price 60",
            "Expansion Migration 340",
            "Contraction Offer -50",
            "Contraction Credit -50",
            "Expansion Added 50",
            "Expansion Added 40",
            "Expansion Migration 5",
        ]
    );
}

#[test]
fn k1_several_causes_of_one_day_stay_apart_and_add_up() {
    let plan = |from: &str, mrr, quantity| Version {
        terms: Terms {
            quantity,
            ..Terms::default()
        },
        ..terms("plan", from, mrr)
    };
    let lived = line(&[
        plan("2026-01-01", 500, 10),
        terms("tool", "2026-01-01", 100),
        plan("2026-02-01", 400, 8),
        terms("tool", "2026-02-01", 110),
        terms("extra", "2026-02-01", 30),
    ]);
    assert_eq!(
        causes(&lived)[1..],
        ["Expansion Added 30", "Expansion Price 10", "Contraction Seats -100"]
    );
    assert_eq!(lived.movements.last().unwrap().mrr_after, usd(540));
}

#[test]
fn the_switches_choose_between_vendors() {
    let told_on = time("2026-02-10T09:00:00Z");
    let notice = Version {
        occurred_at: told_on,
        ..terms("a", "2026-01-15", 100).until("2026-12-31")
    };
    let history = [terms("a", "2025-01-01", 100), notice, terms("b", "2027-03-01", 80)];
    let by = |rules| told(&timeline_by(&history, rules).unwrap());
    assert_eq!(
        by(Rules::default()),
        [
            "2025-01-01 New 100",
            "2026-12-31 Churn -100",
            "2027-03-01 Reactivation 80"
        ]
    );
    let other = Rules {
        churn_day: ChurnDay::Notice,
        reactivation: Reactivation::New,
        ..Rules::default()
    };
    assert_eq!(
        by(other),
        ["2025-01-01 New 100", "2026-02-10 Churn -100", "2027-03-01 New 80"]
    );
    let fixed_term = [terms("a", "2025-01-01", 100).until("2026-01-01")];
    assert_eq!(
        told(&timeline_by(&fixed_term, other).unwrap())[1],
        "2026-01-01 Churn -100",
        "an end that was agreed from the beginning is no notice"
    );
}
