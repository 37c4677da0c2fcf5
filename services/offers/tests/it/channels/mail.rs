//! E-mail over SMTP.

use http::StatusCode;
use upswell_offers::store::{copies::contact_fetch, opt_outs::opt_out_list};
use upswell_proto::{
    offers::v1::{self as pb, offer::State, touch},
    scoring::v1::signal,
    vocabulary::v1::{Channel, Motion},
};

use super::{
    Office,
    edge::{notice, told},
    mailbox::{Mailbox, Mood},
};
use crate::world::{SLOT, World};

async fn due(mood: Mood) -> (Office, World, Mailbox) {
    let mailbox = Mailbox::open().await;
    mailbox.mood(mood);
    let office = Office::new("email").mail(mailbox.port);
    let mut world = office.open().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    (office, world, mailbox)
}

async fn state_of_touch(world: &World) -> (touch::State, String) {
    let touches = world.touches().await;
    assert_eq!(touches.len(), 1, "{touches:#?}");
    (touches[0].state(), touches[0].release_reason.clone())
}

#[tokio::test]
async fn t5_an_email_arrives_and_its_plus_becomes_one_order() {
    let (_office, world, mailbox) = due(Mood::Fine).await;
    let offer = world.offer(Motion::Capacity, State::Sent).await;
    let mails = mailbox.mails();
    assert_eq!((mails.len(), offer.channel()), (1, Channel::Email));
    let mail = &mails[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("success@vendor.example", ["ann@acme.example".to_owned()].as_slice())
    );
    let message_id = mail.header("Message-ID").unwrap();
    assert_eq!(message_id, format!("<{}@vendor.example>", offer.touch_id));
    assert_eq!(
        mail.header("Subject"),
        offer.message.as_ref().map(|message| message.subject.clone())
    );
    assert_eq!(
        mail.header("List-Unsubscribe-Post").as_deref(),
        Some("List-Unsubscribe=One-Click")
    );
    assert_eq!(mail.header("Date").as_deref(), Some("Mon, 12 Oct 2026 05:00:00 +0000"));
    assert!(
        mail.text.contains("Reply with a single + and we switch it on."),
        "{}",
        mail.text
    );

    // The mailbox's gateway hands the answer over: twice, and once more as something else.
    world.clock.set("2026-10-13T09:00:00Z".parse().unwrap());
    let mut reply = notice(&world, "replied", &message_id);
    reply["data"]["text"] =
        "+\r\n\r\nOn Mon, 12 Oct 2026 at 10:00 Customer Success wrote:\r\n> Reply with a single +\r\n".into();
    reply["data"]["reply_id"] = "<r-1@acme.example>".into();
    for (id, expected) in [("w-1", "taken"), ("w-1", "known"), ("w-2", "taken")] {
        assert_eq!(
            told(&world, "email", id, &reply).await,
            (StatusCode::OK, expected.to_owned()),
            "{id}"
        );
    }
    let accepted = world.offer(Motion::Capacity, State::Accepted).await;
    let orders = world.all_orders().await;
    assert_eq!(orders.len(), 1);
    assert_eq!(
        (&orders[0].order_id, &orders[0].terms),
        (&accepted.order_id, &offer.terms)
    );
    assert!(accepted.open_time.is_some());
}

#[tokio::test]
async fn c5_an_address_that_does_not_exist_gives_the_place_back() {
    let (_office, world, mailbox) = due(Mood::NobodyHere).await;
    let offer = world.offer(Motion::Capacity, State::Withdrawn).await;
    assert!(offer.close_reason.contains("550"), "{offer:?}");
    assert_eq!(
        state_of_touch(&world).await,
        (touch::State::Released, "not_sent".to_owned())
    );
    assert_eq!(mailbox.mails().len(), 0);
}

#[tokio::test]
async fn c5_c10_a_bounce_spares_only_the_address_that_it_came_from() {
    let mailbox = Mailbox::open().await;
    let office = Office::new("email").mail(mailbox.port);
    let mut world = office.open().await;
    world.known().await;
    let both = [
        (Channel::Email, "old@acme.example"),
        (Channel::Email, "new@acme.example"),
    ];
    world.contact_at(&both).await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    world.clock.set("2026-10-12T06:00:00Z".parse().unwrap());
    for (n, address) in ["old@acme.example", "new@acme.example"].into_iter().enumerate() {
        let mails = mailbox.mails();
        assert_eq!(
            (mails.len(), mails[n].to.as_slice()),
            (n + 1, [address.to_owned()].as_slice())
        );
        let bounce = notice(&world, "bounced", &mails[n].header("Message-ID").unwrap());
        assert_eq!(
            told(&world, "email", &format!("b-{n}"), &bounce).await.0,
            StatusCode::OK
        );
        // The profile is told again, and help takes the way that is left.
        world.contact_at(&both).await;
        world.ticket_signal().await;
        world.run().await;
    }
    let outs = opt_out_list(world.service.db.reader(), "ann").await.unwrap();
    let mut spared: Vec<_> = outs.iter().map(|out| out.address.as_str()).collect();
    spared.sort_unstable();
    assert_eq!(spared, ["new@acme.example", "old@acme.example"]);
    let points = contact_fetch(world.service.db.reader(), "ann")
        .await
        .unwrap()
        .unwrap()
        .points;
    assert!(!points.contains("true"), "{points}");
}

