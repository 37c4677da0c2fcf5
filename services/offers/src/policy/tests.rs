use std::{fs, path::Path};

use super::{BUILT_IN, PolicyFaults, load, parse};

const CATALOGUE: &str = "\
languages: [en, ru]
plans:
  pro: {name: Pro, prices: [{currency: USD, amount: 99, period: month}]}
add_ons:
  pack: {name: Pack, motion: capacity, prices: [{currency: USD, amount: 10.50, period: month}]}
owners: {limits: [{currency: USD, product_led_max: 100, csm_led_max: unlimited}]}
";

const PLAYBOOK: &str = "\
key: grow
version: 1
signals: [volume_growth]
motion: capacity
class: commercial
offers: {product: pack}
owner: auto
channels: {product_led: [email]}
audience: {roles: [business]}
messages:
  - claim: figures
    facts: [growth_percent, price_monthly]
    text:
      en:
        subject: Grown
        body: Up { $growth_percent }%; more for { $price_monthly }.
        next_step: Reply +
      ru:
        subject: Рост
        body: Рост { $growth_percent }%; ещё за { $price_monthly }.
        next_step: Ответьте +
";

/// The faults of the catalogue and playbook after replacing `from` by `to` in both.
fn faults(from: &str, to: &str) -> PolicyFaults {
    assert!(CATALOGUE.contains(from) || PLAYBOOK.contains(from), "{from:?}");
    let sources = [
        ("catalogue.yaml", CATALOGUE.replace(from, to)),
        ("playbooks/grow.yaml", PLAYBOOK.replace(from, to)),
    ];
    parse(&sources).expect_err(to)
}

#[track_caller]
fn check(from: &str, to: &str, expected: &str) {
    let text = faults(from, to).to_string();
    assert!(text.contains(expected), "expected {expected:?} in:\n{text}");
}

#[test]
fn m7_the_built_in_policy_is_valid() {
    let policy = load(None).unwrap();
    let keys: Vec<&str> = policy.playbooks.keys().map(String::as_str).collect();
    let expected = [
        "adjacent-module",
        "adoption-help",
        "capacity-growth",
        "plan-upgrade",
        "premium-support",
        "renewal-package",
        "ticket-recipe",
    ];
    assert_eq!(keys, expected);
    assert_eq!(policy.rules, crate::domain::policy::DecisionRules::default());
    assert_eq!(policy.version.len(), 16);
}

#[test]
fn m7_every_file_of_the_built_in_policy_is_built_in() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("policy");
    let policy = load(Some(&directory)).unwrap();
    assert_eq!(policy.version, load(None).unwrap().version);
    assert_eq!(
        fs::read_dir(directory.join("playbooks")).unwrap().count(),
        BUILT_IN.len() - 1
    );
}

#[test]
fn m7_the_policies_of_all_shipped_cases_are_valid() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    for case in fs::read_dir(cases).unwrap() {
        let directory = case.unwrap().path().join("policy");
        if directory.is_dir() {
            load(Some(&directory)).unwrap_or_else(|faults| panic!("{}: {faults}", directory.display()));
        }
    }
}

#[test]
fn c16_the_version_is_of_the_content_and_not_of_the_layout() {
    let version = |catalogue: &str| {
        parse(&[("catalogue.yaml", catalogue), ("playbooks/grow.yaml", PLAYBOOK)])
            .unwrap()
            .version
    };
    let same = CATALOGUE.replace("languages: [en, ru]\n", "# a note\nlanguages:\n  - en\n  - ru\n");
    assert_eq!(version(CATALOGUE), version(&same));
    assert_ne!(version(CATALOGUE), version(&CATALOGUE.replace("99", "98")));
}

