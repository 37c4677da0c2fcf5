//! The edge: who is believed, and what the links do.

use http::StatusCode;
use sea_orm::{ConnectionTrait as _, Statement};
use upswell_proto::{
    offers::v1::offer::State,
    scoring::v1::signal,
    vocabulary::v1::{Channel, Motion},
};

use super::{
    Office, THEIR_KEY, independent,
    mailbox::{Mail, Mailbox},
};
use crate::world::{SLOT, World, post, request};

/// A provider tells something, signed by an implementation that is not ours.
pub(crate) async fn told(world: &World, channel: &str, id: &str, body: &serde_json::Value) -> (StatusCode, String) {
    let body = body.to_string();
    let now = world.clock.now().as_second();
    let signature = independent(THEIR_KEY).sign(id, now, body.as_bytes()).unwrap();
    let at = now.to_string();
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    post(world.edge(), &format!("/webhooks/{channel}"), &headers, body).await
}

pub(crate) fn notice(world: &World, kind: &str, message_id: &str) -> serde_json::Value {
    serde_json::json!({
        "type": format!("message.{kind}"),
        "timestamp": world.clock.now().to_string(),
        "data": {"message_id": message_id},
    })
}

async fn mailed() -> (Office, World, Mailbox, Mail) {
    let mailbox = Mailbox::open().await;
    let office = Office::new("email").mail(mailbox.port);
    let mut world = office.open().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    let mail = mailbox.mails().remove(0);
    (office, world, mailbox, mail)
}

#[tokio::test]
async fn t2_nothing_is_believed_without_a_signature() {
    let (_office, world, _mailbox, mail) = mailed().await;
    let id = mail.header("Message-ID").unwrap();
    let body = notice(&world, "delivered", &id).to_string();
    let now = world.clock.now().as_second();
    let sign = |key, at: i64| independent(key).sign("m-1", at, body.as_bytes()).unwrap();
    let cases = [
        ("another key", sign([1; 32], now), now),
        ("no signature", "v1,".to_owned(), now),
        ("too old", sign(THEIR_KEY, now - 301), now - 301),
        ("from the future", sign(THEIR_KEY, now + 301), now + 301),
        ("another time than the signed one", sign(THEIR_KEY, now), now + 1),
    ];
    for (case, signature, at) in cases {
        let at = at.to_string();
        let headers = [
            ("webhook-id", "m-1"),
            ("webhook-timestamp", at.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        let (status, _) = post(world.edge(), "/webhooks/email", &headers, body.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{case}");
    }
    let (status, _) = post(world.edge(), "/webhooks/email", &[], body.clone()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        told(&world, "sms", "m-1", &notice(&world, "delivered", &id)).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(world.offer(Motion::Capacity, State::Sent).await.deliver_time, None);
    // Among several signatures one that fits is enough: so keys are changed.
    let both = format!("{} {}", sign([1; 32], now), sign(THEIR_KEY, now));
    let at = now.to_string();
    let headers = [
        ("webhook-id", "m-1"),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", both.as_str()),
    ];
    assert_eq!(
        post(world.edge(), "/webhooks/email", &headers, body).await.0,
        StatusCode::OK
    );
    assert!(world.offer(Motion::Capacity, State::Sent).await.deliver_time.is_some());
}

#[tokio::test]
async fn t5_the_link_of_a_message_accepts_once() {
    let (_office, world, _mailbox, _mail) = mailed().await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    let path = world.link("offer", &offer.touch_id);
    let (status, page) = request(world.edge(), "GET", &path, &[], String::new()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("92%"), "{page}");
    let seen = world.offer(Motion::Capacity, State::Sent).await;
    assert!(seen.click_time.is_some() && seen.open_time.is_some() && seen.deliver_time.is_some());
    assert_eq!(
        post(world.edge(), &path, &[], "answer=decline".into()).await.0,
        StatusCode::BAD_REQUEST
    );
    for _ in 0..2 {
        assert_eq!(
            post(world.edge(), &path, &[], "answer=accept".into()).await.0,
            StatusCode::OK
        );
    }
    assert_eq!(world.all_orders().await.len(), 1);
    let late = post(world.edge(), &path, &[], "answer=decline&reason=price".into()).await;
    assert_eq!(late.0, StatusCode::CONFLICT);
    let forged = format!("{}x", &path[..path.len() - 1]);
    assert_eq!(
        request(world.edge(), "GET", &forged, &[], String::new()).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn t8_the_link_declines_with_a_reason_of_the_list() {
    let (_office, world, _mailbox, _mail) = mailed().await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    let path = world.link("offer", &offer.touch_id);
    assert_eq!(
        post(world.edge(), &path, &[], "answer=decline&reason=nonsense".into())
            .await
            .0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post(world.edge(), &path, &[], "answer=decline&reason=timing".into())
            .await
            .0,
        StatusCode::OK
    );
    assert_eq!(
        world.offer(Motion::Capacity, State::Declined).await.close_reason,
        "timing"
    );
}

/// How many ContactUnsubscribed go to metrics.
async fn unsubscribes_told(world: &World) -> i64 {
    let db = world.service.db.reader();
    let sql = "SELECT COUNT(*) AS n FROM outbox \
               WHERE dest = 'metrics' AND topic = 'upswell.offers.v1.ContactUnsubscribed'";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

#[tokio::test]
async fn c10_one_click_ends_the_messages_of_a_channel_for_good() {
    let (_office, mut world, mailbox, mail) = mailed().await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    let link = mail.header("List-Unsubscribe").unwrap();
    let path = link
        .trim_matches(['<', '>'])
        .strip_prefix("http://offers.example")
        .unwrap()
        .to_owned();
    assert_eq!(path, world.link("opt-out", &offer.touch_id));
    // Programs that follow links only look.
    assert_eq!(
        request(world.edge(), "GET", &path, &[], String::new()).await.0,
        StatusCode::OK
    );
    assert_eq!(
        post(world.edge(), &path, &[], "List-Unsubscribe=One-Click".into())
            .await
            .0,
        StatusCode::OK
    );
    assert_eq!(
        post(world.edge(), &path, &[], "List-Unsubscribe=One-Click".into())
            .await
            .0,
        StatusCode::OK
    );
    assert_eq!(unsubscribes_told(&world).await, 1, "to metrics, once (K-12)");
    // The profile still says that the person agreed; what the person said stands.
    world.contact(true).await;
    world.ticket_signal().await;
    world.run().await;
    let recipe = world.offer(Motion::Value, State::Sent).await;
    assert_eq!(recipe.channel(), Channel::InApp);
    assert_eq!(mailbox.mails().len(), 1);
}
