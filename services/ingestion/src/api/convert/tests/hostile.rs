//! Amounts, strings and bytes that a careless or hostile source sends.

use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::domain::rules::AMOUNT_MAX;

fn money(currency_code: &str, units: i64, nanos: i32) -> Money {
    Money {
        currency_code: currency_code.to_owned(),
        units,
        nanos,
    }
}

fn invoice(amount: Money) -> Body {
    Body::Invoice(pb::Invoice {
        invoice_id: "inv-1".to_owned(),
        amount: Some(amount),
        issue_date: date(2026, 10, 1),
        due_date: date(2026, 10, 15),
        order_id: String::new(),
    })
}

fn read_minor(amount: Money) -> Result<i64, Vec<String>> {
    let now = "2026-10-12T06:00:00Z".parse().unwrap();
    match fact_from_wire(&fact(invoice(amount.clone())), Horizon::at(now)) {
        Ok(fact) => match fact.body {
            crate::domain::fact::Body::Invoice(invoice) => Ok(invoice.amount.minor),
            other => panic!("{other:?}"),
        },
        Err(_) => Err(faults(&fact(invoice(amount)))),
    }
}

#[test]
fn f27_amounts_are_exact_or_refused_by_name() {
    for (code, units, nanos, expected) in [
        ("USD", 1, 10_000_000, Ok(101)),
        ("USD", 0, 0, Ok(0)),
        ("USD", 1, 999_999_999, Err("finer than the 2 decimals of USD")),
        ("USD", 1, 5_000_000, Err("finer than the 2 decimals of USD")),
        ("USD", 1, -1, Err("same sign")),
        ("USD", 0, -10_000_000, Err("expected zero or more")),
        ("USD", -1, 0, Err("expected zero or more")),
        ("USD", 1, 1_000_000_000, Err("nanos must be between")),
        ("USD", 1, i32::MIN, Err("nanos must be between")),
        ("USD", i64::MAX, 0, Err("amount is out of range")),
        ("USD", i64::MIN, 0, Err("amount is out of range")),
        ("JPY", i64::MAX, 0, Err("expected at most")),
        ("JPY", 5_000, 0, Ok(5_000)),
        ("JPY", 5_000, 500_000_000, Err("finer than the 0 decimals of JPY")),
        ("BHD", 1, 1_000_000, Ok(1_001)),
        ("BHD", 1, 100_000, Err("finer than the 3 decimals of BHD")),
        ("CLF", 1, 100_000, Ok(10_001)),
        ("CLF", 1, 10_000, Err("finer than the 4 decimals of CLF")),
        ("XXX", 1, 0, Err("unknown currency")),
        ("usd", 1, 0, Err("unknown currency")),
        ("", 1, 0, Err("unknown currency")),
        ("US\0", 1, 0, Err("unknown currency")),
    ] {
        let found = read_minor(money(code, units, nanos));
        match expected {
            Ok(minor) => assert_eq!(found, Ok(minor), "{code} {units} {nanos}"),
            Err(said) => {
                let faults = found.unwrap_err();
                assert_eq!(faults.len(), 1, "{faults:?}");
                assert!(
                    faults[0].starts_with("invoice.amount: ") && faults[0].contains(said),
                    "{faults:?}"
                );
            }
        }
    }
}

#[test]
fn f27_sums_of_what_is_taken_fit_for_any_real_account() {
    let largest = money("JPY", AMOUNT_MAX, 0);
    assert_eq!(read_minor(largest.clone()), Ok(AMOUNT_MAX));
    // So many of the largest amounts add up.
    const { assert!(i64::MAX / AMOUNT_MAX > 9_000) };
    let dear = pb::SubscriptionTerms {
        unit_price: Some(largest),
        quantity: 2,
        ..terms()
    };
    assert_eq!(
        faults(&fact(Body::Subscription(dear))),
        [
            "subscription.unit_price: times quantity is 2000000000000000 JPY a month: expected at most 1000000000000000 JPY"
        ]
    );
}