#[tokio::test]
async fn c6_a_server_that_is_busy_gets_the_mail_later() {
    let (_office, world, mailbox) = due(Mood::Busy).await;
    world.offer(Motion::Capacity, State::Sending).await;
    world.run().await;
    assert_eq!(mailbox.connections(), 1, "it is not asked again before its time");
    mailbox.mood(Mood::CutBeforeMessage);
    world.run_to("2026-10-12T05:00:10Z").await;
    world.offer(Motion::Capacity, State::Sending).await;
    mailbox.mood(Mood::Fine);
    world.run_to("2026-10-12T05:05:00Z").await;
    world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!((mailbox.mails().len(), mailbox.connections()), (1, 3));
    assert_eq!(state_of_touch(&world).await.0, touch::State::Confirmed);
}

#[tokio::test]
async fn c6_a_server_that_stays_away_gives_the_place_back() {
    let (_office, world, mailbox) = due(Mood::CutBeforeMessage).await;
    for time in [
        "2026-10-12T05:00:10Z",
        "2026-10-12T05:02:00Z",
        "2026-10-12T05:10:00Z",
        "2026-10-12T06:00:00Z",
    ] {
        world.run_to(time).await;
    }
    world.offer(Motion::Capacity, State::Withdrawn).await;
    assert_eq!((mailbox.mails().len(), mailbox.connections()), (0, 4));
    assert_eq!(state_of_touch(&world).await.0, touch::State::Released);
}

#[tokio::test]
async fn c6_a_mail_of_unknown_fate_counts_and_is_not_repeated() {
    let (_office, world, mailbox) = due(Mood::CutAfterMessage).await;
    world.offer(Motion::Capacity, State::Sent).await;
    mailbox.mood(Mood::Fine);
    for time in ["2026-10-12T05:00:10Z", "2026-10-12T09:00:00Z"] {
        world.run_to(time).await;
    }
    assert_eq!((mailbox.mails().len(), mailbox.connections()), (1, 1));
    assert_eq!(state_of_touch(&world).await.0, touch::State::Confirmed);
}

#[tokio::test]
async fn c6_a_crash_in_the_middle_of_a_mail_counts_and_is_not_repeated() {
    let mailbox = Mailbox::open().await;
    let office = Office::new("email").mail(mailbox.port);
    let mut world = office.open().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.clock.set(SLOT.parse().unwrap());
    // The job is dropped at the moment at which the server has the mail: as if the process were killed.
    let job = async {
        world.run().await;
        panic!("it was not cut off");
    };
    let arrived = async {
        while mailbox.mails().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = arrived => {}
        () = job => {}
    }
    world.offer(Motion::Capacity, State::Sending).await;
    world.run_to("2026-10-12T05:01:00Z").await;
    world.offer(Motion::Capacity, State::Sent).await;
    assert_eq!(mailbox.mails().len(), 1);
    assert_eq!(state_of_touch(&world).await.0, touch::State::Confirmed);
}

#[tokio::test]
async fn c5_a_bounce_that_comes_later_gives_the_place_back_and_spares_the_address() {
    let (_office, mut world, mailbox) = due(Mood::Fine).await;
    let id = mailbox.mails()[0].header("Message-ID").unwrap();
    world.clock.set("2026-10-12T06:00:00Z".parse().unwrap());
    let bounce = notice(&world, "bounced", &id);
    for number in ["b-1", "b-2"] {
        assert_eq!(told(&world, "email", number, &bounce).await.0, StatusCode::OK);
    }
    world.offer(Motion::Capacity, State::Withdrawn).await;
    assert_eq!(
        state_of_touch(&world).await,
        (touch::State::Released, "bounced".to_owned())
    );
    // What was sent for the signal is not sent again, and help takes another way.
    world.contact(true).await;
    world.ticket_signal().await;
    world.run().await;
    let recipe: pb::Offer = world.offer(Motion::Value, State::Sent).await;
    assert_eq!((recipe.channel(), mailbox.mails().len()), (Channel::InApp, 1));
}
