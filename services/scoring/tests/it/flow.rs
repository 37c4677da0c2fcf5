//! Events in → job → scores, signals and events out.

use upswell_proto::{
    delivery::v1::event_result::Outcome,
    ingestion::v1::{TicketChanged, ticket::Severity},
    offers::v1::{Offer, OfferChanged, offer},
    renewals::v1::RenewalMarkReached,
    scoring::v1::{BatchGetScoresRequest, ScoreChanged, Signal, SignalChanged, signal::State},
    vocabulary::v1::SignalKind,
};

use crate::{
    double::only,
    wire::{account, day, nps, ticket},
    world::World,
};

async fn grown() -> (World, Signal) {
    let mut world = World::new().await;
    world.double.knows(account("acme", 100, 118, 15));
    world.changed("acme").await;
    world.drain().await;
    let signal = world.signals("acme", &[State::Open]).await.remove(0);
    (world, signal)
}

#[tokio::test]
async fn facts_become_a_score_and_a_signal_and_both_are_told() {
    let (mut world, signal) = grown().await;
    assert_eq!(
        (signal.kind(), signal.subject.as_str()),
        (SignalKind::VolumeGrowth, "shipments")
    );
    assert_eq!(
        (signal.evidence[0].name.as_str(), signal.evidence[0].value),
        ("growth_percent", 18.0)
    );
    let score = world.score("acme").await;
    // 30 for logins, 20 for active users, 15 for no critical ticket; nps and invoices are missing.
    assert_eq!(score.health.as_ref().unwrap().value, 65);
    assert!(score.expansion_propensity >= 0.2, "{}", score.expansion_propensity);
    assert_eq!(score.missing_inputs, ["invoices", "nps"]);
    assert_eq!(score.as_of_day, Some(day("2026-10-19")));
    // The score to offers and renewals, the signal to offers and metrics; offers hears of the score first.
    let told = world.double.told();
    assert_eq!(
        (only::<ScoreChanged>(&told).len(), only::<SignalChanged>(&told).len()),
        (2, 2)
    );
    assert_eq!(only::<SignalChanged>(&told)[0].signal, Some(signal));
}

#[tokio::test]
async fn what_did_not_change_is_not_told_again() {
    let (mut world, signal) = grown().await;
    world.double.told();
    world.changed("acme").await;
    assert!(world.drain().await > 0);
    assert!(world.double.told().is_empty());
    assert_eq!(world.signals("acme", &[]).await, [signal]);
}

#[tokio::test]
async fn many_changes_are_one_scoring() {
    let mut world = World::new().await;
    world.double.knows(account("acme", 100, 118, 15));
    world.double.knows(account("beta", 100, 100, 15));
    for _ in 0..5 {
        world.changed("acme").await;
        world.changed("beta").await;
    }
    world.drain().await;
    assert_eq!(world.double.asked(), [["acme", "beta"]]);
}

#[tokio::test]
async fn sgr2_more_tickets_strengthen_the_signal() {
    let mut world = World::new().await;
    let mut facts = account("acme", 100, 100, 15);
    let open = |n: i32| ticket(&n.to_string(), "integrations", Severity::Normal, "2026-10-18T09:00:00Z");
    facts.tickets = (0..3).map(open).collect();
    world.double.knows(facts.clone());
    world.changed("acme").await;
    world.drain().await;
    let first = world.signals("acme", &[]).await.remove(0);
    assert_eq!(
        (first.kind(), first.subject.as_str()),
        (SignalKind::TicketCluster, "integrations")
    );
    world.double.told();
    facts.tickets.push(open(3));
    world.double.knows(facts);
    world.changed("acme").await;
    world.drain().await;
    let signals = world.signals("acme", &[]).await;
    assert_eq!(signals.len(), 1);
    assert_eq!(signals[0].signal_id, first.signal_id);
    assert!(signals[0].strength > first.strength);
    assert_eq!(only::<SignalChanged>(&world.double.told()).len(), 2);
}

fn sent(signal_ids: Vec<String>, consumed: Vec<String>) -> OfferChanged {
    let offer = Offer {
        offer_id: "offer-1".into(),
        account_id: "acme".into(),
        state: offer::State::Sent.into(),
        signal_ids,
        ..Offer::default()
    };
    OfferChanged {
        offer: Some(offer),
        consumed_signal_ids: consumed,
        ..OfferChanged::default()
    }
}

#[tokio::test]
async fn sgr3_only_an_offer_that_says_so_consumes_its_signals() {
    let (mut world, signal) = grown().await;
    world.double.told();
    let ids = vec![signal.signal_id.clone()];
    assert_eq!(
        world.deliver("offers", "acme", &sent(ids.clone(), vec![])).await,
        Outcome::Applied
    );
    assert_eq!(world.signals("acme", &[State::Open]).await.len(), 1);
    for _ in 0..2 {
        assert_eq!(
            world.deliver("offers", "acme", &sent(ids.clone(), ids.clone())).await,
            Outcome::Applied
        );
    }
    let consumed = world.signals("acme", &[State::Consumed]).await.remove(0);
    assert_eq!(
        (consumed.signal_id, consumed.offer_id),
        (signal.signal_id, "offer-1".to_owned())
    );
    world.drain().await;
    assert_eq!(
        only::<SignalChanged>(&world.double.told()).len(),
        2,
        "once to each of two receivers"
    );
    // The condition goes on holding, and no second signal opens.
    world.changed("acme").await;
    world.drain().await;
    assert!(world.signals("acme", &[State::Open]).await.is_empty());
}

