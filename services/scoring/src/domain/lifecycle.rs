//! The life of a signal (SG-R2, SG-R3), the only place that changes its state.
//!
//! ```text
//!            condition holds                 an offer was sent
//!   (none) ───────────────────▶ open ──────────────────────────▶ consumed
//!      ▲                        │  │ holds: refreshed, and told     │ false for 14 days,
//!      │                        │  │ when materially stronger       │ then holds again
//!      │     ceased to hold     │  │                                ▼
//!      │  expired ◀─────────────┘  └────────────▶ withdrawn     a new episode
//!      │     │                    it never held       │
//!      └─────┴── holds again: a new episode ──────────┘
//! ```
//! A condition that cannot be judged for want of facts changes nothing, until the signal is stale.

use jiff::Timestamp;
use upswell_runtime::ids;

use super::{
    moment::{Moment, days_between},
    signal::{Key, Observation, Sighting, Signal, State},
    thresholds::Life,
};

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new episode began.
    Opened,
    /// Its grade or strength changed enough to tell.
    Strengthened,
    /// An offer took it up.
    Consumed,
    /// Its condition ceased to hold.
    Expired,
    /// It never held, by what is known now.
    Withdrawn,
}

/// A signal to write, and whether others must be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The signal as it stands after the step.
    pub signal: Signal,
    /// What to tell; `None` for a refresh that interests nobody.
    pub change: Option<Change>,
}

/// One condition of one account, as it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The account.
    pub account_id: &'a str,
    /// Kind and subject.
    pub key: &'a Key,
    /// What the facts say; `None` when the condition does not hold.
    pub sighting: Option<&'a Sighting>,
    /// When.
    pub moment: &'a Moment,
}

/// Decides the next step of the newest episode of a key. `held_at` says whether the condition held at an earlier
/// instant by the facts known now; it is asked only when an open signal ceases to hold.
pub fn advance(
    newest: Option<&Signal>,
    look: Look<'_>,
    life: &Life,
    held_at: impl FnOnce(Timestamp) -> bool,
) -> Option<Step> {
    match (newest, look.sighting) {
        (None, Some(Sighting::Holds(seen))) => Some(open(look, 1, seen)),
        (None, _) => None,
        (Some(signal), sighting) => match (signal.state, sighting) {
            (State::Open, Some(Sighting::Holds(seen))) => Some(refresh(signal, seen, look.moment, life)),
            (State::Open, Some(Sighting::Unknown)) => stale(signal, look.moment, life),
            (State::Open, None) if held_at(signal.opened_at) => Some(close(signal, State::Expired, look.moment.now)),
            (State::Open, None) => Some(close(signal, State::Withdrawn, look.moment.now)),
            (State::Consumed, sighting) => consumed(signal, sighting, look, life),
            (State::Expired | State::Withdrawn, Some(Sighting::Holds(seen))) => {
                Some(open(look, signal.episode + 1, seen))
            }
            (State::Expired | State::Withdrawn, _) => None,
        },
    }
}

/// An offer that was sent takes the signal up; only an open one can be taken.
pub fn consume(signal: &Signal, offer_id: &str, at: Timestamp) -> Option<Step> {
    (signal.state == State::Open).then(|| {
        let mut step = close(signal, State::Consumed, at);
        step.signal.offer_id = Some(offer_id.to_owned());
        step
    })
}

/// The account is no more: its facts count for another one (I-3). Only an open signal can be taken back.
pub fn withdraw(signal: &Signal, at: Timestamp) -> Option<Step> {
    (signal.state == State::Open).then(|| close(signal, State::Withdrawn, at))
}

fn open(look: Look<'_>, episode: i32, seen: &Observation) -> Step {
    let Key { kind, subject } = look.key;
    let parts = [look.account_id, kind.as_str(), subject, &episode.to_string()];
    let signal = Signal {
        id: ids::derive("signal", &parts),
        account_id: look.account_id.to_owned(),
        key: look.key.clone(),
        episode,
        state: State::Open,
        grade: seen.grade,
        strength: seen.strength,
        evidence: seen.evidence.clone(),
        opened_at: look.moment.now,
        last_seen_at: look.moment.now,
        closed_at: None,
        offer_id: None,
        quiet_since: None,
        told_strength: seen.strength,
        raised_by: seen.raised_by.clone(),
    };
    Step {
        signal,
        change: Some(Change::Opened),
    }
}

/// The figures are always renewed; others hear of it when the grade or the strength moved materially.
fn refresh(signal: &Signal, seen: &Observation, moment: &Moment, life: &Life) -> Step {
    let moved = (seen.strength - signal.told_strength).abs() >= life.material_strength - 1e-9;
    let told = moved || seen.grade != signal.grade;
    let signal = Signal {
        grade: seen.grade,
        strength: seen.strength,
        evidence: seen.evidence.clone(),
        last_seen_at: moment.now.max(signal.last_seen_at),
        told_strength: if told { seen.strength } else { signal.told_strength },
        ..signal.clone()
    };
    Step {
        signal,
        change: told.then_some(Change::Strengthened),
    }
}

fn stale(signal: &Signal, moment: &Moment, life: &Life) -> Option<Step> {
    let seen = moment.back_to(signal.last_seen_at).today;
    let age = days_between(seen, moment.today);
    (age >= life.stale_days).then(|| close(signal, State::Expired, moment.now))
}

/// Watches a consumed signal's condition: it opens again after it was false for long enough.
fn consumed(signal: &Signal, sighting: Option<&Sighting>, look: Look<'_>, life: &Life) -> Option<Step> {
    let as_of = look.moment.as_of;
    let quiet_since = match (sighting, signal.quiet_since) {
        (Some(Sighting::Unknown), _) | (None, Some(_)) => return None,
        (None, None) => Some(as_of),
        (Some(Sighting::Holds(seen)), Some(since)) if days_between(since, as_of) >= life.reopen_days => {
            return Some(open(look, signal.episode + 1, seen));
        }
        (Some(Sighting::Holds(_)), Some(_)) => None,
        (Some(Sighting::Holds(_)), None) => return None,
    };
    Some(Step {
        signal: Signal {
            quiet_since,
            ..signal.clone()
        },
        change: None,
    })
}

fn close(signal: &Signal, state: State, at: Timestamp) -> Step {
    let change = match state {
        State::Open => None,
        State::Consumed => Some(Change::Consumed),
        State::Expired => Some(Change::Expired),
        State::Withdrawn => Some(Change::Withdrawn),
    };
    let closed_at = Some(at.max(signal.opened_at));
    Step {
        signal: Signal {
            state,
            closed_at,
            told_strength: signal.strength,
            ..signal.clone()
        },
        change,
    }
}
