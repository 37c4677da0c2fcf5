//! The rules by name; the properties are in the modules below.

mod agreement;
mod calendar_model;
mod edges;
mod lifecycle;
#[path = "../../../tests/it/ledger/oracle.rs"]
mod oracle;
mod senders;
mod steps;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

use self::steps::kind as lifecycle_kind;
use super::*;
use crate::domain::vocabulary::{Channel, TouchClass, TouchState};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn row(n: u128, class: TouchClass, at: Timestamp) -> Row {
    Row {
        touch_id: Uuid::from_u128(n),
        class,
        proposes_expansion: false,
        at,
        state: TouchState::Reserved,
    }
}

fn ask(class: TouchClass, at: Timestamp) -> Proposal {
    Proposal {
        class,
        proposes_expansion: false,
        at,
    }
}

fn renewing(zone: &str, renewal: &str) -> AccountCalendar {
    let renewal: Date = renewal.parse().unwrap();
    AccountCalendar {
        time_zone: TimeZone::get(zone).unwrap(),
        renewals: vec![renewal],
    }
}

/// The rules that stand against a proposal and the earliest legal time.
fn verdict(calendar: &AccountCalendar, rows: &[Row], proposal: &Proposal) -> (Vec<&'static str>, Option<Timestamp>) {
    let judgement = judge(&CapPolicy::default(), calendar, rows, proposal);
    (
        judgement.blocking.iter().map(|blocking| blocking.rule).collect(),
        judgement.earliest,
    )
}

fn standing(calendar: AccountCalendar) -> Standing {
    Standing::of(calendar)
}

fn reserve(key: &str, class: TouchClass, planned_at: Timestamp) -> Reserve {
    Reserve {
        account_id: "acme".to_owned(),
        class,
        proposes_expansion: false,
        channel: Channel::Email,
        sender: "crm".to_owned(),
        idempotency_key: key.to_owned(),
        planned_at: Some(planned_at),
        contact_id: String::new(),
        offer_id: String::new(),
    }
}

const MONDAY: &str = "2026-10-12T05:00:00Z";

#[test]
fn c1_two_commercial_touches_need_168_hours() {
    let (calendar, first) = (AccountCalendar::utc(), at(MONDAY));
    let rows = [row(1, TouchClass::Commercial, first)];
    for (later, rules) in [
        (hours(168), vec![]),
        (hours(168) - SignedDuration::from_micros(1), vec!["C-1"]),
    ] {
        let proposal = ask(TouchClass::Commercial, first + later);
        assert_eq!(verdict(&calendar, &rows, &proposal), (rules, Some(first + hours(168))));
    }
}

#[test]
fn c1_a_renewal_message_that_proposes_expansion_is_commercial() {
    let rows = [row(1, TouchClass::Commercial, at(MONDAY))];
    let mut proposal = ask(TouchClass::Renewal, at(MONDAY) + hours(1));
    assert_eq!(verdict(&AccountCalendar::utc(), &rows, &proposal).0, Vec::<&str>::new());
    proposal.proposes_expansion = true;
    assert_eq!(verdict(&AccountCalendar::utc(), &rows, &proposal).0, ["C-1"]);
}

#[test]
fn c2_two_touches_a_week_from_60_to_30_days_before_renewal() {
    let calendar = renewing("Asia/Almaty", "2027-01-01");
    // 2026-11-02 is 60 days before, 2026-12-01 is 31 days before.
    let rows = [
        row(1, TouchClass::Educational, at("2026-11-02T05:00:00Z")),
        row(2, TouchClass::Commercial, at("2026-11-04T05:00:00Z")),
    ];
    let free = at("2026-11-09T05:00:00Z");
    let renewal = ask(TouchClass::Renewal, at("2026-11-06T05:00:00Z"));
    assert_eq!(verdict(&calendar, &rows, &renewal), (vec!["C-2"], Some(free)));
    assert_eq!(
        verdict(&calendar, &rows, &ask(TouchClass::Contractual, renewal.at)).0,
        Vec::<&str>::new(),
        "C-4"
    );
}

#[test]
fn c2_touches_outside_the_zone_do_not_count_for_it() {
    let calendar = renewing("UTC", "2027-01-01");
    let rows = [
        row(1, TouchClass::Renewal, at("2026-11-01T23:59:59Z")),
        row(2, TouchClass::Renewal, at("2026-11-02T00:00:00Z")),
    ];
    let (rules, _) = verdict(&calendar, &rows, &ask(TouchClass::Renewal, at("2026-11-02T01:00:00Z")));
    assert_eq!(rules, Vec::<&str>::new());
}

