//! Faults that must not cost a place in the ledger, or give one too many. `UPSWELL_ROUNDS` says how often those that race
//! are played.

use std::{collections::BTreeSet, sync::Arc};

use futures::future::join_all;
use jiff::SignedDuration;
use upswell_offers::{
    app::ledger::{ExpireReservations, Ledger, LedgerCtx, observe_in},
    domain::{
        ledger::{CapSettings, Observe, ReleaseReason, Reserve, Touch},
        vocabulary::{Channel, TouchClass, TouchState},
    },
};
use upswell_runtime::jobs::Job as _;

use super::{World, commercial};

const CALLERS: usize = 64;

pub(super) fn rounds(by_default: usize) -> usize {
    let asked = std::env::var("UPSWELL_ROUNDS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(by_default)
}

impl World {
    /// Another process over the same store, with limits of its own.
    pub(super) fn replica(&self, limits: impl Fn(&mut CapSettings)) -> Ledger {
        let mut settings = CapSettings::default();
        limits(&mut settings);
        let ctx = LedgerCtx {
            policy: settings.policy(),
            ..(*self.ctx).clone()
        };
        Ledger::new(self.store.db.clone(), Arc::new(ctx), self.clock.clone())
    }
}

fn counting(touches: &[Touch]) -> Vec<&Touch> {
    touches.iter().filter(|touch| touch.state.counts()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f16_64_callers_get_four_places_in_four_weeks() {
    let world = World::new().await;
    let replicas = [world.ledger.clone(), world.replica(|_| {}), world.replica(|_| {})];
    for round in 0..rounds(20) {
        let account = format!("acme-{round}");
        world.account(&account, "Asia/Almaty", None).await;
        let calls = (0..CALLERS).map(|caller| {
            let ledger = replicas[caller % replicas.len()].clone();
            let command = Reserve {
                account_id: account.clone(),
                ..commercial(&format!("{round}/{caller}"), (caller % 4) as i64 * 8 * 24)
            };
            tokio::spawn(async move { ledger.reserve(&command).await.unwrap().is_ok() })
        });
        let granted: usize = join_all(calls)
            .await
            .into_iter()
            .map(|call| usize::from(call.unwrap()))
            .sum();
        let touches = world.touches(&account).await;
        let weeks: BTreeSet<_> = touches.iter().map(|touch| touch.planned_at).collect();
        assert_eq!(
            (granted, touches.len(), weeks.len()),
            (4, 4, 4),
            "round {round}: {touches:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f17_mixed_senders_that_ask_again_get_exactly_the_cap() {
    let world = World::new().await;
    let replicas = [world.ledger.clone(), world.replica(|_| {})];
    for round in 0..rounds(20) {
        let account = format!("acme-{round}");
        world.account(&account, "UTC", None).await;
        let calls = (0..CALLERS).map(|caller| {
            let ledger = replicas[caller % 2].clone();
            let command = Reserve {
                account_id: account.clone(),
                sender: ["offers", "renewals", "crm"][caller % 3].to_owned(),
                // Every key is asked for four times, and some by two processes at once.
                ..commercial(&format!("{round}/{}", caller / 4), 0)
            };
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for _ in 0..2 {
                    answers.push(ledger.reserve(&command).await.unwrap().ok().map(|touch| touch.id));
                }
                (command.touch_id(), answers)
            })
        });
        let mut granted = BTreeSet::new();
        for call in join_all(calls).await {
            let (id, answers) = call.unwrap();
            // Once granted, granted for ever; and under its own id.
            assert!(answers.iter().flatten().all(|touch| *touch == id));
            assert!(answers[0].is_none() || answers[1].is_some(), "{answers:?}");
            granted.extend(answers.into_iter().flatten());
        }
        assert_eq!(
            (granted.len(), world.touches(&account).await.len()),
            (1, 1),
            "round {round}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f17_one_key_for_two_accounts_at_once_is_granted_to_one() {
    let world = World::new().await;
    let replicas = [world.ledger.clone(), world.replica(|_| {})];
    for round in 0..rounds(20) {
        let accounts = [format!("acme-{round}"), format!("other-{round}")];
        let mut calls = Vec::new();
        for (account, ledger) in accounts.iter().zip(replicas.clone()) {
            world.account(account, "UTC", None).await;
            let command = Reserve {
                account_id: account.clone(),
                ..commercial(&format!("{round}"), 0)
            };
            calls.push(tokio::spawn(async move { ledger.reserve(&command).await }));
        }
        let mut granted = Vec::new();
        for call in join_all(calls).await {
            match call.unwrap() {
                Ok(touch) => granted.push(touch.unwrap()),
                Err(problem) => assert_eq!(problem.reason(), "REQUEST_ID_REUSED"),
            }
        }
        // The place that was granted is there, and the other account's is free.
        assert_eq!(granted.len(), 1, "round {round}: {granted:#?}");
        assert_eq!(world.touches(&granted[0].account_id).await, granted);
        let stored = [world.touches(&accounts[0]).await, world.touches(&accounts[1]).await];
        assert_eq!(stored.concat(), granted);
    }
}

#[tokio::test]
async fn f18_a_crash_before_or_after_dispatch_counts_or_is_released() {
    let world = World::with_acme().await;
    // Before anything left: the reservation frees itself, and the key finds that out.
    let unused = world.granted(&commercial("a", 0)).await;
    let restarted = world.replica(|_| {});
    assert_eq!(restarted.reserve(&commercial("a", 0)).await.unwrap().unwrap(), unused);
    let job = ExpireReservations::new(world.store.db.clone(), world.ctx.clone());
    job.run_once(world.pass(24)).await.unwrap();
    assert_eq!(world.touches("acme").await[0].state, TouchState::Expired);
    // After it left, before that was recorded: it counts, for as long as it takes.
    let dispatched = world.granted(&commercial("b", 24)).await;
    world.ledger.begin_send(dispatched.id).await.unwrap();
    let restarted = world.replica(|_| {});
    job.run_once(world.pass(100)).await.unwrap();
    let refusal = restarted.reserve(&commercial("c", 124)).await.unwrap().unwrap_err();
    assert_eq!(refusal.blocking[0].touches, [dispatched.id]);
    // It turns out that nothing had left: the place is free, provably.
    restarted.release(dispatched.id, ReleaseReason::NotSent).await.unwrap();
    world.granted(&commercial("c", 124)).await;
    let touches = world.touches("acme").await;
    assert_eq!(counting(&touches).len(), 1);
}

#[tokio::test]
async fn f22_a_back_dated_touch_counts_on_both_sides() {
    let world = World::with_acme().await;
    world.pass(24 * 10);
    let ahead = world.granted(&commercial("ahead", 24 * 10 + 48)).await;
    // Made three days ago, told today.
    let made_at = world.clock.now() - SignedDuration::from_hours(72);
    let seen = Observe {
        fact_id: "crm/1".to_owned(),
        account_id: "acme".to_owned(),
        class: TouchClass::Commercial,
        proposes_expansion: false,
        channel: Channel::Email,
        sender: "newsletter".to_owned(),
        contact_id: String::new(),
        made_at,
    };
    let tx = world.store.db.begin().await.unwrap();
    observe_in(&tx, &world.ctx, &seen, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    // What was granted is judged by it when it would be sent.
    world.pass(48);
    let blocked = world.ledger.begin_send(ahead.id).await.unwrap_err();
    assert_eq!(blocked.reason(), "TOUCH_BLOCKED");
    world.ledger.release(ahead.id, ReleaseReason::Cancelled).await.unwrap();
    // The earliest place is a week after it, to the microsecond.
    let refusal = world
        .ledger
        .reserve(&commercial("b", 24 * 12))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(refusal.earliest, Some(made_at + SignedDuration::from_hours(168)));
    let early = Reserve {
        planned_at: refusal.earliest.map(|at| at - SignedDuration::from_micros(1)),
        ..commercial("b", 0)
    };
    world.ledger.reserve(&early).await.unwrap().unwrap_err();
    let exact = Reserve {
        planned_at: refusal.earliest,
        ..early
    };
    world.granted(&exact).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f23_a_cap_that_changes_holds_from_the_next_grant_on() {
    use upswell_offers::domain::ledger::Cap;
    let world = World::with_acme().await;
    let two = world.replica(|caps| caps.commercial_max = Cap::AtMost(2));
    let none = world.replica(|caps| caps.commercial_max = Cap::AtMost(0));
    let first = two.reserve(&commercial("a", 0)).await.unwrap().unwrap();
    let second = two.reserve(&commercial("b", 1)).await.unwrap().unwrap();
    assert_ne!(first.policy_version, world.ctx.policy.version);
    // Lowered: what stands stays, nothing new comes in, and sending is judged by the limits of the moment.
    world.ledger.reserve(&commercial("c", 2)).await.unwrap().unwrap_err();
    assert_eq!(none.begin_send(first.id).await.unwrap_err().reason(), "TOUCH_BLOCKED");
    // One of two may go, and the other one makes way for it.
    let begun = world.ledger.begin_send(first.id).await.unwrap();
    assert_eq!(
        (begun.state, begun.policy_version == world.ctx.policy.version),
        (TouchState::Sending, true)
    );
    assert_eq!(two.begin_send(second.id).await.unwrap_err().reason(), "TOUCH_RELEASED");
    world.ledger.reserve(&commercial("d", 3)).await.unwrap().unwrap_err();
    // Raised again: there is one place more.
    two.reserve(&commercial("e", 3)).await.unwrap().unwrap();

    // Changed while many ask: never more than the highest limit in force.
    for round in 0..rounds(10) {
        let account = format!("acme-{round}");
        world.account(&account, "UTC", None).await;
        let ledgers = [&world.ledger, &two, &none];
        let calls = (0..CALLERS).map(|caller| {
            let ledger = ledgers[caller % 3].clone();
            let command = Reserve {
                account_id: account.clone(),
                ..commercial(&format!("{round}/{caller}"), 5)
            };
            tokio::spawn(async move { ledger.reserve(&command).await.unwrap().is_ok() })
        });
        join_all(calls).await;
        let touches = world.touches(&account).await;
        assert!((1..=2).contains(&touches.len()), "{touches:#?}");
    }
}
