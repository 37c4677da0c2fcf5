//! Golden movements and rates.

use jiff::SignedDuration;
use upswell_runtime::money::{Money, MoneyFault, Period};

use super::*;
use crate::domain::{movement::Cause, revenue::RevenueFault};

#[test]
fn k1_the_life_of_a_subscription_gives_the_published_movements() {
    let gold = usd(4 * 50_000).monthly(Period::Year).unwrap().minor;
    let silver = 2 * 3_000;
    let lived = line(&[
        terms("gold", "2025-01-01", gold),
        terms("silver", "2025-01-05", silver),
        terms("silver", "2025-01-19", silver).until("2025-01-19"),
        terms("gold", "2025-12-10", gold).until("2026-01-01"),
        terms("gold-monthly", "2026-03-01", 3 * 5_000),
    ]);
    assert_eq!(
        told(&lived),
        [
            "2025-01-01 New 16667",
            "2025-01-05 Expansion 6000",
            "2025-01-19 Contraction -6000",
            "2026-01-01 Churn -16667",
            "2026-03-01 Reactivation 15000",
        ]
    );
}

#[test]
fn k4_k5_a_fall_and_a_rise_of_one_account_keep_grr_at_100_percent() {
    let one = line(&[
        terms("a", "2025-01-01", 100),
        terms("a", "2026-01-10", 80),
        terms("a", "2026-01-20", 130),
    ]);
    let measured = measured(&[one], window("2026-01-01", "2026-02-01"));
    assert_eq!((measured.nrr, measured.grr), (Some(1.3), Some(1.0)));
    assert_eq!(total(&measured, MovementKind::Contraction), -20);
    assert_eq!(total(&measured, MovementKind::Expansion), 50);
}

#[test]
fn k4_churn_and_return_inside_a_window_count_as_retained() {
    let back = line(&[
        terms("a", "2025-01-01", 100).until("2026-01-10"),
        terms("b", "2026-01-20", 80),
    ]);
    assert_eq!(
        told(&back)[1..],
        ["2026-01-10 Churn -100", "2026-01-20 Reactivation 80"]
    );
    let measured = measured(&[back], window("2026-01-01", "2026-02-01"));
    assert_eq!((measured.nrr, measured.churned_accounts), (Some(0.8), 0));
}

#[test]
fn k5_the_definition_s_example_over_four_accounts() {
    let grew = line(&[terms("a", "2025-01-01", 50), terms("a", "2026-01-10", 80)]);
    let shrank = line(&[terms("b", "2025-01-01", 40), terms("b", "2026-01-10", 35)]);
    let left = line(&[terms("c", "2025-01-01", 10).until("2026-01-15")]);
    let came = line(&[terms("d", "2026-01-10", 1_000)]);
    let measured = measured(&[grew, shrank, left, came], window("2026-01-01", "2026-02-01"));
    assert_eq!((measured.nrr, measured.grr), (Some(1.15), Some(0.85)));
    assert_eq!(
        (measured.paying_start, measured.paying_end, measured.churned_accounts),
        (3, 3, 1)
    );
    assert_eq!(measured.arpa, Some(usd(372)), "1115 over 3 accounts, rounded");
    assert_eq!(measured.arr, usd(12 * 1_115));
    assert_eq!((measured.expansion_gross, measured.expansion_net), (usd(30), usd(25)));
}

#[test]
fn k1_a_rise_by_order_and_a_fall_by_itself_on_one_day_stay_apart() {
    let mixed = line(&[
        terms("plan", "2025-01-01", 300),
        terms("seats", "2025-01-01", 100),
        terms("plan", "2026-01-10", 400).ordered("o-1"),
        terms("seats", "2026-01-10", 60),
    ]);
    assert_eq!(
        told(&mixed)[1..],
        ["2026-01-10 Expansion 100 o-1", "2026-01-10 Contraction -40"]
    );
    assert_eq!(mixed.movements[1].mrr_after, usd(500));
    assert_eq!(mixed.movements[2].mrr_after, usd(460));
    assert_eq!(mixed.movements[2].version_ids, ["billing/seats@2026-01-10"]);
    let measured = measured(&[mixed], window("2026-01-01", "2026-02-01"));
    assert_eq!(measured.expansion_attributed, usd(100));
}

#[test]
fn k1_changes_of_one_cause_on_one_day_are_netted() {
    let moved = line(&[
        terms("old", "2025-01-01", 300).until("2026-01-10"),
        terms("new", "2026-01-10", 300),
        terms("add-on", "2026-01-12", 70).ordered("o-1"),
        terms("support", "2026-01-12", 30).ordered("o-2"),
    ]);
    assert_eq!(
        told(&moved)[1..],
        ["2026-01-12 Expansion 70 o-1", "2026-01-12 Expansion 30 o-2"]
    );
}

