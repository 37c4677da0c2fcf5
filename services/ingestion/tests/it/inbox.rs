use upswell_proto::{
    delivery::v1::{DeliverRequest, Event, delivery_service_client::DeliveryServiceClient, event_result::Outcome},
    offers::v1::{Offer, OfferChanged, Touch, TouchChanged, offer, touch},
};

use crate::harness::{Running, profile};

fn event<M: prost::Message + prost::Name>(sequence: i64, message: &M) -> Event {
    Event {
        event_id: upswell_runtime::ids::derive("test", &[&sequence.to_string()]).to_string(),
        key: "acme".to_owned(),
        sequence,
        topic: M::full_name(),
        payload: message.encode_to_vec(),
        occur_time: Some(prost_types::Timestamp {
            seconds: 1_790_812_800,
            nanos: 0,
        }),
        ..Default::default()
    }
}

#[tokio::test]
async fn offers_and_touches_that_offers_told_are_in_the_picture() {
    let running = Running::start().await;
    running.record_new(vec![profile("p", 1, "mid")]).await;
    let offer = |state: offer::State| OfferChanged {
        offer: Some(Offer {
            offer_id: "o-1".to_owned(),
            account_id: "acme".to_owned(),
            playbook: "capacity".to_owned(),
            motion: 3,
            state: state.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let touch = TouchChanged {
        touch: Some(Touch {
            touch_id: "t-1".to_owned(),
            account_id: "acme".to_owned(),
            class: 1,
            channel: 3,
            sender: "offers".to_owned(),
            state: touch::State::Confirmed.into(),
            ..Default::default()
        }),
    };
    let events = vec![
        event(1, &offer(offer::State::Sent)),
        event(2, &touch),
        event(3, &offer(offer::State::Accepted)),
        Event {
            topic: "upswell.offers.v1.Nothing".to_owned(),
            ..event(4, &touch)
        },
    ];
    let request = DeliverRequest {
        source: "offers".to_owned(),
        shard: 0,
        lease_epoch: 1,
        events,
    };
    let mut delivery = DeliveryServiceClient::new(running.channel.clone());
    let answer = delivery.deliver(request.clone()).await.unwrap().into_inner();
    let outcomes: Vec<Outcome> = answer.results.iter().map(|result| result.outcome()).collect();
    assert_eq!(
        outcomes,
        [Outcome::Applied, Outcome::Applied, Outcome::Applied, Outcome::Refused]
    );
    delivery.deliver(request).await.unwrap();
    let picture = running.picture("acme").await;
    assert_eq!(picture.offers.len(), 1);
    assert_eq!(
        (picture.offers[0].state.as_str(), picture.offers[0].motion),
        ("accepted", 3)
    );
    let touch = &picture.touches[0];
    assert_eq!(
        (
            touch.touch_id.as_str(),
            touch.state.as_str(),
            touch.class,
            touch.channel
        ),
        ("t-1", "confirmed", 1, 3)
    );
}
