//! Several currencies told in one.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::domain::{
    exchange::{Rate, RateFault, Rates},
    movement::Cause,
    restate::{AccountEnds, Native, Paying, RestateFault, restate},
};

fn currency(code: &str) -> upswell_runtime::money::Currency {
    code.parse().unwrap()
}

fn rates(quote: &str, known: &[(&str, &str, &str)]) -> Rates {
    let mut rates = Rates::new(currency(quote));
    for (code, on, rate) in known {
        rates.insert(currency(code), day(on), Rate::parse(rate).unwrap());
    }
    rates
}

fn contract(mrr: i64) -> Native {
    Native {
        currency: currency("USD"),
        mrr_start: mrr,
        turns: BTreeMap::new(),
        moved: Vec::new(),
    }
}

fn one() -> Paying {
    Paying { start: 1, end: 1 }
}

#[test]
fn k4_a_contract_of_100_usd_keeps_nrr_and_moves_by_fx_alone() {
    for known in [
        [("USD", "2026-01-01", "450"), ("USD", "2026-02-01", "500")],
        [("USD", "2025-06-01", "450"), ("USD", "2026-01-17", "500")],
    ] {
        let rates = rates("KZT", &known);
        let window = window("2026-01-01", "2026-02-01");
        let (ends, sums) = restate(window, &rates, &[contract(10_000)], &[], one()).unwrap();
        let told = revenue(vec![ends], sums, Rules::default()).unwrap().remove(0);
        assert_eq!((told.mrr_start.minor, told.mrr_end.minor), (4_500_000, 5_000_000));
        assert_eq!((told.nrr, told.grr), (Some(1.0), Some(1.0)));
        assert_eq!(total(&told, MovementKind::Fx), 500_000, "+5 000.00");
        assert_eq!(total(&told, MovementKind::Expansion), 0);
        assert_eq!(told.arpa.map(|arpa| arpa.to_string()), Some("50000.00 KZT".to_owned()));
    }
}

#[test]
fn k1_what_moves_moves_at_the_rate_of_its_day() {
    let rates = rates("KZT", &[("USD", "2026-01-01", "450"), ("USD", "2026-01-11", "500")]);
    let expansion = KindSum {
        amount: 1_000,
        count: 1,
        ..KindSum::nothing(currency("USD"), MovementKind::Expansion, Cause::Seats)
    };
    let moved = Native {
        turns: BTreeMap::from([(day("2026-01-05"), 1_000), (day("2026-01-11"), 1_000)]),
        moved: vec![(day("2026-01-05"), expansion.clone()), (day("2026-01-11"), expansion)],
        ..contract(10_000)
    };
    let ends = AccountEnds(vec![(currency("USD"), 10_000, 12_000)]);
    let (ends, sums) = restate(window("2026-01-01", "2026-02-01"), &rates, &[moved], &[ends], one()).unwrap();
    let told = revenue(vec![ends], sums, Rules::default()).unwrap().remove(0);
    assert_eq!(total(&told, MovementKind::Expansion), 450_000 + 500_000);
    assert_eq!(
        total(&told, MovementKind::Fx),
        11_000 * 50,
        "what stood before the day of the new rate"
    );
    assert_eq!(told.nrr, Some(1.2), "at the rate of the start");
}

#[test]
fn k5_an_account_that_changes_its_currency_is_compared_as_a_whole() {
    let rates = rates("KZT", &[("USD", "2026-01-01", "500")]);
    let ends = AccountEnds(vec![(currency("KZT"), 0, 5_500_000), (currency("USD"), 10_000, 0)]);
    let window = window("2026-01-01", "2026-02-01");
    let sum = |code, kind, amount| KindSum {
        amount,
        count: 1,
        ..KindSum::nothing(currency(code), kind, Cause::Currency)
    };
    let dollars = Native {
        turns: BTreeMap::from([(day("2026-01-05"), -10_000)]),
        moved: vec![(day("2026-01-05"), sum("USD", MovementKind::Contraction, -10_000))],
        ..contract(10_000)
    };
    let tenge = Native {
        currency: currency("KZT"),
        turns: BTreeMap::from([(day("2026-01-05"), 5_500_000)]),
        moved: vec![(day("2026-01-05"), sum("KZT", MovementKind::Expansion, 5_500_000))],
        ..contract(0)
    };
    let (ends, sums) = restate(window, &rates, &[tenge, dollars], &[ends], one()).unwrap();
    assert_eq!(ends.churned_accounts, 0);
    let told = revenue(vec![ends], sums, Rules::default()).unwrap().remove(0);
    assert_eq!((told.nrr, told.grr), (Some(1.1), Some(1.0)));
}

