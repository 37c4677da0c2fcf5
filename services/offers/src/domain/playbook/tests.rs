use std::collections::{BTreeMap, BTreeSet};

use super::{MessageFrame, Rollout, Stage, facts};
use crate::domain::vocabulary::{ContactRole, Owner, SignalKind};

#[test]
fn t3_a_message_is_for_its_signals_owners_and_roles() {
    let frame = MessageFrame {
        signals: BTreeSet::from([SignalKind::LimitApproach]),
        owners: BTreeSet::from([Owner::ProductLed]),
        roles: BTreeSet::from([ContactRole::Finance]),
        claim: None,
        variant: Some("b".to_owned()),
        facts: BTreeSet::new(),
        texts: BTreeMap::new(),
    };
    let both = BTreeSet::from([SignalKind::LimitApproach, SignalKind::VolumeGrowth]);
    let other = BTreeSet::from([SignalKind::VolumeGrowth]);
    assert!(frame.fits(&both, Owner::ProductLed, Some(ContactRole::Finance), Some("b")));
    assert!(frame.fits(&both, Owner::ProductLed, None, Some("b")));
    assert!(!frame.fits(&other, Owner::ProductLed, Some(ContactRole::Finance), Some("b")));
    assert!(!frame.fits(&both, Owner::CsmLed, Some(ContactRole::Finance), Some("b")));
    assert!(!frame.fits(&both, Owner::ProductLed, Some(ContactRole::It), Some("b")));
    assert!(!frame.fits(&both, Owner::ProductLed, Some(ContactRole::Finance), Some("a")));
    assert!(!frame.fits(&both, Owner::ProductLed, Some(ContactRole::Finance), None));
}

#[test]
fn sg_r1_every_signal_gives_facts_and_none_hides_a_built_in() {
    for kind in SignalKind::ALL {
        let names = facts::of_signal(*kind);
        assert!(!names.is_empty(), "{kind}");
        assert!(names.iter().all(|name| !facts::BUILT_IN.contains(name)), "{kind}");
    }
    assert!(facts::OF_A_PRICE.iter().all(|name| facts::BUILT_IN.contains(name)));
}

#[test]
fn c13_a_greater_share_keeps_whom_a_smaller_one_had() {
    let share = |percent| Rollout {
        stage: Stage::Percentage,
        percent,
        ..Rollout::default()
    };
    let accounts: Vec<String> = (0..2_000).map(|number| format!("acc-{number}")).collect();
    let within = |percent: u8, playbook: &str| -> BTreeSet<&String> {
        accounts
            .iter()
            .filter(|account| share(percent).admits(playbook, account))
            .collect()
    };
    for (percent, next) in [(1, 5), (5, 25), (25, 60), (60, 99)] {
        let (small, large) = (within(percent, "grow"), within(next, "grow"));
        assert!(small.is_subset(&large));
        let expected = 20 * usize::from(percent);
        assert!(small.len().abs_diff(expected) < 80, "{percent}: {}", small.len());
    }
    assert_ne!(
        within(25, "grow"),
        within(25, "help"),
        "not always the same accounts go first"
    );
    let everybody = Rollout::default();
    assert!(accounts.iter().all(|account| everybody.admits("grow", account)));
    let nobody = Rollout {
        stage: Stage::Shadow,
        ..Rollout::default()
    };
    assert!(!accounts.iter().any(|account| nobody.admits("grow", account)));
}
