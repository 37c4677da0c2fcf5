//! Signal → offer → message → answer → order → payment.

use tonic::Code;
use upswell_proto::{
    offers::v1::{self as pb, decline_offer_request::Reason, offer::State, order},
    scoring::v1::signal,
    vocabulary::v1::{Channel, Motion},
};

use super::world::{SLOT, World, at, request_id, wire};

async fn sent() -> (World, pb::Offer) {
    let mut world = World::new().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    (world, offer)
}

fn accept(offer: &pb::Offer, id: &str) -> pb::AcceptOfferRequest {
    pb::AcceptOfferRequest {
        offer_id: offer.offer_id.clone(),
        request_id: request_id(id),
    }
}

#[tokio::test]
async fn t5_from_signal_to_money() {
    let (mut world, offer) = sent().await;
    assert_eq!(offer.channel(), Channel::Email);
    let file = std::fs::read_to_string(world.spooled("email", &offer.touch_id)).unwrap();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    assert_eq!(
        (file["contact"]["address"].as_str(), file["sent_time"].as_str()),
        (Some("ann@acme.example"), Some(SLOT))
    );
    assert_eq!(
        file["message"]["subject"].as_str(),
        offer.message.as_ref().map(|message| message.subject.as_str())
    );

    world.clock.set("2026-10-14T09:00:00Z".parse().unwrap());
    world.reply("", "+").await;
    let accepted = world.offer(Motion::Capacity, State::Accepted).await;
    let orders = world.all_orders().await;
    assert_eq!(orders.len(), 1);
    assert_eq!(
        (orders[0].order_id.as_str(), orders[0].state()),
        (accepted.order_id.as_str(), order::State::Placed)
    );
    assert_eq!(orders[0].terms, offer.terms);

    world.payment(&orders[0].order_id).await;
    assert_eq!(world.all_orders().await[0].state(), order::State::Paid);
    // A second part of the payment is no second payment.
    let paid = world.all_orders().await;
    world.clock.set("2026-10-20T09:00:00Z".parse().unwrap());
    world.payment(&orders[0].order_id).await;
    assert_eq!(world.all_orders().await, paid);
}

