//! Text messages by signed webhook to a provider that behaves badly.

use http::StatusCode;
use upswell_proto::{
    offers::v1::{offer::State, touch},
    scoring::v1::signal,
    vocabulary::v1::{Channel, Motion},
};

use super::{
    OLD_KEY, OUR_KEY, Office,
    edge::{notice, told},
    independent,
    provider::{Act, Asked, Provider},
};
use crate::world::{SLOT, World};

/// When the attempts after the first are due at the latest.
const LATER: [&str; 3] = ["2026-10-12T05:00:10Z", "2026-10-12T05:02:00Z", "2026-10-12T05:10:00Z"];

async fn due(script: &[Act]) -> (Office, World, Provider) {
    let provider = Provider::open(script).await;
    let office = Office::new("whatsapp")
        .provider("whatsapp", &provider.url)
        .messenger("whatsapp");
    let mut world = office.open().await;
    world.known().await;
    world
        .contact_at(&[
            (Channel::Whatsapp, "+77010000001"),
            (Channel::Email, "ann@acme.example"),
        ])
        .await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    (office, world, provider)
}

async fn later(world: &World) {
    for time in LATER {
        world.run_to(time).await;
    }
}

async fn touch(world: &World) -> (touch::State, String) {
    let touches = world.touches().await;
    assert_eq!(touches.len(), 1, "{touches:#?}");
    (touches[0].state(), touches[0].release_reason.clone())
}

/// Every request is signed by both keys, as an independent implementation signs it.
fn assert_signed(asked: &Asked, touch_id: &str) {
    assert_eq!(
        (asked.header("webhook-id"), asked.header("idempotency-key")),
        (touch_id.to_owned(), touch_id.to_owned())
    );
    let at: i64 = asked.header("webhook-timestamp").parse().unwrap();
    let signed = |key| independent(key).sign(touch_id, at, &asked.body).unwrap();
    let expected = format!("{} {}", signed(OUR_KEY), signed(OLD_KEY));
    assert_eq!(asked.header("webhook-signature"), expected);
}

#[tokio::test]
async fn c6_nothing_is_sent_twice_whatever_the_provider_does() {
    let (_office, world, provider) = due(&[Act::TakeAndHang, Act::Status(500), Act::TakeAndCut, Act::Take]).await;
    let sending = world.offer(Motion::Capacity, State::Sending).await;
    assert_eq!(sending.channel(), Channel::Whatsapp);
    world.run().await;
    assert_eq!(provider.asked().len(), 1, "it is not asked again before its time");
    later(&world).await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    world.run_to("2026-10-12T09:00:00Z").await;
    let asked = provider.asked();
    assert_eq!((asked.len(), provider.phones().len()), (4, 1));
    for one in &asked {
        assert_signed(one, &offer.touch_id);
    }
    // What reached the phone is what the offer says.
    let sent: serde_json::Value = serde_json::from_slice(&provider.phones()[&offer.touch_id]).unwrap();
    assert_eq!(sent["type"], "message.send");
    assert_eq!(sent["data"]["contact"]["address"], "+77010000001");
    assert_eq!(sent["data"]["message"]["body"], offer.message.unwrap().body);
    assert_eq!(touch(&world).await.0, touch::State::Confirmed);
}

