//! SG-13: three or more people are active on 20 of 30 days, and as many use 80 % of the key features (configuration).
//!
//! Facts count people per day and do not name them, so the figures say what some three people do at least.
//!
//! Subject: `key_features`. Evidence: `power_users` (people on the least used of the counted features), `active_days`,
//! `features_percent`.

use super::{
    Sightings,
    adoption::{count, used_features},
    percent, reaches,
};
use crate::domain::{
    facts::{ACTIVE_USERS, Facts},
    moment::Moment,
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::{PowerUsers, Products},
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &PowerUsers, products: &Products, seen: &mut Sightings) {
    let features = &products.key_features;
    if features.is_empty() {
        return;
    }
    let window = Window::ending(moment.as_of, rule.window_days);
    let days = facts.active_users.days_with(window, rule.users);
    let share = percent(used_features(facts, features, window, rule.users), count(features));
    if days < rule.days || !reaches(share, rule.features_percent) {
        return;
    }
    let peaks = features
        .iter()
        .filter_map(|feature| facts.feature_users.get(feature)?.peak(window));
    let people = peaks.filter(|peak| *peak >= rule.users).min().unwrap_or(rule.users);
    let figure = |name, value, unit, source: &str| Evidence::new(name, value, unit, window, source);
    let evidence = vec![
        figure("power_users", people as f64, "people", "feature_use"),
        figure("active_days", f64::from(days), "d", &format!("activity/{ACTIVE_USERS}")),
        figure("features_percent", share, "%", "feature_use"),
    ];
    let strength = (f64::from(days) / f64::from(rule.window_days)).clamp(0.0, 1.0);
    let observation = Observation::new(Grade::Normal, strength, evidence);
    seen.add(Kind::PowerUsers, "key_features", Some(Sighting::Holds(observation)));
}
