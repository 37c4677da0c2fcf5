use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Delivery, DeliveryState, Next, Notice, Outcome, Retry};
use crate::domain::vocabulary::Channel;

fn begun() -> Delivery {
    Delivery::begin(Uuid::from_u128(7), Uuid::nil(), "acme", Some("ann"), Channel::Sms)
}

fn retry(repeatable: bool) -> Retry {
    let pauses = [5, 60, 300].map(SignedDuration::from_secs).to_vec();
    Retry { repeatable, pauses }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// What ends an attempt, one word each.
fn outcome(word: &str) -> Outcome {
    match word {
        "accepted" => Outcome::Accepted("ref".into()),
        "refused" => Outcome::Refused("550".into()),
        "not_sent" => Outcome::NotSent("no connection".into()),
        _ => Outcome::Unknown("cut off".into()),
    }
}

/// Plays the outcomes of attempts and says where it ended.
fn play(repeatable: bool, outcomes: &[&str]) -> (DeliveryState, Next) {
    let mut delivery = begun();
    let mut next = Next::Counts;
    for (index, word) in outcomes.iter().enumerate() {
        if index > 0 {
            delivery.attempt();
        }
        next = delivery.settle(outcome(word), &retry(repeatable), at(0));
        if !matches!(next, Next::Again(_)) {
            assert_eq!(index, outcomes.len() - 1, "it ended before {word}");
        }
    }
    (delivery.state, next)
}

#[test]
fn c6_an_unknown_outcome_counts_as_used() {
    let cases: &[(bool, &[&str], DeliveryState, bool)] = &[
        (true, &["accepted"], DeliveryState::Accepted, true),
        (true, &["refused"], DeliveryState::Refused, false),
        (
            true,
            &["not_sent", "not_sent", "accepted"],
            DeliveryState::Accepted,
            true,
        ),
        (
            true,
            &["not_sent", "not_sent", "not_sent", "not_sent"],
            DeliveryState::Refused,
            false,
        ),
        (
            true,
            &["unknown", "unknown", "unknown", "unknown"],
            DeliveryState::Unknown,
            true,
        ),
        (
            true,
            &["unknown", "not_sent", "not_sent", "not_sent"],
            DeliveryState::Unknown,
            true,
        ),
        (true, &["unknown", "refused"], DeliveryState::Unknown, true),
        (true, &["unknown", "accepted"], DeliveryState::Accepted, true),
        // What the other side would take for a second message is never handed over again.
        (false, &["unknown"], DeliveryState::Unknown, true),
        (false, &["not_sent", "unknown"], DeliveryState::Unknown, true),
        (false, &["not_sent", "refused"], DeliveryState::Refused, false),
    ];
    for (repeatable, outcomes, state, counts) in cases {
        let (ended, next) = play(*repeatable, outcomes);
        assert_eq!(ended, *state, "{outcomes:?}");
        assert_eq!(next == Next::Counts, *counts, "{outcomes:?}: {next:?}");
    }
}

#[test]
fn pauses_grow_with_a_jitter_that_the_message_decides() {
    let pause = |touch: u128| {
        let mut delivery = begun();
        delivery.touch_id = Uuid::from_u128(touch);
        let Next::Again(then) = delivery.settle(outcome("not_sent"), &retry(true), at(0)) else {
            panic!("it ended")
        };
        then.duration_since(at(0)).as_millis()
    };
    let all: Vec<i128> = (0..50).map(pause).collect();
    assert!(all.iter().all(|millis| (4_000..=6_000).contains(millis)), "{all:?}");
    assert!(all.iter().collect::<std::collections::BTreeSet<_>>().len() > 20);
    assert_eq!(pause(3), pause(3));
}

#[test]
fn k9_each_instant_is_the_first_of_its_kind() {
    let mut delivery = begun();
    delivery.settle(outcome("accepted"), &retry(true), at(0));
    assert!(delivery.notice(Notice::Clicked, at(10)));
    assert_eq!(delivery.progress.delivered_at, Some(at(10)));
    assert!(!delivery.notice(Notice::Clicked, at(20)));
    assert!(!delivery.notice(Notice::Opened, at(20)));
    assert!(!delivery.notice(Notice::Delivered, at(20)));
    assert_eq!(
        (delivery.progress.opened_at, delivery.progress.clicked_at),
        (Some(at(10)), Some(at(10)))
    );
    // What was read did not come back.
    assert!(!delivery.notice(Notice::Bounced, at(30)));
    assert_eq!(delivery.state, DeliveryState::Delivered);
}

#[test]
fn c5_a_bounce_is_told_once_and_stays() {
    let mut delivery = begun();
    delivery.settle(outcome("accepted"), &retry(true), at(0));
    assert!(delivery.notice(Notice::Delivered, at(5)));
    assert!(delivery.notice(Notice::Bounced, at(9)));
    assert!(!delivery.notice(Notice::Bounced, at(10)));
    assert!(!delivery.notice(Notice::Opened, at(11)));
    assert_eq!(
        (delivery.state, delivery.bounced_at),
        (DeliveryState::Bounced, Some(at(9)))
    );
}

#[test]
fn c6_a_receipt_before_the_answer_stands() {
    let mut delivery = begun();
    assert!(delivery.notice(Notice::Delivered, at(1)));
    assert_eq!(delivery.settle(outcome("unknown"), &retry(true), at(2)), Next::Counts);
    assert_eq!(delivery.state, DeliveryState::Delivered);
}

proptest! {
    #[test]
    fn c6_a_place_goes_back_only_if_no_attempt_was_doubtful(
        repeatable: bool,
        words in proptest::collection::vec(proptest::sample::select(vec!["accepted", "refused", "not_sent", "unknown"]), 1..8),
    ) {
        let mut delivery = begun();
        let mut doubt = false;
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                delivery.attempt();
            }
            doubt |= *word == "unknown";
            match delivery.settle(outcome(word), &retry(repeatable), at(0)) {
                Next::Again(then) => prop_assert!(then > at(0) && delivery.state == DeliveryState::Pending),
                Next::GiveBack(_) => {
                    prop_assert!(!doubt && delivery.state == DeliveryState::Refused);
                    break;
                }
                Next::Counts => {
                    prop_assert!(doubt || *word == "accepted");
                    break;
                }
            }
            // Four attempts are all there are.
            prop_assert!(delivery.attempts <= 3);
        }
    }
}