#[tokio::test]
async fn k9_duplicate_receipts_change_nothing() {
    let (_office, world, provider) = due(&[]).await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    // The provider names the message as it called it.
    let name = format!("sm-{}", offer.touch_id);
    world.clock.set("2026-10-12T05:01:00Z".parse().unwrap());
    for id in ["r-1", "r-1", "r-2"] {
        assert_eq!(
            told(&world, "whatsapp", id, &notice(&world, "delivered", &name))
                .await
                .0,
            StatusCode::OK
        );
    }
    let delivered = world.offer(Motion::Capacity, State::Sent).await;
    world.clock.set("2026-10-12T05:30:00Z".parse().unwrap());
    for (id, kind) in [
        ("r-3", "delivered"),
        ("r-4", "opened"),
        ("r-5", "clicked"),
        ("r-6", "opened"),
        ("r-7", "bounced"),
    ] {
        assert_eq!(
            told(&world, "whatsapp", id, &notice(&world, kind, &name)).await.0,
            StatusCode::OK,
            "{kind}"
        );
    }
    let seen = world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!((seen.deliver_time, delivered.open_time), (delivered.deliver_time, None));
    assert_eq!((seen.open_time, seen.click_time), (seen.open_time, seen.open_time));
    assert!(seen.open_time.is_some() && seen.open_time != seen.deliver_time);
    // An unknown message may become known; another kind of news is for others.
    assert_eq!(
        told(&world, "whatsapp", "r-8", &notice(&world, "opened", "sm-else"))
            .await
            .0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        told(&world, "whatsapp", "r-9", &notice(&world, "queued", &name))
            .await
            .1,
        "not needed"
    );
    assert_eq!(
        told(&world, "whatsapp", "r-10", &serde_json::json!({"type": "x"}))
            .await
            .0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(provider.asked().len(), 1);
}

#[tokio::test]
async fn t5_a_plus_by_messenger_is_one_order() {
    let (_office, world, _provider) = due(&[]).await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    world.clock.set("2026-10-12T07:00:00Z".parse().unwrap());
    let mut reply = notice(&world, "replied", &offer.touch_id);
    reply["data"]["text"] = " + ".into();
    for id in ["p-1", "p-1", "p-2"] {
        assert_eq!(told(&world, "whatsapp", id, &reply).await.0, StatusCode::OK);
    }
    world.offer(Motion::Capacity, State::Accepted).await;
    assert_eq!(world.all_orders().await.len(), 1);
}

#[tokio::test]
async fn c6_what_may_have_arrived_counts_in_the_end() {
    let (_office, world, provider) = due(&[Act::Status(500); 9]).await;
    later(&world).await;
    world.offer(Motion::Capacity, State::Sent).await;
    world.run_to("2026-10-12T12:00:00Z").await;
    assert_eq!((provider.asked().len(), provider.phones().len()), (4, 0));
    assert_eq!(touch(&world).await.0, touch::State::Confirmed);
}

#[tokio::test]
async fn c6_what_certainly_did_not_arrive_gives_its_place_back() {
    for (script, requests) in [
        ([Act::Status(400); 4], 1),
        ([Act::Status(503); 4], 4),
        ([Act::Status(429); 4], 4),
        // A redirect leads away from the configured address, and is not followed.
        ([Act::Redirect; 4], 4),
        // Gone for good: it is not asked again.
        ([Act::Status(410); 4], 1),
    ] {
        let (_office, world, provider) = due(&script).await;
        later(&world).await;
        world.offer(Motion::Capacity, State::Withdrawn).await;
        assert_eq!(
            (provider.asked().len(), provider.phones().len()),
            (requests, 0),
            "{script:?}"
        );
        assert_eq!(
            touch(&world).await,
            (touch::State::Released, "not_sent".to_owned()),
            "{script:?}"
        );
    }
}

#[tokio::test]
async fn c6_a_crash_in_the_middle_of_an_attempt_is_repeated_under_the_same_key() {
    let provider = Provider::open(&[Act::TakeAndHang]).await;
    let office = Office::new("whatsapp")
        .provider("whatsapp", &provider.url)
        .messenger("whatsapp");
    let mut world = office.open().await;
    world.known().await;
    world.contact_at(&[(Channel::Whatsapp, "+77010000001")]).await;
    world.limit_signal(signal::State::Open).await;
    world.clock.set(SLOT.parse().unwrap());
    let arrived = async {
        while provider.phones().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = arrived => {}
        () = world.run() => panic!("it was not cut off"),
    }
    world.offer(Motion::Capacity, State::Sending).await;
    world.run().await;
    world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!((provider.asked().len(), provider.phones().len()), (2, 1));
}

#[tokio::test]
async fn t7_a_variant_may_leave_at_its_own_time_of_day() {
    let provider = Provider::open(&[]).await;
    let test =
        "test: {key: afternoon, arms: [{key: a, control: true, send_at: \"15:00\"}, {key: b, send_at: \"15:00\"}]}";
    let office = Office::new("whatsapp")
        .provider("whatsapp", &provider.url)
        .messenger("whatsapp");
    let office = office.rewrite("capacity-growth", "owner: auto\n", &format!("owner: auto\n{test}\n"));
    let mut world = office.open().await;
    world.known().await;
    world.contact_at(&[(Channel::Whatsapp, "+77010000001")]).await;
    world.limit_signal(signal::State::Open).await;
    // The slot decides at ten; the message waits for three in the afternoon, Almaty time.
    world.run_to(SLOT).await;
    world.offer(Motion::Capacity, State::Reserved).await;
    world.run_to("2026-10-12T09:59:59Z").await;
    assert_eq!(provider.asked().len(), 0);
    world.run_to("2026-10-12T10:00:00Z").await;
    world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!(provider.phones().len(), 1);
}
