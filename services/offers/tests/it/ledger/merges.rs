//! Accounts that are one count together (I-3).

use std::{collections::BTreeSet, sync::Arc};

use futures::future::join_all;
use jiff::tz::TimeZone;
use upswell_offers::{
    app::ledger::{Question, merge_in, unmerge_in},
    domain::{
        ledger::{ReleaseReason, Reserve, Touch},
        vocabulary::{TouchClass, TouchState},
    },
    store::{
        arms::arms_add,
        entities::{arm, merge, suppression},
        suppressions::suppression_save,
    },
};
use upswell_runtime::{db::micros, ids};

use super::{
    World, commercial,
    faults::rounds,
    oracle::{Kind, Seen, WRITTEN, faults},
};

fn to(account: &str, key: &str, ahead: i64) -> Reserve {
    Reserve {
        account_id: account.to_owned(),
        ..commercial(key, ahead)
    }
}

impl World {
    pub(super) async fn merge(&self, account: &str, part: &str) -> Vec<Touch> {
        let tx = self.store.db.begin().await.unwrap();
        let displaced = merge_in(&tx, &self.ctx, merged(account, part), self.clock.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        displaced
    }

    async fn unmerge(&self, account: &str, part: &str) {
        let undone = merge::Model {
            undone: true,
            ..merged(account, part)
        };
        let tx = self.store.db.begin().await.unwrap();
        unmerge_in(&tx, &self.ctx, undone, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn blocking(&self, account: &str) -> Vec<&'static str> {
        let question = Question {
            account_id: account.to_owned(),
            class: TouchClass::Commercial,
            proposes_expansion: false,
            sender: "offers".to_owned(),
            addressee: None,
            planned_at: None,
        };
        let judgement = self.ledger.allowance(&question).await.unwrap();
        judgement.blocking.iter().map(|blocking| blocking.rule).collect()
    }
}

fn merged(account: &str, part: &str) -> merge::Model {
    merge::Model {
        merge_id: format!("{account}+{part}"),
        account_id: account.to_owned(),
        part_id: part.to_owned(),
        undone: false,
    }
}

#[tokio::test]
async fn i3_touches_of_merged_accounts_count_together_until_it_is_undone() {
    let world = World::new().await;
    for account in ["one", "two", "three"] {
        world.account(account, "UTC", None).await;
    }
    let sent = world.granted(&to("two", "a", 0)).await;
    world.ledger.begin_send(sent.id).await.unwrap();
    world.ledger.confirm(sent.id, None).await.unwrap();
    world.granted(&to("one", "b", 24)).await;
    // A sent touch stays, the reservation beside it goes.
    let displaced = world.merge("one", "two").await;
    assert_eq!(
        displaced
            .iter()
            .map(|touch| touch.account_id.as_str())
            .collect::<Vec<_>>(),
        ["one"]
    );
    for account in ["one", "two"] {
        let refusal = world.ledger.reserve(&to(account, "c", 24)).await.unwrap().unwrap_err();
        assert_eq!(refusal.blocking[0].touches, [sent.id], "{account}");
    }
    // Through a chain, too.
    world.merge("three", "one").await;
    assert_eq!(world.blocking("three").await, ["C-1"]);
    world.unmerge("one", "two").await;
    assert_eq!(
        (world.blocking("three").await, world.blocking("one").await),
        (vec![], vec![])
    );
    assert_eq!(world.blocking("two").await, ["C-1"]);
    world.granted(&to("three", "d", 24)).await;
    world.ledger.reserve(&to("one", "e", 25)).await.unwrap().unwrap_err();
    world.unmerge("three", "one").await;
    world.granted(&to("one", "e", 25)).await;
    // Telling it again changes nothing.
    world.unmerge("three", "one").await;
    assert_eq!(world.touches("two").await.len(), 1);
}

#[tokio::test]
async fn i3_after_a_merge_the_stricter_suppression_arm_and_renewal_win() {
    let world = World::new().await;
    world.account("one", "UTC", Some("2027-06-01".parse().unwrap())).await;
    world.account("two", "UTC", Some("2026-10-30".parse().unwrap())).await;
    let now = micros(world.clock.now());
    let tx = world.store.db.begin().await.unwrap();
    let arm = |account: &str, holdout| arm::Model {
        epoch: 1,
        account_id: account.to_owned(),
        holdout,
        stratum: String::new(),
        assigned_at: now,
    };
    arms_add(&tx, vec![arm("one", false), arm("two", true)]).await.unwrap();
    let suppression = suppression::Model {
        suppression_id: ids::derive("suppression", &["two"]),
        account_id: "two".to_owned(),
        reason: "dispute".to_owned(),
        author: "ann".to_owned(),
        created_at: now,
        expires_at: None,
        lifted_at: None,
    };
    suppression_save(&tx, suppression).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.blocking("one").await, Vec::<&str>::new());
    let ahead = world.granted(&to("one", "a", 24)).await;
    assert_eq!(ahead.renewal_on, Some("2027-06-01".parse().unwrap()));
    world.merge("one", "two").await;
    // C-3 since the part renews in 18 days, C-10 since it is suppressed, C-12 since it is held out.
    assert_eq!(world.blocking("one").await, ["C-1", "C-3", "C-10", "C-12"]);
    let judged_anew = world.touches("one").await.remove(0);
    assert_eq!(judged_anew.renewal_on, Some("2026-10-30".parse().unwrap()));
    world.unmerge("one", "two").await;
    assert_eq!(world.blocking("one").await, ["C-1"]);
    assert_eq!(
        world.touches("one").await.remove(0).renewal_on,
        Some("2027-06-01".parse().unwrap())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f28_accounts_merged_while_senders_ask_lose_and_double_nothing() {
    let world = Arc::new(World::new().await);
    let other = world.replica(|_| {});
    for round in 0..rounds(15) {
        // The lock order of the names is not the order of the merge.
        let (root, part) = (format!("z-{round}"), format!("a-{round}"));
        for account in [&root, &part] {
            world.account(account, "UTC", None).await;
        }
        let calls = (0..32_i64).map(|caller| {
            let ledger = if caller % 2 == 0 {
                world.ledger.clone()
            } else {
                other.clone()
            };
            let account = if caller % 4 < 2 { &root } else { &part };
            let command = to(account, &format!("{round}/{caller}"), (caller % 3) * 60);
            tokio::spawn(async move { ledger.reserve(&command).await.unwrap().ok() })
        });
        let calls: Vec<_> = calls.collect();
        let merging = tokio::spawn({
            let (world, root, part) = (Arc::clone(&world), root.clone(), part.clone());
            async move { world.merge(&root, &part).await }
        });
        let granted: Vec<Touch> = join_all(calls)
            .await
            .into_iter()
            .filter_map(|call| call.unwrap())
            .collect();
        let displaced: BTreeSet<_> = merging.await.unwrap().into_iter().map(|touch| touch.id).collect();
        let mut stored = world.touches(&root).await;
        stored.extend(world.touches(&part).await);
        let ids: BTreeSet<_> = stored.iter().map(|touch| touch.id).collect();
        assert_eq!(ids, granted.iter().map(|touch| touch.id).collect(), "round {round}");
        assert_eq!((ids.len(), stored.len()), (granted.len(), granted.len()));
        for touch in &stored {
            assert_eq!(
                touch.state == TouchState::Released,
                displaced.contains(&touch.id),
                "{touch:?}"
            );
        }
        let seen: Vec<Seen> = stored
            .iter()
            .filter(|touch| touch.state.counts())
            .enumerate()
            .map(|(id, touch)| Seen {
                id,
                kind: Kind::Commercial,
                at: touch.counts_at(),
            })
            .collect();
        assert_eq!(faults(&seen, WRITTEN, &TimeZone::UTC, None), vec![], "round {round}");
        assert!(!seen.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f28_steps_on_both_members_of_a_merged_account_never_stop_each_other() {
    let world = Arc::new(World::new().await);
    let other = world.replica(|_| {});
    for round in 0..rounds(15) {
        let (root, part) = (format!("z-{round}"), format!("a-{round}"));
        for account in [&root, &part] {
            world.account(account, "UTC", None).await;
        }
        // Contractual ones stand beside each other, so that every step is allowed.
        let mut begun = Vec::new();
        for n in 0..8 {
            let account = if n % 2 == 0 { &root } else { &part };
            let command = Reserve {
                class: TouchClass::Contractual,
                ..to(account, &format!("{round}/{n}"), 0)
            };
            begun.push(world.granted(&command).await.id);
        }
        world.merge(&root, &part).await;
        let calls = begun.into_iter().enumerate().map(|(n, id)| {
            let (one, two) = (world.ledger.clone(), other.clone());
            let asked = to(if n % 2 == 0 { &part } else { &root }, &format!("{round}/more/{n}"), 0);
            tokio::spawn(async move {
                one.begin_send(id).await?;
                drop(two.reserve(&asked).await?);
                one.confirm(id, None).await?;
                two.release(id, ReleaseReason::Bounced).await
            })
        });
        for call in join_all(calls.collect::<Vec<_>>()).await {
            assert_eq!(call.unwrap().unwrap().state, TouchState::Released, "round {round}");
        }
    }
}
