use proptest::{prelude::*, sample::Index};
use upswell_runtime::money::Period;

use super::*;
use crate::domain::{
    account360::{self, LedgerTouch},
    fact::ExternalTouch,
    invoice::invoices,
    price::mrr,
    standing::standing,
    subscription::{self, versions},
    words::{Kind, TouchClass},
};

#[test]
fn i5_the_latest_by_occur_time_stands_and_ids_break_ties() {
    let old = document(&fact("z", 1, profile("small")));
    let new = document(&fact("b", 2, profile("large")));
    let tie = document(&fact("a", 2, profile("medium")));
    let object = (Kind::AccountProfile, String::new());
    for order in [[&old, &new, &tie], [&tie, &old, &new], [&new, &tie, &old]] {
        assert_eq!(standing(order)[&object].fact.external_id, "b");
    }
}

proptest! {
    #[test]
    fn i5_the_standing_fact_does_not_depend_on_the_order(days in prop::collection::vec(1_i8..4, 1..8), turn: Index) {
        let documents: Vec<Document> = days.iter().enumerate()
            .map(|(id, day)| document(&fact(&id.to_string(), *day, profile("s"))))
            .collect();
        let mut turned: Vec<&Document> = documents.iter().collect();
        turned.rotate_left(turn.index(documents.len()));
        let reversed: Vec<&Document> = turned.iter().rev().copied().collect();
        prop_assert_eq!(standing(turned), standing(&documents));
        prop_assert_eq!(standing(reversed), standing(&documents));
    }
}

#[test]
fn k1_mrr_is_multiplied_first_and_normalised_once() {
    let amount = |price, quantity, period| {
        mrr(&terms("2026-01-01", None, price, quantity, period), on("2026-01-01"))
            .unwrap()
            .minor
    };
    assert_eq!(
        amount(50_000, 4, Period::Year),
        16_667,
        "4 × 500 USD a year is 166.67 a month"
    );
    assert_eq!(amount(3_000, 2, Period::Month), 6_000);
    assert_eq!(amount(100, 1, Period::Quarter), 33);
    assert_eq!(amount(100, 112, Period::Week), 48_700);
    assert_eq!(amount(100, 16, Period::Day), 48_700);
    assert!(mrr(&terms("2026-01-01", None, i64::MAX, 2, Period::Month), on("2026-01-01")).is_err());
}

#[test]
fn subscriptions_stand_by_effective_date_and_of_two_versions_the_later_fact() {
    let facts = [
        fact(
            "a",
            1,
            Body::Subscription(terms("2026-01-01", None, 100, 1, Period::Month)),
        ),
        fact(
            "b",
            2,
            Body::Subscription(terms("2026-06-01", None, 200, 1, Period::Month)),
        ),
        fact(
            "c",
            3,
            Body::Subscription(terms("2026-06-01", None, 250, 1, Period::Month)),
        ),
        fact(
            "d",
            4,
            Body::Subscription(terms("2026-09-01", Some("2026-12-01"), 300, 1, Period::Month)),
        ),
    ];
    let documents: Vec<Document> = facts.iter().rev().map(document).collect();
    let versions = versions(&documents);
    let stand = |day: &str| {
        let found = subscription::on(&versions, on(day)).unwrap();
        (
            found[0].version.document.fact.external_id.clone(),
            found[0].active,
            found[0].mrr.minor,
        )
    };
    assert_eq!(
        stand("2025-12-31"),
        ("a".to_owned(), false, 100),
        "the next one while none is in force"
    );
    assert_eq!(stand("2026-01-01"), ("a".to_owned(), true, 100));
    assert_eq!(stand("2026-06-01"), ("c".to_owned(), true, 250));
    assert_eq!(stand("2026-11-30"), ("d".to_owned(), true, 300));
    assert_eq!(stand("2026-12-01"), ("d".to_owned(), false, 0));
    let total = |day: &str| subscription::total(&subscription::on(&versions, on(day)).unwrap()).unwrap();
    assert_eq!(total("2026-11-30"), [money(300, "USD")]);
    assert_eq!(total("2026-12-01"), []);
}

#[test]
fn an_invoice_is_paid_in_full_on_the_day_its_payments_reach_it() {
    let facts = [
        fact("p2", 9, payment(60, "KZT", "2026-10-09")),
        fact("i", 1, invoice(100)),
        fact("p1", 5, payment(40, "KZT", "2026-10-05")),
        fact("px", 2, payment(500, "USD", "2026-10-02")),
    ];
    let documents: Vec<Document> = facts.iter().map(document).collect();
    let found = invoices(&documents);
    assert_eq!(
        (found[0].paid, found[0].paid_in_full),
        (money(100, "KZT"), Some(on("2026-10-09")))
    );
    let part = invoices(&documents[1..3]);
    assert_eq!((part[0].paid, part[0].paid_in_full), (money(40, "KZT"), None));
}

#[test]
fn a_touch_that_the_ledger_has_entered_is_shown_once() {
    let touch = Body::ExternalTouch(ExternalTouch {
        class: TouchClass::Commercial,
        channel: Channel::Email,
        contact_id: String::new(),
        sender: "anna".to_owned(),
        proposes_expansion: false,
    });
    let documents = [document(&fact("x", 3, touch))];
    let entered = LedgerTouch {
        touch_id: "touch-1".to_owned(),
        account_id: "acme".to_owned(),
        class: "commercial".to_owned(),
        channel: "email".to_owned(),
        sender: "anna".to_owned(),
        touch_time: at("2026-10-03T05:00:00Z"),
        state: "observed".to_owned(),
    };
    let ids = |ledger| {
        account360::touches(ledger, &documents)
            .into_iter()
            .map(|touch| touch.touch_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(vec![entered.clone()]), ["touch-1"]);
    assert_eq!(ids(Vec::new()), [""]);
    let later = LedgerTouch {
        touch_time: at("2026-10-04T05:00:00Z"),
        ..entered
    };
    assert_eq!(ids(vec![later]), ["touch-1", ""]);
}
