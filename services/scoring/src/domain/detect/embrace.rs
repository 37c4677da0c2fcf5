//! SG-10: a feature is used by 3 or more people on 8 of the last 14 days. Which module the feature stands next to is
//! the catalogue's knowledge: a playbook asks by the subject.
//!
//! Subject: the feature. Evidence: `active_days`, `users` (most on one day).

use super::Sightings;
use crate::domain::{
    facts::Facts,
    moment::Moment,
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::FeatureEmbrace,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &FeatureEmbrace, seen: &mut Sightings) {
    let window = Window::ending(moment.as_of, rule.window_days);
    for (feature, series) in &facts.feature_users {
        let days = series.days_with(window, rule.users);
        if days < rule.days {
            continue;
        }
        let source = format!("feature_use/{feature}");
        let users = series.peak(window).unwrap_or_default();
        let observation = Observation {
            grade: Grade::Normal,
            strength: (f64::from(days) / f64::from(rule.window_days)).clamp(0.0, 1.0),
            evidence: vec![
                Evidence::new("active_days", f64::from(days), "d", window, &source),
                Evidence::new("users", users as f64, "people", window, &source),
            ],
            raised_by: None,
        };
        seen.add(Kind::FeatureEmbrace, feature, Some(Sighting::Holds(observation)));
    }
}
