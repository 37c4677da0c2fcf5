mod ladder;

use jiff::civil::Date;

use super::*;
use crate::domain::vocabulary::{Channel, Motion, OfferState, Owner, TouchClass};

const NOW: &str = "2026-10-12T05:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn offer() -> Offer {
    Offer {
        id: Uuid::nil(),
        account_id: "acme".into(),
        playbook: "capacity-growth".into(),
        motion: Motion::Capacity,
        subject: "shipments".into(),
        class: TouchClass::Commercial,
        proposes_expansion: false,
        owner: Owner::CsmLed,
        state: OfferState::AwaitingApproval,
        signal_ids: vec![],
        contact_id: None,
        channel: Channel::CsmTask,
        message: None,
        terms: None,
        expected_value: None,
        decision_id: None,
        approval_id: None,
        touch_id: None,
        order_id: None,
        close_reason: String::new(),
        created_at: at(NOW),
        planned_at: None,
        deferred_until: None,
        sent_at: None,
        state_at: at(NOW),
        signal_at: None,
        consumes_signals: true,
        validity_days: 14,
        progress: crate::domain::delivery::Progress::default(),
        version: 0,
    }
}

fn request(author: &str) -> Approval {
    Approval::request(&offer(), author, "csm-1", at(NOW), at("2026-10-14T05:00:00Z"))
}

#[test]
fn c14_only_the_named_approver_decides() {
    let mut request = request(AUTOPILOT);
    let hash = request.content_hash.clone();
    let refused = request.approve("csm-2", &hash, "", at(NOW)).unwrap_err();
    assert_eq!(refused, ApprovalFault::NotTheApprover("csm-1".into()));
    request.approve("csm-1", &hash, "good", at(NOW)).unwrap();
    assert_eq!(
        request.reject("csm-1", "no", at(NOW)),
        Err(ApprovalFault::Closed(ApprovalState::Approved))
    );
}

#[test]
fn c14_four_eyes() {
    let mut request = request("csm-1");
    assert_eq!(
        request.reject("csm-1", "", at(NOW)),
        Err(ApprovalFault::FourEyes("csm-1".into()))
    );
}

#[test]
fn c14_expiry_means_not_sent() {
    let mut request = request(AUTOPILOT);
    let hash = request.content_hash.clone();
    assert!(!request.is_overdue(at("2026-10-14T04:59:59Z")));
    assert!(request.is_overdue(at("2026-10-14T05:00:00Z")));
    assert!(matches!(
        request.approve("csm-1", &hash, "", at("2026-10-14T05:00:00Z")),
        Err(ApprovalFault::Expired(_))
    ));
}

#[test]
fn c14_only_what_was_frozen_is_approved() {
    let mut request = request(AUTOPILOT);
    assert_eq!(
        request.approve("csm-1", "beef", "", at(NOW)),
        Err(ApprovalFault::ContentChanged)
    );
    let mut edited = offer();
    edited.subject = "storage".into();
    assert_ne!(content_hash(&edited), request.content_hash);
    let mut bookkeeping = offer();
    bookkeeping.version = 7;
    bookkeeping.decision_id = Some(Uuid::nil());
    assert_eq!(content_hash(&bookkeeping), request.content_hash);
}

#[test]
fn c14_business_days_are_those_of_the_account() {
    let zone = TimeZone::get("Asia/Almaty").unwrap();
    for (asked, due) in [
        // Monday 10:00 → Wednesday 10:00
        ("2026-10-12T05:00:00Z", "2026-10-14T05:00:00Z"),
        // Friday 10:00 → Tuesday 10:00
        ("2026-10-16T05:00:00Z", "2026-10-20T05:00:00Z"),
        // Saturday 10:00 counts from Monday 00:00 → Wednesday 00:00
        ("2026-10-17T05:00:00Z", "2026-10-20T19:00:00Z"),
        // Still Friday in London, already Saturday in Almaty
        ("2026-10-16T20:00:00Z", "2026-10-20T19:00:00Z"),
    ] {
        assert_eq!(business_deadline(at(asked), 2, &zone), at(due), "{asked}");
    }
}
