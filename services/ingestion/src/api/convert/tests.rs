mod hostile;

use prost_types::Timestamp as Time;
use upswell_proto::{
    gtype::{Date, Money},
    ingestion::v1::{self as pb, fact::Body},
};

use super::{decode, encode, fact_from_wire};
use crate::domain::rules::Horizon;

fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

fn at(text: &str) -> Option<Time> {
    let at: jiff::Timestamp = text.parse().unwrap();
    Some(Time {
        seconds: at.as_second(),
        nanos: 0,
    })
}

fn fact(body: Body) -> pb::Fact {
    pb::Fact {
        source: "Billing ".to_owned(),
        external_id: "X-1".to_owned(),
        account_id: "ACCT-01".to_owned(),
        occur_time: at("2026-10-12T05:00:00Z"),
        supersedes_external_id: String::new(),
        body: Some(body),
    }
}

fn usage(year: i32, value: i64) -> Body {
    Body::Usage(pb::UsageCount {
        metric: "shipments".to_owned(),
        day: date(year, 10, 11),
        value,
    })
}

fn terms() -> pb::SubscriptionTerms {
    pb::SubscriptionTerms {
        subscription_id: "sub-1".to_owned(),
        product: "pro".to_owned(),
        kind: 1,
        unit_price: Some(Money {
            currency_code: "KZT".to_owned(),
            units: 240_000,
            nanos: 0,
        }),
        quantity: 1,
        period: 1,
        effective_date: date(2026, 3, 1),
        renewal_date: date(2027, 3, 1),
        ..Default::default()
    }
}

fn faults(wire: &pb::Fact) -> Vec<String> {
    let now = "2026-10-12T06:00:00Z".parse().unwrap();
    let faults = fact_from_wire(wire, Horizon::at(now)).map_or_else(|faults| faults, |_| Vec::new());
    faults
        .into_iter()
        .map(|fault| format!("{}: {}", fault.field, fault.description))
        .collect()
}

#[test]
fn i3_identifiers_are_normalised_and_equal_facts_have_one_encoding() {
    let read = |wire| fact_from_wire(&wire, Horizon::recorded()).unwrap();
    let fact_a = read(fact(usage(2026, 5)));
    assert_eq!(
        (fact_a.source.as_str(), fact_a.account_id.as_str()),
        ("billing", "acct-01")
    );
    assert_eq!(fact_a.external_id, "X-1", "ids of other systems are theirs to spell");
    let mut other = fact(usage(2026, 5));
    other.source = "billing".to_owned();
    assert_eq!(encode(&fact_a), encode(&read(other)));
    assert_eq!(decode(&encode(&fact_a).0).unwrap(), fact_a);
}

#[test]
fn k1_terms_with_discounts_and_rises_read_back_as_they_were_told() {
    let wire = pb::SubscriptionTerms {
        discounts: vec![
            pb::Discount {
                basis_points: 10_000,
                end_date: date(2026, 6, 1),
            },
            pb::Discount {
                basis_points: 1,
                end_date: None,
            },
        ],
        escalator: Some(pb::Escalator {
            basis_points: 300,
            first_date: date(2027, 3, 1),
            every_months: None,
        }),
        auto_renew: Some(false),
        notice_days: Some(0),
        term_months: Some(36),
        reason: pb::subscription_terms::Reason::Migration.into(),
        ..terms()
    };
    let read = fact_from_wire(&fact(Body::Subscription(wire.clone())), Horizon::recorded()).unwrap();
    assert_eq!(decode(&encode(&read).0).unwrap(), read);
    let crate::domain::fact::Body::Subscription(told) = &read.body else {
        panic!("{read:?}")
    };
    assert_eq!(
        super::terms_to_wire(told),
        wire,
        "false and 0 are not the same as unknown"
    );
}

