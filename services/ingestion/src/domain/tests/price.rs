//! Discounts that run out and escalators that rise (§9).

use proptest::prelude::*;
use upswell_runtime::money::Period;

use super::{on, terms};
use crate::domain::{
    fact::SubscriptionTerms,
    price::{Discount, Escalator, mrr},
};

fn discount(basis_points: i32, end: Option<&str>) -> Discount {
    Discount {
        basis_points,
        end_date: end.map(on),
    }
}

fn rising(basis_points: i32, first: &str, every_months: Option<i32>) -> Option<Escalator> {
    let first_date = on(first);
    Some(Escalator {
        basis_points,
        first_date,
        every_months,
    })
}

fn priced(discounts: &[Discount], escalator: Option<Escalator>) -> SubscriptionTerms {
    SubscriptionTerms {
        discounts: discounts.to_vec(),
        escalator,
        ..terms("2026-01-01", None, 120_000, 10, Period::Year)
    }
}

#[test]
fn k1_discounts_end_and_escalators_step_on_their_day() {
    let year = discount(1_000, Some("2027-01-01"));
    let launch = discount(5_000, Some("2026-04-01"));
    let yearly = rising(500, "2027-01-01", None);
    type Case<'a> = (&'a str, SubscriptionTerms, &'a [(&'a str, i64)]);
    let cases: [Case<'_>; 7] = [
        (
            "none",
            priced(&[], None),
            &[("2026-01-01", 100_000), ("2036-01-01", 100_000)],
        ),
        (
            "one",
            priced(&[year], None),
            &[("2026-12-31", 90_000), ("2027-01-01", 100_000)],
        ),
        (
            "one after the other",
            priced(&[year, launch], None),
            &[("2026-03-31", 45_000), ("2026-04-01", 90_000), ("2027-01-01", 100_000)],
        ),
        (
            "without an end",
            priced(&[discount(2_500, None)], None),
            &[("2056-01-01", 75_000)],
        ),
        ("free", priced(&[discount(10_000, None)], None), &[("2026-01-01", 0)]),
        (
            "on the price after the rise before",
            priced(&[], yearly),
            &[
                ("2026-12-31", 100_000),
                ("2027-01-01", 105_000),
                ("2028-01-01", 110_250),
            ],
        ),
        (
            "both, each half year",
            priced(&[year], rising(1_000, "2026-07-01", Some(6))),
            &[("2026-06-30", 90_000), ("2026-07-01", 99_000), ("2027-01-01", 121_000)],
        ),
    ];
    for (name, terms, expected) in cases {
        for (day, minor) in expected {
            assert_eq!(mrr(&terms, on(day)).unwrap().minor, *minor, "{name}: {day}");
        }
    }
}

#[test]
fn k1_a_rise_at_the_end_of_a_month_stays_at_the_end_of_months() {
    let terms = priced(&[], rising(1_000, "2026-08-31", Some(6)));
    let of = |day| mrr(&terms, on(day)).unwrap().minor;
    assert_eq!(
        (of("2027-02-27"), of("2027-02-28"), of("2027-08-31")),
        (110_000, 121_000, 133_100)
    );
}

fn periods() -> impl Strategy<Value = (Period, i128, i128)> {
    prop_oneof![
        Just((Period::Month, 1, 1)),
        Just((Period::Quarter, 1, 3)),
        Just((Period::Year, 1, 12)),
        Just((Period::Week, 487, 112)),
        Just((Period::Day, 487, 16)),
    ]
}

proptest! {
    /// The exact fraction in 128 bits, rounded once: at most half a minor unit away, and the four digits that are
    /// carried through a discount and a rise keep it there.
    #[test]
    fn f27_mrr_is_the_exact_fraction_rounded_once(
        price in 0_i64..1_000_000_000, quantity in 1_i64..1_000, (period, numerator, denominator) in periods(),
        off in 1_i32..=10_000, rise in 1_i32..=10_000,
    ) {
        let terms = SubscriptionTerms {
            discounts: vec![discount(off, None)],
            escalator: rising(rise, "2026-01-02", Some(120)),
            ..terms("2026-01-01", None, price, quantity, period)
        };
        let found = i128::from(mrr(&terms, on("2026-01-02")).unwrap().minor);
        let whole = i128::from(price) * i128::from(quantity) * (10_000 + i128::from(rise)) * (10_000 - i128::from(off));
        let (exact, unit) = (whole * numerator, 100_000_000 * denominator);
        let distance = (found * unit - exact).abs();
        // A half, and the half of the fourth digit for the rise and for the discount, a day of which is 30.4 a month.
        prop_assert!(distance * 10_000 <= unit * (5_000 + 31), "{found} is {distance} / {unit} away");
    }

    #[test]
    fn f27_a_price_without_changes_has_one_amount_for_ever(price in any::<i64>(), quantity in any::<i64>()) {
        let terms = terms("2026-01-01", None, price, quantity, Period::Month);
        let exact = i64::try_from(i128::from(price) * i128::from(quantity)).ok();
        for day in ["2026-01-01", "2056-01-01"] {
            prop_assert_eq!(mrr(&terms, on(day)).ok().map(|money| money.minor), exact);
        }
    }
}
