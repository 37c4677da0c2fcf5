//! Facts in few words. The account lives in Almaty (UTC+5); "now" is noon of 2026-10-20 there, so the last complete
//! day is 2026-10-19.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;
use upswell_runtime::money::{Money, Period};

use crate::domain::{
    assess::{Known, Rulebook},
    detect::{Sightings, detect},
    facts::{Facts, Happening, Invoice, Limit, NpsAnswer, Profile, Terms, Ticket, What},
    health::HealthRules,
    model::Rules,
    moment::{Moment, days_after, days_before},
    series::Series,
    signal::{Grade, Key, Kind, Observation, Sighting},
    thresholds::Thresholds,
};

pub(super) const NOW: &str = "2026-10-20T12:00:00+05:00";

#[derive(Deserialize)]
struct Shipped {
    signals: Thresholds,
    health: HealthRules,
    icp: crate::domain::icp::IcpRules,
    onboarding: crate::domain::stage::OnboardingRules,
}

/// The shipped table, with three key features and two plans of ten and five features.
pub(super) fn rulebook() -> Rulebook {
    let mut shipped: Shipped = toml::from_str(crate::DEFAULTS).unwrap();
    let names = |count: i32| (0..count).map(|n| format!("feature-{n}")).collect::<Vec<_>>();
    shipped.signals.products.key_features = names(10);
    shipped.signals.products.plan_features = [("pro".to_owned(), names(10)), ("basic".to_owned(), names(5))].into();
    Rulebook {
        thresholds: shipped.signals,
        health: shipped.health,
        icp: shipped.icp,
        onboarding: shipped.onboarding,
        model: std::sync::Arc::new(Rules),
        champions: std::sync::Arc::default(),
    }
}

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(super) fn moment() -> Moment {
    Moment::at(now(), &zone())
}

pub(super) fn zone() -> TimeZone {
    TimeZone::get("Asia/Almaty").unwrap()
}

pub(super) fn hours_ago(hours: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_hours(hours)
}

pub(super) fn nothing_known() -> Known {
    Known::default()
}

/// The day `days` before the last complete one.
pub(super) fn back(days: i32) -> Date {
    days_before(moment().as_of, days)
}

pub(super) fn account() -> Facts {
    let profile = Profile {
        time_zone: zone(),
        primary_metric: Some("shipments".into()),
        segment: "mid-market".into(),
        industry: String::new(),
        country: "KZ".into(),
        enterprise: false,
        customer_since: None,
    };
    Facts {
        profile: Some(profile),
        ..Facts::default()
    }
}

/// One count a day for the `count` days that end with the day `last` days before the last complete one.
pub(super) fn run(last: i32, count: i32, value: i64) -> impl Iterator<Item = (Date, i64)> {
    (last..last + count).map(move |days| (back(days), value))
}

pub(super) fn usage(counts: impl IntoIterator<Item = (Date, i64)>) -> Facts {
    let mut facts = account();
    facts.usage.insert("shipments".into(), counts.into_iter().collect());
    facts
}

pub(super) fn series(counts: impl IntoIterator<Item = (Date, i64)>) -> Series {
    counts.into_iter().collect()
}

pub(super) fn terms(seats: i64, limits: &[(&str, i64, bool)]) -> Terms {
    let limit = |(metric, value, standing): &(&str, i64, bool)| Limit {
        metric: (*metric).into(),
        value: *value,
        standing: *standing,
    };
    Terms {
        subscription_id: "base".into(),
        product: "pro".into(),
        is_plan: true,
        monthly: None,
        period: Some(Period::Month),
        effective: back(300),
        end: None,
        renewal: Some(days_after(moment().today, 200)),
        seats,
        limits: limits.iter().map(limit).collect(),
    }
}

/// An invoice issued so many days before the last complete day, paid on its due day a week later.
pub(super) fn invoice(days: i32, units: i64) -> Invoice {
    let issued = back(days);
    let due = days_after(issued, 7);
    let amount = Money {
        minor: units * 100,
        currency: "KZT".parse().unwrap(),
    };
    Invoice {
        issued,
        due,
        amount,
        won_by_upswell: false,
        paid: Some(due),
    }
}

/// Features `feature-0` … used by `people` on each of the last `days` days.
pub(super) fn features(facts: &mut Facts, count: i32, people: i64, days: i32) {
    for n in 0..count {
        facts
            .feature_users
            .insert(format!("feature-{n}"), series(run(0, days, people)));
    }
}

pub(super) fn happening(what: What, subject: &str, hours: i64) -> Happening {
    Happening {
        what,
        subject: subject.into(),
        at: hours_ago(hours),
        percent: None,
        by: String::new(),
    }
}

pub(super) fn ticket(topic: &str, hours: i64) -> Ticket {
    Ticket {
        topic: topic.into(),
        critical: false,
        opened_at: hours_ago(hours),
        replied_at: None,
        resolved_at: None,
    }
}

pub(super) fn nps(score: i32, hours: i64) -> NpsAnswer {
    NpsAnswer {
        at: hours_ago(hours),
        score,
    }
}

pub(super) fn seen(facts: &Facts) -> Sightings {
    seen_at(facts, &moment())
}

pub(super) fn seen_at(facts: &Facts, moment: &Moment) -> Sightings {
    detect(facts, moment, &rulebook().thresholds)
}

/// The grade of the condition; `None` when it does not hold or cannot be judged.
pub(super) fn grade(sightings: &Sightings, kind: Kind, subject: &str) -> Option<Grade> {
    observation(sightings, kind, subject).map(|seen| seen.grade)
}

pub(super) fn observation<'a>(sightings: &'a Sightings, kind: Kind, subject: &str) -> Option<&'a Observation> {
    match sightings.get(&Key::new(kind, subject)) {
        Some(Sighting::Holds(observation)) => Some(observation),
        _ => None,
    }
}

pub(super) fn is_unknown(sightings: &Sightings, kind: Kind, subject: &str) -> bool {
    sightings.get(&Key::new(kind, subject)) == Some(&Sighting::Unknown)
}

pub(super) fn figure(observation: &Observation, name: &str) -> f64 {
    observation
        .evidence
        .iter()
        .find(|evidence| evidence.name == name)
        .unwrap()
        .value
}
