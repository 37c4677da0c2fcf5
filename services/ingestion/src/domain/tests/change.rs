use upswell_runtime::money::Period;

use super::*;
use crate::domain::{
    change::{Batch, Change, changes},
    fact::SurveyAnswer,
    merge::Roots,
    words::Survey,
};

/// The changes told of account acme when `new` facts come to `old` ones and revoke `revoked`.
fn told(old: &[&Fact], new: &[&Fact], revoked: &[&Fact]) -> Vec<Change> {
    let batch = Batch {
        new: new.to_vec(),
        counting: new.to_vec(),
        revoked: revoked.to_vec(),
    };
    let documents: Vec<Document> = old
        .iter()
        .chain(new)
        .chain(revoked)
        .map(|fact| document(fact))
        .collect();
    let mut told = changes(&batch, &documents, &Roots::default())
        .remove("acme")
        .unwrap_or_default();
    let last = told.pop();
    assert!(
        matches!(last, Some(Change::Account { fact_count, .. }) if fact_count == new.len()),
        "{last:?}"
    );
    told
}

#[test]
fn only_a_state_that_is_another_one_is_told() {
    let (first, same) = (fact("a", 1, profile("small")), fact("b", 2, profile("small")));
    let (late, other) = (fact("c", 1, profile("large")), fact("d", 3, profile("large")));
    assert!(matches!(told(&[], &[&first], &[]).as_slice(), [Change::Profile(_)]));
    assert_eq!(told(&[&first], &[&same], &[]), []);
    assert_eq!(
        told(&[&first, &same], &[&late], &[]),
        [],
        "a late fact about an earlier time changes nothing"
    );
    assert!(matches!(told(&[&first], &[&other], &[]).as_slice(), [Change::Profile(p)] if p.segment == "large"));
}

#[test]
fn i5_a_correction_brings_back_what_stood_before() {
    let (old, wrong) = (
        fact("a", 1, ticket(Severity::Low)),
        fact("b", 2, ticket(Severity::Critical)),
    );
    let correction = correcting("b", fact("c", 1, usage(1)));
    let told = told(&[&old], &[&correction], &[&wrong]);
    assert!(
        matches!(told.as_slice(), [Change::Ticket(t)] if t.severity == Severity::Low),
        "{told:?}"
    );
}

#[test]
fn i5_what_was_corrected_away_is_told_as_out_of_reach_or_resolved() {
    let (person, open) = (fact("a", 1, contact("c-1")), fact("b", 1, ticket(Severity::Critical)));
    let correction = fact("c", 2, contact("c-2"));
    let told = told(&[], &[&correction], &[&person, &open]);
    let [Change::Contact(new), Change::Contact(gone), Change::Ticket(ticket)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(
        (new.contact_id.as_str(), gone.contact_id.as_str(), gone.points.len()),
        ("c-2", "c-1", 0)
    );
    assert!(ticket.resolve_time.is_some());
}

#[test]
fn every_version_of_a_subscription_is_told_and_so_is_its_correction() {
    let version = |id: &str, price| {
        fact(
            id,
            1,
            Body::Subscription(terms("2026-01-01", None, price, 2, Period::Month)),
        )
    };
    let (wrong, right) = (version("a", 100), correcting("a", version("b", 120)));
    let told = told(&[], &[&right], &[&wrong]);
    let lines = told.iter().map(|change| match change {
        Change::Subscription {
            version,
            mrr,
            superseded,
            ..
        } => (version.path(), mrr.minor, *superseded),
        other => panic!("{other:?}"),
    });
    let lines: Vec<_> = lines.collect();
    assert_eq!(
        lines,
        [("src/a".to_owned(), 200, true), ("src/b".to_owned(), 240, false)]
    );
}

#[test]
fn what_happened_is_told_in_its_order_and_the_earliest_day_comes_last() {
    let (late, early) = (
        fact("p", 9, payment(5, "KZT", "2026-10-09")),
        fact("q", 2, payment(6, "KZT", "2026-10-02")),
    );
    let batch = Batch {
        new: vec![&late, &early],
        counting: vec![&late, &early],
        revoked: Vec::new(),
    };
    let told = changes(&batch, &[], &Roots::default()).remove("acme").unwrap();
    let ids = told.iter().filter_map(|change| match change {
        Change::Payment(happening, _) => Some(happening.key.external_id.as_str()),
        _ => None,
    });
    assert_eq!(ids.collect::<Vec<_>>(), ["q", "p"]);
    assert_eq!(
        told.last(),
        Some(&Change::Account {
            earliest_day: on("2026-10-02"),
            fact_count: 2
        })
    );
}

#[test]
fn i5_an_answer_to_a_survey_is_told_and_taken_back_when_it_is_corrected() {
    let answer = |id, score| {
        let answer = SurveyAnswer {
            survey: Survey::Nps,
            score,
            contact_id: String::new(),
        };
        fact(id, 1, Body::Survey(answer))
    };
    let (wrong, right) = (answer("a", 0), correcting("a", answer("b", 9)));
    let told = told(&[], &[&right], &[&wrong]);
    let of = |change: &Change| match change {
        Change::Voice { fact, superseded } => (fact.external_id.clone(), *superseded),
        other => panic!("{other:?}"),
    };
    let told: Vec<_> = told.iter().map(of).collect();
    assert_eq!(told, [("a".to_owned(), true), ("b".to_owned(), false)]);
}