#[test]
fn f27_discounts_and_rises_out_of_range_are_refused_by_name() {
    let wire = pb::SubscriptionTerms {
        unit_price: Some(Money {
            currency_code: "USD".to_owned(),
            units: 1,
            nanos: 0,
        }),
        discounts: vec![
            pb::Discount {
                basis_points: 10_001,
                end_date: date(2026, 2, 1),
            },
            pb::Discount {
                basis_points: 0,
                end_date: None,
            },
        ],
        escalator: Some(pb::Escalator {
            basis_points: -1,
            first_date: date(2026, 3, 1),
            every_months: Some(0),
        }),
        notice_days: Some(366),
        term_months: Some(0),
        reason: 9,
        ..terms()
    };
    assert_eq!(
        faults(&fact(Body::Subscription(wire))),
        [
            "subscription.discounts[0].basis_points: 10001 is out of range: expected 1 to 10000",
            "subscription.discounts[0].end_date: must not be before effective_date",
            "subscription.discounts[1].basis_points: 0 is out of range: expected 1 to 10000",
            "subscription.escalator.basis_points: -1 is out of range: expected 1 to 10000",
            "subscription.escalator.first_date: must be after effective_date, whose price is unit_price",
            "subscription.escalator.every_months: 0 is out of range: expected 1 to 120",
            "subscription.notice_days: 366 is out of range: expected 0 to 365",
            "subscription.term_months: 0 is out of range: expected 1 to 120",
            "subscription.reason: unknown value 9: expected price, seats, migration, discount or credit",
        ]
    );
    let rising = pb::SubscriptionTerms {
        unit_price: Some(Money {
            currency_code: "USD".to_owned(),
            units: 9_000_000_000_000,
            nanos: 0,
        }),
        escalator: Some(pb::Escalator {
            basis_points: 10_000,
            first_date: date(2027, 3, 1),
            every_months: Some(1),
        }),
        ..terms()
    };
    assert_eq!(
        faults(&fact(Body::Subscription(rising))),
        ["subscription.unit_price: times quantity has no monthly amount: amount is out of range"],
        "the largest amount that it will ever have must fit"
    );
}

#[test]
fn all_faults_of_a_fact_are_listed_at_once() {
    let wire = pb::Fact {
        source: "bil ling".to_owned(),
        external_id: String::new(),
        account_id: "acct\u{202E}".to_owned(),
        occur_time: at("1970-01-01T00:00:00Z"),
        supersedes_external_id: "a\0".to_owned(),
        body: Some(Body::Subscription(pb::SubscriptionTerms {
            unit_price: Some(Money {
                currency_code: "XXX".to_owned(),
                units: 1,
                nanos: 0,
            }),
            quantity: 0,
            period: 9,
            effective_date: date(2200, 1, 1),
            end_date: date(2026, 2, 30),
            limits: vec![
                pb::Limit {
                    metric: "a".to_owned(),
                    value: -1,
                    standing: false,
                },
                pb::Limit {
                    metric: "A".to_owned(),
                    value: 1,
                    standing: false,
                },
            ],
            renewal_date: None,
            ..terms()
        })),
    };
    let faults = faults(&wire);
    let expected = [
        "source: \"bil ling\" is no identifier",
        "external_id: required: expected 1 to 256 characters",
        "account_id: \"acct\\u{202e}\" is no identifier",
        "occur_time: 1970-01-01T00:00:00Z is out of range: expected 2000-01-01 to five years from now",
        "supersedes_external_id: must not contain the character U+0000",
        "subscription.unit_price: unknown currency \"XXX\"",
        "subscription.quantity: 0 is out of range: expected 1 to",
        "subscription.period: unknown value 9: expected month, quarter, year, week or day",
        "subscription.effective_date: 2200-01-01 is out of range: expected 2000-01-01 to five years from now",
        "subscription.end_date: 2026-2-30 is no calendar day",
        "subscription.renewal_date: required for a plan",
        "subscription.limits[0].value: -1 is out of range: expected 0 to",
        "subscription.limits[1].metric: is limited twice",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault} / {expected}");
    }
}

