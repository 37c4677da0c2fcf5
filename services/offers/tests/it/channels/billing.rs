//! Orders are handed to a billing that behaves badly, and come back paid (T-5).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{KeyInit as _, Mac as _};
use upswell_proto::{
    offers::v1::{offer::State, order},
    scoring::v1::signal,
    vocabulary::v1::Motion,
};

use super::{
    OUR_KEY, Office, independent,
    provider::{Act, Asked, Provider},
};
use crate::world::{SLOT, World, at};

impl Office {
    /// Billing takes the orders, and customers pay at its page.
    fn billing(mut self, url: &str) -> Self {
        let key = self.key("billing", OUR_KEY);
        self.set("BILLING__URL", url);
        self.set("BILLING__SECRET_FILES", key);
        self.set("BILLING__CHECKOUT_URL", "https://pay.example");
        self
    }
}

/// An offer that was accepted by reply a day later.
async fn accepted(script: &[Act]) -> (Office, World, Provider) {
    let provider = Provider::open(script).await;
    let office = Office::new("sms").billing(&provider.url);
    let mut world = office.open().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    world.offer(Motion::Capacity, State::Sent).await;
    world.clock.set(at("2026-10-13T09:00:00Z"));
    world.reply("", "+").await;
    world.job("offers.hand_orders").await;
    (office, world, provider)
}

fn body(asked: &Asked) -> serde_json::Value {
    serde_json::from_slice(&asked.body).unwrap()
}

/// What billing was told, in its order.
fn told(provider: &Provider) -> Vec<String> {
    let kind = |asked: &Asked| body(asked)["type"].as_str().unwrap().to_owned();
    provider.asked().iter().map(kind).collect()
}

fn token(order_id: &str) -> String {
    let order: uuid::Uuid = order_id.parse().unwrap();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&OUR_KEY).unwrap();
    mac.update(b"checkout");
    mac.update(order.as_bytes());
    let bytes = [order.as_bytes(), &mac.finalize().into_bytes()[..16]].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn t5_an_order_is_handed_to_billing_once_and_comes_back_paid() {
    let (_office, mut world, provider) = accepted(&[Act::Status(500), Act::TakeAndCut]).await;
    assert_eq!(world.all_orders().await[0].hand_time, None);
    for time in [
        "2026-10-13T09:00:02Z",
        "2026-10-13T09:00:10Z",
        "2026-10-13T09:02:00Z",
        "2026-10-13T10:00:00Z",
    ] {
        world.run_to(time).await;
    }
    // Three attempts, one message: the second was taken and its answer lost.
    let asked = provider.asked();
    assert_eq!((asked.len(), provider.phones().len()), (3, 1));
    let order = world.all_orders().await.remove(0);
    let body = body(&asked[0]);
    assert_eq!(body["type"].as_str(), Some("order.placed"));
    assert_eq!(body["data"]["id"].as_str(), Some(order.order_id.as_str()));
    assert_eq!(body["data"]["terms"]["product"].as_str(), Some("seat-pack"));
    let link = format!("https://pay.example/checkout/{}", token(&order.order_id));
    assert_eq!(body["data"]["checkout_url"].as_str(), Some(link.as_str()));
    for one in &asked {
        let (id, sent) = (one.header("webhook-id"), one.header("webhook-timestamp"));
        assert_eq!(id, asked[0].header("webhook-id"));
        let signed = independent(OUR_KEY)
            .sign(&id, sent.parse().unwrap(), &one.body)
            .unwrap();
        assert_eq!(one.header("webhook-signature"), signed);
    }
    assert_eq!(order.billing_reference, format!("sm-{}", asked[0].header("webhook-id")));
    assert!(order.hand_time.is_some());

    world.payment(&order.order_id).await;
    world.run().await;
    let paid = world.all_orders().await.remove(0);
    assert_eq!((paid.state(), &paid.hand_time), (order::State::Paid, &order.hand_time));
    assert_eq!(provider.asked().len(), 3, "billing knows that it was paid");
}

#[tokio::test]
async fn t5_an_order_that_is_taken_back_is_taken_back_at_billing() {
    let (_office, mut world, provider) = accepted(&[]).await;
    assert_eq!(provider.phones().len(), 1);
    world.reply_corrected("+", "2026-10-13T09:00:00Z").await;
    world.run().await;
    assert_eq!(told(&provider), ["order.placed", "order.cancelled"]);
    // What is taken back is nothing to pay.
    let links = provider
        .asked()
        .into_iter()
        .map(|asked| body(&asked)["data"]["checkout_url"].is_string());
    assert_eq!(links.collect::<Vec<_>>(), [true, false]);
    // Accepted again, it is an order again, which billing has to know: another message, though the order is the same.
    world.clock.set(at("2026-10-13T12:00:00Z"));
    world.reply("", "+").await;
    world.run().await;
    assert_eq!(told(&provider), ["order.placed", "order.cancelled", "order.placed"]);
    assert_eq!(provider.phones().len(), 3);
    assert_eq!(world.all_orders().await.len(), 1);
    world.run().await;
    assert_eq!(provider.asked().len(), 3, "it knows all");
}

#[tokio::test]
async fn t5_an_order_of_which_nobody_knows_whether_it_arrived_is_taken_back_too() {
    let (_office, mut world, provider) = accepted(&[Act::TakeAndCut]).await;
    assert_eq!(world.all_orders().await[0].hand_time, None);
    world.reply_corrected("+", "2026-10-13T09:00:00Z").await;
    world.run_to("2026-10-13T11:00:00Z").await;
    assert_eq!(told(&provider), ["order.placed", "order.cancelled"]);
    // And one that was accepted again while it was being taken back is placed again.
    world.reply("", "+").await;
    world.run_to("2026-10-13T12:00:00Z").await;
    assert_eq!(told(&provider), ["order.placed", "order.cancelled", "order.placed"]);
    assert_eq!(provider.phones().len(), 3);
}
