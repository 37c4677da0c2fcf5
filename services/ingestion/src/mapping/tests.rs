use std::collections::BTreeMap;

use upswell_proto::ingestion::v1::fact::Body;

use super::{Mapping, RowFault};
use crate::{api::convert::fact_from_wire, domain::rules::Horizon};

const TICKETS: &str = r#"
source = "helpdesk"

[[fact]]
body = "ticket"
when = [{ column = "state", not = ["draft"] }]
external_id = "{id}@{version}"
account = "acct-{company}"
at = { instant = "{changed}", format = "%d.%m.%Y %H:%M", zone = "Asia/Almaty" }

[fact.fields]
ticket_id = "t-{id}"
topic = "{topic}"
severity = { word = "{priority}", map = { urgent = "critical" }, otherwise = "normal" }
opened = { instant = "{opened}", format = "%Y-%m-%d" }
resolved = { instant = "{closed}", format = "%Y-%m-%dT%H:%M:%S%:z" }
"#;

fn row<'a>(cells: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<&'a str> {
    let cells: BTreeMap<&str, &str> = cells.iter().copied().collect();
    move |column| cells.get(column).copied()
}

const GOOD: [(&str, &str); 9] = [
    ("state", "open"),
    ("id", "7"),
    ("version", "2"),
    ("company", " 01 "),
    ("changed", "12.10.2026 09:30"),
    ("topic", "imports"),
    ("priority", "urgent"),
    ("opened", "2026-10-11"),
    ("closed", "2026-10-12T10:00:00+05:00"),
];

fn with<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = GOOD
        .iter()
        .copied()
        .filter(|(name, _)| changed.iter().all(|(other, _)| other != name));
    kept.chain(changed.iter().copied()).collect()
}

#[test]
fn i7_a_row_becomes_the_facts_that_its_mapping_names() {
    let mapping = Mapping::parse(TICKETS).unwrap();
    let columns: Vec<&str> = mapping.columns().into_iter().collect();
    let expected = [
        "changed", "closed", "company", "id", "opened", "priority", "state", "topic", "version",
    ];
    assert_eq!(columns, expected);
    let facts = mapping.facts(&row(&GOOD)).unwrap();
    let fact = fact_from_wire(&facts[0], Horizon::recorded()).unwrap();
    assert_eq!(
        (fact.external_id.as_str(), fact.account_id.as_str()),
        ("7@2", "acct-01")
    );
    assert_eq!(fact.occur_time.to_string(), "2026-10-12T04:30:00Z", "09:30 in Almaty");
    let crate::domain::fact::Body::Ticket(ticket) = fact.body else {
        panic!("no ticket")
    };
    assert_eq!(
        (ticket.ticket_id.as_str(), ticket.severity.as_str()),
        ("t-7", "critical")
    );
    assert_eq!(ticket.open_time.to_string(), "2026-10-11T00:00:00Z");
    assert_eq!(ticket.resolve_time.unwrap().to_string(), "2026-10-12T05:00:00Z");
    assert!(mapping.facts(&row(&with(&[("state", "draft")]))).unwrap().is_empty());
    let open = mapping
        .facts(&row(&with(&[("closed", ""), ("priority", "?")])))
        .unwrap()
        .remove(0);
    let Some(Body::Ticket(ticket)) = open.body else {
        panic!("no ticket")
    };
    assert_eq!((ticket.resolve_time, ticket.severity), (None, 2));
}

#[test]
fn i7_every_fault_of_a_row_names_its_column() {
    let mapping = Mapping::parse(TICKETS).unwrap();
    let faults = |changed: &[(&'static str, &'static str)]| -> Vec<String> {
        let told = |fault: RowFault| format!("{} {}: {}", fault.columns.join("+"), fault.path, fault.reason);
        mapping
            .facts(&row(&with(changed)))
            .unwrap_err()
            .into_iter()
            .map(told)
            .collect()
    };
    assert_eq!(
        faults(&[("changed", "yesterday"), ("opened", "11/10/2026")]),
        [
            "changed at: \"yesterday\": expected an instant as %d.%m.%Y %H:%M",
            "opened ticket.opened: \"11/10/2026\": expected an instant as %Y-%m-%d",
        ]
    );
    assert_eq!(
        faults(&[("topic", " ")]),
        ["topic ticket.topic: required: expected a string"]
    );
    assert_eq!(
        faults(&[("company", "")]),
        ["company account: required: expected a string"]
    );
}