#[test]
fn c3_one_touch_in_the_last_30_days_and_after_them_until_the_deal_closes() {
    let mut calendar = renewing("UTC", "2027-01-01");
    let rows = [row(1, TouchClass::Educational, at("2026-12-02T00:00:00Z"))];
    for late in ["2026-12-02T00:00:00Z", "2026-12-31T23:00:00Z", "2027-02-10T00:00:00Z"] {
        assert_eq!(
            verdict(&calendar, &rows, &ask(TouchClass::Renewal, at(late))),
            (vec!["C-3"], None),
            "{late}"
        );
    }
    let before = ask(TouchClass::Renewal, at("2026-12-01T23:59:59.999999Z"));
    assert_eq!(
        verdict(&calendar, &rows, &before).0,
        Vec::<&str>::new(),
        "d = 31 is C-2"
    );
    calendar.renewals.clear();
    let after = ask(TouchClass::Renewal, at("2026-12-31T23:00:00Z"));
    assert_eq!(
        verdict(&calendar, &rows, &after).0,
        Vec::<&str>::new(),
        "the deal closed"
    );
}

#[test]
fn c3_begins_at_midnight_of_the_account_also_when_clocks_change() {
    // New York leaves summer time on 2026-11-01; 30 days before 2026-12-01 is that very day, 60 days before 10-02.
    let calendar = renewing("America/New_York", "2026-12-01");
    assert_eq!(calendar.start_of(30), Some(at("2026-11-01T04:00:00Z")));
    assert_eq!(calendar.zone(at("2026-11-01T03:59:59Z")), Zone::Sixty);
    assert_eq!(calendar.zone(at("2026-11-01T04:00:00Z")), Zone::Thirty);
    assert_eq!(calendar.start_of(29), Some(at("2026-11-02T05:00:00Z")));
    // Beirut has no midnight on 2026-03-29: the day begins at 01:00.
    let calendar = renewing("Asia/Beirut", "2026-04-28");
    assert_eq!(calendar.start_of(30), Some(at("2026-03-28T22:00:00Z")));
}

#[test]
fn c4_every_rule_in_the_way_is_named_and_the_strictest_decides() {
    let calendar = renewing("UTC", "2027-01-01");
    let rows = [
        row(1, TouchClass::Educational, at("2026-11-20T10:00:00Z")),
        row(2, TouchClass::Commercial, at("2026-11-23T10:00:00Z")),
    ];
    let proposal = ask(TouchClass::Educational, at("2026-11-24T10:00:00Z"));
    let judgement = judge(&CapPolicy::default(), &calendar, &rows, &proposal);
    let each: Vec<_> = judgement
        .blocking
        .iter()
        .map(|b| (b.rule, b.earliest.unwrap()))
        .collect();
    assert_eq!(
        each,
        [
            ("C-2", at("2026-11-27T10:00:00Z")),
            ("C-19", at("2026-12-04T10:00:00Z"))
        ]
    );
    // When C-19 allows it, it is the only one of zone C-3.
    assert_eq!(judgement.earliest, Some(at("2026-12-04T10:00:00Z")));
    assert_eq!(judgement.blocking[0].touches, [Uuid::from_u128(1), Uuid::from_u128(2)]);
}

#[test]
fn c6_released_and_expired_touches_do_not_count_and_the_others_do() {
    for state in TouchState::ALL.iter().copied() {
        let rows = [Row {
            state,
            ..row(1, TouchClass::Commercial, at(MONDAY))
        }];
        let (rules, _) = verdict(&AccountCalendar::utc(), &rows, &ask(TouchClass::Commercial, at(MONDAY)));
        assert_eq!(!rules.is_empty(), state.counts(), "{state}");
    }
}

#[test]
fn c7_a_nearer_touch_may_not_collide_with_a_later_one() {
    let later = at(MONDAY) + hours(200);
    let rows = [row(1, TouchClass::Commercial, later)];
    let (rules, earliest) = verdict(&AccountCalendar::utc(), &rows, &ask(TouchClass::Commercial, at(MONDAY)));
    assert_eq!((rules, earliest), (vec![], Some(at(MONDAY))));
    let (rules, earliest) = verdict(
        &AccountCalendar::utc(),
        &rows,
        &ask(TouchClass::Commercial, at(MONDAY) + hours(33)),
    );
    assert_eq!((rules, earliest), (vec!["C-1"], Some(later + hours(168))));
}

