//! Renewals, seasons and the touch ledger together, over real gRPC: the windows of the caps follow the renewal date.

use jiff::Timestamp;
use serde_json::json;
use upswell::wire::{date, instant, to_date, to_instant};
use upswell_proto::{
    offers::v1::{
        GetAllowanceRequest, ListTouchesRequest, ReserveRequest, Touch, reserve_response::Outcome as Reserved, touch,
        touch_ledger_service_client::TouchLedgerServiceClient,
    },
    renewals::v1::{
        BeginContactRequest, Deal, FinishContactRequest, ListContactsRequest, ListDealsRequest, MoveStagesRequest,
        PlanContactRequest, RenewalContact,
        contact_service_client::ContactServiceClient,
        deal::Stage,
        finish_contact_request::Outcome,
        renewal_contact::{Kind, State},
        renewal_service_client::RenewalServiceClient,
    },
    vocabulary::v1::{Channel, TouchClass},
};
use upswell_runtime::ids;

use crate::support::World;

const ACCOUNT: &str = "qazaq-logistics";

fn profile() -> String {
    json!({"source": "crm", "external_id": "p", "account": ACCOUNT, "at": "2026-08-15T00:00:00Z",
        "account_profile": {"name": "Qazaq Logistics", "segment": "mid-market", "country": "KZ",
            "time_zone": "Asia/Almaty", "language": "ru", "csm_id": "anna"}})
    .to_string()
}

fn plan(id: &str, effective: &str, renewal: &str) -> String {
    json!({"source": "billing", "external_id": id, "account": ACCOUNT, "at": format!("{effective}T00:00:00Z"),
        "subscription": {"subscription_id": "sub-1", "product": "basic", "kind": "plan", "unit_price": "29.00 USD",
            "quantity": 1, "period": "month", "effective": effective, "renewal": renewal}})
    .to_string()
}

async fn world() -> World {
    let world = World::start("frontier", "2027-03-01T05:00:00Z", &[("OFFERS__HOLDOUT__SHARE", "0.0")]).await;
    let answer = world.facts(&[profile(), plan("v1", "2026-08-15", "2027-08-15")]).await;
    assert_eq!(answer.recorded, 2, "{answer:?}");
    world
}

async fn deal(world: &World) -> Deal {
    let mut client = RenewalServiceClient::new(world.channel("renewals"));
    let mut deals = client
        .list_deals(ListDealsRequest::default())
        .await
        .unwrap()
        .into_inner()
        .deals;
    deals.pop().unwrap()
}

async fn contact(world: &World, deal: &Deal, at: &str) -> RenewalContact {
    let request = PlanContactRequest {
        deal_id: deal.deal_id.clone(),
        kind: Kind::Call.into(),
        channel: Channel::CsmTask.into(),
        planned_time: Some(to_instant(at.parse().unwrap())),
        request_id: ids::derive("request", &[at, &deal.etag]).to_string(),
        ..Default::default()
    };
    let mut client = ContactServiceClient::new(world.channel("renewals"));
    let planned = client
        .plan_contact(request.clone())
        .await
        .unwrap()
        .into_inner()
        .contact
        .unwrap();
    let again = client
        .plan_contact(request)
        .await
        .unwrap()
        .into_inner()
        .contact
        .unwrap();
    assert_eq!(
        planned, again,
        "the same request is the same contact, and the same place"
    );
    planned
}

async fn touches(world: &World) -> Vec<Touch> {
    let mut client = TouchLedgerServiceClient::new(world.channel("offers"));
    let request = ListTouchesRequest {
        account_id: ACCOUNT.to_owned(),
        ..Default::default()
    };
    client.list_touches(request).await.unwrap().into_inner().touches
}