#[test]
fn i7_a_mapping_that_cannot_work_says_why() {
    for (text, expected) in [
        ("source = 'a'\nfact = []", "fact: there is none"),
        ("source = 'a'\nfacts = []", "unknown field `facts`"),
        (
            "source = 'a'\n[[fact]]\nbody='usage'\nexternal_id='{id'\naccount='a'\nat='b'",
            "fact[0].external_id: \"{id\" has a lone brace",
        ),
        (
            "source = 'a'\n[[fact]]\nbody='usage'\nexternal_id='i'\naccount='a'\nat={ instant='{t}', zone='Mars' }",
            "fact[0].at: unknown time zone \"Mars\"",
        ),
        (
            "source = 'a'\n[[fact]]\nbody='cost'\nexternal_id='i'\naccount='a'\nat='b'\nfields={ amount={ money='{m}' } }",
            "fact[0].fields.amount: an amount needs its currency",
        ),
    ] {
        let faults = Mapping::parse(text).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.contains(expected)),
            "{faults:?} / {expected}"
        );
    }
}

#[test]
fn i7_numbers_and_money_stay_exact() {
    let text = "source='a'\n[[fact]]\nbody='subscription'\nexternal_id='{{{id}}}'\naccount='a'\nat='2026-10-01T00:00:00Z'\n\
                fields={ subscription_id='s', product='p', kind='add_on', unit_price={ money='{mrr}', currency='USD' }, \
                period='month', effective='2026-10-01', seats={ whole='{seats}' } }";
    let mapping = Mapping::parse(text).unwrap();
    let cells = [("id", "x"), ("mrr", "1900.05"), ("seats", "25.0")];
    let fact = mapping.facts(&row(&cells)).unwrap().remove(0);
    assert_eq!(fact.external_id, "{x}");
    let Some(Body::Subscription(terms)) = fact.body else {
        panic!("no terms")
    };
    let price = terms.unit_price.unwrap();
    assert_eq!((price.units, price.nanos, terms.seats), (1_900, 50_000_000, 25));
    let faults = mapping
        .facts(&row(&[("id", "x"), ("mrr", "1.2.3"), ("seats", "2.5")]))
        .unwrap_err();
    assert_eq!(faults[0].reason, "\"2.5\": expected a whole number");
    let faults = mapping
        .facts(&row(&[("id", "x"), ("mrr", "1.2.3"), ("seats", "2")]))
        .unwrap_err();
    assert_eq!(faults[0].columns, ["mrr"]);
}

#[test]
fn i7_the_shipped_mappings_are_mappings() {
    for text in [
        include_str!("../../mappings/crm-accounts.toml"),
        include_str!("../../mappings/crm-subscriptions.toml"),
        include_str!("../../mappings/crm-usage.toml"),
    ] {
        Mapping::parse(text).unwrap_or_else(|faults| panic!("{faults:?}"));
    }
}

#[test]
fn i5_what_a_month_came_to_is_dated_on_its_last_day() {
    let mapping = Mapping::parse(include_str!("../../mappings/crm-usage.toml")).unwrap();
    for (end, last, seconds) in [
        ("2022-02-02", "2022-02-01", 1_643_673_600_i64),
        ("2024-03-01", "2024-02-29", 1_709_164_800),
        ("2023-01-01", "2022-12-31", 1_672_444_800),
    ] {
        let cells = [
            ("account_id", "3"),
            ("month_no", "1"),
            ("period_end", end),
            ("events", "7"),
            ("quote", "2"),
            ("call_lead", "1"),
            ("active_users", "4"),
            ("active_days", "9"),
        ];
        let facts = mapping.facts(&row(&cells)).unwrap();
        assert_eq!(facts.len(), 4, "three metrics and the people");
        for fact in facts {
            assert_eq!(fact.occur_time.unwrap().seconds, seconds, "{end}");
            let day = match fact.body.unwrap() {
                Body::Usage(usage) => usage.day.unwrap(),
                Body::Activity(activity) => activity.day.unwrap(),
                other => panic!("{other:?}"),
            };
            assert_eq!(format!("{:04}-{:02}-{:02}", day.year, day.month, day.day), last);
        }
    }
    let moved = "source='a'\n[[fact]]\nbody='usage'\nexternal_id='i'\naccount='a'\nat={ instant='{t}', days=4000000 }";
    let faults = Mapping::parse(moved).unwrap_err();
    assert!(faults[0].contains("more than the calendar has"), "{faults:?}");
}
