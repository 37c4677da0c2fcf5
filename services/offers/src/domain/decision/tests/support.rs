//! A healthy account of the built-in policy, and short ways to change it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};
use upswell_runtime::money::Money;
use uuid::Uuid;

use crate::{
    domain::{
        decision::*,
        ledger::{AccountCalendar, CapPolicy, Row},
        policy::Policy,
        vocabulary::*,
    },
    policy::load,
};

/// Monday 2026-10-12, 10:00 in Almaty.
pub(in crate::domain) const NOW: &str = "2026-10-12T05:00:00Z";

pub(in crate::domain) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(in crate::domain) fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

pub(in crate::domain) fn in_days(days: i64) -> Timestamp {
    days_ago(-days)
}

pub(in crate::domain) fn usd(minor: i64) -> Money {
    Money::new(minor, "USD".parse().unwrap())
}

pub(in crate::domain) fn policy() -> Policy {
    load(None).unwrap()
}

pub(in crate::domain) fn caps() -> CapPolicy {
    CapPolicy::default()
}

pub(in crate::domain) fn decide(picture: &AccountPicture) -> Decision {
    decide_slot(
        picture,
        &policy(),
        &caps(),
        Slot {
            at: now(),
            timing: Timing::Daily,
        },
    )
}

pub(in crate::domain) fn decide_now(picture: &AccountPicture) -> Decision {
    decide_slot(
        picture,
        &policy(),
        &caps(),
        Slot {
            at: now(),
            timing: Timing::Immediate,
        },
    )
}

pub(in crate::domain) fn candidate<'a>(decision: &'a Decision, playbook: &str) -> &'a Candidate {
    let found = decision
        .candidates
        .iter()
        .find(|candidate| candidate.playbook == playbook);
    found.unwrap_or_else(|| panic!("no candidate {playbook} in {decision:#?}"))
}

pub(in crate::domain) fn gate<'a>(decision: &'a Decision, playbook: &str, gate: &str) -> &'a GateVerdict {
    let found = candidate(decision, playbook)
        .gates
        .iter()
        .find(|verdict| verdict.gate == gate);
    found.unwrap_or_else(|| panic!("no gate {gate} in {decision:#?}"))
}

/// The gates of a candidate which are against it.
pub(in crate::domain) fn against(decision: &Decision, playbook: &str) -> Vec<(String, String, Verdict)> {
    let closed = candidate(decision, playbook)
        .gates
        .iter()
        .filter(|gate| gate.verdict != Verdict::Pass);
    closed
        .map(|gate| (gate.gate.to_string(), gate.rule_id.to_string(), gate.verdict))
        .collect()
}

#[track_caller]
pub(in crate::domain) fn check_blocked(
    picture: &AccountPicture,
    playbook: &str,
    name: &str,
    rule: &str,
    verdict: Verdict,
) {
    let decision = decide(picture);
    assert_eq!(
        against(&decision, playbook),
        [(name.to_owned(), rule.to_owned(), verdict)],
        "{decision:#?}"
    );
}

/// A green account on the plan Pro with one contact, no signals and no history.
pub(in crate::domain) fn account() -> AccountPicture {
    let time_zone = TimeZone::get("Asia/Almaty").unwrap();
    AccountPicture {
        account_id: "acme".to_owned(),
        profile: Profile {
            display_name: "Acme".to_owned(),
            segment: "mid-market".to_owned(),
            country: "KZ".to_owned(),
            time_zone: time_zone.clone(),
            language: "en".to_owned(),
            enterprise: false,
            csm_id: Some("csm-1".to_owned()),
            customer_since: Some(date(2024, 1, 1)),
        },
        contacts: vec![contact("bob", ContactRole::Business)],
        subscriptions: vec![SubscriptionView {
            product: "pro".to_owned(),
            kind: SubscriptionKind::Plan,
            quantity: 1,
            mrr: usd(9_900),
            limits: BTreeMap::from([("users".to_owned(), 25)]),
        }],
        mrr: Some(usd(9_900)),
        score: Some(ScoreView {
            health: 80,
            band: HealthBand::Green,
            health_change: Some(0),
            churn_risk: 0.1,
            propensity: 0.5,
            model_version: "rules-1".to_owned(),
        }),
        problems: Problems::default(),
        signals: Vec::new(),
        offers: Vec::new(),
        ledger_rows: Vec::new(),
        calendar: AccountCalendar {
            time_zone,
            renewals: vec![date(2027, 6, 1)],
        },
        suppressed: None,
        holds: Vec::new(),
        holdout: false,
        programme: Programme::default(),
    }
}

