//! SG-8: seats are short: the busiest of the last 30 days had 95 % of the seats in use, or several people share a login.
//!
//! Subject: `seats`, or `shared_login`. Evidence: `seats_percent`, `active_users` (baseline: the seats), `seats`; for a
//! shared login `times`.

use super::{Sightings, happenings, percent, reaches};
use crate::domain::{
    facts::{ACTIVE_USERS, Facts, What},
    health::licences,
    moment::Moment,
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::SeatsShort,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &SeatsShort, seen: &mut Sightings) {
    seen.add(Kind::SeatsShort, "seats", seats(facts, moment, rule));
    let shared = facts.happened(&[What::SharedLogin], moment.now, rule.shared_days);
    if let Some(evidence) = happenings::times(&shared, moment) {
        let observation = Observation::new(Grade::Normal, 0.6, vec![evidence]);
        seen.add(Kind::SeatsShort, "shared_login", Some(Sighting::Holds(observation)));
    }
}

fn seats(facts: &Facts, moment: &Moment, rule: &SeatsShort) -> Option<Sighting> {
    let seats = licences(facts, moment);
    if seats <= 0 || facts.active_users.is_empty() {
        return None;
    }
    let window = Window::ending(moment.as_of, rule.window_days);
    let Some(people) = facts.active_users.peak(window) else {
        return Some(Sighting::Unknown);
    };
    let share = percent(people, seats);
    if !reaches(share, rule.percent) {
        return None;
    }
    let source = format!("activity/{ACTIVE_USERS}");
    let figure = |name, value, unit| Evidence::new(name, value, unit, window, &source);
    let grade = if people >= seats { Grade::High } else { Grade::Normal };
    let evidence = vec![
        figure("seats_percent", share, "%"),
        figure("active_users", people as f64, "people").against(seats as f64),
        figure("seats", seats as f64, "seats"),
    ];
    Some(Sighting::Holds(Observation::new(
        grade,
        (share / 100.0).clamp(0.0, 1.0),
        evidence,
    )))
}
