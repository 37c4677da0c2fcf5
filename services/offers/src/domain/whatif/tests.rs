//! An oracle lives through the days under each set of rules; what-if has to find the same from the history of another set.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Entry, Path, Report, Rules, later};
use crate::domain::{
    decision::{tests::support::*, *},
    ledger::{Cap, CapPolicy, CapSettings, Row},
    policy::Policy,
    vocabulary::*,
};

const DAYS: i64 = 60;

/// What went out, when.
type Sends = BTreeSet<(Timestamp, String)>;

/// A signal of every kind, some on the same day.
fn signals() -> Vec<SignalView> {
    let opened = |day: i64, signal: SignalView| SignalView {
        opened_at: in_days(day),
        ..signal
    };
    vec![
        opened(0, growth()),
        opened(1, tickets("integrations")),
        opened(2, limit("integrations", 85.0)),
        opened(4, limit("storage_gb", 91.0)),
        opened(
            30,
            signal(SignalKind::SpendGrowth, "spend", &[("growth_percent", 20.0)]),
        ),
        opened(
            33,
            signal(SignalKind::LimitApproach, "projects", &[("used_percent", 95.0)]),
        ),
    ]
}

struct Sent {
    history: OfferHistory,
    until: Timestamp,
    consumed: Vec<String>,
}

/// What is known on a day after all this was sent.
fn known(sent: &[Sent], at: Timestamp) -> AccountPicture {
    let mut picture = account();
    picture.signals = signals();
    picture
        .signals
        .retain(|signal| signal.opened_at <= at && !sent.iter().any(|sent| sent.consumed.contains(&signal.id)));
    for one in sent {
        let mut history = one.history.clone();
        if at > one.until {
            (history.state, history.state_at) = (OfferState::Expired, one.until);
        }
        picture.ledger_rows.push(Row {
            touch_id: touch_of(history.id),
            at: history.sent_at.unwrap(),
            ..touch(0, history.class, at)
        });
        picture.offers.push(history);
    }
    picture
}

fn touch_of(offer_id: Uuid) -> Uuid {
    Uuid::from_u128(offer_id.as_u128() + 1_000)
}

/// Rules with a slot at the hour of `in_days`.
fn rules<'a>(policy: &'a Policy, caps: &'a CapPolicy) -> Rules<'a> {
    let zone = known(&[], in_days(0)).calendar.time_zone;
    Rules {
        policy,
        caps,
        slot_time: zone.to_datetime(in_days(0)).time(),
    }
}

/// Lives through the days: the history, and what went out.
fn live(rules: Rules<'_>) -> (Vec<Entry>, Sends) {
    let (mut entries, mut sent, mut sends) = (Vec::new(), Vec::<Sent>::new(), Sends::new());
    for day in 0..DAYS {
        let at = in_days(day);
        let picture = known(&sent, at);
        let slot = Slot {
            at,
            timing: Timing::Daily,
        };
        let was = decide_slot(&picture, rules.policy, rules.caps, slot);
        if was.candidates.is_empty() {
            continue;
        }
        let id = Uuid::from_u128(1 + u128::from(day.unsigned_abs()));
        let offer_id = was.winner().map(|_| id);
        if let Some(winner) = was.winner() {
            let draft = winner.draft.as_ref().unwrap();
            sends.insert((at, winner.playbook.clone() + "/" + &winner.subject));
            let history = OfferHistory {
                id,
                signal_ids: winner.signal_ids.clone(),
                sent_at: Some(at),
                state_at: at,
                class: winner.class,
                ..past(&winner.playbook, winner.motion, &winner.subject, OfferState::Sent, 0)
            };
            let until = draft.terms.as_ref().map(|terms| terms.valid_until);
            sent.push(Sent {
                history,
                until: until.unwrap_or_else(|| later(at, draft.validity_days)),
                consumed: if draft.consumes_signals {
                    winner.signal_ids.clone()
                } else {
                    Vec::new()
                },
            });
        }
        entries.push(Entry {
            picture,
            was,
            offer_id,
            touch_id: offer_id.map(touch_of),
        });
    }
    (entries, sends)
}