#[tokio::test]
async fn rn6_a_renewal_in_august_is_negotiated_before_july_and_the_caps_follow_its_date() {
    let world = world().await;
    let first = deal(&world).await;
    let negotiation = first
        .plan
        .iter()
        .find(|plan| plan.stage() == Stage::Negotiation)
        .unwrap();
    assert!(date(negotiation.end_date.as_ref()).unwrap() < "2027-07-01".parse().unwrap());
    assert_eq!(date(first.renewal_date.as_ref()), Some("2027-08-15".parse().unwrap()));

    // C-3: one touch in the last 30 days before 15 August; the second waits until it may be judged again.
    let july = contact(&world, &first, "2027-07-20T05:00:00Z").await;
    assert_eq!(july.state(), State::Reserved);
    let late = contact(&world, &first, "2027-07-27T05:00:00Z").await;
    assert_ne!(late.state(), State::Reserved);
    assert_eq!(late.blocking_rules, ["C-3"]);

    // The date moves to 15 December: late July is free now.
    world.facts(&[plan("v2", "2027-02-01", "2027-12-15")]).await;
    let moved = deal(&world).await;
    assert_eq!(
        (moved.deal_id.as_str(), moved.stage()),
        (first.deal_id.as_str(), Stage::Scheduled)
    );
    assert_eq!(
        contact(&world, &moved, "2027-07-27T05:00:00Z").await.state(),
        State::Reserved
    );
    let two = ["2027-09-02T05:00:00Z", "2027-09-16T05:00:00Z"];
    for at in two {
        assert_eq!(contact(&world, &moved, at).await.state(), State::Reserved, "{at}");
    }

    // And to 30 September: both lie in its last 30 days, so that the ledger keeps one of them (C-8).
    world.facts(&[plan("v3", "2027-02-02", "2027-09-30")]).await;
    let kept =
        |touch: &&Touch| touch.state() == touch::State::Reserved && touch.planned_time.unwrap().seconds > 1_819_800_000;
    let listed = touches(&world).await;
    let left: Vec<_> = listed.iter().filter(kept).collect();
    assert_eq!(left.len(), 1, "{listed:?}");

    // The displaced one learns of it when it is to begin, and asks for a place anew.
    let mut client = ContactServiceClient::new(world.channel("renewals"));
    let request = ListContactsRequest {
        account_id: ACCOUNT.to_owned(),
        ..Default::default()
    };
    let contacts = client.list_contacts(request).await.unwrap().into_inner().contacts;
    let displaced = contacts
        .iter()
        .filter(|contact| contact.state() == State::Reserved)
        .find(|contact| {
            listed
                .iter()
                .any(|touch| touch.touch_id == contact.touch_id && touch.state() == touch::State::Released)
        })
        .unwrap();
    let begin = BeginContactRequest {
        renewal_contact_id: displaced.renewal_contact_id.clone(),
        etag: displaced.etag.clone(),
        request_id: ids::derive("request", &["begin"]).to_string(),
    };
    let answer = client.begin_contact(begin).await.unwrap().into_inner().contact.unwrap();
    assert_ne!(answer.state(), State::Sending, "what lost its place is not made");
    assert!(answer.touch_id.is_empty() && answer.pending);
}

/// Which rules stand against a call at this time, and the earliest time that all of them allow.
async fn allowance(world: &World, at: &str) -> (Vec<String>, Option<Timestamp>) {
    let request = GetAllowanceRequest {
        account_id: ACCOUNT.to_owned(),
        class: TouchClass::Renewal.into(),
        planned_time: Some(to_instant(at.parse().unwrap())),
        ..Default::default()
    };
    let mut ledger = TouchLedgerServiceClient::new(world.channel("offers"));
    let answer = ledger.get_allowance(request).await.unwrap().into_inner();
    assert_eq!(answer.allowed, answer.blocking.is_empty(), "{answer:?}");
    let rules = answer.blocking.into_iter().map(|rule| rule.rule_id).collect();
    (rules, instant(answer.earliest_time.as_ref()))
}

/// Another tool reserves a call; the answer must be what GetAllowance told before.
async fn reserve(world: &World, at: &str) {
    let (told, _) = allowance(world, at).await;
    let request = ReserveRequest {
        account_id: ACCOUNT.to_owned(),
        class: TouchClass::Renewal.into(),
        channel: Channel::CsmTask.into(),
        sender: "crm".to_owned(),
        idempotency_key: at.to_owned(),
        planned_time: Some(to_instant(at.parse().unwrap())),
        ..Default::default()
    };
    let mut ledger = TouchLedgerServiceClient::new(world.channel("offers"));
    let answer = ledger.reserve(request).await.unwrap().into_inner();
    assert!(matches!(answer.outcome, Some(Reserved::Granted(_))), "{at}: {answer:?}");
    assert!(told.is_empty(), "{at}: {told:?}");
}

/// For each time the rules that stand against a call then.
async fn assert_blocked(world: &World, what: &str, expected: &[(&str, &[&str])]) {
    for (at, rules) in expected {
        let (told, _) = allowance(world, at).await;
        assert_eq!(told, *rules, "{what}: {at}");
    }
}

