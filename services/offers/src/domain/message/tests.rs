use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;
use upswell_runtime::money::Money;

use super::{Fact, Facts, Language, Part, Template, variables};

const TICKETS_RU: &str = "{ $n ->
    [one] { $n } обращение
    [few] { $n } обращения
    [many] { $n } обращений
   *[other] { $n } обращения
}";

fn template(language: Language, body: &str) -> Template {
    let sources = [
        (Part::Subject, "{ $account_name }"),
        (Part::Greeting, "Hello { $first_name },"),
        (Part::Body, body),
        (Part::NextStep, "Reply +"),
    ];
    let sources = sources.map(|(part, text)| (part, text.to_owned()));
    Template::compile(language, &BTreeMap::from(sources)).unwrap()
}

fn facts(given: &[(&str, Fact)]) -> Facts {
    let name = ("account_name".to_owned(), Fact::Text("Acme".to_owned()));
    given
        .iter()
        .map(|(name, fact)| ((*name).to_owned(), fact.clone()))
        .chain([name])
        .collect()
}

fn body(language: Language, text: &str, given: &[(&str, Fact)]) -> String {
    template(language, text).render(&facts(given)).unwrap().body
}

fn usd(minor: i64) -> Money {
    Money::new(minor, "USD".parse().unwrap())
}

fn kzt(minor: i64) -> Money {
    Money::new(minor, "KZT".parse().unwrap())
}

/// One pattern with every form that the language has, and what 1, 2, 5, 11, 21 and 1.5 of it are.
const PLURALS: [(Language, &str, [&str; 6]); 5] = [
    (
        Language::English,
        "{ $n ->\n    [one] { $n } ticket\n   *[other] { $n } tickets\n}",
        [
            "1 ticket",
            "2 tickets",
            "5 tickets",
            "11 tickets",
            "21 tickets",
            "1.5 tickets",
        ],
    ),
    (
        Language::Russian,
        TICKETS_RU,
        [
            "1 обращение",
            "2 обращения",
            "5 обращений",
            "11 обращений",
            "21 обращение",
            "1,5 обращения",
        ],
    ),
    (
        Language::Ukrainian,
        "{ $n ->\n    [one] { $n } звернення\n    [few] { $n } звернення (кілька)\n    [many] { $n } звернень\n   *[other] { $n } звернення (частка)\n}",
        [
            "1 звернення",
            "2 звернення (кілька)",
            "5 звернень",
            "11 звернень",
            "21 звернення",
            "1,5 звернення (частка)",
        ],
    ),
    (
        Language::Kazakh,
        "{ $n ->\n    [one] { $n } өтініш (жалғыз)\n   *[other] { $n } өтініш\n}",
        [
            "1 өтініш (жалғыз)",
            "2 өтініш",
            "5 өтініш",
            "11 өтініш",
            "21 өтініш",
            "1,5 өтініш",
        ],
    ),
    (
        Language::Malay,
        "{ $n ->\n   *[other] { $n } tiket\n}",
        ["1 tiket", "2 tiket", "5 tiket", "11 tiket", "21 tiket", "1.5 tiket"],
    ),
];

#[test]
fn t4_every_language_has_its_plural_forms() {
    assert_eq!(PLURALS.len(), Language::ALL.len());
    for (language, pattern, expected) in PLURALS {
        for (count, expected) in [1.0, 2.0, 5.0, 11.0, 21.0, 1.5].into_iter().zip(expected) {
            let text = body(language, pattern, &[("n", Fact::Number(count))]);
            assert!(text.lines().any(|line| line == expected), "{language} {count}: {text}");
        }
    }
}

#[test]
fn t4_plural_forms_follow_the_rounded_figure() {
    for (count, expected) in [
        (4.0, "4 обращения"),
        (22.0, "22 обращения"),
        (112.0, "112 обращений"),
        (3.04, "3 обращения"),
    ] {
        let text = body(Language::Russian, TICKETS_RU, &[("n", Fact::Number(count))]);
        assert!(text.lines().any(|line| line == expected), "{count}: {text}");
    }
    let text = body(Language::English, PLURALS[0].1, &[("n", Fact::Number(1.04))]);
    assert!(text.lines().any(|line| line == "1 ticket"), "{text}");
}

#[test]
fn t4_money_reads_as_at_home() {
    let cases = [
        (Language::Russian, kzt(12_800_000), "128\u{a0}000\u{a0}₸"),
        (Language::Russian, kzt(12_800_050), "128\u{a0}000,50\u{a0}₸"),
        (Language::Russian, usd(125_000), "1\u{a0}250\u{a0}$"),
        (Language::Ukrainian, kzt(12_800_050), "128\u{a0}000,50\u{a0}₸"),
        (
            Language::Ukrainian,
            Money::new(125_000, "UAH".parse().unwrap()),
            "1\u{a0}250\u{a0}₴",
        ),
        (Language::Kazakh, kzt(12_800_000), "128\u{a0}000\u{a0}₸"),
        (Language::Kazakh, usd(-125_050), "-1\u{a0}250,50\u{a0}$"),
        (
            Language::Malay,
            Money::new(125_000, "MYR".parse().unwrap()),
            "RM\u{a0}1,250.00",
        ),
        (Language::Malay, usd(125_000), "$1,250.00"),
        (Language::Malay, kzt(12_800_000), "₸128,000"),
        (
            Language::English,
            Money::new(125_000, "MYR".parse().unwrap()),
            "RM1,250.00",
        ),
        (Language::English, usd(125_000), "$1,250.00"),
        (Language::English, usd(5), "$0.05"),
        (Language::English, usd(-125_000), "-$1,250.00"),
        (Language::English, kzt(12_800_000), "₸128,000"),
        (Language::English, Money::new(5_000, "JPY".parse().unwrap()), "¥5,000"),
        (
            Language::English,
            Money::new(100_000, "CHF".parse().unwrap()),
            "CHF\u{a0}1,000",
        ),
    ];
    for (language, money, expected) in cases {
        assert_eq!(language.money(money), expected);
        let text = body(language, "for { $price }.", &[("price", Fact::Money(money))]);
        assert!(text.contains(&format!("for {expected}.")), "{text}");
    }
}

