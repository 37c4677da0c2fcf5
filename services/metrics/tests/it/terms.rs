//! What a contract says about later days moves MRR on those days, each with its own cause (K-1).

use upswell_proto::{
    gtype,
    ingestion::v1::{
        Discount, Escalator, SubscriptionChanged,
        subscription_terms::{Kind, Reason},
    },
    metrics::v1::{ListMovementsRequest, MovementCause, MovementKind},
    vocabulary::v1::BillingPeriod,
};

use crate::world::{World, kzt, subscription, window, wire_day};

/// A plan at 1,200 tenge a year for each of 10 seats, from 2026-01-01.
fn plan(account: &str, mrr: i64) -> SubscriptionChanged {
    let mut told = subscription(account, "plan", "2026-01-01", mrr, "");
    let terms = told.terms.as_mut().unwrap();
    terms.product = "pro".to_owned();
    terms.set_kind(Kind::Plan);
    terms.set_period(BillingPeriod::Year);
    (terms.unit_price, terms.quantity) = (Some(kzt(1_200)), 10);
    told
}

async fn moved(world: &World, account: &str) -> Vec<(gtype::Date, MovementKind, MovementCause, i64)> {
    let request = ListMovementsRequest {
        window: window("2026-01-01", "2029-01-01"),
        account_id: account.to_owned(),
        ..ListMovementsRequest::default()
    };
    let page = world.metrics.clone().list_movements(request).await.unwrap();
    let movements = page.into_inner().movements.into_iter();
    movements
        .map(|m| (m.day.unwrap(), m.kind(), m.cause(), m.amount.as_ref().unwrap().units))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_discounts_and_escalators_of_the_contract_move_mrr_on_their_days() {
    let world = World::start().await;
    let mut told = plan("a", 500);
    let terms = told.terms.as_mut().unwrap();
    terms.discounts = vec![Discount {
        basis_points: 5_000,
        end_date: Some(wire_day("2026-07-01")),
    }];
    terms.escalator = Some(Escalator {
        basis_points: 1_000,
        first_date: Some(wire_day("2027-01-01")),
        every_months: None,
    });
    world.tell("ingestion", "a", &told).await;
    let at = |day: &str, kind, cause, amount| (wire_day(day), kind, cause, amount);
    assert_eq!(
        moved(&world, "a").await,
        [
            at("2026-01-01", MovementKind::New, MovementCause::Added, 500),
            at(
                "2026-07-01",
                MovementKind::Expansion,
                MovementCause::DiscountExpiry,
                500
            ),
            at("2027-01-01", MovementKind::Expansion, MovementCause::Escalator, 100),
            at("2028-01-01", MovementKind::Expansion, MovementCause::Escalator, 110),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_credit_notes_seats_and_migrations_are_causes_of_their_own() {
    let world = World::start().await;
    world.tell("ingestion", "a", &plan("a", 1_000)).await;
    let changed = |from: &str, mrr: i64, change: fn(&mut upswell_proto::ingestion::v1::SubscriptionTerms)| {
        let mut told = plan("a", mrr);
        told.version_id = format!("billing/a/plan@{from}");
        let terms = told.terms.as_mut().unwrap();
        terms.effective_date = Some(wire_day(from));
        change(terms);
        told
    };
    let versions = [
        changed("2026-02-01", 1_200, |terms| terms.quantity = 12),
        changed("2026-03-01", 1_100, |terms| {
            terms.quantity = 12;
            terms.set_reason(Reason::Credit);
        }),
        // The same value under another plan is a migration that moves nothing.
        changed("2026-04-01", 1_100, |terms| {
            terms.quantity = 12;
            terms.product = "team".to_owned();
        }),
        changed("2026-05-01", 1_300, |terms| {
            terms.quantity = 12;
            terms.product = "enterprise".to_owned();
        }),
        changed("2026-06-01", 1_250, |terms| {
            terms.quantity = 12;
            terms.product = "enterprise".to_owned();
            terms.set_reason(Reason::Discount);
        }),
    ];
    // The latest first: what is late corrects what it touches.
    for version in versions.iter().rev() {
        world.tell("ingestion", "a", version).await;
    }
    let told: Vec<_> = moved(&world, "a")
        .await
        .into_iter()
        .map(|(day, _, cause, amount)| (day.month, cause, amount))
        .collect();
    assert_eq!(
        told,
        [
            (1, MovementCause::Added, 1_000),
            (2, MovementCause::Seats, 200),
            (3, MovementCause::Credit, -100),
            (5, MovementCause::Migration, 200),
            (6, MovementCause::Discount, -50),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_a_schedule_that_cannot_be_computed_is_refused() {
    let world = World::start().await;
    let mut told = plan("a", 500);
    let terms = told.terms.as_mut().unwrap();
    terms.discounts = vec![Discount::default()];
    terms.set_period(BillingPeriod::Unspecified);
    let event = world.event("ingestion", "a", &told);
    let (outcome, detail) = world.deliver("ingestion", event).await;
    assert_ne!(outcome, upswell_proto::delivery::v1::event_result::Outcome::Applied);
    assert!(detail.contains("2 invalid fields"), "{detail}");
}
