//! SG-R2 and SG-R3.

use jiff::{SignedDuration, Timestamp};

use super::build::*;
use crate::domain::{
    lifecycle::{Change, Look, Step, advance, consume},
    moment::Moment,
    signal::{Evidence, Grade, Key, Kind, Observation, Sighting, Signal, State},
};

fn on(day: i64) -> Moment {
    Moment::at(now() + SignedDuration::from_hours(24 * day), &zone())
}

fn holds(strength: f64, grade: Grade) -> Sighting {
    let window = crate::domain::series::Window::ending(moment().as_of, 14);
    let evidence = vec![Evidence::new(
        "growth_percent",
        strength * 30.0,
        "%",
        window,
        "usage/shipments",
    )];
    Sighting::Holds(Observation {
        grade,
        strength,
        evidence,
        raised_by: None,
    })
}

fn look(newest: Option<&Signal>, sighting: Option<Sighting>, day: i64) -> Option<Step> {
    look_with(newest, sighting, day, |_| true)
}

fn look_with(
    newest: Option<&Signal>,
    sighting: Option<Sighting>,
    day: i64,
    held: impl FnOnce(Timestamp) -> bool,
) -> Option<Step> {
    let key = Key::new(Kind::VolumeGrowth, "shipments");
    let moment = on(day);
    let look = Look {
        account_id: "acme",
        key: &key,
        sighting: sighting.as_ref(),
        moment: &moment,
    };
    advance(newest, look, &rulebook().thresholds.life, held)
}

fn opened() -> Signal {
    let step = look(None, Some(holds(0.5, Grade::Normal)), 0).unwrap();
    assert_eq!(step.change, Some(Change::Opened));
    step.signal
}

fn consumed() -> Signal {
    consume(&opened(), "offer-1", on(1).now).unwrap().signal
}

#[test]
fn sgr2_a_repeat_strengthens_and_never_opens_a_second() {
    let first = opened();
    for (strength, grade, told) in [
        (0.5, Grade::Normal, false),
        (0.549, Grade::Normal, false),
        (0.55, Grade::Normal, true),
        (0.45, Grade::Normal, true),
        (0.5, Grade::High, true),
    ] {
        let step = look(Some(&first), Some(holds(strength, grade)), 1).unwrap();
        assert_eq!((step.signal.id, step.signal.state), (first.id, State::Open));
        assert_eq!(step.change, told.then_some(Change::Strengthened), "{strength} {grade}");
        assert_eq!(step.signal.strength, strength);
        assert_eq!(step.signal.last_seen_at, on(1).now);
    }
}

#[test]
fn sgr3_small_steps_are_told_when_they_add_up() {
    let mut signal = opened();
    let mut told = 0;
    for day in 1..=10 {
        let strength = 0.5 + 0.02 * f64::from(i32::try_from(day).unwrap());
        let step = look(Some(&signal), Some(holds(strength, Grade::Normal)), day).unwrap();
        told += i32::from(step.change.is_some());
        signal = step.signal;
    }
    assert_eq!(told, 3);
}

#[test]
fn sgr3_expired_when_it_ceased_withdrawn_when_it_never_held() {
    let first = opened();
    let expired = look_with(Some(&first), None, 2, |opened_at| opened_at == first.opened_at).unwrap();
    assert_eq!(
        (expired.signal.state, expired.change),
        (State::Expired, Some(Change::Expired))
    );
    assert_eq!(expired.signal.closed_at, Some(on(2).now));
    let withdrawn = look_with(Some(&first), None, 2, |_| false).unwrap();
    assert_eq!(
        (withdrawn.signal.state, withdrawn.change),
        (State::Withdrawn, Some(Change::Withdrawn))
    );
    for closed in [expired.signal, withdrawn.signal] {
        assert_eq!(look(Some(&closed), None, 3), None);
        let again = look(Some(&closed), Some(holds(0.6, Grade::Normal)), 3).unwrap();
        assert_eq!((again.change, again.signal.episode), (Some(Change::Opened), 2));
        assert_ne!(again.signal.id, closed.id);
    }
}

#[test]
fn sgr3_an_offer_consumes_an_open_signal_once() {
    let signal = consumed();
    assert_eq!(
        (signal.state, signal.offer_id.as_deref()),
        (State::Consumed, Some("offer-1"))
    );
    assert_eq!(consume(&signal, "offer-2", on(2).now), None);
    let expired = look(Some(&opened()), None, 2).unwrap().signal;
    assert_eq!(consume(&expired, "offer-2", on(2).now), None);
}

#[test]
fn sgr3_a_consumed_signal_opens_again_only_after_14_days_of_false() {
    for (quiet_days, opens) in [(1, false), (13, false), (14, true), (15, true)] {
        let mut signal = consumed();
        for day in 2..2 + quiet_days {
            if let Some(step) = look(Some(&signal), None, day) {
                assert_eq!((step.signal.state, step.change), (State::Consumed, None));
                signal = step.signal;
            }
        }
        let step = look(Some(&signal), Some(holds(0.7, Grade::Normal)), 2 + quiet_days).unwrap();
        assert_eq!(step.change.is_some(), opens, "{quiet_days} quiet days");
        assert_eq!(step.signal.episode, if opens { 2 } else { 1 });
        // A short quiet ends without a trace.
        assert_eq!(step.signal.quiet_since, None);
    }
}

#[test]
fn sgr3_a_consumed_signal_that_goes_on_holding_stays_consumed() {
    let signal = consumed();
    for day in 2..100 {
        assert_eq!(look(Some(&signal), Some(holds(0.9, Grade::High)), day), None);
    }
}

#[test]
fn sgr3_what_cannot_be_judged_is_kept_for_14_days() {
    let signal = opened();
    assert_eq!(look(Some(&signal), Some(Sighting::Unknown), 13), None);
    let step = look(Some(&signal), Some(Sighting::Unknown), 14).unwrap();
    assert_eq!(step.change, Some(Change::Expired));
    // Not to know is not to be false: it does not count towards opening again.
    assert_eq!(look(Some(&consumed()), Some(Sighting::Unknown), 30), None);
}

#[test]
fn an_unknown_condition_opens_nothing() {
    assert_eq!(look(None, Some(Sighting::Unknown), 0), None);
    assert_eq!(look(None, None, 0), None);
}