#[test]
fn t4_dates_and_figures_read_as_at_home() {
    let day = date(2026, 10, 12);
    assert_eq!(Language::Russian.date(day), "12\u{a0}октября 2026\u{a0}г.");
    assert_eq!(Language::English.date(day), "October 12, 2026");
    assert_eq!(Language::Ukrainian.date(day), "12\u{a0}жовтня 2026\u{a0}р.");
    assert_eq!(Language::Kazakh.date(day), "2026\u{a0}ж. 12\u{a0}қазан");
    assert_eq!(Language::Malay.date(day), "12\u{a0}Oktober 2026");
    for language in Language::ALL {
        let months: std::collections::BTreeSet<String> =
            (1..=12).map(|month| language.date(date(2026, month, 1))).collect();
        assert_eq!(months.len(), 12, "{language}");
    }
    assert_eq!(Language::English.date(date(2026, 12, 1)), "December 1, 2026");
    for (value, en, ru) in [
        (18.0, "18", "18"),
        (18.37, "18.4", "18,4"),
        (-3.25, "-3.3", "-3,3"),
        (-0.01, "0", "0"),
        (1234.5, "1,235", "1\u{a0}235"),
        (1e6, "1,000,000", "1\u{a0}000\u{a0}000"),
    ] {
        assert_eq!(Language::English.number(value), en);
        assert_eq!(Language::Russian.number(value), ru);
    }
}

#[test]
fn t1_the_first_name_is_optional() {
    let named = facts(&[("first_name", Fact::Text("Айгуль".to_owned()))]);
    let template = template(Language::English, "Body.");
    assert_eq!(
        template.render(&named).unwrap().body,
        "Hello Айгуль,\n\nBody.\n\nReply +"
    );
    assert_eq!(template.render(&facts(&[])).unwrap().body, "Body.\n\nReply +");
}

#[test]
fn t1_a_message_without_its_facts_is_refused() {
    let template = template(Language::English, "{ $growth_percent }% and { $price_monthly }");
    assert_eq!(
        template.render(&facts(&[])).unwrap_err(),
        ["growth_percent", "price_monthly"]
    );
}

#[test]
fn t4_no_invisible_marks_are_put_around_facts() {
    let text = body(
        Language::Russian,
        "«{ $name }»",
        &[("name", Fact::Text("שלום & <b>".to_owned()))],
    );
    assert!(text.contains("«שלום & <b>»"), "{text:?}");
    assert!(!text.contains(['\u{2068}', '\u{2069}']));
}

#[test]
fn t3_facts_are_never_read_as_patterns() {
    let text = body(
        Language::English,
        "{ $name }!",
        &[("name", Fact::Text("{ $secret } \"x\"".to_owned()))],
    );
    assert!(text.contains("{ $secret } \"x\"!"));
}

#[test]
fn a_broken_pattern_is_said_with_its_part_and_line() {
    let sources = BTreeMap::from([(Part::Body, "fine\nbroken { $x".to_owned())]);
    let faults = Template::compile(Language::English, &sources).unwrap_err();
    assert_eq!(faults[0].part, Part::Body);
    assert!(
        faults[0].detail.starts_with("line 2 of the text: "),
        "{}",
        faults[0].detail
    );
}

#[test]
fn variables_are_found_in_braces_only() {
    let names = |text| variables(text).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(names("{ $a } costs $5, not $b"), "a");
    assert_eq!(names("{ $n -> [one] { $x-1 } of $5\n *[other] { $y_2 } }"), "n x-1 y_2");
    assert_eq!(names("{ \"$quoted } \\\" $q\" } { $z }"), "z");
}

#[test]
fn a_language_is_found_by_its_tag() {
    for (tag, language) in [
        ("ru", Some(Language::Russian)),
        ("ru-KZ", Some(Language::Russian)),
        ("en_US", Some(Language::English)),
        ("EN", Some(Language::English)),
        ("uk-UA", Some(Language::Ukrainian)),
        ("kk-Cyrl-KZ", Some(Language::Kazakh)),
        ("ms", Some(Language::Malay)),
        ("de", None),
        ("", None),
    ] {
        assert_eq!(Language::from_tag(tag), language, "{tag}");
    }
}

proptest! {
    #[test]
    fn figures_and_money_are_always_said(value in any::<f64>(), minor in any::<i64>()) {
        for language in Language::ALL {
            prop_assert!(!language.number(value).is_empty());
            prop_assert!(language.money(usd(minor)).contains('$'));
        }
    }

    #[test]
    fn t3_any_text_of_a_customer_stays_as_it_is(name in "[^\\s]{1,30}") {
        let text = body(Language::English, "<{ $name }>", &[("name", Fact::Text(name.clone()))]);
        let shown = format!("<{name}>");
        prop_assert!(text.contains(&shown));
    }
}
