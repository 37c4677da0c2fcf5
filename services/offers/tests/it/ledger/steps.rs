//! Every step by itself.

use jiff::SignedDuration;
use upswell_offers::{
    app::ledger::{ExpireReservations, observe_in},
    domain::{
        ledger::{Observe, ReleaseReason, Reserve},
        vocabulary::{Channel, TouchClass, TouchState},
    },
    store::{
        arms::arms_add,
        copies::contact_save,
        entities::{arm, contact, suppression},
        suppressions::suppression_save,
    },
};
use upswell_runtime::{db::micros, ids, jobs::Job as _};

use super::{World, commercial};

#[tokio::test]
async fn c6_a_key_gives_the_same_answer_for_a_granted_touch() {
    let world = World::with_acme().await;
    let first = world.granted(&commercial("a", 0)).await;
    assert_eq!(world.granted(&commercial("a", 0)).await, first);
    let other = world.ledger.reserve(&commercial("a", 1)).await.unwrap_err();
    assert_eq!(other.reason(), "REQUEST_ID_REUSED");

    let refusal = world.ledger.reserve(&commercial("b", 1)).await.unwrap().unwrap_err();
    assert_eq!(refusal.blocking[0].touches, [first.id]);
    assert_eq!(
        refusal.earliest,
        Some(first.planned_at + SignedDuration::from_hours(168))
    );
    world.granted(&commercial("b", 168)).await;

    // The answer stays the same when the touch is over, and when its planned time is long past.
    world.pass(400);
    assert_eq!(world.granted(&commercial("a", 0)).await.id, first.id);
    assert_eq!(world.touches("acme").await.len(), 2);
    assert_eq!(world.events().await, 2);
}

#[tokio::test]
async fn c6_concurrent_calls_with_one_key_make_one_touch() {
    let world = World::with_acme().await;
    let calls = (0..16).map(|_| {
        let ledger = world.ledger.clone();
        tokio::spawn(async move { ledger.reserve(&commercial("a", 0)).await.unwrap().unwrap().id })
    });
    let mut ids = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        ids.push(call.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!((world.touches("acme").await.len(), world.events().await), (1, 1));
}

#[tokio::test]
async fn c6_only_unused_reservations_expire() {
    let world = World::with_acme().await;
    world.account("other", "UTC", None).await;
    let job = ExpireReservations::new(world.store.db.clone(), world.ctx.clone());
    let unused = world.granted(&commercial("a", 0)).await;
    let other = Reserve {
        account_id: "other".to_owned(),
        ..commercial("b", 0)
    };
    let begun = world.ledger.begin_send(world.granted(&other).await.id).await.unwrap();
    assert_eq!(job.run_once(world.pass(23)).await.unwrap(), 0);
    assert_eq!(job.run_once(world.pass(1)).await.unwrap(), 1);
    assert_eq!(job.run_once(world.pass(9999)).await.unwrap(), 0);
    assert_eq!(world.touches("acme").await[0].state, TouchState::Expired);
    assert_eq!(world.touches("other").await, [begun]);
    assert_eq!(world.events().await, 4);
    let late = world.ledger.begin_send(unused.id).await.unwrap_err();
    assert_eq!(late.reason(), "TOUCH_EXPIRED");
}

#[tokio::test]
async fn c6_an_overdue_reservation_frees_its_place_without_the_job() {
    let world = World::with_acme().await;
    world.granted(&commercial("a", 0)).await;
    world.pass(24);
    world.granted(&commercial("b", 24)).await;
    let states: Vec<_> = world.touches("acme").await.iter().map(|touch| touch.state).collect();
    assert_eq!(states, [TouchState::Expired, TouchState::Reserved]);
}

#[tokio::test]
async fn c6_c9_a_touch_that_begins_a_moment_late_is_sent_and_the_place_behind_it_is_released() {
    let world = World::with_acme().await;
    let first = world.granted(&commercial("a", 0)).await;
    let refusal = world.ledger.reserve(&commercial("b", 1)).await.unwrap().unwrap_err();
    let behind = Reserve {
        planned_at: refusal.earliest,
        ..commercial("b", 1)
    };
    let second = world.granted(&behind).await;
    world.clock.set(world.clock.now() + SignedDuration::from_millis(3));
    world.ledger.begin_send(first.id).await.unwrap();
    world.ledger.confirm(first.id, None).await.unwrap();
    assert_eq!(world.log(&second).await.last().unwrap().0, "released");
    let refusal = world.ledger.reserve(&commercial("c", 1)).await.unwrap().unwrap_err();
    let earliest = world.clock.now() + SignedDuration::from_hours(168);
    assert_eq!(
        (refusal.blocking[0].touches.as_slice(), refusal.earliest),
        (&[first.id][..], Some(earliest))
    );
}

#[tokio::test]
async fn c6_an_unknown_outcome_counts_as_used() {
    let world = World::with_acme().await;
    let touch = world.granted(&commercial("a", 0)).await;
    world.ledger.begin_send(touch.id).await.unwrap();
    world.pass(167);
    let refusal = world.ledger.reserve(&commercial("b", 167)).await.unwrap().unwrap_err();
    assert_eq!(refusal.blocking[0].rule, "C-1");
    world.pass(1);
    world.granted(&commercial("b", 168)).await;
}

#[tokio::test]
async fn c5_a_bounce_is_recorded_and_gives_the_place_back() {
    let world = World::with_acme().await;
    let touch = world.granted(&commercial("a", 0)).await;
    world.ledger.begin_send(touch.id).await.unwrap();
    world.ledger.confirm(touch.id, None).await.unwrap();
    let early = world
        .ledger
        .release(touch.id, ReleaseReason::Cancelled)
        .await
        .unwrap_err();
    assert_eq!(early.reason(), "TOUCH_CONFIRMED");
    world.ledger.release(touch.id, ReleaseReason::Bounced).await.unwrap();
    world.granted(&commercial("b", 0)).await;
    let states: Vec<_> = world.log(&touch).await.into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["reserved", "sending", "confirmed", "released"]);
}