#[tokio::test]
async fn c2_c3_the_windows_lie_before_the_renewal_and_move_with_it() {
    let world = world().await;
    let first = deal(&world).await;
    // In Almaty 16 June is 60 days and 15 July 31 days before 15 August: C-2. From 16 July on it is C-3.
    for at in ["2027-06-20T05:00:00Z", "2027-06-22T05:00:00Z", "2027-07-20T05:00:00Z"] {
        reserve(&world, at).await;
    }
    let august: [(&str, &[&str]); 7] = [
        ("2027-06-15T18:00:00Z", &[]),
        ("2027-06-15T19:00:00Z", &["C-2"]),
        ("2027-06-24T05:00:00Z", &["C-2"]),
        ("2027-06-27T05:00:00Z", &[]),
        ("2027-07-15T18:00:00Z", &[]),
        ("2027-07-15T19:00:00Z", &["C-3"]),
        ("2027-08-14T05:00:00Z", &["C-3"]),
    ];
    assert_blocked(&world, "15 August", &august).await;
    let (_, earliest) = allowance(&world, "2027-06-24T05:00:00Z").await;
    assert_eq!(
        earliest,
        Some("2027-06-27T05:00:00Z".parse().unwrap()),
        "168 h after the first of the two"
    );

    // The season moved the stages ahead, and a person moves them further: the contract's day stays, and the windows with it.
    let negotiated = |deal: &Deal| {
        let negotiation = deal.plan.iter().find(|plan| plan.stage() == Stage::Negotiation);
        date(negotiation.unwrap().end_date.as_ref()).unwrap()
    };
    assert!(negotiated(&first) < "2027-07-01".parse().unwrap());
    let request = MoveStagesRequest {
        deal_id: first.deal_id.clone(),
        negotiation_end_date: Some(to_date("2027-06-10".parse().unwrap())),
        reason: "the buyer is away from 10 June".to_owned(),
        etag: first.etag.clone(),
        request_id: ids::derive("request", &["move"]).to_string(),
    };
    let mut renewals = RenewalServiceClient::new(world.channel("renewals"));
    let moved = renewals.move_stages(request).await.unwrap().into_inner().deal.unwrap();
    world.cluster.drain(world.now()).await.unwrap();
    assert!(negotiated(&moved) < negotiated(&first));
    assert_blocked(&world, "moved stages", &august).await;

    // The renewal moves to 15 December: what was blocked before August is free, and the windows lie before December.
    world.facts(&[plan("v2", "2027-02-01", "2027-12-15")]).await;
    let free: Vec<(&str, &[&str])> = august.iter().map(|(at, _)| (*at, &[][..])).collect();
    assert_blocked(&world, "out of August", &free).await;
    for at in ["2027-10-20T05:00:00Z", "2027-10-22T05:00:00Z", "2027-11-20T05:00:00Z"] {
        reserve(&world, at).await;
    }
    let december: [(&str, &[&str]); 6] = [
        ("2027-10-15T18:00:00Z", &[]),
        ("2027-10-15T20:00:00Z", &["C-2"]),
        ("2027-10-24T05:00:00Z", &["C-2"]),
        ("2027-11-14T18:00:00Z", &[]),
        ("2027-11-14T19:00:00Z", &["C-3"]),
        ("2027-12-14T05:00:00Z", &["C-3"]),
    ];
    assert_blocked(&world, "15 December", &december).await;

    // And back: what December reserved lies behind August and stays; two in the C-2 window and one in the C-3 window stand again.
    world.facts(&[plan("v3", "2027-02-02", "2027-08-15")]).await;
    let still: Vec<_> = august.iter().filter(|(_, rules)| !rules.is_empty()).copied().collect();
    assert_blocked(&world, "back in August", &still).await;
}

#[tokio::test]
async fn rn2_a_contact_is_reserved_begun_and_confirmed_in_the_ledger() {
    let world = world().await;
    let deal = deal(&world).await;
    let planned = contact(&world, &deal, "2027-03-01T05:00:00Z").await;
    let mut client = ContactServiceClient::new(world.channel("renewals"));
    let begin = BeginContactRequest {
        renewal_contact_id: planned.renewal_contact_id.clone(),
        etag: planned.etag.clone(),
        request_id: ids::derive("request", &["begin"]).to_string(),
    };
    let begun = client
        .begin_contact(begin.clone())
        .await
        .unwrap()
        .into_inner()
        .contact
        .unwrap();
    assert_eq!(begun.state(), State::Sending);
    assert_eq!(
        client.begin_contact(begin).await.unwrap().into_inner().contact,
        Some(begun.clone()),
        "once"
    );
    assert_eq!(touches(&world).await[0].state(), touch::State::Sending);
    let finish = FinishContactRequest {
        renewal_contact_id: begun.renewal_contact_id,
        outcome: Outcome::Made.into(),
        etag: begun.etag,
        request_id: ids::derive("request", &["finish"]).to_string(),
    };
    let made = client
        .finish_contact(finish)
        .await
        .unwrap()
        .into_inner()
        .contact
        .unwrap();
    assert_eq!((made.state(), made.pending), (State::Made, false));
    assert_eq!(touches(&world).await[0].state(), touch::State::Confirmed);
}
