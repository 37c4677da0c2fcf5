//! I-4 and I-5: whatever the order, the repetition and the batches, the same facts give the same picture, which is the
//! one that a brute-force oracle computes from their set.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*, sample::Index};
use upswell_proto::ingestion::v1::{self as pb, fact::Body};

use crate::harness::{Running, about, activity, fact, plan, profile, superseding, usage};

#[derive(Clone, Debug)]
pub(crate) struct Seed {
    kind: u8,
    account: u8,
    day: i32,
    value: i64,
    corrects: Option<Index>,
}

pub(crate) fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    let seed = (
        0_u8..7,
        0_u8..2,
        1_i32..4,
        0_i64..50,
        prop::option::weighted(0.3, any::<Index>()),
    );
    vec(
        seed.prop_map(|(kind, account, day, value, corrects)| Seed {
            kind,
            account,
            day,
            value,
            corrects,
        }),
        1..24,
    )
}

pub(crate) fn facts(seeds: &[Seed]) -> Vec<pb::Fact> {
    let all = seeds.iter().enumerate().map(|(number, seed)| {
        let (id, Seed { day, value, .. }) = (format!("f{number}"), seed);
        let made = match seed.kind {
            0 | 1 => usage(&id, *day, *value),
            2 | 3 => activity(&id, *day, *value, value * 2),
            4 => profile(&id, *day, &format!("s{value}")),
            5 => plan(&id, *day, &format!("{value}.50 KZT")),
            _ => fact(
                &id,
                *day,
                &format!(
                    r#""contact":{{"contact_id":"c{}","role":"it","first_name":"n{value}"}}"#,
                    value % 2
                ),
            ),
        };
        let corrected = seed
            .corrects
            .map(|index| index.index(seeds.len()))
            .filter(|other| *other != number);
        let made = corrected.map_or(made.clone(), |other| superseding(&format!("f{other}"), made));
        about(&format!("a{}", seed.account), made)
    });
    all.collect()
}

/// Who corrects whom, by account: as the facts say, and of two that correct one fact the later corrects the other.
fn corrections(facts: &[pb::Fact]) -> BTreeSet<(&str, &str, &str)> {
    let said = facts.iter().filter(|fact| !fact.supersedes_external_id.is_empty());
    let mut all: BTreeSet<(&str, &str, &str)> = said
        .map(|fact| (&*fact.account_id, &*fact.supersedes_external_id, &*fact.external_id))
        .collect();
    let rank = |id: &str| {
        facts
            .iter()
            .find(|fact| fact.external_id == id)
            .unwrap()
            .occur_time
            .unwrap()
            .seconds
    };
    loop {
        let mut more = all.clone();
        for (account, corrected, one) in &all {
            let rivals = all.iter().filter(|other| (&other.0, &other.1) == (account, corrected));
            let later = rivals.filter(|other| (rank(one), *one) < (rank(other.2), other.2));
            more.extend(later.map(|other| (*account, *one, other.2)));
        }
        if more == all {
            return all;
        }
        all = more;
    }
}

fn counting(facts: &[pb::Fact]) -> Vec<&pb::Fact> {
    let corrections = corrections(facts);
    let corrected = |fact: &pb::Fact| {
        let mut all = corrections.iter();
        all.any(|(account, corrected, _)| *corrected == fact.external_id && *account == fact.account_id)
    };
    facts.iter().filter(|fact| !corrected(fact)).collect()
}

/// Per account, series kind and day: the value.
fn oracle(facts: &[pb::Fact]) -> BTreeMap<(String, i32, i32), i64> {
    let mut days = BTreeMap::new();
    for fact in counting(facts) {
        match fact.body.as_ref().unwrap() {
            Body::Usage(count) => add(&mut days, fact, pb::SeriesKind::Usage, count.day.unwrap().day, |old| {
                old + count.value
            }),
            Body::Activity(count) => {
                let day = count.day.unwrap().day;
                add(&mut days, fact, pb::SeriesKind::ActiveUsers, day, |old| {
                    old.max(count.active_users)
                });
                add(&mut days, fact, pb::SeriesKind::Logins, day, |old| old + count.logins);
            }
            _ => {}
        }
    }
    days
}

