use upswell_runtime::money::Money;
use uuid::Uuid;

use super::*;
use crate::domain::{
    delivery::Progress,
    vocabulary::{Channel, Motion, Owner, TouchClass},
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn offer(minor: Option<i64>, validity_days: i64) -> Offer {
    let sent = at("2026-10-12T05:00:00Z");
    Offer {
        id: Uuid::nil(),
        account_id: "acme".into(),
        playbook: "premium-support".into(),
        motion: Motion::PremiumSupport,
        subject: "billing".into(),
        class: TouchClass::Commercial,
        proposes_expansion: false,
        owner: Owner::CsmLed,
        state: OfferState::Sent,
        signal_ids: vec![],
        contact_id: None,
        channel: Channel::CsmTask,
        message: None,
        terms: None,
        expected_value: minor.map(|minor| Money::new(minor, "USD".parse().unwrap())),
        decision_id: None,
        approval_id: None,
        touch_id: Some(Uuid::nil()),
        order_id: None,
        close_reason: String::new(),
        created_at: sent,
        planned_at: Some(sent),
        deferred_until: None,
        sent_at: Some(sent),
        state_at: sent,
        signal_at: None,
        consumes_signals: true,
        validity_days,
        progress: Progress::default(),
        version: 1,
    }
}

#[test]
fn t2_what_ends_soon_comes_first_and_then_what_is_worth_most() {
    let now = at("2026-10-13T05:00:00Z");
    let queue = [
        offer(Some(5_000), 3),
        offer(None, 2),
        offer(Some(90_000), 14),
        offer(Some(20_000), 14),
        offer(None, 14),
    ];
    let ranks: Vec<i64> = queue.iter().map(|offer| rank(offer, now)).collect();
    let mut sorted = ranks.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    assert_eq!(ranks, sorted);
    assert!(is_urgent(&queue[0], now) && !is_urgent(&queue[2], now));
}

#[test]
fn t2_one_person_works_on_a_task() {
    let offer = offer(Some(5_000), 14);
    let mut marks = Marks::default();
    assert_eq!(marks.state(&offer), TaskState::Open);
    marks.claim(&offer, "ann").unwrap();
    marks.claim(&offer, "ann").unwrap();
    assert_eq!(marks.state(&offer), TaskState::Claimed);
    assert_eq!(marks.claim(&offer, "bob"), Err(TaskFault::Claimed("ann".into())));
    let tomorrow = at("2026-10-14T05:00:00Z");
    assert_eq!(
        marks.snooze(&offer, "bob", tomorrow),
        Err(TaskFault::Claimed("ann".into()))
    );
    marks.snooze(&offer, "ann", tomorrow).unwrap();
    assert!(marks.is_snoozed(at("2026-10-13T05:00:00Z")) && !marks.is_snoozed(tomorrow));
    marks
        .complete(&offer, "ann", TaskOutcome::Talked, "call again", tomorrow)
        .unwrap();
    assert_eq!(marks.state(&offer), TaskState::Done);
    assert_eq!(marks.claim(&offer, "ann"), Err(TaskFault::Closed));
}

#[test]
fn t6_an_answer_elsewhere_closes_the_task() {
    let mut answered = offer(Some(5_000), 14);
    answered.state = OfferState::Accepted;
    let mut marks = Marks::default();
    assert_eq!(marks.state(&answered), TaskState::Closed);
    assert_eq!(marks.claim(&answered, "ann"), Err(TaskFault::Closed));
}