#[test]
fn k1_a_missing_rate_is_named_and_never_one() {
    let rates = rates("KZT", &[("USD", "2026-01-02", "450")]);
    let missing = restate(window("2026-01-01", "2026-02-01"), &rates, &[contract(1)], &[], one()).unwrap_err();
    let expected = RateFault::Missing {
        currency: currency("USD"),
        quote: currency("KZT"),
        day: day("2026-01-01"),
    };
    assert_eq!(missing, RestateFault::Rate(expected));
    assert_eq!(
        missing.to_string(),
        "no exchange rate of USD to KZT is known for 2026-01-01"
    );
}

#[test]
fn rates_are_exact_decimal_numbers() {
    for text in ["450", "0.0022", "450.25", "0.000000000001", "8999999.999999999999"] {
        assert_eq!(Rate::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Rate::parse("1.50").unwrap().to_string(), "1.5");
    for text in [
        "",
        "0",
        "-1",
        "+1",
        "1e3",
        "1.",
        ".5",
        "1,5",
        "0.0000000000001",
        "9300000",
        " 1",
        "١",
    ] {
        Rate::parse(text).unwrap_err();
    }
}

#[test]
fn minor_units_of_different_sizes_meet_at_the_right_place() {
    let worth = |code, minor, quote: &str, rate| {
        let rates = rates(quote, &[(code, "2026-01-01", rate)]);
        let amount = Money::new(minor, currency(code));
        rates.worth(amount, day("2026-03-01")).unwrap().minor().unwrap()
    };
    assert_eq!(worth("JPY", 1_000, "USD", "0.0065"), 650, "1000 yen are 6.50 dollars");
    assert_eq!(worth("USD", 650, "JPY", "153.846153846154"), 1_000);
    assert_eq!(
        worth("KWD", 1_000, "KZT", "1650.5"),
        165_050,
        "one dinar has a thousand fils"
    );
    assert_eq!(worth("USD", 1, "KZT", "450.005"), 450, "450.005 tiyn");
    assert_eq!(worth("USD", 1, "JPY", "50"), 1, "half a yen is rounded away from zero");
}

proptest! {
    #[test]
    fn k1_the_identity_holds_at_any_rates(
        start in 0..1_000_000_i64,
        steps in vec((0..31_i64, -50_000..50_000_i64), 0..20),
        known in vec((0..40_i64, 1..1_000_000_000_000_000_i64), 1..15),
    ) {
        let window = window("2026-01-01", "2026-02-01");
        let on = |offset: i64| day("2026-01-01") + jiff::Span::new().days(offset);
        let mut rates = Rates::new(currency("KZT"));
        rates.insert(currency("USD"), day("2025-01-01"), Rate::from_pico(450_000_000_000_000).unwrap());
        for (offset, pico) in known {
            rates.insert(currency("USD"), on(offset - 5), Rate::from_pico(pico).unwrap());
        }
        let mut native = contract(start);
        for (offset, delta) in steps {
            let kind = if delta < 0 { MovementKind::Contraction } else { MovementKind::Expansion };
            let sum = KindSum { amount: delta, count: 1, ..KindSum::nothing(native.currency, kind, Cause::Price) };
            *native.turns.entry(on(offset)).or_default() += delta;
            native.moved.push((on(offset), sum));
        }
        let (ends, sums) = restate(window, &rates, &[native], &[], one()).unwrap();
        let told = revenue(vec![ends.clone()], sums, Rules::default());
        prop_assert!(told.is_ok() || ends.mrr_end < 0, "{:?}", told);
    }
}
