//! History through other rules: what would have been sent, and what would have stood in the way, without sending anything.
//!
//! Every recorded decision of an account is made again, in its order, from what was known then. Under the rules of then each
//! comes out as it was. Where other rules decide otherwise, that is carried on: what would not have gone out is taken out of
//! what later decisions know, with its touch, and its signals stay open as long as the offer would have stood, with slots of
//! their own; what would have gone out is put in, uses up its signals, and ends unanswered. What nobody can know stays as it
//! was: scores, other signals, and what other tools did. Whoever has to approve is taken to do so at once.

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use upswell_runtime::ids;
use uuid::Uuid;

use super::{
    decision::{AccountPicture, Candidate, Decision, OfferHistory, SignalView, Slot, Timing, decide_slot},
    ledger::{CapPolicy, Row},
    policy::Policy,
    slots,
    vocabulary::{OfferState, TouchState},
};

mod report;
#[cfg(test)]
mod tests;

pub use self::report::{Change, Count, Pair, Report};

/// A slot at the very moment counts as after the one before it.
const MOMENT: SignedDuration = SignedDuration::from_micros(1);

/// A decision of the past with what it knew.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it knew.
    pub picture: AccountPicture,
    /// What was decided.
    pub was: Decision,
    /// The offer that won.
    pub offer_id: Option<Uuid>,
    /// Its touch.
    pub touch_id: Option<Uuid>,
}

/// The rules that history goes through.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Catalogue and playbooks.
    pub policy: &'a Policy,
    /// The limits.
    pub caps: &'a CapPolicy,
    /// When accounts are decided about, in their own time (C-9).
    pub slot_time: Time,
}

/// One account on its way through other rules.
pub struct Path<'a> {
    rules: Rules<'a>,
    unsent: Vec<Unsent>,
    extra: Vec<Extra>,
    /// What the last decision sent there and here: what was known then does not have it yet.
    echo: Option<Extra>,
    /// What was known last, and when something was decided last.
    last: Option<(AccountPicture, Timestamp)>,
    /// When the first of those that wait may go.
    waits_until: Option<Timestamp>,
}

/// It went out, and would not have.
struct Unsent {
    offer_id: Option<Uuid>,
    touch_id: Option<Uuid>,
    /// They would have stayed open.
    signals: Vec<SignalView>,
    until: Timestamp,
}

/// It did not go out, and would have.
struct Extra {
    history: OfferHistory,
    sent_at: Timestamp,
    open_until: Timestamp,
    /// The signals that it uses up.
    consumed: Vec<String>,
}

impl<'a> Path<'a> {
    /// The begin of an account's history.
    pub const fn new(rules: Rules<'a>) -> Self {
        Self {
            rules,
            unsent: Vec::new(),
            extra: Vec::new(),
            echo: None,
            last: None,
            waits_until: None,
        }
    }

    /// The next decision of history, and the slots that it would have had before; told to `report`.
    pub fn step(&mut self, entry: Entry, report: &mut Report) {
        let at = entry.was.slot.at;
        self.rest(at, report);
        self.echo = None;
        let picture = self.seen(&entry.picture, at);
        let again = self.decide(&picture, entry.was.slot);
        let won = entry.was.winner();
        let would = again.winner();
        if key(won) != key(would) {
            if let Some(won) = won {
                self.not_sent(&entry, won);
            }
            self.extra
                .extend(would.and_then(|would| Extra::of(would, &entry.picture, at)));
        } else {
            self.echo = won.and_then(|won| Extra::of(won, &entry.picture, at));
            // What waited here longer than there goes out now here and there.
            let id = entry.offer_id;
            self.unsent.retain(|unsent| id.is_none() || unsent.offer_id != id);
        }
        report.add(Some(&entry.was), &again);
        self.waits_until = again.earliest;
        self.last = Some((entry.picture, at));
    }

    /// The slots before `until` that history did not have, because nothing was open then.
    pub fn rest(&mut self, until: Timestamp, report: &mut Report) {
        let Some((known, mut last)) = self.last.take() else {
            return;
        };
        while let Some(at) = self.next_slot(&known.calendar.time_zone, last).filter(|at| *at < until) {
            let picture = self.seen(&known, at);
            let slot = Slot {
                at,
                timing: Timing::Daily,
            };
            let again = self.decide(&picture, slot);
            self.extra
                .extend(again.winner().and_then(|would| Extra::of(would, &known, at)));
            report.add(None, &again);
            self.waits_until = again.earliest;
            last = at;
        }
        self.last = Some((known, last));
    }