#[test]
fn c8_a_nearer_renewal_date_releases_what_became_illegal_in_the_given_order() {
    let calendar = renewing("UTC", "2026-11-11");
    let sent = Row {
        state: TouchState::Confirmed,
        ..row(9, TouchClass::Educational, at(MONDAY))
    };
    let rows = [
        row(1, TouchClass::Commercial, at("2026-10-13T00:00:00Z")),
        row(2, TouchClass::Renewal, at("2026-10-20T00:00:00Z")),
        row(3, TouchClass::Contractual, at("2026-10-21T00:00:00Z")),
    ];
    let policy = CapPolicy::default();
    assert_eq!(
        recheck(&policy, &calendar, &rows),
        [Uuid::from_u128(1)],
        "class renewal stays"
    );
    let with_sent: Vec<Row> = rows.iter().cloned().chain([sent]).collect();
    assert_eq!(
        recheck(&policy, &calendar, &with_sent),
        [2, 1].map(Uuid::from_u128),
        "a sent one stays"
    );
    let same = [4, 5].map(|n| row(n, TouchClass::Commercial, at("2026-10-20T00:00:00Z")));
    assert_eq!(
        recheck(&policy, &calendar, &same),
        [Uuid::from_u128(5)],
        "by id in the end"
    );
}

#[test]
fn c10_c12_gates_close_and_say_until_when() {
    let until = at(MONDAY) + hours(48);
    let suppressed = Suppressed {
        reason: "complaint".to_owned(),
        until: Some(until),
    };
    let mut standing = Standing {
        suppressed: vec![suppressed],
        ..standing(AccountCalendar::utc())
    };
    let policy = CapPolicy::default();
    let commercial = reserve("k", TouchClass::Commercial, at(MONDAY));
    let refusal = commercial.decide(&policy, &standing, &[], at(MONDAY)).unwrap_err();
    assert_eq!((refusal.blocking[0].rule, refusal.earliest), ("C-10", Some(until)));
    let contractual = Reserve {
        class: TouchClass::Contractual,
        ..commercial.clone()
    };
    contractual.decide(&policy, &standing, &[], at(MONDAY)).unwrap();

    standing.suppressed.clear();
    standing.holdout = true;
    let automatic = Reserve {
        sender: AUTOMATIC_SENDER.to_owned(),
        ..commercial.clone()
    };
    let refusal = automatic.decide(&policy, &standing, &[], at(MONDAY)).unwrap_err();
    assert_eq!((refusal.blocking[0].rule, refusal.earliest), ("C-12", None));
    commercial.decide(&policy, &standing, &[], at(MONDAY)).unwrap();
    let plain = Reserve {
        class: TouchClass::Renewal,
        ..automatic.clone()
    };
    plain.decide(&policy, &standing, &[], at(MONDAY)).unwrap();
    let expanding = Reserve {
        proposes_expansion: true,
        ..plain
    };
    expanding.decide(&policy, &standing, &[], at(MONDAY)).unwrap_err();
}

#[test]
fn c11_zero_unset_and_unlimited_are_three_values() {
    let read = |text: &str| serde_json::from_str::<Cap>(text);
    assert_eq!(read("\"0\"").unwrap(), Cap::AtMost(0));
    assert_eq!(read("3").unwrap(), Cap::AtMost(3));
    assert_eq!(read("\"unlimited\"").unwrap(), Cap::Unlimited);
    for wrong in ["\"\"", "\"-1\"", "-1", "\"none\"", "null"] {
        read(wrong).unwrap_err();
    }
    let with = |commercial_max| {
        CapSettings {
            commercial_max,
            ..CapSettings::default()
        }
        .policy()
    };
    let versions = [Cap::AtMost(0), Cap::AtMost(1), Cap::Unlimited].map(|cap| with(cap).version);
    assert_eq!(versions[1], CapPolicy::default().version);
    assert!(versions[0] != versions[1] && versions[1] != versions[2] && versions[0] != versions[2]);
    let proposal = ask(TouchClass::Commercial, at(MONDAY));
    let rows = [row(1, TouchClass::Commercial, at(MONDAY))];
    let none = judge(&with(Cap::AtMost(0)), &AccountCalendar::utc(), &[], &proposal);
    assert_eq!((none.blocking[0].touches.len(), none.earliest), (0, None));
    assert!(judge(&with(Cap::Unlimited), &AccountCalendar::utc(), &rows, &proposal).allowed());
}

#[test]
fn c19_one_educational_touch_in_14_days() {
    let rows = [row(1, TouchClass::Educational, at(MONDAY))];
    let proposal = ask(TouchClass::Educational, at(MONDAY) + hours(335));
    let expected = (vec!["C-19"], Some(at(MONDAY) + hours(336)));
    assert_eq!(verdict(&AccountCalendar::utc(), &rows, &proposal), expected);
}
