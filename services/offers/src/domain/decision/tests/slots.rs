//! How candidates compete, and what the winner is made of.

use super::support::*;
use crate::domain::{decision::*, vocabulary::*};

#[test]
fn m1_the_expected_value_is_the_product_of_its_factors() {
    let mut picture = growing();
    picture.ledger_rows = vec![
        touch(1, TouchClass::Educational, days_ago(20)),
        touch(2, TouchClass::Contractual, days_ago(20)),
        touch(3, TouchClass::Educational, days_ago(40)),
    ];
    let decision = decide(&picture);
    let winner = decision.winner().unwrap();
    let Factors {
        acceptance,
        monthly,
        churn_risk,
        urgency,
        fatigue,
    } = winner.factors;
    assert_eq!(
        (acceptance, monthly, churn_risk, urgency, fatigue),
        (0.25, Some(usd(2_500)), 0.1, 1.0, 0.9)
    );
    assert_eq!(winner.expected_value, Some(usd(506)), "0.25 × 2500 × 0.9 × 1 × 0.9");
}

#[test]
fn sc3_rising_health_and_urgent_signals_count_for_more() {
    let mut picture = growing();
    picture.signals[0].grade = Grade::Exceeded;
    picture.score.as_mut().unwrap().health_change = Some(5);
    let urgency = decide(&picture).winner().unwrap().factors.urgency;
    assert!((urgency - 1.3 * 1.05).abs() < 1e-9);
}

#[test]
fn m1_the_higher_expected_value_wins_and_the_other_waits() {
    let mut picture = with_signals([growth(), limit("integrations", 85.0)]);
    let decision = decide(&picture);
    assert_eq!(decision.winner().unwrap().subject, "integrations", "30 $ beat 25 $");
    assert_eq!(
        decision
            .candidates
            .iter()
            .filter(|candidate| candidate.outcome == Outcome::Won)
            .count(),
        1
    );
    let loser = &decision.candidates[1];
    assert_eq!(loser.outcome, Outcome::Deferred(Some(in_days(7))));
    assert_eq!(loser.gates.last().unwrap().gate, "slot");
    // The very urgent one turns it round.
    picture.signals[0].grade = Grade::Exceeded;
    assert_eq!(decide(&picture).winner().unwrap().subject, "users");
}

#[test]
fn c9_help_waits_only_while_something_commercial_may_go() {
    let mut picture = with_signals([growth(), tickets("integrations")]);
    let decision = decide(&picture);
    assert_eq!(decision.winner().unwrap().playbook, "capacity-growth");
    assert_eq!(
        candidate(&decision, "ticket-recipe").outcome,
        Outcome::Deferred(None),
        "the next slot takes it"
    );
    picture.ledger_rows = vec![touch(1, TouchClass::Commercial, days_ago(1))];
    assert_eq!(decide(&picture).winner().unwrap().playbook, "ticket-recipe");
}

#[test]
fn sg_r4_what_is_immediate_does_not_wait_for_the_slot() {
    let picture = with_signals([growth(), tickets("integrations")]);
    let decision = decide_now(&picture);
    assert_eq!(decision.candidates.len(), 1);
    assert_eq!(decision.winner().unwrap().playbook, "ticket-recipe");
    assert!(
        !decision.draft().unwrap().consumes_signals,
        "premium support may follow"
    );
}

#[test]
fn sg6_the_renewal_package_goes_first_and_sells_nothing() {
    let mut picture = with_signals([growth(), renewal_mark(60)]);
    picture.contacts[0].renewal_decision_maker = true;
    let decision = decide(&picture);
    let winner = decision.winner().unwrap();
    assert_eq!(
        (winner.playbook.as_str(), winner.class),
        ("renewal-package", TouchClass::Renewal)
    );
    assert!(!winner.proposes_expansion && winner.expected_value.is_none());
    let message = &decision.draft().unwrap().message;
    assert!(
        message
            .body
            .contains("60 days are left until your contract renews on June 1, 2027"),
        "{}",
        message.body
    );
}

#[test]
fn m5_the_terms_say_exactly_what_changes() {
    let decision = decide(&growing());
    let draft = decision.draft().unwrap();
    let terms = draft.terms.as_ref().unwrap();
    assert_eq!((terms.product.as_str(), terms.quantity), ("seat-pack", 1));
    assert_eq!((terms.unit_price, terms.monthly), (usd(2_500), usd(2_500)));
    assert_eq!(terms.start_on.to_string(), "2026-10-12");
    // The end of the 26th in Almaty.
    assert_eq!(terms.valid_until.to_string(), "2026-10-26T18:59:59.999999Z");
    assert_eq!(
        terms.summary,
        "Pack of 5 seats; +5: users. Everything you have now stays."
    );
    assert!(
        draft.message.body.contains("the offer stands until October 26, 2026"),
        "{}",
        draft.message.body
    );
}

