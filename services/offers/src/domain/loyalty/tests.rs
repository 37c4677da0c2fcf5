use proptest::prelude::*;

use super::{GuardRules, Tally, Watched, harmful};

const RULES: GuardRules = GuardRules {
    expected: 0.02,
    weight: 50.0,
    error: 0.01,
    least: 3,
};

fn tally(sent: u32, harmed: u32) -> Tally {
    Tally { sent, harmed }
}

fn watched(playbook: &str, segment: &str, recent: Tally, before: Tally) -> Watched {
    Watched {
        playbook: playbook.to_owned(),
        segment: segment.to_owned(),
        recent,
        before,
    }
}

#[test]
fn c15_a_playbook_is_paused_for_more_harm_than_chance_makes() {
    for (recent, before, paused) in [
        (tally(0, 0), tally(0, 0), false),
        // Two are too few, whatever the share.
        (tally(2, 2), tally(0, 0), false),
        (tally(3, 3), tally(0, 0), true),
        (tally(100, 3), tally(0, 0), false),
        (tally(100, 12), tally(0, 0), true),
        // It was always so: no news, and the accounts are used to it.
        (tally(100, 12), tally(400, 48), false),
        (tally(100, 24), tally(400, 48), true),
    ] {
        let found = harmful(&[watched("grow", "smb", recent, before)], &RULES);
        assert_eq!(!found.is_empty(), paused, "{recent:?} {before:?}: {found:?}");
    }
}

#[test]
fn c15_what_all_playbooks_do_is_not_the_fault_of_one() {
    let grow = watched("grow", "smb", tally(60, 9), tally(0, 0));
    assert_eq!(harmful(std::slice::from_ref(&grow), &RULES).len(), 1);
    let help = watched("help", "smb", tally(200, 26), tally(200, 26));
    assert_eq!(harmful(&[grow, help], &RULES), []);
}

#[test]
fn c15_harm_in_one_segment_is_not_hidden_by_the_others() {
    let quiet = watched("grow", "smb", tally(2_000, 40), tally(0, 0));
    let loud = watched("grow", "bank", tally(12, 5), tally(0, 0));
    let found = harmful(&[quiet, loud], &RULES);
    assert_eq!(found[0].segment.as_deref(), Some("bank"), "{found:?}");
    let told = found[0].told();
    assert!(told.contains("5 of 12") && told.contains("bank"), "{told}");
}

#[test]
fn c15_the_tail_is_that_of_the_binomial_distribution() {
    // 1 − 0.9⁵ − 5 · 0.1 · 0.9⁴
    let expected = 1.0 - 0.9_f64.powi(5) - 5.0 * 0.1 * 0.9_f64.powi(4);
    assert!((tally(5, 2).chance(0.1) - expected).abs() < 1e-12);
    assert!((tally(5, 5).chance(0.1) - 1e-5).abs() < 1e-15);
}

proptest! {
    #[test]
    fn c15_more_harm_never_spares_a_playbook(sent in 1_u32..200, harmed in 0_u32..200, before in (0_u32..300, 0_u32..300)) {
        let harmed = harmed.min(sent - 1);
        let before = tally(before.0.max(before.1), before.1);
        let paused = |harmed| !harmful(&[watched("grow", "smb", tally(sent, harmed), before)], &RULES).is_empty();
        prop_assert!(!paused(harmed) || paused(harmed + 1));
    }
}
