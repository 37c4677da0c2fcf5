//! The ledger as senders see it: the service in process, without a socket.

use tonic::{Code, Status};
use upswell_offers::api::ledger::LedgerApi;
use upswell_proto::{
    offers::v1::{
        BeginSendRequest, ConfirmRequest, GetAllowanceRequest, ListTouchesRequest, ReleaseRequest, ReserveRequest,
        Touch, release_request::Reason, reserve_response::Outcome, touch,
        touch_ledger_service_client::TouchLedgerServiceClient, touch_ledger_service_server::TouchLedgerServiceServer,
    },
    vocabulary::v1::{Channel, TouchClass},
};
use upswell_runtime::problem::Problem;

use crate::ledger::World;

type Client = TouchLedgerServiceClient<TouchLedgerServiceServer<LedgerApi>>;

fn client(world: &World) -> Client {
    TouchLedgerServiceClient::new(TouchLedgerServiceServer::new(LedgerApi(world.ledger.clone())))
}

fn ask(key: &str) -> ReserveRequest {
    ReserveRequest {
        account_id: " ACME ".to_owned(),
        class: TouchClass::Commercial.into(),
        channel: Channel::Whatsapp.into(),
        sender: "crm".to_owned(),
        idempotency_key: key.to_owned(),
        ..ReserveRequest::default()
    }
}

async fn reserve(client: &mut Client, request: ReserveRequest) -> Result<Outcome, Status> {
    Ok(client.reserve(request).await?.into_inner().outcome.unwrap())
}