#[tokio::test]
async fn c6_an_observed_touch_counts_and_is_recorded_once() {
    let world = World::with_acme().await;
    let seen = Observe {
        fact_id: "crm/17".to_owned(),
        account_id: "acme".to_owned(),
        class: TouchClass::Commercial,
        proposes_expansion: false,
        channel: Channel::Email,
        sender: "newsletter".to_owned(),
        contact_id: String::new(),
        made_at: world.clock.now() - SignedDuration::from_hours(100),
    };
    for _ in 0..2 {
        let tx = world.store.db.begin().await.unwrap();
        observe_in(&tx, &world.ctx, &seen, world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
    let refusal = world.ledger.reserve(&commercial("a", 0)).await.unwrap().unwrap_err();
    assert_eq!(
        refusal.earliest,
        Some(world.clock.now() + SignedDuration::from_hours(68))
    );
    assert_eq!(world.events().await, 1);
}

#[tokio::test]
async fn c6_a_clock_that_steps_back_frees_no_place() {
    let world = World::with_acme().await;
    let first = Reserve {
        planned_at: None,
        ..commercial("a", 0)
    };
    let touch = world.granted(&first).await;
    world.ledger.begin_send(touch.id).await.unwrap();
    world.pass(-200);
    let again = Reserve {
        planned_at: None,
        ..commercial("b", 0)
    };
    world.ledger.reserve(&again).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn c8_a_moved_renewal_releases_reservations_and_judges_the_others_anew() {
    let world = World::new().await;
    world
        .account("acme", "Asia/Almaty", Some("2027-03-01".parse().unwrap()))
        .await;
    let first = world.granted(&commercial("a", 24)).await;
    let second = world.granted(&commercial("b", 24 + 168)).await;
    let released = world.renew("acme", "2026-11-01".parse().unwrap(), false).await;
    assert_eq!(released.iter().map(|touch| touch.id).collect::<Vec<_>>(), [second.id]);
    let touches = world.touches("acme").await;
    assert_eq!(touches[0].renewal_on, Some("2026-11-01".parse().unwrap()));
    assert_eq!(
        (touches[1].state, touches[1].release_reason.as_str()),
        (TouchState::Released, "displaced")
    );
    assert_eq!(world.events().await, 4, "two grants, one judged anew, one released");
    let refusal = world.ledger.reserve(&commercial("c", 240)).await.unwrap().unwrap_err();
    assert_eq!((refusal.blocking[0].rule, refusal.earliest), ("C-3", None));
    assert_eq!(world.renew("acme", "2026-11-01".parse().unwrap(), true).await, []);
    world.granted(&commercial("c", 240)).await;
    assert_eq!(world.log(&first).await.len(), 3);
}

#[tokio::test]
async fn c4_c10_c12_exemptions_and_contamination_are_in_the_log() {
    let world = World::with_acme().await;
    let now = micros(world.clock.now());
    let tx = world.store.db.begin().await.unwrap();
    let arm = arm::Model {
        epoch: 1,
        account_id: "acme".to_owned(),
        holdout: true,
        stratum: String::new(),
        assigned_at: now,
    };
    arms_add(&tx, vec![arm]).await.unwrap();
    let person = contact::Model {
        contact_id: "ann".to_owned(),
        account_id: "acme".to_owned(),
        first_name: String::new(),
        role: "finance".to_owned(),
        budget_holder: true,
        renewal_decision_maker: false,
        champion: false,
        points: r#"[{"channel":"email","address":"ann@acme.kz","consent":false}]"#.to_owned(),
        language: String::new(),
    };
    contact_save(&tx, person).await.unwrap();
    tx.commit().await.unwrap();

    let automatic = Reserve {
        sender: "offers".to_owned(),
        ..commercial("a", 0)
    };
    let refusal = world.ledger.reserve(&automatic).await.unwrap().unwrap_err();
    assert_eq!(refusal.blocking[0].rule, "C-12");
    let to_ann = Reserve {
        contact_id: "ann".to_owned(),
        ..commercial("b", 0)
    };
    let refusal = world.ledger.reserve(&to_ann).await.unwrap().unwrap_err();
    assert_eq!(refusal.blocking[0].rule, "C-10");
    let by_hand = world
        .granted(&Reserve {
            channel: Channel::Sms,
            ..to_ann
        })
        .await;
    assert_eq!(world.log(&by_hand).await[0].1, "contaminates the holdout (C-12)");

    let tx = world.store.db.begin().await.unwrap();
    let suppression = suppression::Model {
        suppression_id: ids::derive("suppression", &["test"]),
        account_id: "acme".to_owned(),
        reason: "complaint".to_owned(),
        author: "ann".to_owned(),
        created_at: now,
        expires_at: None,
        lifted_at: None,
    };
    suppression_save(&tx, suppression).await.unwrap();
    tx.commit().await.unwrap();
    let lesson = Reserve {
        class: TouchClass::Educational,
        ..commercial("c", 0)
    };
    assert_eq!(
        world.ledger.reserve(&lesson).await.unwrap().unwrap_err().blocking[0].rule,
        "C-10"
    );
    let begin = world.ledger.begin_send(by_hand.id).await.unwrap_err();
    assert_eq!(
        (begin.reason(), begin.metadata()["rules"].as_str()),
        ("TOUCH_BLOCKED", "C-10")
    );
    let invoice = world
        .granted(&Reserve {
            class: TouchClass::Contractual,
            ..commercial("d", 0)
        })
        .await;
    assert_eq!(world.log(&invoice).await[0].1, "exempt from the limits (C-4)");
}
