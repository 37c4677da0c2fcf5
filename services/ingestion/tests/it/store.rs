//! The store by itself: the same cases are to run on every backend.

use std::collections::BTreeMap;

use jiff::Timestamp;
use upswell_ingestion::{
    Migrator,
    domain::{
        fact::{Body, Fact, FactKey, UsageCount},
        intake::Candidate,
        rollup::{Cell, Count, SUM_CAP, Tally},
        words::Kind,
    },
    store::{
        fact::{FactFilter, facts_fetch, facts_insert, facts_list, runs_insert},
        rollup::{Write, rollups_fetch, rollups_write},
    },
};
use upswell_runtime::testing::TempDb;

fn candidate(external_id: &str, source: &str) -> Candidate {
    let day = jiff::civil::date(2026, 10, 1);
    let fact = Fact {
        source: source.to_owned(),
        external_id: external_id.to_owned(),
        account_id: "acme".to_owned(),
        occur_time: Timestamp::UNIX_EPOCH,
        supersedes_external_id: String::new(),
        body: Body::Usage(UsageCount {
            metric: "m".to_owned(),
            day,
            value: 1,
        }),
    };
    Candidate {
        index: 0,
        fact,
        payload: external_id.as_bytes().to_vec(),
        hash: [7; 32],
    }
}

#[tokio::test]
async fn facts_are_inserted_once_and_found_by_key_across_statements() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let all: Vec<Candidate> = (0..1_203)
        .map(|n| candidate(&format!("{n:04}"), if n % 2 == 0 { "even" } else { "odd" }))
        .collect();
    let tx = temp.db.begin().await.unwrap();
    let early: Vec<&Candidate> = all.iter().take(700).collect();
    assert_eq!(facts_insert(&tx, &early, now).await.unwrap().len(), 700);
    let numbers = facts_insert(&tx, &all.iter().collect::<Vec<_>>(), now).await.unwrap();
    assert_eq!(numbers.len(), 503, "only new keys get a number");
    let keys: Vec<FactKey> = all.iter().map(|candidate| candidate.fact.key()).collect();
    let stored = facts_fetch(&tx, &keys).await.unwrap();
    assert_eq!(stored.len(), 1_203);
    assert!(
        stored
            .iter()
            .all(|fact| fact.payload == fact.key.external_id.as_bytes() && fact.hash == [7; 32])
    );
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn runs_of_concurrent_writers_may_interleave() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let all: Vec<Candidate> = (0..300).map(|n| candidate(&format!("{n:04}"), "src")).collect();
    let tx = temp.db.begin().await.unwrap();
    facts_insert(&tx, &all.iter().collect::<Vec<_>>(), now).await.unwrap();
    for first in 1..=298 {
        runs_insert(&tx, &BTreeMap::from([("acme", (first, first + 2))]), now)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let (mut after, mut ids) = (0, Vec::new());
    loop {
        let page = facts_list(temp.db.reader(), &["acme"], &FactFilter::default(), after, 70)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        ids.extend(page.iter().map(|fact| fact.id));
    }
    assert_eq!(ids, (1..=300).collect::<Vec<_>>(), "each fact once, in order");
}

#[tokio::test]
async fn tallies_join_in_the_store_as_they_do_in_the_domain() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    let day = jiff::civil::date(2026, 10, 1);
    let cell = Cell {
        account_id: "acme".to_owned(),
        kind: Kind::Usage,
        name: "m".to_owned(),
        day,
    };
    let tally = |sum, max, second| Tally::of(Count { sum, max }, Timestamp::from_second(second).unwrap());
    let all = [
        tally(5, 5, 50),
        tally(9, 2, 10),
        tally(SUM_CAP - 1, 3, 90),
        tally(4, 9, 60),
    ];
    let mut expected: Option<Tally> = None;
    for tally in all {
        let tx = temp.db.begin().await.unwrap();
        rollups_write(&tx, &BTreeMap::from([(cell.clone(), tally)]), Write::Add)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let joined = expected.map_or(tally, |sum| sum.merge(tally));
        let stored = rollups_fetch(temp.db.reader(), &["acme"], (day, day)).await.unwrap();
        assert_eq!(stored["acme"][&(Kind::Usage, "m".to_owned())][&day], joined);
        expected = Some(joined);
    }
    let tx = temp.db.begin().await.unwrap();
    let nothing = Tally::nothing(Timestamp::UNIX_EPOCH);
    rollups_write(&tx, &BTreeMap::from([(cell, nothing)]), Write::Replace)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(
        rollups_fetch(temp.db.reader(), &["acme"], (day, day))
            .await
            .unwrap()
            .is_empty()
    );
}
