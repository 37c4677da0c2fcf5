//! Events: applied once, refused with everything that is wrong, and tolerant of each other's order.

use upswell_proto::{
    delivery::v1::event_result::Outcome,
    ingestion::v1::{PaymentRecorded, SubscriptionChanged, SubscriptionTerms},
    metrics::v1::{GetRevenueMetricsRequest, ListMovementsRequest},
};

use crate::world::{World, kzt, order, subscription, window, wire_day};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_applied_once_however_often_it_comes() {
    let world = World::start().await;
    let event = world.event(
        "ingestion",
        "acme",
        &subscription("acme", "plan", "2026-01-01", 100, ""),
    );
    assert_eq!(world.deliver("ingestion", event.clone()).await.0, Outcome::Applied);
    assert_eq!(world.deliver("ingestion", event).await.0, Outcome::Duplicate);
    let request = GetRevenueMetricsRequest {
        window: window("2026-01-01", "2026-02-01"),
        ..Default::default()
    };
    let revenue = world
        .metrics
        .clone()
        .get_revenue_metrics(request)
        .await
        .unwrap()
        .into_inner()
        .currencies
        .remove(0);
    assert_eq!(revenue.mrr_end, Some(kzt(100)));
    assert_eq!((revenue.movements[0].count, revenue.nrr), (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_taken_and_a_broken_payload_are_refused() {
    let world = World::start().await;
    let unknown = world.event("ingestion", "acme", &PaymentRecorded::default());
    assert_eq!(world.deliver("ingestion", unknown).await.0, Outcome::Refused);
    let mut broken = world.event("scoring", "acme", &SubscriptionChanged::default());
    broken.payload = vec![0xff];
    assert_eq!(world.deliver("scoring", broken).await.0, Outcome::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_changes_nothing() {
    let world = World::start().await;
    let terms = SubscriptionTerms {
        effective_date: Some(wire_day("2026-01-01")),
        ..SubscriptionTerms::default()
    };
    let bad = SubscriptionChanged {
        account_id: "acme".to_owned(),
        terms: Some(terms),
        mrr: Some(kzt(-1)),
        ..SubscriptionChanged::default()
    };
    let event = world.event("ingestion", "acme", &bad);
    let (outcome, detail) = world.deliver("ingestion", event).await;
    assert_eq!(outcome, Outcome::Refused);
    assert!(detail.contains("4 invalid fields"), "{detail}");
    let huge = |line, mrr| subscription("big", line, "2026-01-01", mrr, "");
    world.tell("ingestion", "big", &huge("a", 10_000_000_000_000)).await;
    let event = world.event("ingestion", "big", &huge("b", 10_000_000_000_000));
    let (outcome, detail) = world.deliver("ingestion", event).await;
    assert_eq!(outcome, Outcome::Refused);
    assert!(detail.contains("MRR_OUT_OF_RANGE"), "{detail}");
    let request = ListMovementsRequest {
        window: window("2026-01-01", "2026-02-01"),
        ..ListMovementsRequest::default()
    };
    let movements = world
        .metrics
        .clone()
        .list_movements(request)
        .await
        .unwrap()
        .into_inner()
        .movements;
    assert_eq!(movements.len(), 1, "of the account that fitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_an_order_that_is_told_after_its_money_attributes_it_all_the_same() {
    let world = World::start().await;
    let mut metrics = world.metrics.clone();
    world
        .tell(
            "ingestion",
            "acme",
            &subscription("acme", "plan", "2025-01-01", 100, ""),
        )
        .await;
    world
        .tell(
            "ingestion",
            "acme",
            &subscription("acme", "add-on", "2026-01-10", 30, "o-1"),
        )
        .await;
    // An order of somebody else with the same id would be no cause.
    world.tell("offers", "other", &order("other", "o-2", None)).await;
    world
        .tell(
            "ingestion",
            "acme",
            &subscription("acme", "extra", "2026-01-10", 20, "o-2"),
        )
        .await;
    let request = GetRevenueMetricsRequest {
        window: window("2026-01-01", "2026-02-01"),
        ..Default::default()
    };
    let before = metrics
        .get_revenue_metrics(request.clone())
        .await
        .unwrap()
        .into_inner()
        .currencies
        .remove(0);
    assert_eq!(before.expansion_attributed, Some(kzt(0)));
    world.tell("offers", "acme", &order("acme", "o-1", None)).await;
    let after = metrics
        .get_revenue_metrics(request)
        .await
        .unwrap()
        .into_inner()
        .currencies
        .remove(0);
    assert_eq!(
        (after.expansion_attributed, after.expansion_gross),
        (Some(kzt(30)), Some(kzt(50)))
    );
}
