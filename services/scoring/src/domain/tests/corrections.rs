//! Every signal with late and with corrected facts (I-5, SG-R3).

use jiff::SignedDuration;

use super::build::*;
use crate::domain::{
    assess::{Known, assess},
    facts::{Facts, Happening, Mark, Trial, What},
    lifecycle::Change,
    moment::{Moment, days_after, days_before},
    signal::{Kind, Signal, State},
};

/// Facts on which a signal of each kind stands, and its subject.
fn holding() -> Vec<(Kind, &'static str, Facts)> {
    let happened = |what| Facts {
        terms: vec![terms(0, &[])],
        happenings: vec![Happening {
            percent: Some(20.0),
            ..happening(what, "routes", 48)
        }],
        ..account()
    };
    let billed = |units| Facts {
        invoices: vec![invoice(10, units), invoice(40, 100), invoice(70, 100)],
        ..account()
    };
    let people = |count, seats| Facts {
        active_users: series(run(0, 30, count)),
        terms: vec![terms(seats, &[])],
        ..account()
    };
    let mut full = people(5, 0);
    features(&mut full, 10, 3, 30);
    let today = moment().today;
    let mut trial = Facts {
        trials: vec![Trial {
            product: "pro".into(),
            start: days_before(today, 10),
            end: days_after(today, 2),
            is_running: true,
        }],
        ..account()
    };
    trial.trial_uses.insert("routes".into(), series(run(0, 5, 9)));
    let mut exports = account();
    exports.exports.insert("spreadsheet".into(), series(run(0, 5, 2)));
    let mark = Mark {
        deal_id: "deal".into(),
        days: 120,
        renewal: days_after(today, 110),
        reached: days_before(today, 10),
    };
    let mut limited = usage((0..20).map(|days| (days_before(today, days), 60)));
    limited.terms = vec![terms(0, &[("shipments", 1000, false)])];
    let mut young = account();
    young.profile.as_mut().unwrap().customer_since = Some(days_before(today, 20));
    vec![
        (Kind::SpendGrowth, "spend", billed(120)),
        (
            Kind::VolumeGrowth,
            "shipments",
            usage(run(0, 14, 120).chain(run(14, 70, 100))),
        ),
        (
            Kind::UsageDrop,
            "shipments",
            usage(run(0, 28, 80).chain(run(28, 28, 100))),
        ),
        (Kind::WeakAdoption, "licences", people(5, 100)),
        (
            Kind::TicketCluster,
            "api",
            Facts {
                tickets: (50..53).map(|hours| ticket("api", hours)).collect(),
                ..account()
            },
        ),
        (
            Kind::RenewalClock,
            "120",
            Facts {
                marks: vec![mark],
                ..account()
            },
        ),
        (Kind::LimitApproach, "shipments", limited),
        (Kind::SeatsShort, "seats", people(99, 100)),
        (Kind::TariffSaturation, "pro", full.clone()),
        (Kind::FeatureEmbrace, "feature-0", full.clone()),
        (Kind::Interest, "routes", happened(What::LockedAction)),
        (Kind::ValueReached, "routes", happened(What::GoalReached)),
        (Kind::PowerUsers, "key_features", full),
        (Kind::WorkflowFriction, "exports", exports),
        (Kind::Initiative, "routes", happened(What::Team)),
        (Kind::CompanyGrowth, "head_count", happened(What::Hiring)),
        (Kind::TrialEnding, "pro", trial.clone()),
        (
            Kind::Promoter,
            "nps",
            Facts {
                nps: vec![nps(9, 48)],
                ..account()
            },
        ),
        (Kind::ProofRequest, "proof", happened(What::ProofRequest)),
        (Kind::BudgetMoment, "planning", happened(What::BudgetPlanning)),
        (Kind::CsmRaised, "routes", happened(What::ManualWork)),
        (Kind::DowngradeAttempt, "cancel", happened(What::Cancel)),
        (Kind::HeavyTrialUse, "pro", trial),
        (Kind::Lifecycle, "new", young),
    ]
}

fn step(facts: &Facts, known: &[Signal], kind: Kind, subject: &str) -> Option<(Change, Signal)> {
    let known = Known {
        signals: known.to_vec(),
        ..nothing_known()
    };
    let later = now() + SignedDuration::from_hours(i64::from(!known.signals.is_empty()));
    let steps = assess("acme", facts, &known, later, &rulebook()).steps;
    let mut mine = steps
        .into_iter()
        .filter(|step| step.signal.key.kind == kind && step.signal.key.subject == subject);
    mine.next().and_then(|step| Some((step.change?, step.signal)))
}

#[test]
fn every_kind_of_signal_is_in_the_table() {
    let kinds: Vec<Kind> = holding().into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, Kind::ALL);
}

#[test]
fn i5_sgr3_sg1_to_sg24_late_facts_open_every_signal_and_corrected_ones_withdraw_it() {
    for (kind, subject, facts) in holding() {
        // Nothing is there before the facts come; they all happened long before they are known.
        assert_eq!(step(&account(), &[], kind, subject), None, "{kind}");
        let (change, signal) = step(&facts, &[], kind, subject).unwrap_or_else(|| panic!("{kind} does not open"));
        assert_eq!((change, signal.state), (Change::Opened, State::Open), "{kind}");
        assert!(!signal.evidence.is_empty(), "{kind}");
        let corrected = step(&account(), &[signal], kind, subject);
        let (change, signal) = corrected.unwrap_or_else(|| panic!("{kind} is not taken back"));
        assert_eq!((change, signal.state), (Change::Withdrawn, State::Withdrawn), "{kind}");
    }
}

#[test]
fn sgr1_the_same_facts_later_only_refresh_the_signal() {
    for (kind, subject, facts) in holding() {
        let (_, signal) = step(&facts, &[], kind, subject).unwrap();
        assert_eq!(step(&facts, &[signal], kind, subject), None, "{kind}");
    }
}

#[test]
fn sg6_a_renewal_that_moved_takes_its_mark_back() {
    let today = moment().today;
    let renewal = days_after(today, 118);
    let mark = Mark {
        deal_id: "deal".into(),
        days: 120,
        renewal,
        reached: days_before(today, 2),
    };
    let on = |renewal| {
        let mut terms = terms(5, &[]);
        terms.renewal = Some(renewal);
        terms
    };
    let at = |terms| Facts {
        marks: vec![mark.clone()],
        terms,
        ..account()
    };
    let (_, signal) = step(&at(vec![on(renewal)]), &[], Kind::RenewalClock, "120").unwrap();
    // The date was never right.
    let (change, _) = step(
        &at(vec![on(days_after(today, 300))]),
        std::slice::from_ref(&signal),
        Kind::RenewalClock,
        "120",
    )
    .unwrap();
    assert_eq!(change, Change::Withdrawn);
    // It was right until a new version moved it, an hour after the signal opened.
    let mut opened = signal;
    opened.opened_at = Moment::at(now() - SignedDuration::from_hours(24), &zone()).now;
    let mut moved = on(days_after(today, 300));
    moved.effective = today;
    let (change, _) = step(&at(vec![on(renewal), moved]), &[opened], Kind::RenewalClock, "120").unwrap();
    assert_eq!(change, Change::Expired);
}
