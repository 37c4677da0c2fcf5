//! What people see of an account's time, and holds in it (C-17).

use tonic::Code;
use upswell_proto::{
    offers::v1::{self as pb, calendar_entry::Kind, gate_verdict::Verdict, offer::State},
    renewals::v1::deal,
    scoring::v1::signal,
    vocabulary::v1::{Channel, Motion, TouchClass},
};

use super::world::{ACCOUNT, SLOT, World, acting, at, request_id, wire};

async fn hold(world: &World, start: &str, end: &str) -> Result<pb::Hold, tonic::Status> {
    let request = pb::PlaceHoldRequest {
        account_id: ACCOUNT.into(),
        reason: "board meeting".into(),
        start_time: Some(wire(at(start))),
        end_time: Some(wire(at(end))),
        request_id: request_id(start),
    };
    let answer = world.calendar().place_hold(acting(request, "csm-1")).await?;
    Ok(answer.into_inner().hold.unwrap())
}

async fn entries(world: &World, size: i32) -> Vec<pb::CalendarEntry> {
    let mut all = Vec::new();
    let mut request = pb::ListAccountCalendarRequest {
        account_id: ACCOUNT.into(),
        page_size: size,
        ..Default::default()
    };
    loop {
        let page = world
            .calendar()
            .list_account_calendar(request.clone())
            .await
            .unwrap()
            .into_inner();
        all.extend(page.entries);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn c17_the_calendar_shows_touches_renewals_holds_and_suppressions() {
    let mut world = World::new().await;
    world.known().await;
    world.deal("2027-01-10", deal::Stage::Preparation).await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    world.offer(Motion::Capacity, State::Sent).await;
    hold(&world, "2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z")
        .await
        .unwrap();
    let suppress = pb::SuppressAccountRequest {
        account_id: ACCOUNT.into(),
        reason: "in dispute".into(),
        expire_time: Some(wire(at("2026-10-20T00:00:00Z"))),
        request_id: request_id("s"),
    };
    world
        .suppressions()
        .suppress_account(acting(suppress, "csm-1"))
        .await
        .unwrap();
    let all = entries(&world, 0).await;
    let kinds: Vec<Kind> = all.iter().map(pb::CalendarEntry::kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Touch,
            Kind::Suppression,
            Kind::Hold,
            Kind::Zone60,
            Kind::Zone30,
            Kind::Renewal
        ]
    );
    // 60 days before 10 January is 11 November, which begins in Almaty at 19:00 UTC the day before.
    assert_eq!(all[3].start_time, Some(wire(at("2026-11-10T19:00:00Z"))));
    assert_eq!(all[3].end_time, all[4].start_time);
    assert_eq!(entries(&world, 2).await, all);

    let export = pb::ExportAccountCalendarRequest {
        account_id: ACCOUNT.into(),
        ..Default::default()
    };
    let document = world
        .calendar()
        .export_account_calendar(export)
        .await
        .unwrap()
        .into_inner()
        .document;
    assert_eq!(document.matches("BEGIN:VEVENT").count(), all.len());
    assert!(
        document.contains("DTSTART:20261101T000000Z") && document.contains("board meeting"),
        "{document}"
    );
    let wrong = pb::ListAccountCalendarRequest {
        account_id: ACCOUNT.into(),
        start_time: Some(wire(at(SLOT))),
        end_time: Some(wire(at(SLOT))),
        ..Default::default()
    };
    let refused = world.calendar().list_account_calendar(wrong).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn c17_a_hold_keeps_an_account_free_until_it_ends_or_is_lifted() {
    let mut world = World::new().await;
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    let placed = hold(&world, "2026-10-12T04:00:00Z", "2026-10-15T00:00:00Z")
        .await
        .unwrap();
    assert_eq!(placed.author, "csm-1");
    assert_eq!(
        hold(&world, "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z")
            .await
            .unwrap_err()
            .code(),
        Code::InvalidArgument
    );
    world.run_to(SLOT).await;
    let deferred = world.offer(Motion::Capacity, State::Deferred).await;
    assert_eq!(deferred.deferred_until_time, Some(wire(at("2026-10-15T00:00:00Z"))));
    let decision = world.explain().await;
    let gate = decision.candidates[0]
        .gates
        .iter()
        .find(|gate| gate.gate == "hold")
        .unwrap();
    assert_eq!((gate.rule_id.as_str(), gate.verdict()), ("C-17", Verdict::Defer));
    // Other senders hear of it too, with the time when it is over; a contractual touch passes.
    let mut question = pb::GetAllowanceRequest {
        account_id: ACCOUNT.into(),
        class: TouchClass::Renewal.into(),
        contact_id: "ann".into(),
        channel: Channel::Email.into(),
        ..Default::default()
    };
    let allowance = world
        .ledger()
        .get_allowance(question.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        allowance
            .blocking
            .iter()
            .map(|rule| rule.rule_id.as_str())
            .collect::<Vec<_>>(),
        ["HOLD"]
    );
    assert_eq!(allowance.earliest_time, Some(wire(at("2026-10-15T00:00:00Z"))));
    question.class = TouchClass::Contractual.into();
    assert!(
        world
            .ledger()
            .get_allowance(question)
            .await
            .unwrap()
            .into_inner()
            .allowed
    );
    // Lifted: it goes in the next slot.
    let lift = pb::LiftHoldRequest {
        hold_id: placed.hold_id,
        request_id: request_id("lift"),
    };
    let lifted = world
        .calendar()
        .lift_hold(acting(lift, "csm-1"))
        .await
        .unwrap()
        .into_inner();
    assert!(lifted.hold.unwrap().lift_time.is_some());
    world.run_to("2026-10-13T05:00:00Z").await;
    world.offer(Motion::Capacity, State::Sent).await;
}
