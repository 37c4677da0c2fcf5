use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*, sample::Index};

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
    let new = |facts: &[&Fact]| {
        facts
            .iter()
            .filter_map(|fact| Correction::of(fact))
            .collect::<BTreeSet<_>>()
    };
    assert!(both.revoked_by(&a, &new(&[&first, &second])));
    assert!(!both.revoked_by(&a, &new(&[&second])), "b had revoked it before");
    assert!(!corrections(&[]).revoked_by(&a, &new(&[&second])));
}

/// Everything that follows from the corrections that the facts make, when they come in this order.
fn noted(facts: &[Fact]) -> BTreeSet<Correction> {
    let mut known: BTreeSet<Correction> = BTreeSet::new();
    for fact in facts {
        let mut next: BTreeSet<Correction> = Correction::of(fact).into_iter().collect();
        while !next.is_empty() {
            let new: Vec<Correction> = next.difference(&known).cloned().collect();
            known.extend(new.iter().cloned());
            next = known.iter().cloned().collect::<Corrections>().rivals(&new);
        }
    }
    known
}

fn counting(facts: &[Fact]) -> BTreeSet<&str> {
    let all: Corrections = noted(facts).into_iter().collect();
    let counting = facts.iter().filter(|fact| all.counts(fact));
    counting.map(|fact| fact.external_id.as_str()).collect()
}

#[test]
fn i5_of_several_corrections_of_one_fact_the_one_that_happened_last_counts() {
    let a = fact("a", 1, usage(100));
    let (b, c) = (
        correcting("a", fact("b", 2, usage(120))),
        correcting("a", fact("c", 3, usage(130))),
    );
    for order in [[&a, &b, &c], [&c, &b, &a], [&b, &c, &a], [&c, &a, &b]] {
        assert_eq!(counting(&order.map(Clone::clone)), BTreeSet::from(["c"]));
    }
    let late = correcting("a", fact("d", 3, usage(140)));
    assert_eq!(
        counting(&[a.clone(), b.clone(), c.clone(), late]),
        BTreeSet::from(["d"]),
        "of one instant the greater id"
    );
    // What corrects a correction competes with the others of the first fact.
    for (day, stands) in [(2, "c"), (4, "e")] {
        let e = correcting("b", fact("e", day, usage(125)));
        assert_eq!(
            counting(&[a.clone(), b.clone(), c.clone(), e]),
            BTreeSet::from([stands])
        );
    }
}

#[test]
fn i5_a_fact_that_is_corrected_often_costs_a_row_each_time() {
    let all: Vec<Fact> = (0..200_u32)
        .map(|number| correcting("a", fact(&format!("f{}", number * 37 % 200), 2, usage(1))))
        .collect();
    for order in [all.clone(), all.iter().rev().cloned().collect()] {
        assert_eq!(counting(&order).len(), 1);
        assert!(noted(&order).len() <= 3 * all.len());
    }
}

proptest! {
    #[test]
    fn i5_of_everything_that_corrects_one_fact_one_counts_in_any_order(
        (facts, shuffled) in vec((any::<Index>(), 1_i8..5), 1..10).prop_flat_map(|seeds| {
            let facts: Vec<Fact> = (seeds.iter().enumerate())
                .map(|(number, (index, day))| {
                    let made = fact(&format!("f{number}"), *day, usage(1));
                    if number == 0 { made } else { correcting(&format!("f{}", index.index(number)), made) }
                })
                .collect();
            (Just(facts.clone()), Just(facts).prop_shuffle())
        }),
    ) {
        let stands = counting(&facts);
        prop_assert_eq!(stands.len(), 1);
        prop_assert_eq!(stands, counting(&shuffled));
    }
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