#[test]
fn each_rule_names_what_is_expected() {
    let price = |units, nanos| {
        let unit_price = Some(Money {
            currency_code: "KZT".to_owned(),
            units,
            nanos,
        });
        fact(Body::Subscription(pb::SubscriptionTerms {
            unit_price,
            quantity: 1_000,
            ..terms()
        }))
    };
    let profile = |edit: fn(&mut pb::AccountProfile)| {
        let mut profile = pb::AccountProfile {
            display_name: "Altyn".to_owned(),
            segment: "mid".to_owned(),
            country_code: "KZ".to_owned(),
            time_zone: "Asia/Almaty".to_owned(),
            language_code: "ru".to_owned(),
            ..Default::default()
        };
        edit(&mut profile);
        fact(Body::AccountProfile(profile))
    };
    let cases: Vec<(pb::Fact, &str)> = vec![
        (
            fact(usage(2026, -1)),
            "usage.value: -1 is out of range: expected 0 to 1000000000000000",
        ),
        (
            fact(usage(1970, 1)),
            "usage.day: 1970-10-11 is out of range: expected 2000-01-01 to one day from now",
        ),
        (fact(usage(2200, 1)), "usage.day: 2200-10-11 is out of range"),
        (
            pb::Fact {
                occur_time: at("2200-01-01T00:00:00Z"),
                ..fact(usage(2026, 1))
            },
            "occur_time: 2200-01-01",
        ),
        (
            pb::Fact {
                occur_time: at("2026-10-14T00:00:00Z"),
                ..fact(usage(2026, 1))
            },
            "occur_time: 2026-10-14",
        ),
        (
            pb::Fact {
                occur_time: None,
                ..fact(usage(2026, 1))
            },
            "occur_time: required: expected an instant",
        ),
        (
            pb::Fact {
                body: None,
                ..fact(usage(2026, 1))
            },
            "body: required: expected exactly one body",
        ),
        (
            pb::Fact {
                supersedes_external_id: "X-1".to_owned(),
                ..fact(usage(2026, 1))
            },
            "supersedes_external_id: a fact",
        ),
        (
            price(-1, 0),
            "subscription.unit_price: -1.00 KZT is out of range: expected zero or more",
        ),
        (price(i64::MAX, 0), "subscription.unit_price: amount is out of range"),
        (
            price(i64::MAX / 1_000, 0),
            "subscription.unit_price: 9223372036854775.00 KZT is out of range: expected at most 10000000000000.00 KZT",
        ),
        (
            price(0, 1),
            "subscription.unit_price: amount is finer than the 2 decimals of KZT",
        ),
        (
            profile(|p| p.time_zone = "Asia/Atlantis".to_owned()),
            "account_profile.time_zone: unknown time zone",
        ),
        (
            profile(|p| p.country_code = "kz".to_owned()),
            "account_profile.country_code: \"kz\" is no country code",
        ),
        (
            profile(|p| p.language_code = "русский".to_owned()),
            "account_profile.language_code: \"русский\" is no language",
        ),
        (
            profile(|p| p.display_name = "A\u{2066}B".to_owned()),
            "account_profile.display_name: must not contain",
        ),
        (
            profile(|p| p.display_name = "A\0B".to_owned()),
            "account_profile.display_name: must not contain",
        ),
    ];
    for (wire, expected) in cases {
        let faults = faults(&wire);
        assert!(
            faults.len() == 1 && faults[0].starts_with(expected),
            "{faults:?} / {expected}"
        );
    }
}

#[test]
fn dates_of_one_thing_are_in_order_and_scores_on_their_scale() {
    let invoice = Body::Invoice(pb::Invoice {
        invoice_id: "i".to_owned(),
        amount: Some(Money {
            currency_code: "USD".to_owned(),
            units: 5,
            nanos: 0,
        }),
        issue_date: date(2026, 10, 2),
        due_date: date(2026, 10, 1),
        order_id: String::new(),
    });
    assert_eq!(
        faults(&fact(invoice)),
        ["invoice.due_date: must not be before issue_date"]
    );
    let ticket = Body::Ticket(pb::Ticket {
        ticket_id: "t".to_owned(),
        topic: "x".to_owned(),
        severity: 4,
        open_time: at("2026-10-10T00:00:00Z"),
        first_reply_time: at("2026-10-09T00:00:00Z"),
        resolve_time: at("2026-10-08T00:00:00Z"),
    });
    assert_eq!(faults(&fact(ticket)).len(), 2);
    let answer = |survey, score| {
        fact(Body::Survey(pb::SurveyAnswer {
            survey,
            score,
            contact_id: String::new(),
        }))
    };
    assert!(faults(&answer(1, 0)).is_empty() && faults(&answer(1, 10)).is_empty());
    for wrong in [answer(1, 11), answer(1, -1), answer(2, 0), answer(2, 6)] {
        assert_eq!(faults(&wrong).len(), 1, "{wrong:?}");
    }
    assert_eq!(faults(&answer(0, 3)), ["survey.survey: required: expected nps or csat"]);
}

#[test]
fn a_reply_keeps_its_words_but_no_control_characters() {
    let reply = |text: &str| {
        let reply = pb::Reply {
            channel: 3,
            text: text.to_owned(),
            ..Default::default()
        };
        fact_from_wire(&fact(Body::Reply(reply)), Horizon::recorded()).map(|fact| fact.body)
    };
    let crate::domain::fact::Body::Reply(read) = reply("Да,\r\nберём\n+").unwrap() else {
        panic!("no reply")
    };
    assert_eq!(read.text, "Да, берём +");
    assert!(reply("a\u{7}").is_err() && reply(" \n ").is_err() && reply(&"a".repeat(4_001)).is_err());
}