/// An account whose users grow.
pub(in crate::domain) fn growing() -> AccountPicture {
    with_signals([growth()])
}

pub(in crate::domain) fn with_signals(signals: impl IntoIterator<Item = SignalView>) -> AccountPicture {
    AccountPicture {
        signals: signals.into_iter().collect(),
        ..account()
    }
}

pub(in crate::domain) fn contact(id: &str, role: ContactRole) -> Contact {
    let point = |channel, consent| ContactPoint {
        channel,
        address: format!("{channel}:{id}"),
        consent,
    };
    Contact {
        id: id.to_owned(),
        first_name: Some(id.to_owned()),
        role,
        budget_holder: false,
        renewal_decision_maker: false,
        champion: false,
        points: vec![point(Channel::Whatsapp, true), point(Channel::Email, true)],
        language: None,
    }
}

pub(in crate::domain) fn signal(kind: SignalKind, subject: &str, evidence: &[(&str, f64)]) -> SignalView {
    let evidence = evidence.iter().map(|(name, value)| Evidence {
        name: (*name).to_owned(),
        value: *value,
        unit: String::new(),
        baseline: None,
    });
    SignalView {
        id: format!("{kind}/{subject}"),
        kind,
        subject: subject.to_owned(),
        grade: Grade::Normal,
        strength: 0.5,
        opened_at: days_ago(1),
        evidence: evidence.collect(),
    }
}

pub(in crate::domain) fn growth() -> SignalView {
    signal(SignalKind::VolumeGrowth, "users", &[("growth_percent", 18.4)])
}

pub(in crate::domain) fn limit(subject: &str, used_percent: f64) -> SignalView {
    signal(SignalKind::LimitApproach, subject, &[("used_percent", used_percent)])
}

pub(in crate::domain) fn tickets(topic: &str) -> SignalView {
    signal(
        SignalKind::TicketCluster,
        topic,
        &[("tickets", 3.0), ("reply_hours", 4.0)],
    )
}

pub(in crate::domain) fn renewal_mark(days: i32) -> SignalView {
    signal(
        SignalKind::RenewalClock,
        &format!("mark-{days}"),
        &[("mark_days", f64::from(days))],
    )
}

/// An offer of the past.
pub(in crate::domain) fn past(
    playbook: &str,
    motion: Motion,
    subject: &str,
    state: OfferState,
    days: i64,
) -> OfferHistory {
    let educational = motion == Motion::Value;
    let was_sent = !matches!(
        state,
        OfferState::Deferred | OfferState::AwaitingApproval | OfferState::Reserved | OfferState::Withdrawn
    );
    OfferHistory {
        id: Uuid::from_u128(7),
        playbook: playbook.to_owned(),
        motion,
        subject: subject.to_owned(),
        class: if educational {
            TouchClass::Educational
        } else {
            TouchClass::Commercial
        },
        proposes_expansion: false,
        state,
        signal_ids: vec!["older".to_owned()],
        sent_at: was_sent.then(|| days_ago(days)),
        state_at: days_ago(days),
        deferred_until: None,
    }
}

pub(in crate::domain) fn touch(number: u128, class: TouchClass, at: Timestamp) -> Row {
    Row {
        touch_id: Uuid::from_u128(number),
        class,
        proposes_expansion: false,
        at,
        state: TouchState::Confirmed,
    }
}