    fn decide(&self, picture: &AccountPicture, slot: Slot) -> Decision {
        decide_slot(picture, self.rules.policy, self.rules.caps, slot)
    }

    /// The first slot after `at` in which something that is still open here, and was not there, may go.
    fn next_slot(&self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        let open = self
            .unsent
            .iter()
            .filter(|unsent| unsent.signals.iter().any(|signal| !self.is_consumed(signal)));
        let until = open.map(|unsent| unsent.until).max()?;
        let waits = self.waits_until.and_then(|earliest| earliest.checked_sub(MOMENT).ok());
        let next = slots::next_slot(zone, self.rules.slot_time, waits.map_or(at, |waits| waits.max(at)));
        (next <= until).then_some(next)
    }

    fn is_consumed(&self, signal: &SignalView) -> bool {
        let used = |extra: &Extra| signal.opened_at <= extra.sent_at && extra.consumed.contains(&signal.id);
        self.extra.iter().chain(&self.echo).any(used)
    }

    /// What would have been known instead of `known`.
    fn seen(&self, known: &AccountPicture, at: Timestamp) -> AccountPicture {
        let mut picture = known.clone();
        let unsent: Vec<Uuid> = self.unsent.iter().filter_map(|unsent| unsent.offer_id).collect();
        picture.offers.retain(|offer| !unsent.contains(&offer.id));
        let touches: Vec<Uuid> = self.unsent.iter().filter_map(|unsent| unsent.touch_id).collect();
        picture.ledger_rows.retain(|row| !touches.contains(&row.touch_id));
        for unsent in self.unsent.iter().filter(|unsent| at <= unsent.until) {
            for signal in &unsent.signals {
                if picture.signals.iter().all(|known| known.id != signal.id) {
                    picture.signals.push(signal.clone());
                }
            }
        }
        picture.signals.retain(|signal| !self.is_consumed(signal));
        for extra in self.extra.iter().chain(&self.echo) {
            picture.offers.push(extra.at(at));
            picture.ledger_rows.push(extra.row());
        }
        picture
    }

    fn not_sent(&mut self, entry: &Entry, won: &Candidate) {
        let signals = entry.picture.signals.iter();
        let validity = won.draft.as_ref().map_or(0, |draft| draft.validity_days);
        self.unsent.push(Unsent {
            offer_id: entry.offer_id,
            touch_id: entry.touch_id,
            signals: signals
                .filter(|signal| won.signal_ids.contains(&signal.id))
                .cloned()
                .collect(),
            until: later(entry.was.slot.at, validity),
        });
    }
}

impl Extra {
    /// A candidate that goes out at `at`; none for one that could not be put together.
    fn of(would: &Candidate, picture: &AccountPicture, at: Timestamp) -> Option<Self> {
        let draft = would.draft.as_ref()?;
        let parts = [
            &picture.account_id,
            &would.playbook,
            &would.subject,
            &at.as_microsecond().to_string(),
        ];
        let terms_end = draft.terms.as_ref().map(|terms| terms.valid_until);
        Some(Self {
            history: OfferHistory {
                id: ids::derive("what-if", &parts.map(String::as_str)),
                playbook: would.playbook.clone(),
                motion: would.motion,
                subject: would.subject.clone(),
                class: would.class,
                proposes_expansion: would.proposes_expansion,
                state: OfferState::Sent,
                signal_ids: would.signal_ids.clone(),
                sent_at: Some(at),
                state_at: at,
                deferred_until: None,
            },
            sent_at: at,
            open_until: terms_end.unwrap_or_else(|| later(at, draft.validity_days)),
            consumed: if draft.consumes_signals {
                would.signal_ids.clone()
            } else {
                Vec::new()
            },
        })
    }

    /// The offer as it would stand: nobody answers it.
    fn at(&self, now: Timestamp) -> OfferHistory {
        let mut history = self.history.clone();
        if now > self.open_until {
            (history.state, history.state_at) = (OfferState::Expired, self.open_until);
        }
        history
    }

    fn row(&self) -> Row {
        Row {
            touch_id: self.history.id,
            class: self.history.class,
            proposes_expansion: self.history.proposes_expansion,
            at: self.sent_at,
            state: TouchState::Confirmed,
        }
    }
}

fn later(at: Timestamp, days: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(at)
}

/// What a candidate is, whatever it says.
fn key(candidate: Option<&Candidate>) -> Option<(&str, &str)> {
    candidate.map(|candidate| (candidate.playbook.as_str(), candidate.subject.as_str()))
}
