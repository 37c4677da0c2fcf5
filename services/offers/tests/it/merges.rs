//! Facts that were corrected, and accounts that are one (I-3, I-5).

use upswell_proto::{
    offers::v1::{offer::State, order, touch},
    scoring::v1::signal,
    vocabulary::v1::{Motion, TouchClass},
};

use super::world::{ACCOUNT, SLOT, World, at, wire};

/// An account that was sent an offer in its slot.
async fn sent() -> World {
    let mut world = World::new().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    world.offer(Motion::Capacity, State::Sent).await;
    world
}

#[tokio::test]
async fn i3_what_was_said_to_a_part_counts_for_the_whole() {
    let mut world = World::new().await;
    world.known().await;
    world.profile_of("acme-eu", false, "").await;
    world.limit_signal(signal::State::Open).await;
    world.clock.set(at("2026-10-12T04:00:00Z"));
    world
        .touch_told("acme-eu", TouchClass::Commercial, "2026-10-12T04:00:00Z", false)
        .await;
    world.merge("acme-eu", false).await;
    world.run_to(SLOT).await;
    let deferred = world.offer(Motion::Capacity, State::Deferred).await;
    assert_eq!(deferred.deferred_until_time, Some(wire(at("2026-10-19T04:00:00Z"))));
    // Undone: the touch was never this account's.
    world.merge("acme-eu", true).await;
    world.run_to("2026-10-13T05:00:00Z").await;
    let sent = world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!(sent.offer_id, deferred.offer_id);
}

#[tokio::test]
async fn i3_nothing_is_decided_about_a_part() {
    let mut world = World::new().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.profile_of("acme-group", false, "csm-1").await;
    // The account of this world becomes the part.
    let event = upswell_proto::ingestion::v1::AccountsMerged {
        account_id: "acme-group".into(),
        merged_account_id: ACCOUNT.into(),
        merge_id: "m".into(),
    };
    world.tell("ingestion", "acme-group", &event).await;
    world.run_to(SLOT).await;
    assert_eq!(world.all_offers().await, []);
}

#[tokio::test]
async fn i5_a_corrected_touch_gives_its_place_back() {
    let mut world = World::new().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.clock.set(at("2026-10-12T04:00:00Z"));
    world.observed(TouchClass::Commercial, "2026-10-12T04:00:00Z").await;
    world
        .touch_told(ACCOUNT, TouchClass::Commercial, "2026-10-12T04:00:00Z", true)
        .await;
    let touches = world.touches().await;
    assert_eq!(
        (touches[0].state(), touches[0].release_reason.as_str()),
        (touch::State::Released, "superseded")
    );
    world.run_to(SLOT).await;
    world.offer(Motion::Capacity, State::Sent).await;
    // Of a fact that was never told, nothing is known.
    world
        .touch_told(ACCOUNT, TouchClass::Commercial, "2026-10-11T04:00:00Z", true)
        .await;
    assert_eq!(world.touches().await.len(), 2);
}

#[tokio::test]
async fn i5_a_corrected_reply_takes_its_acceptance_back_unless_it_was_paid() {
    let mut world = sent().await;
    world.clock.set(at("2026-10-13T05:00:00Z"));
    world.reply("", "+").await;
    world.offer(Motion::Capacity, State::Accepted).await;
    world.reply_corrected("+", "2026-10-13T05:00:00Z").await;
    let open = world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!(open.order_id, "");
    assert_eq!(world.all_orders().await[0].state(), order::State::Cancelled);
    // It may be accepted after all, and that is the same one order.
    world.clock.set(at("2026-10-14T05:00:00Z"));
    world.reply("", "+").await;
    let accepted = world.offer(Motion::Capacity, State::Accepted).await;
    let orders = world.all_orders().await;
    assert_eq!((orders.len(), orders[0].state()), (1, order::State::Placed));
    world.payment(&accepted.order_id).await;
    world.reply_corrected("+", "2026-10-14T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Accepted).await;
    assert_eq!(world.all_orders().await[0].state(), order::State::Paid);
}

#[tokio::test]
async fn i5_a_corrected_payment_leaves_the_order_unpaid() {
    let mut world = sent().await;
    world.reply("", "+").await;
    let order_id = world.offer(Motion::Capacity, State::Accepted).await.order_id;
    world.clock.set(at("2026-10-13T05:00:00Z"));
    world.payment_told("bank", &order_id, false).await;
    world.clock.set(at("2026-10-14T05:00:00Z"));
    world.payment_told("ledger", &order_id, false).await;
    let paid = world.all_orders().await.remove(0);
    assert_eq!(paid.pay_time, Some(wire(at("2026-10-13T05:00:00Z"))));
    // The first payment was none: the second one counts.
    world.payment_told("bank", &order_id, true).await;
    let paid = world.all_orders().await.remove(0);
    assert_eq!(
        (paid.state(), paid.pay_time),
        (order::State::Paid, Some(wire(at("2026-10-14T05:00:00Z"))))
    );
    world.payment_told("ledger", &order_id, true).await;
    let unpaid = world.all_orders().await.remove(0);
    assert_eq!((unpaid.state(), unpaid.pay_time), (order::State::Placed, None));
}