#[test]
fn m7_a_fault_has_its_place_and_a_hint() {
    for (from, to, expected) in [
        (
            "motion: capacity\n",
            "motion: capacty\n",
            "playbooks/grow.yaml:4: motion: unknown motion `capacty` (hint: did you mean `capacity`?)",
        ),
        (
            "[volume_growth]",
            "[volume_grown]",
            "grow.yaml:3: signals[0]: unknown signal kind `volume_grown` (hint: did you mean `volume_growth`?)",
        ),
        (
            "product: pack",
            "product: pock",
            "grow.yaml:6: offers.product: unknown product `pock` (hint: did you mean `pack`?)",
        ),
        (
            "owner: auto",
            "owner: auto\nguard: {}",
            "grow.yaml:8: guard: unknown key (hint: did you mean `guards`?)",
        ),
        ("[email]", "[telex]", "channels.product_led[0]: unknown channel `telex`"),
        ("[email]", "[csm_task]", "csm_task is not for product_led"),
        (
            "currency: USD, amount: 99",
            "amount: 99",
            "catalogue.yaml:3: plans.pro.prices[0].currency: is missing (hint: an amount needs a currency",
        ),
        (
            "currency: USD, amount: 99",
            "currency: usd, amount: 99",
            "unknown currency",
        ),
        (
            "amount: 99, period: month",
            "amount: 99, period: fortnight",
            "plans.pro.prices[0].period: unknown period",
        ),
        ("amount: 99", "amount: -99", "must not be negative"),
        ("amount: 99", "amount: 99.999", "more decimals than the currency"),
        ("amount: 99", "amount: 99999999999999999", "is too large"),
        ("amount: 99", "amount: .inf", "non-finite float"),
        ("languages: [en, ru]", "languages: [en, xx]", "unknown language `xx`"),
        ("key: grow", "key: grew", "the key is not the name of the file"),
        (
            "class: commercial",
            "class: educational",
            "an educational playbook sells something",
        ),
        ("class: commercial", "class: contractual", "cannot be contractual (C-4)"),
        ("offers: {product: pack}\n", "", "a commercial playbook sells nothing"),
        (
            "motion: capacity\nclass",
            "motion: save\nclass",
            "save has no expected conversion (M-1)",
        ),
        (
            "motion: capacity\nclass",
            "motion: tier\nclass",
            "`pack` is sold by capacity, not by tier (M-2)",
        ),
        (
            "csm_led_max: unlimited",
            "csm_led_max: 50",
            "product_led_max is above csm_led_max",
        ),
        (
            "version: 1",
            "version: 1\nguards: {after: {playbook: grown, days: 7}}",
            "guards.after.playbook: unknown playbook `grown`",
        ),
        (
            "name: Pro",
            "name: \"Pro\\u202E\"",
            "must not contain the character U+202E",
        ),
        ("name: Pro", "name: \"Pro\\0\"", "must not contain the character U+0000"),
    ] {
        check(from, to, expected);
    }
}

#[test]
fn t1_messages_are_checked_when_they_are_loaded() {
    for (from, to, expected) in [
        (
            "Up { $growth_percent }%",
            "Up { $growth }%",
            "text.en.body: uses the undeclared fact `growth` (hint: add it to `facts`; did you mean `growth_percent`?)",
        ),
        (
            "facts: [growth_percent,",
            "facts: [grow_percent,",
            "no signal of this message provides `grow_percent` (hint: did you mean `growth_percent`?)",
        ),
        (
            "facts: [growth_percent,",
            "facts: [growth_percent, tickets,",
            "provides `tickets`",
        ),
        (
            "facts: [growth_percent,",
            "facts: [growth_percent, csm,",
            "`csm` is declared, but the text in `en` does not use it",
        ),
        (
            "facts: [growth_percent,",
            "facts: [growth_percent, first_name,",
            "the first name is never required (T-1)",
        ),
        (
            "subject: Grown",
            "subject: Grown, { $first_name }",
            "only the greeting may use it",
        ),
        (
            "Up { $growth_percent }%; more",
            "More",
            "the body does not say why now (T-1)",
        ),
        ("; more for { $price_monthly }", "", "an offer states its price (M-5)"),
        (
            "        next_step: Reply +\n",
            "",
            "messages[0].text.en.next_step: is missing",
        ),
        (
            "next_step: Reply +",
            "next_step: |-\n          Reply +\n          or call",
            "must be one line",
        ),
        (
            "next_step: Reply +",
            "next_step: Reply +\n        banner: Look",
            "no task for the banner",
        ),
        ("      ru:\n", "      kk:\n", "the translation `ru` is missing"),
        ("Up { $growth_percent }%", "Up { $growth_percent", "line 1 of the text:"),
        (
            "Up { $growth_percent }%",
            "Up { $growth_percent }{ other }%",
            "cannot be filled in",
        ),
        (
            "facts: [growth_percent,",
            "roles: [it]\n    facts: [growth_percent,",
            "the playbook has no `it`",
        ),
        (
            "owner: auto",
            "owner: auto\nconsumes_signal: maybe",
            "consumes_signal: expected true or false, found text",
        ),
        (
            "[volume_growth]",
            "[volume_growth, limit_approach]",
            "no message for signal limit_approach, owner product_led, role business",
        ),
        (
            "signals: [volume_growth]",
            "signals: [usage_drop]",
            "never to a sale (SG-3)",
        ),
    ] {
        check(from, to, expected);
    }
}

