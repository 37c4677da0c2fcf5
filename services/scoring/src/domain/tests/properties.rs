//! What holds for any facts.

use std::collections::BTreeMap;

use jiff::{SignedDuration, ToSpan as _};
use proptest::prelude::*;

use super::build::*;
use crate::domain::{
    assess::{Known, assess},
    facts::Facts,
    lifecycle::{Change, consume},
    signal::{Key, Signal, State},
};

fn any_facts() -> impl Strategy<Value = Facts> {
    let counts = || prop::collection::vec((0..120_i32, 0..1_000_000_000_000_000_i64), 0..120);
    let tickets = prop::collection::vec((0..3_usize, -10..2000_i64, any::<bool>()), 0..12);
    let invoices = prop::collection::vec((0..400_i32, 0..i64::MAX / 1000, any::<bool>()), 0..15);
    let marks = prop::collection::vec((0..3_usize, 0..100_i32), 0..4);
    (
        counts(),
        counts(),
        tickets,
        invoices,
        prop::collection::vec((-1..12_i32, -5..900_i64), 0..4),
        0..i64::MAX,
        marks,
    )
        .prop_map(|(shipments, people, tickets, invoices, answers, limit, marks)| {
            let day = |(days, count): (i32, i64)| (back(days - 1), count);
            let mut facts = usage(shipments.into_iter().map(day));
            facts.active_users = series(people.into_iter().map(day));
            facts.feature_users.insert("routes".into(), facts.active_users.clone());
            facts.terms = vec![terms(limit, &[("shipments", limit, false), ("shipments", limit, true)])];
            let topic = |(topic, hours, critical): (usize, i64, bool)| {
                let known = ticket(["a", "b", "c"][topic], hours);
                crate::domain::facts::Ticket {
                    critical,
                    replied_at: critical.then_some(now()),
                    ..known
                }
            };
            facts.tickets = tickets.into_iter().map(topic).collect();
            let bill = |(days, units, paid): (i32, i64, bool)| {
                let known = invoice(days, units);
                crate::domain::facts::Invoice {
                    paid: known.paid.filter(|_| paid),
                    ..known
                }
            };
            facts.invoices = invoices.into_iter().map(bill).collect();
            facts.nps = answers.into_iter().map(|(score, hours)| nps(score, hours)).collect();
            let mark = |(index, days): (usize, i32)| crate::domain::facts::Mark {
                deal_id: "deal".into(),
                days: [120, 60, 30][index],
                reached: back(days),
                renewal: back(days).saturating_add(120.days()),
            };
            facts.marks = marks.into_iter().map(mark).collect();
            facts
        })
}

fn in_unit(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_facts_are_scored_within_bounds(facts in any_facts()) {
        let assessment = assess("acme", &facts, &nothing_known(), now(), &rulebook());
        let score = &assessment.score;
        prop_assert!((0..=100).contains(&score.health.value));
        prop_assert_eq!(score.health.raw, score.health.parts.iter().map(|part| part.points).sum::<i32>());
        prop_assert!(in_unit(score.churn_risk) && in_unit(score.expansion_propensity));
        for step in &assessment.steps {
            let signal = &step.signal;
            prop_assert_eq!((signal.state, step.change, signal.episode), (State::Open, Some(Change::Opened), 1));
            prop_assert!(in_unit(signal.strength) && !signal.evidence.is_empty(), "{:?}", signal);
            prop_assert!(signal.evidence.iter().all(|evidence| evidence.value.is_finite()), "{:?}", signal);
        }
        // The same facts give the same answer.
        let again = assess("acme", &facts, &nothing_known(), now(), &rulebook());
        prop_assert_eq!(&again.score, score);
        prop_assert_eq!(again.steps, assessment.steps);
    }

    #[test]
    fn sgr2_sgr3_hold_over_any_history(days in prop::collection::vec((any_facts(), any::<bool>(), 1..20_i64), 1..6)) {
        let rules = rulebook();
        let mut newest: BTreeMap<Key, Signal> = BTreeMap::new();
        let mut at = now();
        for (facts, sent, gap) in days {
            let known = Known { signals: newest.values().cloned().collect(), ..nothing_known() };
            for step in assess("acme", &facts, &known, at, &rules).steps {
                let before = newest.insert(step.signal.key.clone(), step.signal.clone());
                match (before, step.change) {
                    (None, change) => prop_assert_eq!(change, Some(Change::Opened)),
                    (Some(before), Some(Change::Opened)) => {
                        prop_assert!(before.state != State::Open);
                        prop_assert_eq!(before.episode + 1, step.signal.episode);
                    }
                    (Some(before), _) => {
                        prop_assert_eq!(before.id, step.signal.id);
                        prop_assert_eq!(before.opened_at, step.signal.opened_at);
                        prop_assert!(before.state == State::Open || before.state == step.signal.state);
                    }
                }
                prop_assert_eq!(step.signal.closed_at.is_some(), step.signal.state != State::Open);
            }
            if sent {
                for signal in newest.values_mut() {
                    if let Some(step) = consume(signal, "offer", at) {
                        *signal = step.signal;
                    }
                }
            }
            at += SignedDuration::from_hours(24 * gap);
        }
    }
}