#[test]
fn f57_strings_are_refused_or_have_one_spelling() {
    let reply = |text: &str| {
        let mut wire = fact(Body::Reply(pb::Reply {
            offer_id: String::new(),
            contact_id: String::new(),
            channel: 1,
            text: text.to_owned(),
        }));
        wire.external_id = text.to_owned();
        fact_from_wire(&wire, Horizon::recorded())
    };
    for hidden in [
        "a\0b",
        "a\u{202E}b",
        "a\u{2066}b",
        "a\u{200B}b",
        "a\u{FEFF}b",
        "a\u{1b}[31mb",
        "a\u{E0041}b",
        "\u{200D}",
    ] {
        let fields: Vec<String> = reply(hidden)
            .unwrap_err()
            .into_iter()
            .map(|fault| fault.field)
            .collect();
        assert_eq!(fields, ["external_id", "reply.text"], "{hidden:?}");
    }
    let [composed, decomposed] = ["Caf\u{e9}", "Cafe\u{301}"].map(|text| reply(text).unwrap());
    assert_eq!(encode(&composed), encode(&decomposed), "twins of Unicode are one fact");
    for formula in ["=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "👩\u{200D}💻 ok", "-"] {
        assert!(
            reply(formula).is_ok(),
            "{formula}: text is text; who writes tables guards the cells"
        );
    }
    let named = |account: &str| {
        let mut wire = fact(usage(2026, 1));
        wire.account_id = account.to_owned();
        fact_from_wire(&wire, Horizon::recorded()).map(|fact| fact.account_id)
    };
    assert_eq!(named(" ACME "), Ok("acme".to_owned()));
    for twin in ["аcme", "acme\u{200B}", "acmé", "ａcme", "acme\n", "acme acme"] {
        assert!(
            named(twin).is_err() || named(twin) == Ok("acme".to_owned()),
            "{twin:?} is a namesake"
        );
    }
    assert!(named("аcme").is_err(), "a Cyrillic letter");
}

proptest! {
    #[test]
    fn f27_every_wire_amount_is_what_128_bits_say_or_refused(
        units: i64, nanos in -1_000_000_001_i32..=1_000_000_001,
        (code, decimals) in prop::sample::select(vec![("JPY", 0_u32), ("USD", 2), ("BHD", 3), ("CLF", 4)]),
        small: bool,
    ) {
        let units = if small { units % 1_000 } else { units };
        // In billionths, which every currency divides.
        let exact = i128::from(units) * 1_000_000_000 + i128::from(nanos);
        let unit = 10_i128.pow(9 - decimals);
        let fits = exact % unit == 0 && exact >= 0 && exact / unit <= i128::from(AMOUNT_MAX);
        let well_formed = nanos.abs() <= 999_999_999 && units.signum() * i64::from(nanos.signum()) >= 0;
        let found = read_minor(money(code, units, nanos));
        prop_assert_eq!(found.is_ok(), fits && well_formed, "{:?}", found);
        if let Ok(minor) = found {
            prop_assert_eq!(i128::from(minor) * unit, exact);
        }
    }

    #[test]
    fn f56_bytes_that_are_no_fact_are_refused_without_a_panic(
        noise in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), byte: u8, cut: bool,
    ) {
        let read = |bytes: &[u8]| {
            if let Ok(wire) = pb::Fact::decode(bytes) {
                let now = "2026-10-12T06:00:00Z".parse().unwrap();
                if let Ok(fact) = fact_from_wire(&wire, Horizon::at(now)) {
                    // What is taken is read back as it was taken.
                    assert_eq!(decode(&encode(&fact).0).unwrap(), fact);
                }
            }
        };
        read(&noise);
        for body in [usage(2026, 5), Body::Subscription(terms()), invoice(money("USD", 1, 0))] {
            let mut bytes = fact(body).encode_to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            read(&bytes);
        }
    }
}
