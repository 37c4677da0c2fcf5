//! RN-2: what becomes of the place of a contact when the ledger refuses late, or its answers are lost.

use upswell_proto::{
    offers::v1::touch,
    renewals::v1::{
        BeginContactRequest, CancelContactRequest, ListContactsRequest, ListDealsRequest, PlanContactRequest,
        RenewalContact,
        contact_service_client::ContactServiceClient,
        renewal_contact::{Kind, State},
    },
    vocabulary::v1::Channel,
};
use upswell_runtime::{client::Traced, ids};

use crate::{
    ledger::Mood,
    world::{World, plan, profile},
};

async fn world() -> (World, ContactServiceClient<Traced>) {
    let world = World::new("2026-10-12").await;
    let facts = vec![profile("acme", "csm-1"), plan("acme", "v1", "2026-02-01", "2027-02-01")];
    world.tell(facts).await;
    let client = ContactServiceClient::new(world.peers.channel("renewals").unwrap());
    (world, client)
}

/// A call of acme, on a day or now.
async fn planned(world: &World, on: Option<&str>) -> RenewalContact {
    let deals = world
        .client
        .clone()
        .list_deals(ListDealsRequest::default())
        .await
        .unwrap();
    let planned_time = on.map(|day| {
        let at = crate::world::noon(day);
        prost_types::Timestamp {
            seconds: at.as_second(),
            nanos: 0,
        }
    });
    let request = PlanContactRequest {
        deal_id: deals.into_inner().deals[0].deal_id.clone(),
        kind: Kind::Call.into(),
        channel: Channel::CsmTask.into(),
        planned_time,
        request_id: ids::derive("request", &["plan"]).to_string(),
        ..Default::default()
    };
    let mut client = ContactServiceClient::new(world.peers.channel("renewals").unwrap());
    client
        .plan_contact(request)
        .await
        .unwrap()
        .into_inner()
        .contact
        .unwrap()
}

async fn read(client: &mut ContactServiceClient<Traced>) -> RenewalContact {
    let request = ListContactsRequest {
        account_id: "acme".into(),
        include_closed: true,
        ..Default::default()
    };
    client
        .list_contacts(request)
        .await
        .unwrap()
        .into_inner()
        .contacts
        .remove(0)
}

#[tokio::test]
async fn rn2_a_contact_that_is_blocked_late_gives_its_place_back_before_it_asks_for_another() {
    let (world, mut client) = world().await;
    let reserved = planned(&world, None).await;
    assert_eq!(reserved.state(), State::Reserved);
    world.ledger().book().mood = Mood::Blocking;
    let begin = BeginContactRequest {
        renewal_contact_id: reserved.renewal_contact_id.clone(),
        etag: reserved.etag,
        request_id: ids::derive("request", &["begin"]).to_string(),
    };
    let waiting = client.begin_contact(begin).await.unwrap().into_inner().contact.unwrap();
    assert_eq!(
        (waiting.state(), waiting.blocking_rules),
        (State::Deferred, vec!["C-1".to_owned()])
    );
    assert_eq!(world.ledger().book().states(), [touch::State::Released]);
    world.ledger().book().mood = Mood::Fine;
    world.until("2026-10-20").await;
    assert_eq!(
        read(&mut client).await.state(),
        State::Reserved,
        "nothing of its own is in its way"
    );
    assert_eq!(
        world.ledger().book().states(),
        [touch::State::Released, touch::State::Reserved]
    );
}

#[tokio::test]
async fn rn2_a_contact_given_up_while_its_reservation_is_lost_keeps_no_place() {
    let (world, mut client) = world().await;
    world.ledger().book().mood = Mood::Deaf;
    let unknown = planned(&world, Some("2026-10-20")).await;
    assert_eq!((unknown.state(), unknown.pending), (State::Planned, true));
    let cancel = CancelContactRequest {
        renewal_contact_id: unknown.renewal_contact_id.clone(),
        etag: unknown.etag,
        request_id: ids::derive("request", &["cancel"]).to_string(),
    };
    let given_up = client
        .cancel_contact(cancel)
        .await
        .unwrap()
        .into_inner()
        .contact
        .unwrap();
    assert_eq!((given_up.state(), given_up.pending), (State::Cancelled, true));
    assert_eq!(world.ledger().book().states(), [touch::State::Reserved]);
    world.ledger().book().mood = Mood::Fine;
    // Behind its planned time, which can no longer be asked for.
    world.until("2026-10-21").await;
    let over = read(&mut client).await;
    assert_eq!((over.state(), over.pending), (State::Cancelled, false));
    assert_eq!(world.ledger().book().states(), [touch::State::Released]);
}

#[tokio::test]
async fn rn2_a_place_whose_answer_was_lost_is_found_again_behind_its_planned_time() {
    let (world, mut client) = world().await;
    world.ledger().book().mood = Mood::Deaf;
    planned(&world, Some("2026-10-13")).await;
    world.ledger().book().mood = Mood::Fine;
    world.until("2026-10-14").await;
    let found = read(&mut client).await;
    assert_eq!((found.state(), found.pending), (State::Reserved, false));
    assert_eq!(world.ledger().book().states(), [touch::State::Reserved]);
}

#[tokio::test]
async fn rn2_a_contact_that_the_ledger_will_never_take_is_refused_and_says_why() {
    let (world, _) = world().await;
    world.ledger().book().mood = Mood::Strict;
    let refused = planned(&world, None).await;
    assert_eq!((refused.state(), refused.pending), (State::Refused, false));
    assert_eq!(refused.blocking_rules, ["INVALID_ARGUMENT"]);
}
