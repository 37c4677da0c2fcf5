//! SG-4: the product is hardly used. Three ways, each with a subject and an episode of its own:
//!
//! - `daily_use`: DAU/MAU below 20 %. The month's people are at least those of its busiest day, so that the share of the
//!   mean in the peak is an upper bound: what is below the threshold is so for certain.
//! - `key_features`: less than 30 % of the key features (configuration) used in 30 days.
//! - `licences`: more than 40 % of the licences idle, by the busiest day.
//!
//! Evidence: `dau_mau_percent`, `key_features_percent` or `idle_percent`.

use super::{Sightings, percent, reaches};
use crate::domain::{
    facts::{ACTIVE_USERS, Facts},
    health::licences,
    moment::Moment,
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::{Products, WeakAdoption},
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &WeakAdoption, products: &Products, seen: &mut Sightings) {
    let window = Window::ending(moment.as_of, rule.window_days);
    seen.add(Kind::WeakAdoption, "daily_use", daily_use(facts, window, rule));
    seen.add(
        Kind::WeakAdoption,
        "key_features",
        key_features(facts, window, rule, products),
    );
    seen.add(Kind::WeakAdoption, "licences", idle(facts, moment, window, rule));
}

fn daily_use(facts: &Facts, window: Window, rule: &WeakAdoption) -> Option<Sighting> {
    let tally = facts.active_users.tally(window);
    if facts.active_users.is_empty() {
        return None;
    }
    if tally.days < rule.min_days {
        return Some(Sighting::Unknown);
    }
    let peak = facts.active_users.peak(window).filter(|peak| *peak > 0)?;
    let mean = tally.mean()?;
    let share = mean * 100.0 / peak as f64;
    if reaches(share, rule.dau_mau_percent) {
        return None;
    }
    let source = format!("activity/{ACTIVE_USERS}");
    Some(weak("dau_mau_percent", share, rule.dau_mau_percent, window, &source))
}

fn key_features(facts: &Facts, window: Window, rule: &WeakAdoption, products: &Products) -> Option<Sighting> {
    if products.key_features.is_empty() || facts.feature_users.is_empty() {
        return None;
    }
    let used = used_features(facts, &products.key_features, window, 1);
    let share = percent(used, count(&products.key_features));
    (!reaches(share, rule.key_features_percent)).then(|| {
        weak(
            "key_features_percent",
            share,
            rule.key_features_percent,
            window,
            "feature_use",
        )
    })
}

fn idle(facts: &Facts, moment: &Moment, window: Window, rule: &WeakAdoption) -> Option<Sighting> {
    let seats = licences(facts, moment);
    if seats <= 0 || facts.active_users.is_empty() {
        return None;
    }
    if facts.active_users.tally(window).days < rule.min_days {
        return Some(Sighting::Unknown);
    }
    let peak = facts.active_users.peak(window)?;
    let idle = percent((seats - peak).max(0), seats);
    if idle <= rule.idle_percent + 1e-9 {
        return None;
    }
    let source = format!("activity/{ACTIVE_USERS}");
    let evidence = vec![
        Evidence::new("idle_percent", idle, "%", window, &source).against(rule.idle_percent),
        Evidence::new("active_users", peak as f64, "people", window, &source).against(seats as f64),
    ];
    let strength = (idle / 100.0).clamp(0.0, 1.0);
    Some(Sighting::Holds(Observation::new(Grade::Normal, strength, evidence)))
}

fn weak(name: &str, share: f64, threshold: f64, window: Window, source: &str) -> Sighting {
    let evidence = vec![Evidence::new(name, share, "%", window, source).against(threshold)];
    // Nothing is full strength, the threshold is half.
    let strength = (1.0 - share / threshold / 2.0).clamp(0.0, 1.0);
    Sighting::Holds(Observation::new(Grade::Normal, strength, evidence))
}

/// How many of `features` were used by `users` people or more on some day of `window`.
pub(super) fn used_features(facts: &Facts, features: &[String], window: Window, users: i64) -> i64 {
    let used = |feature: &&String| {
        let series = facts.feature_users.get(*feature);
        series
            .and_then(|series| series.peak(window))
            .is_some_and(|peak| peak >= users)
    };
    count(features.iter().filter(used).collect::<Vec<_>>().as_slice())
}

pub(super) fn count<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}