async fn granted(client: &mut Client, request: ReserveRequest) -> Touch {
    match reserve(client, request).await.unwrap() {
        Outcome::Granted(touch) => touch,
        Outcome::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

#[tokio::test]
async fn c6_a_touch_goes_through_its_life() {
    let world = World::with_acme().await;
    let mut client = client(&world);
    let touch = granted(&mut client, ask("a")).await;
    assert_eq!(
        (touch.account_id.as_str(), touch.state()),
        ("acme", touch::State::Reserved)
    );
    assert!(touch.expire_time.is_some() && touch.actual_time.is_none() && touch.policy_version.starts_with("caps-"));

    let Outcome::Refused(refusal) = reserve(&mut client, ask("b")).await.unwrap() else {
        panic!("a second one")
    };
    assert_eq!(
        (refusal.blocking[0].rule_id.as_str(), &refusal.blocking[0].touch_ids[0]),
        ("C-1", &touch.touch_id)
    );
    let planned = touch.planned_time.unwrap().seconds;
    assert_eq!(refusal.earliest_time.unwrap().seconds, planned + 168 * 3600);

    let id = || touch.touch_id.clone();
    for _ in 0..2 {
        let begun = client
            .begin_send(BeginSendRequest { touch_id: id() })
            .await
            .unwrap()
            .into_inner()
            .touch
            .unwrap();
        assert_eq!((begun.state(), begun.expire_time), (touch::State::Sending, None));
    }
    for _ in 0..2 {
        let request = ConfirmRequest {
            touch_id: id(),
            actual_time: None,
        };
        let made = client.confirm(request).await.unwrap().into_inner().touch.unwrap();
        assert_eq!(
            (made.state(), made.actual_time),
            (touch::State::Confirmed, made.planned_time)
        );
    }
    for _ in 0..2 {
        let request = ReleaseRequest {
            touch_id: id(),
            reason: Reason::Bounced.into(),
        };
        let released = client.release(request).await.unwrap().into_inner().touch.unwrap();
        assert_eq!(
            (released.state(), released.release_reason.as_str()),
            (touch::State::Released, "bounced")
        );
    }
}

#[tokio::test]
async fn every_fault_of_a_request_is_told_at_once() {
    let world = World::with_acme().await;
    let mut client = client(&world);
    let request = ReserveRequest {
        proposes_expansion: true,
        planned_time: Some(prost_types::Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        }),
        contact_id: "a\0b".to_owned(),
        class: TouchClass::Commercial.into(),
        channel: 77,
        ..ReserveRequest::default()
    };
    let status = reserve(&mut client, request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let mut fields: Vec<_> = Problem::from(status)
        .violations()
        .iter()
        .map(|violation| violation.field.clone())
        .collect();
    fields.sort();
    let all = [
        "account_id",
        "channel",
        "contact_id",
        "idempotency_key",
        "planned_time",
        "proposes_expansion",
        "sender",
    ];
    assert_eq!(fields, all);
}

#[tokio::test]
async fn refusals_have_codes_and_reasons() {
    let world = World::with_acme().await;
    let mut client = client(&world);
    let reason = |status: Status| (status.code(), Problem::from(status).reason().to_owned());
    let expect = |code, text: &str| (code, text.to_owned());

    let unknown = ReserveRequest {
        account_id: "nobody".to_owned(),
        ..ask("a")
    };
    let status = reserve(&mut client, unknown).await.unwrap_err();
    assert_eq!(reason(status), expect(Code::NotFound, "ACCOUNT_NOT_FOUND"));
    for seconds in [
        world.clock.now().as_second() - 301,
        world.clock.now().as_second() + 366 * 86_400,
    ] {
        let planned_time = Some(prost_types::Timestamp { seconds, nanos: 0 });
        let status = reserve(
            &mut client,
            ReserveRequest {
                planned_time,
                ..ask("a")
            },
        )
        .await
        .unwrap_err();
        assert_eq!(Problem::from(status).violations()[0].field, "planned_time");
    }
    let touch = granted(&mut client, ask("a")).await;
    let other = ReserveRequest {
        channel: Channel::Sms.into(),
        ..ask("a")
    };
    let status = reserve(&mut client, other).await.unwrap_err();
    assert_eq!(reason(status), expect(Code::InvalidArgument, "REQUEST_ID_REUSED"));

    let missing = "00000000-0000-0000-0000-000000000000".to_owned();
    let status = client
        .begin_send(BeginSendRequest { touch_id: missing })
        .await
        .unwrap_err();
    assert_eq!(reason(status), expect(Code::NotFound, "TOUCH_NOT_FOUND"));
    let request = ConfirmRequest {
        touch_id: touch.touch_id.clone(),
        actual_time: None,
    };
    let status = client.confirm(request).await.unwrap_err();
    assert_eq!(reason(status), expect(Code::FailedPrecondition, "TOUCH_NOT_SENDING"));
    let request = ReleaseRequest {
        touch_id: touch.touch_id,
        reason: 0,
    };
    assert_eq!(client.release(request).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_allowance_changes_nothing_and_lists_have_pages() {
    let world = World::with_acme().await;
    let mut client = client(&world);
    let question = GetAllowanceRequest {
        account_id: "acme".to_owned(),
        class: TouchClass::Commercial.into(),
        ..GetAllowanceRequest::default()
    };
    for _ in 0..2 {
        let answer = client.get_allowance(question.clone()).await.unwrap().into_inner();
        assert!(answer.allowed && answer.blocking.is_empty());
    }
    for week in 0..5 {
        let seconds = world.clock.now().as_second() + week * 168 * 3600;
        let planned_time = Some(prost_types::Timestamp { seconds, nanos: 0 });
        granted(
            &mut client,
            ReserveRequest {
                planned_time,
                ..ask(&week.to_string())
            },
        )
        .await;
    }
    assert!(!client.get_allowance(question).await.unwrap().into_inner().allowed);

    let mut request = ListTouchesRequest {
        account_id: "acme".to_owned(),
        page_size: 2,
        ..ListTouchesRequest::default()
    };
    let mut times = Vec::new();
    let mut pages = 0;
    loop {
        let page = client.list_touches(request.clone()).await.unwrap().into_inner();
        times.extend(page.touches.iter().map(|touch| touch.planned_time.unwrap().seconds));
        pages += 1;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert!(pages == 3 && times.len() == 5 && times.is_sorted());
    let mine = ListTouchesRequest {
        account_id: "other".to_owned(),
        ..request
    };
    assert_eq!(
        client.list_touches(mine).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}