#[test]
fn t3_a_wrong_audience_is_refused_with_place_and_reason() {
    for (from, to, expected) in [
        (
            "  - claim: figures\n    facts",
            "  - facts",
            "playbooks/grow.yaml:11: messages[0]: says not which argument it makes: `claim` is missing (T-3)",
        ),
        (
            "claim: figures",
            "claim: reliability",
            "playbooks/grow.yaml:11: messages[0].claim: reliability is not for business (T-3) (hint: to business: economics, \
             value, figures; or narrow `roles`)",
        ),
        (
            "claim: figures",
            "claim: technology",
            "messages[0].claim: unknown claim `technology`",
        ),
    ] {
        check(from, to, expected);
    }
    let finance = PLAYBOOK.replace("{roles: [business]}", "{roles: [business, finance, it]}");
    for (claim, refused) in [("economics", "it"), ("reliability", "finance"), ("value", "finance")] {
        let playbook = finance.replace("claim: figures", &format!("claim: {claim}"));
        let text = parse(&[("catalogue.yaml", CATALOGUE), ("playbooks/grow.yaml", &playbook)])
            .unwrap_err()
            .to_string();
        assert!(text.contains(&format!("{claim} is not for {refused} (T-3)")), "{text}");
        let narrow = playbook.replace(
            &format!("claim: {claim}"),
            &format!("claim: {claim}\n    roles: [{refused}]"),
        );
        assert!(
            parse(&[("catalogue.yaml", CATALOGUE), ("playbooks/grow.yaml", &narrow)]).is_err(),
            "{claim}"
        );
    }
}

#[test]
fn t7_a_test_of_variants_is_checked_when_it_is_loaded() {
    let with = |test: &str, variant: &str| {
        let playbook = PLAYBOOK.replace("owner: auto", &format!("owner: auto\ntest: {test}"));
        let playbook = playbook.replace("claim: figures", &format!("claim: figures\n    variant: {variant}"));
        parse(&[("catalogue.yaml", CATALOGUE), ("playbooks/grow.yaml", &playbook)])
    };
    for (test, variant, expected) in [
        (
            "{key: t, arms: [{key: a, control: true}, {key: b}]}",
            "a",
            "role business, arm b",
        ),
        (
            "{key: t, arms: [{key: a, control: true}, {key: b}]}",
            "c",
            "the playbook's test has no arm `c`",
        ),
        (
            "{key: t, arms: [{key: a, control: true}]}",
            "a",
            "test.arms: must be two or more arms",
        ),
        (
            "{key: t, arms: [{key: a}, {key: b}]}",
            "a",
            "test.arms: must have one control",
        ),
        (
            "{key: t, arms: [{key: a, control: true}, {key: b, send_at: noon}]}",
            "a",
            "send_at: is no time of day",
        ),
        (
            "{key: t, arms: [{key: a, control: true}, {key: b, weight: 0}]}",
            "a",
            "arms[1].weight: 0 is out of range",
        ),
    ] {
        let text = with(test, variant).unwrap_err().to_string();
        assert!(text.contains(expected), "expected {expected:?} in:\n{text}");
    }
    let timed = PLAYBOOK.replace(
        "owner: auto",
        "owner: auto\ntest: {key: t, arms: [{key: a, control: true}, {key: b, weight: 3, send_at: \"15:00\"}]}",
    );
    let policy = parse(&[("catalogue.yaml", CATALOGUE), ("playbooks/grow.yaml", &timed)]).unwrap();
    let test = policy.playbooks["grow"].test.clone().unwrap();
    assert_eq!(
        (test.arms[1].weight, test.arms[1].send_at),
        (3, Some(jiff::civil::time(15, 0, 0, 0)))
    );
}

