//! The touch ledger under concurrency, over real gRPC: 64 senders ask at once and get exactly what the rules allow.

use std::{collections::BTreeMap, env};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;
use upswell::{demo::checker, lists, wire::to_instant};
use upswell_proto::{
    offers::v1::{
        ReserveRequest, Touch, reserve_response::Outcome, touch, touch_ledger_service_client::TouchLedgerServiceClient,
    },
    renewals::v1::renewal_service_client::RenewalServiceClient,
    vocabulary::v1::{Channel, TouchClass},
};
use upswell_runtime::{client::Traced, ids};

use crate::support::World;

const SENDERS: u64 = 64;
const START: &str = "2026-03-02T09:00:00Z";
const ZONE: &str = "America/New_York";

/// Rounds: 100 by default, `UPSWELL_ROUNDS=1000` on demand.
fn rounds() -> u64 {
    env::var("UPSWELL_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(100)
}

/// A number below `below` that depends on what it is for.
fn pick(below: u64, what: &[&str]) -> u64 {
    (ids::derive("caps", what).as_u128() % u128::from(below)) as u64
}

fn account_lines(round: u64) -> Vec<String> {
    let account = format!("round-{round}");
    let profile = json!({"source": "crm", "external_id": account, "account": account, "at": "2026-01-01T00:00:00Z",
        "account_profile": {"name": account, "segment": "smb", "country": "US", "time_zone": ZONE, "language": "en"}});
    // Every renewal lies so that the planned times fall before, into and behind its zones.
    let renewal = crate::support::day_after(
        "2026-03-02",
        35 + i64::try_from(pick(50, &["renewal", &account])).unwrap(),
    );
    let plan = json!({"source": "billing", "external_id": account, "account": account, "at": "2026-01-01T00:00:00Z",
        "subscription": {"subscription_id": format!("sub-{round}"), "product": "basic", "kind": "plan",
            "unit_price": "29.00 USD", "quantity": 1, "period": "month", "effective": "2026-01-01",
            "renewal": renewal.to_string()}});
    vec![profile.to_string(), plan.to_string()]
}

fn proposal(round: u64, sender: u64) -> ReserveRequest {
    let account = format!("round-{round}");
    let name = sender.to_string();
    let key = |what: &'static str| [what, account.as_str(), name.as_str()].map(str::to_owned);
    let number = |below, what| pick(below, &key(what).each_ref().map(String::as_str));
    let classes = [
        TouchClass::Commercial,
        TouchClass::Commercial,
        TouchClass::Renewal,
        TouchClass::Educational,
    ];
    let channels = [
        Channel::Email,
        Channel::Whatsapp,
        Channel::InApp,
        Channel::CsmTask,
        Channel::Sms,
        Channel::Push,
    ];
    let class = classes[number(4, "class") as usize];
    // Hours over ten weeks, some of them exactly whole weeks apart.
    let hours = if number(3, "grid") == 0 {
        number(10, "week") * 168
    } else {
        number(1680, "hour")
    };
    let planned = START.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(i64::try_from(hours).unwrap());
    ReserveRequest {
        account_id: account.clone(),
        class: class.into(),
        proposes_expansion: class == TouchClass::Renewal && number(2, "expansion") == 0,
        channel: channels[number(6, "channel") as usize].into(),
        sender: format!("tool-{}", sender % 7),
        idempotency_key: format!("key-{round}-{sender}"),
        planned_time: Some(to_instant(planned)),
        ..ReserveRequest::default()
    }
}

async fn ask(ledger: TouchLedgerServiceClient<Traced>, request: ReserveRequest) -> Result<Touch, ReserveRequest> {
    let answer = ledger.clone().reserve(request.clone()).await.unwrap().into_inner();
    match answer.outcome.unwrap() {
        Outcome::Granted(touch) => Ok(touch),
        Outcome::Refused(refusal) => {
            assert!(!refusal.blocking.is_empty(), "a refusal names its rules");
            Err(request)
        }
    }
}

/// The touch that a refused request would have become, judged like a granted one.
fn refused_touch(request: &ReserveRequest, renewal: Option<&upswell_proto::gtype::Date>) -> Touch {
    Touch {
        touch_id: "refused".to_owned(),
        account_id: request.account_id.clone(),
        class: request.class,
        proposes_expansion: request.proposes_expansion,
        state: touch::State::Reserved.into(),
        planned_time: request.planned_time,
        judged_renewal_date: renewal.cloned(),
        ..Touch::default()
    }
}

fn violations(touches: &[Touch]) -> Vec<String> {
    let account = touches[0].account_id.clone();
    let zones = BTreeMap::from([(account, TimeZone::get(ZONE).unwrap())]);
    let start = START.parse().unwrap();
    checker::check(touches, &zones, start, start).violations
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c1_to_c7_64_senders_at_once_get_exactly_what_the_rules_allow() {
    let world = World::start("frontier", START, &[("OFFERS__HOLDOUT__SHARE", "0.0")]).await;
    let lines: Vec<String> = (0..rounds()).flat_map(account_lines).collect();
    for batch in lines.chunks(500) {
        assert_eq!(world.facts(batch).await.rejected, 0);
    }
    let deals = lists::deals(&mut RenewalServiceClient::new(world.channel("renewals")))
        .await
        .unwrap();
    let renewals: BTreeMap<_, _> = deals
        .into_iter()
        .map(|deal| (deal.account_id, deal.renewal_date.unwrap()))
        .collect();
    let ledger = TouchLedgerServiceClient::new(world.channel("offers"));
    for round in 0..rounds() {
        let answers =
            join_all((0..SENDERS).map(|sender| tokio::spawn(ask(ledger.clone(), proposal(round, sender))))).await;
        let (mut granted, mut refused) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer.unwrap() {
                Ok(touch) => granted.push(touch),
                Err(request) => refused.push(request),
            }
        }
        assert_eq!(
            violations(&granted),
            Vec::<String>::new(),
            "round {round}: too much was granted"
        );
        let renewal = renewals.get(&format!("round-{round}"));
        for request in refused {
            let mut together = granted.clone();
            together.push(refused_touch(&request, renewal));
            assert!(
                !violations(&together).is_empty(),
                "round {round}: refused without need: {request:?}"
            );
        }
    }
    world.cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_64_senders_over_four_separate_weeks_get_one_place_a_week() {
    let world = World::start("frontier", START, &[("OFFERS__HOLDOUT__SHARE", "0.0")]).await;
    let account = r#"{"source":"crm","external_id":"a","account":"a","at":"2026-01-01T00:00:00Z","account_profile":
        {"name":"a","segment":"smb","country":"US","time_zone":"America/New_York","language":"en"}}"#;
    world.facts(&[account.replace('\n', " ")]).await;
    let ledger = TouchLedgerServiceClient::new(world.channel("offers"));
    let asked = (0..SENDERS).map(|sender| {
        let planned = world.now() + SignedDuration::from_hours(i64::try_from(sender % 4).unwrap() * 336);
        let request = ReserveRequest {
            account_id: "a".to_owned(),
            class: TouchClass::Commercial.into(),
            channel: Channel::Email.into(),
            sender: format!("tool-{sender}"),
            idempotency_key: "once".to_owned(),
            planned_time: Some(to_instant(
                planned + SignedDuration::from_mins(i64::try_from(sender).unwrap()),
            )),
            ..ReserveRequest::default()
        };
        tokio::spawn(ask(ledger.clone(), request))
    });
    let granted = join_all(asked)
        .await
        .into_iter()
        .filter(|answer| answer.as_ref().unwrap().is_ok())
        .count();
    assert_eq!(granted, 4);
    // The ledger itself says the same, and the same question again gets the same answer.
    let touches = lists::touches(&mut ledger.clone()).await.unwrap();
    assert_eq!(touches.len(), 4);
    let first = &touches[0];
    let again = ReserveRequest {
        account_id: "a".to_owned(),
        class: first.class,
        channel: first.channel,
        sender: first.sender.clone(),
        idempotency_key: "once".to_owned(),
        planned_time: first.planned_time,
        ..ReserveRequest::default()
    };
    assert_eq!(ask(ledger, again).await.unwrap().touch_id, first.touch_id);
    world.cluster.stop().await.unwrap();
}
