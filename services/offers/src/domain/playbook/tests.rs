use std::collections::{BTreeMap, BTreeSet};

use super::{MessageFrame, facts};
use crate::domain::vocabulary::{ContactRole, Owner, SignalKind};

#[test]
fn t3_a_message_is_for_its_signals_owners_and_roles() {
    let frame = MessageFrame {
        signals: BTreeSet::from([SignalKind::LimitApproach]),
        owners: BTreeSet::from([Owner::ProductLed]),
        roles: BTreeSet::from([ContactRole::Finance]),
        facts: BTreeSet::new(),
        texts: BTreeMap::new(),
    };
    let both = BTreeSet::from([SignalKind::LimitApproach, SignalKind::VolumeGrowth]);
    let other = BTreeSet::from([SignalKind::VolumeGrowth]);
    assert!(frame.fits(&both, Owner::ProductLed, Some(ContactRole::Finance)));
    assert!(frame.fits(&both, Owner::ProductLed, None));
    assert!(!frame.fits(&other, Owner::ProductLed, Some(ContactRole::Finance)));
    assert!(!frame.fits(&both, Owner::CsmLed, Some(ContactRole::Finance)));
    assert!(!frame.fits(&both, Owner::ProductLed, Some(ContactRole::It)));
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
