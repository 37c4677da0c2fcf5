use upswell_runtime::money::{Money, Period};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn offer(state: OfferState) -> Offer {
    let now = at("2026-10-12T05:00:00Z");
    Offer {
        id: Uuid::nil(),
        account_id: "acme".into(),
        playbook: "capacity-growth".into(),
        motion: Motion::Capacity,
        subject: "shipments".into(),
        class: TouchClass::Commercial,
        proposes_expansion: false,
        owner: Owner::ProductLed,
        state,
        signal_ids: vec!["s1".into()],
        contact_id: None,
        channel: Channel::Email,
        message: None,
        terms: None,
        expected_value: None,
        decision_id: None,
        approval_id: None,
        touch_id: Some(Uuid::nil()),
        order_id: None,
        close_reason: String::new(),
        created_at: now,
        planned_at: Some(now),
        deferred_until: None,
        sent_at: Some(now),
        state_at: now,
        signal_at: None,
        consumes_signals: true,
        validity_days: 14,
        progress: Progress::default(),
        version: 0,
    }
}

#[test]
fn what_has_ended_stays_ended() {
    for &from in OfferState::ALL {
        let reachable = OfferState::ALL.iter().filter(|to| from.may_become(**to)).count();
        assert_eq!(reachable == 0, from.is_final(), "{from}");
    }
}

#[test]
fn only_a_sent_offer_becomes_an_order() {
    for &from in OfferState::ALL {
        assert_eq!(
            from.may_become(OfferState::Accepted),
            from == OfferState::Sent,
            "{from}"
        );
        assert_eq!(
            offer(from).answerable(at("2026-10-13T00:00:00Z")).is_ok(),
            from == OfferState::Sent
        );
    }
}

#[test]
fn c9_a_deferred_offer_gives_up_its_place() {
    let mut offer = offer(OfferState::Reserved);
    let until = at("2026-10-20T05:00:00Z");
    offer.defer(Some(until), at("2026-10-13T05:00:00Z")).unwrap();
    assert_eq!(
        (offer.touch_id, offer.planned_at, offer.deferred_until),
        (None, None, Some(until))
    );
    offer.advance(OfferState::Reserved, at("2026-10-20T05:00:00Z")).unwrap();
    assert_eq!(offer.deferred_until, None);
}

#[test]
fn sg_r3_an_answer_counts_until_the_validity_ends() {
    let mut offer = offer(OfferState::Sent);
    assert_eq!(offer.answerable(at("2026-10-26T05:00:00Z")), Ok(()));
    let late = at("2026-10-26T05:00:00.000001Z");
    assert!(matches!(offer.answerable(late), Err(OfferFault::TermsExpired(_))));
    let price = Money::new(100, "USD".parse().unwrap());
    offer.terms = Some(Terms {
        product: "p".into(),
        quantity: 1,
        unit_price: price,
        period: Period::Month,
        monthly: price,
        discount_basis_points: 0,
        start_on: "2026-11-01".parse().unwrap(),
        valid_until: at("2026-10-14T05:00:00Z"),
        summary: String::new(),
        granted_basis_points: 0,
        grantor: None,
        trial_days: 0,
    });
    // M-5: the terms speak where there are terms.
    assert!(offer.answerable(at("2026-10-15T05:00:00Z")).is_err());
}