#[tokio::test]
async fn sgr3_corrected_facts_withdraw_the_signal() {
    let (mut world, signal) = grown().await;
    world.double.knows(account("acme", 100, 101, 15));
    world.changed("acme").await;
    world.drain().await;
    let withdrawn = world.signals("acme", &[State::Withdrawn]).await;
    assert_eq!(withdrawn[0].signal_id, signal.signal_id);
    assert!(withdrawn[0].close_time.is_some());
}

#[tokio::test]
async fn sg6_a_renewal_mark_opens_a_signal() {
    let mut world = World::new().await;
    let mut facts = account("acme", 100, 100, 15);
    facts.subscriptions[0].renewal_date = Some(day("2027-02-17"));
    world.double.knows(facts);
    let mark = RenewalMarkReached {
        account_id: "acme".into(),
        deal_id: "deal-1".into(),
        mark_days: 120,
        renewal_date: Some(day("2027-02-17")),
        mark_date: Some(day("2026-10-20")),
    };
    assert_eq!(world.deliver("renewals", "acme", &mark).await, Outcome::Applied);
    world.drain().await;
    let signals = world.signals("acme", &[State::Open]).await;
    assert_eq!(
        (signals[0].kind(), signals[0].subject.as_str()),
        (SignalKind::RenewalClock, "120")
    );
    assert_eq!(signals[0].evidence[1].value, 120.0);
    let bad = RenewalMarkReached {
        mark_days: 0,
        ..RenewalMarkReached::default()
    };
    assert_eq!(world.deliver("renewals", "beta", &bad).await, Outcome::Refused);
}

#[tokio::test]
async fn a_topic_that_is_not_taken_is_refused() {
    let mut world = World::new().await;
    assert_eq!(
        world.deliver("ingestion", "acme", &TicketChanged::default()).await,
        Outcome::Refused
    );
}

#[tokio::test]
async fn sgr4_scores_are_renewed_once_a_day_of_the_account() {
    let (mut world, _) = grown().await;
    for (instant, marked) in [
        ("2026-10-20T23:59:00+05:00", 0),
        ("2026-10-21T00:59:00+05:00", 0),
        ("2026-10-21T01:00:00+05:00", 1),
        ("2026-10-21T02:00:00+05:00", 0),
        ("2026-10-23T12:00:00+05:00", 1),
    ] {
        world.set(instant);
        let daily = world
            .service
            .jobs
            .iter()
            .find(|job| job.name() == "scoring.rescore_daily")
            .unwrap();
        assert_eq!(
            daily.run_once(instant.parse().unwrap()).await.unwrap(),
            marked,
            "{instant}"
        );
        world.drain().await;
    }
    assert_eq!(world.score("acme").await.as_of_day, Some(day("2026-10-22")));
    world.tick().await;
    world.drain().await;
    assert_eq!(world.tick().await, 0);
}

#[tokio::test]
async fn sc3_the_trend_is_week_over_week() {
    let (mut world, _) = grown().await;
    assert_eq!(world.score("acme").await.health_change, None);
    let mut facts = account("acme", 100, 118, 15);
    facts.surveys = vec![nps(3, "2026-10-26T09:00:00Z")];
    world.double.knows(facts);
    world.set("2026-10-27T12:00:00+05:00");
    world.tick().await;
    world.drain().await;
    let score = world.score("acme").await;
    assert_eq!(score.health_change, Some(-15));
    let nps = score
        .health
        .unwrap()
        .components
        .into_iter()
        .find(|part| part.name == "nps")
        .unwrap();
    assert_eq!((nps.points, nps.previous_points), (-15, Some(0)));
}

#[tokio::test]
async fn nothing_is_lost_while_ingestion_is_away() {
    let mut world = World::new().await;
    world.double.knows(account("acme", 100, 118, 15));
    world.double.set_down(true);
    world.changed("acme").await;
    let now = "2026-10-20T12:00:00+05:00".parse().unwrap();
    assert!(world.service.drain(now).await.is_err());
    world.double.set_down(false);
    world.drain().await;
    assert_eq!(world.signals("acme", &[State::Open]).await.len(), 1);
}

#[tokio::test]
async fn an_account_that_ingestion_does_not_know_is_not_asked_for_ever() {
    let mut world = World::new().await;
    world.changed("ghost").await;
    assert_eq!(world.drain().await, 1);
    assert_eq!(world.drain().await, 0);
}

#[tokio::test]
async fn s1_several_batches_under_way_leave_no_account_out() {
    let mut world = World::new().await;
    world.double.invents(|account_id| account(account_id, 100, 118, 15));
    let names: Vec<String> = (0..450).map(|n| format!("account-{n}")).collect();
    for name in &names {
        world.changed(name).await;
    }
    world.drain().await;
    let asked = world.double.asked();
    assert!(asked.len() >= 3 && asked.iter().all(|batch| batch.len() <= 200));
    let request = BatchGetScoresRequest {
        account_ids: names.clone(),
    };
    let scores = world
        .scoring
        .batch_get_scores(request)
        .await
        .unwrap()
        .into_inner()
        .scores;
    assert_eq!(scores.len(), names.len());
    assert_eq!(world.signals("account-449", &[State::Open]).await.len(), 1);
    assert_eq!(world.drain().await, 0);
}
