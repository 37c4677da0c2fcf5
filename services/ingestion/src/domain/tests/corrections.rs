use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::{
    correction::{Correction, Corrections},
    difference::differences,
    fact::FactKey,
    intake::{Candidate, Standing, Verdict, firsts, verdicts},
};

fn key(external_id: &str) -> FactKey {
    FactKey {
        source: "src".to_owned(),
        external_id: external_id.to_owned(),
    }
}

fn corrections(facts: &[&Fact]) -> Corrections {
    facts.iter().filter_map(|fact| Correction::of(fact)).collect()
}

#[test]
fn i5_a_corrected_fact_does_not_count_even_when_its_correction_is_corrected() {
    let (a, b, c) = (
        fact("a", 1, usage(1)),
        correcting("a", fact("b", 2, usage(2))),
        correcting("b", fact("c", 3, usage(3))),
    );
    let all = corrections(&[&a, &b, &c]);
    assert_eq!([&a, &b, &c].map(|fact| all.counts(fact)), [false, false, true]);
}

#[test]
fn i5_a_correction_takes_effect_within_its_source_and_account_only() {
    let a = fact("a", 1, usage(1));
    let stranger = Fact {
        account_id: "other".to_owned(),
        ..correcting("a", fact("b", 2, usage(2)))
    };
    assert!(corrections(&[&stranger]).counts(&a));
    let elsewhere = Fact {
        source: "crm".to_owned(),
        ..correcting("a", fact("b", 2, usage(2)))
    };
    assert!(corrections(&[&elsewhere]).counts(&a));
}

#[test]
fn i5_a_fact_is_revoked_once() {
    let a = fact("a", 1, usage(1));
    let (first, second) = (
        correcting("a", fact("b", 2, usage(2))),
        correcting("a", fact("c", 3, usage(3))),
    );
    let both = corrections(&[&first, &second]);
    let new = |ids: &[&str]| ids.iter().map(|id| key(id)).collect::<BTreeSet<_>>();
    assert!(both.revoked_by(&a, &new(&["b", "c"])));
    assert!(!both.revoked_by(&a, &new(&["c"])), "b had revoked it before");
    assert!(!corrections(&[]).revoked_by(&a, &new(&["c"])));
}

fn candidate(index: usize, fact: Fact) -> Candidate {
    let Body::Usage(count) = &fact.body else {
        panic!("no usage")
    };
    let hash = [u8::try_from(count.value).unwrap(); 32];
    Candidate {
        index,
        fact,
        payload: Vec::new(),
        hash,
    }
}

#[test]
fn i4_the_first_content_stands_within_a_batch_and_across_batches() {
    let candidates = [
        candidate(0, fact("new", 1, usage(1))),
        candidate(1, fact("new", 1, usage(1))),
        candidate(2, fact("new", 1, usage(2))),
        candidate(3, fact("old", 1, usage(7))),
        candidate(4, fact("old", 1, usage(8))),
    ];
    let stored = BTreeMap::from([(key("old"), [8; 32])]);
    let expected = [
        Verdict::Recorded,
        Verdict::Duplicate,
        Verdict::Conflict(Standing::Batch(0)),
        Verdict::Conflict(Standing::Stored),
        Verdict::Duplicate,
    ];
    assert_eq!(verdicts(&candidates.iter().collect::<Vec<_>>(), &stored), expected);
    let places: Vec<usize> = firsts(&candidates.iter().collect::<Vec<_>>())
        .iter()
        .map(|first| first.index)
        .collect();
    assert_eq!(places, [0, 3]);
}

#[test]
fn i4_a_conflict_says_what_differs() {
    let recorded = fact("a", 1, usage(1));
    let refused = Fact {
        account_id: "other".to_owned(),
        ..fact("a", 1, usage(2))
    };
    let told: Vec<String> = differences(&recorded, &refused)
        .into_iter()
        .map(|d| format!("{}: {}", d.field, d.description))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("account_id: recorded as "), "{told:?}");
    assert_eq!(told[1], "usage.value: recorded as 1, now 2");
    let other = differences(&recorded, &fact("a", 1, profile("s")));
    assert_eq!(
        (other[0].field.as_str(), other[0].description.as_str()),
        ("body", "recorded as usage, now account_profile")
    );
}