#[test]
fn k1_the_end_of_an_ordered_line_is_not_caused_by_its_order() {
    let ended = line(&[
        terms("plan", "2025-01-01", 300),
        terms("add-on", "2026-01-12", 70).ordered("o-1").until("2026-03-12"),
    ]);
    assert_eq!(
        told(&ended)[1..],
        ["2026-01-12 Expansion 70 o-1", "2026-03-12 Contraction -70"]
    );
}

#[test]
fn k1_an_account_that_pays_in_another_currency_has_not_churned() {
    let kzt = |minor| Money::new(minor, "KZT".parse().unwrap());
    let both = line(&[
        terms("usd", "2025-01-01", 100).until("2026-02-01"),
        Version {
            mrr: kzt(50_000),
            ..terms("kzt", "2026-01-01", 0)
        },
    ]);
    assert_eq!(
        told(&both),
        [
            "2025-01-01 New 100",
            "2026-01-01 Expansion 50000",
            "2026-02-01 Contraction -100"
        ]
    );
}

#[test]
fn k1_a_line_that_changes_its_currency_moves_both() {
    let kzt = Money::new(50_000, "KZT".parse().unwrap());
    let changed = line(&[
        terms("a", "2025-01-01", 100),
        Version {
            mrr: kzt,
            ..terms("a", "2026-01-01", 0)
        },
    ]);
    assert_eq!(
        told(&changed),
        [
            "2025-01-01 New 100",
            "2026-01-01 Expansion 50000",
            "2026-01-01 Contraction -100"
        ]
    );
}

#[test]
fn i5_of_equal_days_the_later_fact_stands_and_a_superseded_one_never() {
    let early = terms("a", "2026-01-01", 100);
    let late = Version {
        version_id: "billing/late".to_owned(),
        occurred_at: early.occurred_at + SignedDuration::from_secs(1),
        ..terms("a", "2026-01-01", 120)
    };
    assert_eq!(told(&line(&[late.clone(), early.clone()])), ["2026-01-01 New 120"]);
    let late = Version {
        superseded: true,
        ..late
    };
    assert_eq!(told(&line(&[late, early])), ["2026-01-01 New 100"]);
}

#[test]
fn a_line_without_price_or_that_ends_as_it_begins_moves_nothing() {
    assert_eq!(line(&[terms("free", "2026-01-01", 0)]), Timeline::default());
    assert_eq!(
        line(&[terms("a", "2026-01-01", 100).until("2026-01-01")]),
        Timeline::default()
    );
}

#[test]
fn mrr_beyond_64_bits_is_refused() {
    let huge = [terms("a", "2026-01-01", i64::MAX), terms("b", "2026-01-01", 1)];
    assert_eq!(timeline(&huge).unwrap_err(), MoneyFault::Overflow);
}

#[test]
fn k3_an_expansion_earns_by_the_day_until_the_account_leaves() {
    let grew = |end: Option<&str>| {
        let grown = terms("a", "2026-01-11", 100 + 30_437_500);
        line(&[
            terms("a", "2025-01-01", 100),
            end.map_or(grown.clone(), |end| grown.until(end)),
        ])
    };
    let earned = |timeline: Timeline| measured(&[timeline], window("2026-01-01", "2026-02-01")).expansion_cumulative;
    assert_eq!(earned(grew(None)), usd(21_000_000), "21 days of 30.4375");
    assert_eq!(earned(grew(Some("2026-01-16"))), usd(5_000_000));
}

#[test]
fn k1_a_broken_identity_gives_no_number() {
    let ends = Ends {
        mrr_start: 100,
        mrr_end: 150,
        ..nothing()
    };
    let sum = KindSum {
        amount: 49,
        count: 1,
        ..KindSum::nothing(ends.currency, MovementKind::Expansion, Cause::Price)
    };
    let broken = revenue(vec![ends], vec![sum], Rules::default()).unwrap_err();
    assert_eq!(
        broken,
        RevenueFault::IdentityBroken {
            start: usd(100),
            moved: usd(49),
            end: usd(150)
        }
    );
}

#[test]
fn rates_without_mrr_at_the_start_are_unset() {
    let revenue = revenue(vec![nothing()], vec![], Rules::default()).unwrap().remove(0);
    assert_eq!((revenue.nrr, revenue.grr, revenue.arpa), (None, None, None));
}

fn nothing() -> Ends {
    Ends::nothing(usd(0).currency)
}