#[tokio::test]
async fn t5_accepting_twice_is_one_order() {
    let (mut world, offer) = sent().await;
    let first = world
        .offers()
        .accept_offer(accept(&offer, "a"))
        .await
        .unwrap()
        .into_inner();
    let same = world
        .offers()
        .accept_offer(accept(&offer, "a"))
        .await
        .unwrap()
        .into_inner();
    let other = world
        .offers()
        .accept_offer(accept(&offer, "b"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, same);
    assert_eq!(first.order, other.order);
    world.reply(&offer.offer_id, "+").await;
    assert_eq!(world.all_orders().await.len(), 1);
    // The same id with another request is a mistake of the caller.
    let reused = pb::AcceptOfferRequest {
        offer_id: request_id("none"),
        request_id: request_id("a"),
    };
    assert_eq!(
        world.offers().accept_offer(reused).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn t5_i5_a_plus_that_was_written_in_time_counts_however_late_it_is_told() {
    for named in [true, false] {
        let (mut world, offer) = sent().await;
        world.run_to("2026-11-20T05:00:00Z").await;
        world.offer(Motion::Capacity, State::Expired).await;
        // Written too late, and before there was anything to answer.
        for time in ["2026-11-19T05:00:00Z", "2026-10-12T04:00:00Z"] {
            world.reply_of("", "+", at(time)).await;
            world.offer(Motion::Capacity, State::Expired).await;
        }
        let offer_id = if named { offer.offer_id.as_str() } else { "" };
        world.reply_of(offer_id, "+", at("2026-10-14T09:00:00Z")).await;
        world.offer(Motion::Capacity, State::Accepted).await;
        let orders = world.all_orders().await;
        assert_eq!(orders.len(), 1);
        assert_eq!(orders[0].place_time, Some(wire(at("2026-10-14T09:00:00Z"))));
    }
}

#[tokio::test]
async fn t5_words_accept_nothing() {
    let (mut world, offer) = sent().await;
    for words in ["+1", "yes please", "++"] {
        world.reply("", words).await;
    }
    world.reply("no-such-offer", "+").await;
    assert_eq!(world.offer(Motion::Capacity, State::Sent).await, offer);
    assert_eq!(world.all_orders().await, []);
}

#[tokio::test]
async fn t8_a_decline_has_its_reason_and_blocks() {
    let (mut world, offer) = sent().await;
    let mut decline = pb::DeclineOfferRequest {
        offer_id: offer.offer_id.clone(),
        reason: Reason::Unspecified.into(),
        comment: String::new(),
        request_id: request_id("d"),
    };
    assert_eq!(
        world.offers().decline_offer(decline.clone()).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    decline.set_reason(Reason::Price);
    decline.comment = "too dear".into();
    let declined = world
        .offers()
        .decline_offer(decline)
        .await
        .unwrap()
        .into_inner()
        .offer
        .unwrap();
    assert_eq!(
        (declined.state(), declined.close_reason.as_str()),
        (State::Declined, "price: too dear")
    );
    let late = world.offers().accept_offer(accept(&offer, "late")).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);
    // SG-R3: 90 days of rest, whatever the signal says.
    world.limit_signal(signal::State::Open).await;
    world.run_to("2026-12-01T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Declined).await;
}

#[tokio::test]
async fn m5_expired_terms_cannot_be_accepted() {
    let (world, offer) = sent().await;
    world.clock.set("2026-11-20T05:00:00Z".parse().unwrap());
    let late = world.offers().accept_offer(accept(&offer, "late")).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);
    assert!(late.message().contains("terms"), "{late:?}");
    world.run().await;
    world.offer(Motion::Capacity, State::Expired).await;
}

#[tokio::test]
async fn sg5_help_comes_at_once_and_an_offer_a_week_later() {
    let mut world = World::new().await;
    world.known().await;
    world.ticket_signal().await;
    world.run().await;
    let recipe = world.offer(Motion::Value, State::Sent).await;
    assert_eq!(recipe.terms, None);
    world.run_to(SLOT).await;
    world.offer(Motion::PremiumSupport, State::Deferred).await;
    world.run_to("2026-10-18T05:00:00Z").await;
    world.offer(Motion::PremiumSupport, State::Deferred).await;
    world.run_to("2026-10-19T05:00:00Z").await;
    let support = world.offer(Motion::PremiumSupport, State::Sent).await;
    assert_eq!(support.channel(), Channel::CsmTask);
    assert!(!support.message.unwrap().banner.is_empty());
    // T-5: help has no price, so taking it is no order.
    let accepted = world
        .offers()
        .accept_offer(accept(&recipe, "recipe"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(accepted.order, None);
}

#[tokio::test]
async fn c6_a_crash_while_sending_sends_once() {
    let mut world = World::new().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    // The folder of the spool cannot be made: the channel is away, and the offer stays where it is.
    let spool = world.folder.path().join("spool");
    std::fs::write(&spool, "in the way").unwrap();
    world.run_to(SLOT).await;
    let stuck = world.offer(Motion::Capacity, State::Sending).await;
    std::fs::remove_file(&spool).unwrap();
    world.run_to("2026-10-12T09:00:00Z").await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!(offer.touch_id, stuck.touch_id);
    assert_eq!(world.spool_count(), 1);
    let touches = world.touches().await;
    assert_eq!((touches.len(), touches[0].state()), (1, pb::touch::State::Confirmed));
    // It counts at the instant at which sending began, which the message carries.
    assert_eq!(offer.send_time, Some(wire(at(SLOT))));
    world.run_to("2026-10-12T10:00:00Z").await;
    assert_eq!(world.spool_count(), 1);
}

#[tokio::test]
async fn c9_a_run_that_is_repeated_decides_nothing_anew() {
    let (world, offer) = sent().await;
    for _ in 0..3 {
        world.run().await;
    }
    assert_eq!(world.offer(Motion::Capacity, State::Sent).await, offer);
    assert_eq!(world.job("offers.decide_slots").await, 0);
    let decisions = world
        .decisions()
        .list_decisions(pb::ListDecisionsRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(decisions.decisions.len(), 1);
}
