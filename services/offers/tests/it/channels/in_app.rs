//! Messages that the customer's product pulls.

use tonic::Code;
use upswell_proto::{
    offers::v1::{self as pb, decline_offer_request::Reason, offer::State, report_in_app_message_request::Event},
    scoring::v1::signal,
    vocabulary::v1::{Channel, Motion},
};

use crate::world::{ACCOUNT, SLOT, World, request_id};

type Client = pb::in_app_service_client::InAppServiceClient<tonic::transport::Channel>;

fn client(world: &World) -> Client {
    Client::new(world.channel.clone())
}

async fn shown(world: &World, contact: &str) -> Vec<pb::InAppMessage> {
    let request = pb::ListInAppMessagesRequest {
        account_id: ACCOUNT.into(),
        contact_id: contact.into(),
        ..Default::default()
    };
    client(world)
        .list_in_app_messages(request)
        .await
        .unwrap()
        .into_inner()
        .messages
}

fn report(message: &pb::InAppMessage, event: Event, id: &str) -> pb::ReportInAppMessageRequest {
    pb::ReportInAppMessageRequest {
        message_id: message.message_id.clone(),
        event: event.into(),
        request_id: request_id(id),
        ..Default::default()
    }
}

/// A capacity offer that is shown in the product.
async fn in_product() -> World {
    let mut world = World::new().await;
    world.known().await;
    world.contact_at(&[(Channel::InApp, "ann")]).await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    world
}

#[tokio::test]
async fn t2_the_product_pulls_shows_and_reports() {
    let world = in_product().await;
    assert_eq!(world.offer(Motion::Capacity, State::Sent).await.deliver_time, None);
    assert_eq!(shown(&world, "bob").await, [], "it is addressed to another person");
    let message = shown(&world, "ann").await.remove(0);
    assert!(
        !message.passive && message.title.contains("92%") && message.deliver_time.is_some(),
        "{message:#?}"
    );
    assert_eq!(shown(&world, "ann").await, std::slice::from_ref(&message));

    world.clock.set("2026-10-12T06:00:00Z".parse().unwrap());
    let mut app = client(&world);
    let seen = app
        .report_in_app_message(report(&message, Event::Seen, "seen"))
        .await
        .unwrap()
        .into_inner();
    let again = app
        .report_in_app_message(report(&message, Event::Seen, "seen"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(seen, again);
    let mut stale = report(&message, Event::Dismissed, "stale");
    stale.etag = message.etag.clone();
    assert_eq!(
        app.report_in_app_message(stale).await.unwrap_err().code(),
        Code::Aborted
    );
    let clicked = app
        .report_in_app_message(report(&message, Event::Clicked, "click"))
        .await
        .unwrap()
        .into_inner();
    let offer = clicked.offer.unwrap();
    assert!(
        offer.deliver_time != offer.open_time && offer.open_time == offer.click_time,
        "{offer:#?}"
    );
    let accepted = app
        .report_in_app_message(report(&message, Event::Accepted, "yes"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(accepted.offer.unwrap().state(), State::Accepted);
    assert!(accepted.order.is_some());
    assert_eq!(shown(&world, "ann").await, []);
    app.report_in_app_message(report(&message, Event::Accepted, "yes again"))
        .await
        .unwrap();
    assert_eq!(world.all_orders().await.len(), 1);
}

#[tokio::test]
async fn t2_what_was_put_away_is_not_shown_again_and_stays_open() {
    let world = in_product().await;
    let message = shown(&world, "ann").await.remove(0);
    client(&world)
        .report_in_app_message(report(&message, Event::Dismissed, "away"))
        .await
        .unwrap();
    assert_eq!(shown(&world, "ann").await, []);
    world.offer(Motion::Capacity, State::Sent).await;
}

#[tokio::test]
async fn t8_a_refusal_in_the_product_needs_its_reason() {
    let world = in_product().await;
    let message = shown(&world, "ann").await.remove(0);
    let mut no = report(&message, Event::Declined, "no");
    let refused = client(&world).report_in_app_message(no.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    no.set_reason(Reason::NoNeed);
    client(&world).report_in_app_message(no).await.unwrap();
    assert_eq!(
        world.offer(Motion::Capacity, State::Declined).await.close_reason,
        "no_need"
    );
}

#[tokio::test]
async fn t6_a_banner_stands_beside_the_task_and_one_answer_closes_both() {
    let world = super::tasks::support_task().await;
    let offer = world.offer(Motion::PremiumSupport, State::Sent).await;
    let touches = world.touches().await.len();
    // The recipe is a message of its own; the banner is passive and costs no touch.
    let banners: Vec<_> = shown(&world, "bob")
        .await
        .into_iter()
        .filter(|message| message.passive)
        .collect();
    assert_eq!(banners.len(), 1);
    assert_eq!(
        (banners[0].offer_id.as_str(), banners[0].body.as_str()),
        (offer.offer_id.as_str(), offer.message.unwrap().banner.as_str())
    );
    assert_eq!(world.touches().await.len(), touches);
    let answered = client(&world)
        .report_in_app_message(report(&banners[0], Event::Accepted, "yes"))
        .await;
    assert_eq!(answered.unwrap().into_inner().offer.unwrap().state(), State::Accepted);
    assert_eq!(
        super::tasks::queue(&world, "csm-1").await,
        [],
        "the task is closed with it"
    );
    assert!(!shown(&world, "bob").await.iter().any(|message| message.passive));
    assert_eq!(world.all_orders().await.len(), 1);
}

#[tokio::test]
async fn a_message_that_does_not_exist_is_not_found() {
    let world = in_product().await;
    let mut none = report(&shown(&world, "ann").await[0], Event::Seen, "none");
    none.message_id = request_id("nothing");
    assert_eq!(
        client(&world).report_in_app_message(none).await.unwrap_err().code(),
        Code::NotFound
    );
    let empty = pb::ListInAppMessagesRequest::default();
    assert_eq!(
        client(&world).list_in_app_messages(empty).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}