fn add(
    days: &mut BTreeMap<(String, i32, i32), i64>,
    fact: &pb::Fact,
    kind: pb::SeriesKind,
    day: i32,
    change: impl Fn(i64) -> i64,
) {
    let before_october = upswell_runtime::db::epoch_day(jiff::civil::date(2026, 9, 30));
    let value = days
        .entry((fact.account_id.clone(), kind.into(), before_october + day))
        .or_default();
    *value = change(*value);
}

fn stored(accounts: &[pb::AccountFacts]) -> BTreeMap<(String, i32, i32), i64> {
    let mut days = BTreeMap::new();
    for account in accounts {
        for series in &account.series {
            for (day, value) in series.days.iter().zip(&series.values) {
                days.insert((account.account_id.clone(), series.kind, *day), *value);
            }
        }
    }
    days
}

/// The facts behind the profile and contacts that stand, by account and object.
fn standing(facts: &[pb::Fact]) -> BTreeMap<(String, String), String> {
    let mut latest: BTreeMap<(String, String), (i64, String)> = BTreeMap::new();
    for fact in counting(facts) {
        let object = match fact.body.as_ref().unwrap() {
            Body::AccountProfile(_) => String::new(),
            Body::ContactProfile(contact) => contact.contact_id.clone(),
            _ => continue,
        };
        let rank = (fact.occur_time.unwrap().seconds, fact.external_id.clone());
        let stands = latest
            .entry((fact.account_id.clone(), object))
            .or_insert_with(|| rank.clone());
        *stands = stands.clone().max(rank);
    }
    latest.into_iter().map(|(object, (_, id))| (object, id)).collect()
}

fn shown(pictures: &[pb::GetAccount360Response]) -> BTreeMap<(String, String), String> {
    let mut shown = BTreeMap::new();
    for picture in pictures {
        let account = picture.account.clone().unwrap();
        if let Some(provenance) = account.provenance {
            shown.insert((account.account_id.clone(), String::new()), provenance.external_id);
        }
        for contact in &picture.contacts {
            let id = contact.profile.clone().unwrap().contact_id;
            shown.insert(
                (account.account_id.clone(), id),
                contact.provenance.clone().unwrap().external_id,
            );
        }
    }
    shown
}

type View = (Vec<pb::GetAccount360Response>, Vec<pb::AccountFacts>);

async fn view(batches: &[Vec<pb::Fact>]) -> View {
    let running = Running::start().await;
    for batch in batches {
        let answer = running.record(batch.clone()).await;
        assert_eq!((answer.rejected, answer.conflicts), (0, 0), "{answer:?}");
    }
    let facts = running.account_facts(&["a0", "a1"], 60).await;
    let mut pictures = Vec::new();
    for account in &facts {
        pictures.push(running.picture(&account.account_id).await);
    }
    (pictures, facts)
}

/// The facts shuffled, some of them twice, in batches.
pub(crate) fn batches(facts: Vec<pb::Fact>) -> impl Strategy<Value = Vec<Vec<pb::Fact>>> {
    let repeated = vec(any::<Index>(), 0..6).prop_map(move |again| {
        let twice: Vec<pb::Fact> = again
            .iter()
            .map(|index| facts[index.index(facts.len())].clone())
            .collect();
        facts.iter().cloned().chain(twice).collect::<Vec<_>>()
    });
    (repeated.prop_shuffle(), 1_usize..8).prop_map(|(facts, size)| facts.chunks(size).map(<[_]>::to_vec).collect())
}

fn cases() -> impl Strategy<Value = (Vec<pb::Fact>, Vec<Vec<pb::Fact>>)> {
    seeds()
        .prop_map(|seeds| facts(&seeds))
        .prop_flat_map(|facts| (Just(facts.clone()), batches(facts)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn i4_i5_any_order_repetition_and_batching_gives_the_same_picture((facts, batches) in cases()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (sorted, shuffled) = runtime.block_on(async { (view(std::slice::from_ref(&facts)).await, view(&batches).await) });
        prop_assert_eq!(stored(&sorted.1), oracle(&facts));
        prop_assert_eq!(shown(&sorted.0), standing(&facts));
        prop_assert_eq!(shuffled, sorted);
    }
}