#[test]
fn t1_the_message_is_signal_why_now_proposal_and_next_step() {
    let mut picture = growing();
    let decision = decide(&picture);
    let draft = decision.draft().unwrap();
    assert_eq!(
        (draft.channel, draft.address.as_deref()),
        (Channel::Email, Some("email:bob"))
    );
    assert_eq!(draft.message.subject, "You have grown by 18.4%: users");
    assert_eq!(
        draft.message.body,
        "Hello bob,\n\nIn two months your use has grown by 18.4% (users).\nSo that it does not meet a limit, add \
         “Pack of 5 seats” for $25.00 a month. Everything you have now stays; the offer stands until October 26, \
         2026.\n\nReply with a single + and we switch it on."
    );
    picture.contacts[0].language = Some("ru-KZ".to_owned());
    let message = decide(&picture).draft().unwrap().message.clone();
    assert_eq!(message.language, "ru");
    assert!(
        message.body.contains("вырос на 18,4% (пользователи)"),
        "{}",
        message.body
    );
}

#[test]
fn sg7_at_a_limit_the_words_name_what_happens_there() {
    let picture = with_signals([growth(), limit("users", 92.0)]);
    let decision = decide(&picture);
    let winner = decision.winner().unwrap();
    assert_eq!(winner.signal_ids.len(), 2, "both signals are one reason");
    assert!(decision.draft().unwrap().message.body.contains("At 100% work stops"));
}

#[test]
fn m3_a_large_offer_goes_to_a_person() {
    let mut picture = growing();
    picture.profile.segment = "strategic".to_owned();
    let decision = decide(&picture);
    let draft = decision.draft().unwrap();
    assert_eq!((draft.owner, draft.channel), (Owner::SalesLed, Channel::SalesTask));
    picture.contacts.clear();
    let decision = decide(&picture);
    assert_eq!(
        decision.draft().unwrap().contact_id,
        None,
        "a person finds out whom to talk to"
    );
}

#[test]
fn t3_the_first_role_with_a_budget_is_addressed() {
    let mut picture = growing();
    picture.contacts = vec![
        contact("finance", ContactRole::Finance),
        contact("b-second", ContactRole::Business),
        contact("a-first", ContactRole::Business),
    ];
    let addressed = |picture: &AccountPicture| decide(picture).draft().unwrap().contact_id.clone().unwrap();
    assert_eq!(addressed(&picture), "a-first");
    picture.contacts[1].budget_holder = true;
    assert_eq!(addressed(&picture), "b-second");
}

#[test]
fn c9_a_deferred_offer_competes_again_as_the_same_offer() {
    let mut picture = growing();
    picture.offers = vec![past(
        "capacity-growth",
        Motion::Capacity,
        "users",
        OfferState::Deferred,
        3,
    )];
    assert_eq!(decide(&picture).winner().unwrap().continues, Some(picture.offers[0].id));
}

#[test]
fn c16_a_decision_is_stored_and_read_back() {
    let decision = decide(&with_signals([growth(), tickets("integrations")]));
    let text = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::from_str::<Decision>(&text).unwrap(), decision);
    assert_eq!(decision.model_version, "rules-1");
    assert!(!decision.caps_version.is_empty());
}

#[test]
fn nothing_happens_without_a_signal() {
    let decision = decide(&account());
    assert!(decision.candidates.is_empty() && decision.winner().is_none() && decision.earliest.is_none());
}

#[test]
fn t2_the_model_case_sells_capacity_by_messenger_and_in_tenge() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/model/policy");
    let policy = crate::policy::load(Some(&directory)).unwrap();
    let mut picture = with_signals([signal(
        SignalKind::VolumeGrowth,
        "shipments",
        &[("growth_percent", 18.0)],
    )]);
    picture.profile.language = "ru".to_owned();
    picture.mrr = Some(upswell_runtime::money::Money::new(24_000_000, "KZT".parse().unwrap()));
    let decision = decide_slot(
        &picture,
        &policy,
        &caps(),
        Slot {
            at: now(),
            timing: Timing::Daily,
        },
    );
    let draft = decision.draft().unwrap();
    assert_eq!((draft.owner, draft.channel), (Owner::ProductLed, Channel::Whatsapp));
    assert!(
        draft.message.body.contains("128\u{a0}000\u{a0}₸ в месяц"),
        "{}",
        draft.message.body
    );
    assert!(
        draft.message.body.contains("вырос на 18% (перевозки)"),
        "{}",
        draft.message.body
    );
    assert!(draft.approval_reasons.is_empty());
}
