//! What the specification calls impossible by construction (C-18).

use upswell_proto::{
    offers::v1::{gate_verdict::Verdict, offer::State, touch},
    renewals::v1::deal,
    scoring::v1::signal,
    vocabulary::v1::{Channel, Motion, SignalKind},
};

use super::world::{SLOT, World, at};

async fn known() -> World {
    let mut world = World::new().await;
    world.known().await;
    world
}

#[tokio::test]
async fn c18_no_copies_of_an_offer_in_three_channels_in_a_day() {
    let mut world = known().await;
    world
        .contact_at(&[
            (Channel::Email, "ann@acme.example"),
            (Channel::InApp, "ann"),
            (Channel::Whatsapp, "+77010000001"),
        ])
        .await;
    world.limit_signal(signal::State::Open).await;
    for hour in 5..20 {
        world.run_to(&format!("2026-10-12T{hour:02}:00:00Z")).await;
    }
    assert_eq!((world.touches().await.len(), world.spool_count()), (1, 1));
}

#[tokio::test]
async fn c18_no_five_offers_in_the_week_before_a_renewal() {
    let mut world = known().await;
    world.deal("2026-10-19", deal::Stage::LastMile).await;
    for (kind, subject, figure) in [
        (SignalKind::LimitApproach, "users", "used_percent"),
        (SignalKind::LimitApproach, "storage_gb", "used_percent"),
        (SignalKind::LimitApproach, "integrations", "used_percent"),
        (SignalKind::TicketCluster, "billing", "tickets"),
        (SignalKind::WeakAdoption, "dau_mau", "dau_mau_percent"),
    ] {
        let figures = [(figure, 92.0, "%")];
        world.signal(kind, subject, signal::State::Open, &figures).await;
    }
    for day in 12..20 {
        world.run_to(&format!("2026-10-{day}T05:00:00Z")).await;
    }
    let touches = world.touches().await;
    let made = touches.iter().filter(|touch| touch.state() == touch::State::Confirmed);
    assert_eq!(made.count(), 1, "{touches:#?}");
}

#[test]
fn c18_no_technology_text_for_the_cfo() {
    let mut files = upswell_offers::policy::sources(None);
    let (_, growth) = files
        .iter_mut()
        .find(|(name, _)| name.contains("capacity-growth"))
        .unwrap();
    *growth = growth.replace("claim: figures", "claim: reliability");
    let faults = upswell_offers::policy::parse(&files).unwrap_err().to_string();
    assert!(faults.contains("reliability") && faults.contains("finance"), "{faults}");
}

#[tokio::test]
async fn c18_no_offer_on_a_weak_chance() {
    let mut world = known().await;
    world.score(0.1, 0).await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    world.offer(Motion::Capacity, State::Deferred).await;
    assert_eq!(world.spool_count(), 0);
    let decision = world.explain().await;
    let gates = decision.candidates[0].gates.iter();
    let mut against = gates.filter(|gate| gate.verdict() != Verdict::Pass);
    assert_eq!(against.next().unwrap().rule_id, "SC-9");
}

#[tokio::test]
async fn c18_no_grown_account_goes_unnoticed() {
    let mut world = known().await;
    let figures = [("growth_percent", 18.0, "%")];
    world
        .signal(SignalKind::VolumeGrowth, "users", signal::State::Open, &figures)
        .await;
    // Whatever stands in the way, the growth is weighed every day, and said.
    world
        .ticket(upswell_proto::ingestion::v1::ticket::Severity::Critical, false)
        .await;
    for day in 12..15 {
        world.run_to(&format!("2026-10-{day}T05:00:00Z")).await;
        let decision = world.explain_at(at(&format!("2026-10-{day}T05:00:00Z"))).await;
        assert_eq!(decision.candidates[0].playbook, "capacity-growth", "{decision:#?}");
    }
    world
        .ticket(upswell_proto::ingestion::v1::ticket::Severity::Critical, true)
        .await;
    world.run_to("2026-10-15T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Sent).await;
}
