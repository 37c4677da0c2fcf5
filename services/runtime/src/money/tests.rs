use proptest::prelude::*;
use upswell_proto::gtype;

use super::{Currency, Money, MoneyFault, Period, from_proto, to_proto};

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn usd(minor: i64) -> Money {
    Money::new(minor, currency("USD"))
}

fn wire(code: &str, units: i64, nanos: i32) -> gtype::Money {
    gtype::Money {
        currency_code: code.to_owned(),
        units,
        nanos,
    }
}

#[test]
fn currencies_know_their_decimals() {
    for (code, exponent) in [("KZT", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("BHD", 3), ("CLF", 4)] {
        assert_eq!(currency(code).exponent(), exponent, "{code}");
    }
    for bad in ["", "usd", "US", "USDT", "XXX", "BTC", "US ", "ДОЛ"] {
        assert!(bad.parse::<Currency>().is_err(), "{bad:?}");
    }
}

#[test]
fn amounts_print_with_the_decimals_of_their_currency() {
    assert_eq!(Money::new(12_800_000, currency("KZT")).to_string(), "128000.00 KZT");
    assert_eq!(usd(-5).to_string(), "-0.05 USD");
    assert_eq!(Money::new(5000, currency("JPY")).to_string(), "5000 JPY");
    assert_eq!(Money::new(1, currency("CLF")).to_string(), "0.0001 CLF");
    assert_eq!(usd(i64::MIN).to_string(), "-92233720368547758.08 USD");
}

#[test]
fn arithmetic_refuses_overflow_and_mixed_currencies() {
    let kzt = Money::new(1, currency("KZT"));
    assert_eq!(usd(1).checked_add(usd(2)), Ok(usd(3)));
    assert!(matches!(usd(1).checked_add(kzt), Err(MoneyFault::CurrencyMismatch(..))));
    assert_eq!(usd(i64::MAX).checked_add(usd(1)), Err(MoneyFault::Overflow));
    assert_eq!(usd(i64::MIN).checked_sub(usd(1)), Err(MoneyFault::Overflow));
    assert_eq!(usd(i64::MAX).checked_mul(2), Err(MoneyFault::Overflow));
    assert_eq!(usd(1).ratio(1, 0), Err(MoneyFault::DivisionByZero));
}

#[test]
fn ratios_round_half_away_from_zero() {
    for (minor, numerator, denominator, expected) in [
        (5, 1, 2, 3),
        (-5, 1, 2, -3),
        (5, -1, 2, -3),
        (5, 1, -2, -3),
        (4, 1, 3, 1),
        (-4, 1, 3, -1),
        (1, 1, 3, 0),
    ] {
        assert_eq!(usd(minor).ratio(numerator, denominator), Ok(usd(expected)));
    }
}

#[test]
fn section_9_monthly_values() {
    for (minor, period, expected) in [
        (200_000, Period::Year, 16_667),
        (30_000, Period::Quarter, 10_000),
        (700, Period::Week, 3_044),
        (1_600, Period::Day, 48_700),
        (123, Period::Month, 123),
    ] {
        assert_eq!(usd(minor).monthly(period), Ok(usd(expected)), "{period}");
    }
    assert!(matches!(
        "fortnight".parse::<Period>(),
        Err(MoneyFault::UnknownPeriod(_))
    ));
    assert_eq!("year".parse(), Ok(Period::Year));
}

#[test]
fn the_wire_is_read_exactly_or_refused() {
    assert_eq!(from_proto(&wire("USD", 12, 340_000_000)), Ok(usd(1234)));
    assert_eq!(from_proto(&wire("USD", 0, -10_000_000)), Ok(usd(-1)));
    let fault = |code, units, nanos| from_proto(&wire(code, units, nanos)).unwrap_err();
    assert_eq!(fault("USD", 1, -1), MoneyFault::SignMismatch);
    assert_eq!(fault("USD", -1, 1), MoneyFault::SignMismatch);
    assert_eq!(fault("USD", 1, 1_000_000_000), MoneyFault::NanosOutOfRange);
    assert_eq!(fault("USD", i64::MAX, 0), MoneyFault::Overflow);
    assert!(matches!(
        fault("USD", 1, 999_999_999),
        MoneyFault::TooPrecise { exponent: 2, .. }
    ));
    assert!(matches!(
        fault("JPY", 1, 500_000_000),
        MoneyFault::TooPrecise { exponent: 0, .. }
    ));
    assert!(matches!(fault("", 1, 0), MoneyFault::UnknownCurrency(_)));
}

#[test]
fn json_has_the_code_as_text() {
    let json = serde_json::to_string(&usd(7)).unwrap();
    assert_eq!(json, r#"{"minor":7,"currency":"USD"}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), usd(7));
}

proptest! {
    #[test]
    fn the_wire_loses_nothing(minor: i64, code in prop::sample::select(vec!["USD", "KZT", "JPY", "KWD", "CLF"])) {
        let money = Money::new(minor, currency(code));
        prop_assert_eq!(from_proto(&to_proto(money)), Ok(money));
    }

    #[test]
    fn a_year_of_months_is_a_month(minor in i64::MIN / 12..=i64::MAX / 12) {
        let year = usd(minor).checked_mul(12).unwrap();
        prop_assert_eq!(year.monthly(Period::Year), Ok(usd(minor)));
    }

    #[test]
    fn a_ratio_is_at_most_half_a_unit_away(minor: i32, numerator: i32, denominator in 1_i32..) {
        let exact = i128::from(minor) * i128::from(numerator);
        let rounded = usd(minor.into()).ratio(numerator.into(), denominator.into());
        if let Ok(rounded) = rounded {
            let distance = (i128::from(rounded.minor) * i128::from(denominator) - exact).abs();
            prop_assert!(distance * 2 <= i128::from(denominator));
        }
    }
}
