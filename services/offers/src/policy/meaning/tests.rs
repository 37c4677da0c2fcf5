use super::{Difference, differences, uncounted};
use crate::{
    domain::policy::Policy,
    policy::{parse, sources},
};

/// The built-in policy with a replacement in one file.
fn with(file: &str, from: &str, to: &str) -> Policy {
    let mut files = sources(None);
    let (_, text) = files.iter_mut().find(|(name, _)| name == file).unwrap();
    assert!(text.contains(from), "{from:?}");
    *text = text.replacen(from, to, 1);
    parse(&files).unwrap()
}

fn usual() -> Policy {
    parse(&sources(None)).unwrap()
}

const GROWTH: &str = "playbooks/capacity-growth.yaml";

#[test]
fn m7_what_means_the_same_is_no_difference() {
    for (file, from, to) in [
        (GROWTH, "key: capacity-growth\n", "# a note\nkey: capacity-growth\n"),
        (
            GROWTH,
            "[volume_growth, limit_approach]",
            "[limit_approach, volume_growth]",
        ),
        (
            GROWTH,
            "owner: auto\n",
            "owner: auto\ntiming: slot\nrollout: {stage: all}\n",
        ),
        (GROWTH, "version: 1\n", "version: 2\n"),
        ("catalogue.yaml", "  fatigue_days: 30\n", ""),
    ] {
        assert_eq!(differences(&usual(), &with(file, from, to)), [], "{to:?}");
    }
}

#[test]
fn m7_what_means_something_else_is_named_with_its_place() {
    for (file, from, to, place, was, is) in [
        (
            GROWTH,
            "validity_days: 14",
            "validity_days: 7",
            "playbooks.capacity-growth.validity_days",
            Some("14"),
            Some("7"),
        ),
        (
            GROWTH,
            "product_led: [email, in_app]",
            "product_led: [in_app, email]",
            "playbooks.capacity-growth.channels.product_led",
            Some("email, in_app"),
            Some("in_app, email"),
        ),
        (
            GROWTH,
            "Reply with a single + and we switch it on.",
            "Reply with a single +.",
            "playbooks.capacity-growth.messages[0].text.en.next_step",
            Some("Reply with a single + and we switch it on."),
            Some("Reply with a single +."),
        ),
        (
            GROWTH,
            "owner: auto\n",
            "owner: auto\nrollout: {stage: shadow}\n",
            "playbooks.capacity-growth.rollout.stage",
            Some("all"),
            Some("shadow"),
        ),
        (
            "catalogue.yaml",
            "currency: USD, amount: 25,",
            "currency: USD, amount: 26,",
            "catalogue.add_ons.seat-pack.price.USD",
            Some("25.00 USD a month"),
            Some("26.00 USD a month"),
        ),
        (
            "catalogue.yaml",
            "  propensity_threshold: 0.15",
            "  propensity_threshold: 0.2",
            "decisions.propensity_threshold",
            Some("0.15"),
            Some("0.2"),
        ),
    ] {
        let expected = Difference {
            place: place.to_owned(),
            was: was.map(str::to_owned),
            is: is.map(str::to_owned),
        };
        assert_eq!(differences(&usual(), &with(file, from, to)), [expected], "{to:?}");
    }
}

#[test]
fn m7_a_playbook_that_is_gone_is_named() {
    let mut files = sources(None);
    files.retain(|(name, _)| name != "playbooks/plan-upgrade.yaml");
    let found = differences(&usual(), &parse(&files).unwrap());
    assert!(!found.is_empty());
    let gone = |one: &Difference| one.place.starts_with("playbooks.plan-upgrade.") && one.is.is_none();
    assert!(found.iter().all(gone), "{found:#?}");
}

#[test]
fn m7_a_change_without_a_new_version_is_noticed() {
    let changed = with(GROWTH, "validity_days: 14", "validity_days: 7");
    assert_eq!(uncounted(&usual(), &changed), ["capacity-growth"]);
    let counted = with(GROWTH, "version: 1\n", "version: 2\n");
    assert_eq!(uncounted(&changed, &counted), Vec::<String>::new());
    assert_eq!(uncounted(&usual(), &usual()), Vec::<String>::new());
}