/// What would have gone out, by the history of other rules.
fn through(entries: &[Entry], rules: Rules<'_>) -> (Sends, Report) {
    let (mut path, mut report) = (Path::new(rules), Report::default());
    for entry in entries {
        path.step(entry.clone(), &mut report);
    }
    path.rest(in_days(DAYS), &mut report);
    let unsent: Vec<Uuid> = path.unsent.iter().filter_map(|unsent| unsent.offer_id).collect();
    let mut sends = Sends::new();
    for entry in entries {
        let Some(winner) = entry.was.winner() else { continue };
        if !unsent.contains(&entry.offer_id.unwrap()) {
            sends.insert((entry.was.slot.at, winner.playbook.clone() + "/" + &winner.subject));
        }
    }
    for extra in &path.extra {
        sends.insert((
            extra.sent_at,
            extra.history.playbook.clone() + "/" + &extra.history.subject,
        ));
    }
    (sends, report)
}

fn caps_with(change: impl Fn(&mut CapSettings)) -> CapPolicy {
    let mut settings = CapSettings::default();
    change(&mut settings);
    settings.policy()
}

fn educated() -> Policy {
    let mut policy = policy();
    policy.rules.propensity_threshold = 0.9;
    policy
}

#[test]
fn c16_history_through_its_own_rules_is_history() {
    let (policy, caps) = (policy(), caps());
    let rules = rules(&policy, &caps);
    let (entries, sends) = live(rules);
    assert!(sends.len() >= 5, "{sends:#?}");
    let (mut path, mut report) = (Path::new(rules), Report::default());
    for entry in &entries {
        let before = report.clone();
        path.step(entry.clone(), &mut report);
        let mut expected = before;
        expected.add(Some(&entry.was), &entry.was);
        assert_eq!(report, expected, "{:#?}", entry.was);
    }
    path.rest(in_days(DAYS), &mut report);
    assert_eq!((report.changed, report.decisions), (0, entries.len() as u64));
    assert!(report.playbooks.values().all(|pair| pair.was == pair.would));
    assert!(report.rules.values().all(|pair| pair.was == pair.would));
}

#[test]
fn c16_what_if_finds_what_another_life_would_have_been() {
    let usual = policy();
    let lives = [
        ("as it is", policy(), caps()),
        (
            "no limit",
            policy(),
            caps_with(|caps| caps.commercial_max = Cap::Unlimited),
        ),
        (
            "nothing commercial",
            policy(),
            caps_with(|caps| caps.commercial_max = Cap::AtMost(0)),
        ),
        (
            "ten days",
            policy(),
            caps_with(|caps| caps.commercial_window_hours = 240),
        ),
        (
            "two a week",
            policy(),
            caps_with(|caps| caps.commercial_max = Cap::AtMost(2)),
        ),
        ("education first", educated(), caps()),
    ];
    let usual_caps = caps();
    let (entries, _) = live(rules(&usual, &usual_caps));
    let mut different = BTreeSet::new();
    for (name, policy, caps) in &lives {
        let rules = rules(policy, caps);
        let (_, lived) = live(rules);
        let (found, report) = through(&entries, rules);
        assert_eq!(found, lived, "{name}: {:#?}", report.changes);
        let sent: u64 = report.playbooks.values().map(|pair| pair.would.sent).sum();
        assert_eq!(sent, lived.len() as u64, "{name}");
        different.insert(lived);
    }
    assert!(different.len() >= 5, "the lives differ");
}

#[test]
fn c16_what_if_says_why() {
    let (usual, caps) = (policy(), caps());
    let (entries, _) = live(rules(&usual, &caps));
    let none = caps_with(|caps| caps.commercial_max = Cap::AtMost(0));
    let (_, report) = through(&entries, rules(&usual, &none));
    let first = &report.changes[0];
    assert_eq!(first.was.as_deref(), Some("capacity-growth (users)"), "{first:#?}");
    assert!(first.why.starts_with("C-1:"), "{first:#?}");
    assert!(report.rules["C-1"].would > report.rules["C-1"].was);
    let pair = &report.playbooks["capacity-growth"];
    assert!(pair.was.sent > 0 && pair.would.sent == 0);
    assert!(pair.was.expected.values().sum::<i64>() > 0 && pair.would.expected.is_empty());
}
