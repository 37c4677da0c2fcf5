use upswell_proto::ingestion::v1::fact::Body;

use super::parse_line;
use crate::{api::convert::fact_from_wire, domain::rules::Horizon};

const HEAD: &str = r#""source":"billing","external_id":"x-1","account":"acct-01","at":"2026-10-12T05:00:00Z""#;

fn faults(body: &str) -> Vec<String> {
    let line = format!("{{{HEAD}{body}}}");
    parse_line(&line)
        .map(|fact| panic!("{fact:?}"))
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn every_example_of_the_readme_is_a_fact() {
    let readme = include_str!("../../README.md");
    let examples: Vec<&str> = readme.lines().filter(|line| line.starts_with("{\"source\"")).collect();
    let now = "2026-10-15T00:00:00Z".parse().unwrap();
    let mut kinds = Vec::new();
    for line in examples {
        let fact = parse_line(line).unwrap_or_else(|faults| panic!("{line}: {faults:?}"));
        let fact = fact_from_wire(&fact, Horizon::at(now)).unwrap_or_else(|faults| panic!("{line}: {faults:?}"));
        kinds.push(fact.body.kind());
    }
    kinds.dedup();
    assert_eq!(
        kinds,
        crate::domain::words::Kind::ALL,
        "examples of every kind, in the order of the contract"
    );
}

#[test]
fn all_faults_of_a_line_are_listed_with_their_paths() {
    let body = r#","colour":1,"subscription":{"subscription_id":7,"product":"pro","kind":"plans","unit_price":"10 XXX",
        "quantity":1.5,"period":"fortnight","effective":"2026-13-01","limits":[{"metric":"a"},3],"renewall":null}"#;
    let expected = [
        "subscription.subscription_id: a number: expected a string",
        "subscription.kind: \"plans\": expected plan or add_on",
        "subscription.unit_price: \"10 XXX\": unknown currency \"XXX\"",
        "subscription.quantity: 1.5: expected a whole number",
        "subscription.period: \"fortnight\": expected month, quarter, year, week or day",
        "subscription.effective: \"2026-13-01\": expected a day such as 2026-10-12",
        "subscription.limits[0].value: required: expected a whole number",
        "subscription.limits[1]: a number: expected an object",
        "subscription.renewall: unknown key: expected one of subscription_id, product, kind, unit_price, quantity, \
         period, effective, end, renewal, seats, limits, order_id, discounts, escalator, auto_renew, notice_days, \
         term_months, reason",
        "colour: unknown key: expected one of source, external_id, account, at, supersedes, account_profile, contact, \
         subscription, usage, activity, feature_use, ticket, survey, invoice, payment, touch, reply, plan_limit, trial, trial_use, export, action, complaint, goal, company_event, \
         cost, leave_attempt, csm_report",
    ];
    assert_eq!(faults(body), expected);
}

#[test]
fn lines_that_are_no_facts_say_where() {
    let of = |line: &str| {
        parse_line(line)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert_eq!(of(r#"{"source":"#), "no JSON at column 10: EOF while parsing a value");
    assert_eq!(of("[1]"), "the line is a list: expected an object");
    assert_eq!(of("{} {}"), "no JSON at column 4: trailing characters");
    assert!(of("{}").starts_with("source: required: expected a string; external_id: required"));
    assert!(of(&"[".repeat(1000)).contains("recursion limit"));
    assert!(of(&" ".repeat(70_000)).starts_with("the line has 70000 bytes"));
}

#[test]
fn a_key_that_stands_twice_is_a_fault() {
    let body = r#","source":"crm","usage":{"metric":"a","metric":"b","day":"2026-10-11","value":1}"#;
    assert_eq!(
        faults(body),
        [
            "usage.metric: stands twice: expected each key once",
            "source: stands twice: expected each key once"
        ]
    );
}

#[test]
fn a_line_has_exactly_one_body() {
    let reply = r#","reply":{"channel":"chat","text":"+"},"survey":null"#;
    let line = format!("{{{HEAD}{reply}}}");
    assert!(matches!(parse_line(&line).unwrap().body, Some(Body::Reply(_))));
    assert!(faults("")[0].starts_with("there is no body: expected one of account_profile, contact"));
    let two = r#","reply":{"channel":"chat","text":"+"},"survey":{"survey":"nps","score":9}"#;
    assert_eq!(faults(two), ["there are 2 bodies (survey, reply): expected one"]);
}

#[test]
fn money_is_read_exactly() {
    let amount = |text: &str| {
        let body = format!(r#","payment":{{"invoice_id":"i","amount":"{text}","paid":"2026-10-12"}}"#);
        match parse_line(&format!("{{{HEAD}{body}}}")).map(|fact| fact.body) {
            Ok(Some(Body::Payment(payment))) => payment.amount.map(|money| (money.units, money.nanos)),
            _ => None,
        }
    };
    assert_eq!(amount("240000.00 KZT"), Some((240_000, 0)));
    assert_eq!(amount("0.01 USD"), Some((0, 10_000_000)));
    assert_eq!(amount("-1.5 USD"), Some((-1, -500_000_000)));
    assert_eq!(amount("5000 JPY"), Some((5000, 0)));
    for wrong in [
        "5000",
        "5000 kzt",
        "1.005 USD",
        "1e3 USD",
        "1,5 USD",
        ".5 USD",
        "1. USD",
        "99999999999999999999 USD",
        "0.5 JPY",
    ] {
        assert_eq!(amount(wrong), None, "{wrong}");
    }
}

#[test]
fn instants_need_an_offset_and_days_have_no_time() {
    let ticket = |opened: &str| {
        let body = format!(r#","ticket":{{"ticket_id":"t","topic":"x","severity":"low","opened":"{opened}"}}"#);
        parse_line(&format!("{{{HEAD}{body}}}")).is_ok()
    };
    assert!(ticket("2026-10-12T10:00:00+05:00"));
    assert!(!ticket("2026-10-12T10:00:00"));
    assert!(!ticket("2026-10-12"));
    let usage = |day: &str| {
        let body = format!(r#","usage":{{"metric":"m","day":"{day}","value":1}}"#);
        parse_line(&format!("{{{HEAD}{body}}}")).is_ok()
    };
    assert!(usage("2024-02-29"));
    assert!(!usage("2025-02-29"));
    assert!(!usage("2026-10-12T10:00:00Z"));
}