#[test]
fn m7_all_faults_are_said_at_once() {
    let text = faults("version: 1", "version: 0\ncolour: red\ntiming: later\nvalidity_days: 0").to_string();
    assert!(text.starts_with("the policy has 4 faults:\n"), "{text}");
    let broken = [
        ("catalogue.yaml", CATALOGUE.replace("name: Pro,", "nam: Pro,")),
        ("playbooks/bad.yaml", "key: [".to_owned()),
        ("playbooks/twice.yaml", "key: a\nkey: b\n".to_owned()),
        ("playbooks/grow.yaml", PLAYBOOK.replace("owner: auto", "owner: nobody")),
    ];
    let text = parse(&broken).unwrap_err().to_string();
    for expected in [
        "catalogue.yaml:3: plans.pro.nam: unknown key (hint: did you mean `name`?)",
        "catalogue.yaml:3: plans.pro.name: is missing",
        "playbooks/bad.yaml",
        "playbooks/twice.yaml:2: ",
        "playbooks/grow.yaml:7: owner: unknown owner `nobody`",
    ] {
        assert!(text.contains(expected), "expected {expected:?} in:\n{text}");
    }
}

#[test]
fn m7_a_directory_is_read_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let text = load(Some(directory.path())).unwrap_err().to_string();
    assert!(
        text.contains("catalogue.yaml: cannot be read") && text.contains("playbooks: cannot be read"),
        "{text}"
    );
    fs::create_dir(directory.path().join("playbooks")).unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("catalogue.yaml", CATALOGUE);
    write("playbooks/grow.yaml", PLAYBOOK);
    write("playbooks/README.md", "notes");
    write("playbooks/.grow.yaml.swp", "junk");
    assert_eq!(load(Some(directory.path())).unwrap().playbooks.len(), 1);
    write("playbooks/old.yml", PLAYBOOK);
    let text = load(Some(directory.path())).unwrap_err().to_string();
    assert!(text.contains("playbooks/old.yml: is not a playbook"), "{text}");
}

#[test]
fn m7_a_playbook_that_is_switched_off_is_checked_and_left_out() {
    let off = parse(&[
        ("catalogue.yaml", CATALOGUE),
        ("playbooks/grow.yaml", &format!("enabled: false\n{PLAYBOOK}")),
    ]);
    assert!(off.unwrap().playbooks.is_empty());
    check(
        "version: 1",
        "version: x\nenabled: false",
        "version: expected a whole number, found text",
    );
}

#[test]
fn c13_a_roll_out_names_as_many_accounts_as_its_stage_has() {
    for (table, expected) in [
        ("{stage: friendly, accounts: [a, b]}", "friendly has 3 to 5 accounts"),
        ("{stage: pilot}", "pilot has 10 to 15 accounts"),
        ("{stage: shadow, accounts: [a, b, c]}", "shadow names no accounts"),
        ("{stage: percentage}", "belongs to the stage `percentage`"),
        ("{stage: all, percent: 50}", "belongs to the stage `percentage`"),
        ("{stage: percentage, percent: 100}", "100 is out of range"),
        ("{stage: beta}", "unknown stage `beta`"),
        ("{stage: shadow, since: yesterday}", "is not a date"),
    ] {
        check("owner: auto\n", &format!("owner: auto\nrollout: {table}\n"), expected);
    }
    let playbook = PLAYBOOK.replace(
        "owner: auto\n",
        "owner: auto\nrollout: {stage: friendly, accounts: [a, b, c], since: \"2026-10-12\"}\n",
    );
    let policy = parse(&[
        ("catalogue.yaml", CATALOGUE),
        ("playbooks/grow.yaml", playbook.as_str()),
    ])
    .unwrap();
    let rollout = &policy.playbooks["grow"].rollout;
    assert_eq!(rollout.review_on(), Some("2026-10-26".parse().unwrap()));
    assert!(rollout.admits("grow", "b") && !rollout.admits("grow", "d"));
}
