//! SG-18: the last NPS answer is 9 or 10 and not too old.
//!
//! Subject: `nps`. Evidence: `nps`.

use super::Sightings;
use crate::domain::{
    facts::Facts,
    moment::{Moment, days_between},
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::Promoter,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &Promoter, seen: &mut Sightings) {
    let Some(answer) = facts.last_nps(moment.now) else {
        return;
    };
    let day = moment.back_to(answer.at).today;
    if answer.score < rule.score || days_between(day, moment.today) > rule.max_age_days {
        return;
    }
    let window = Window { first: day, last: day };
    let observation = Observation {
        grade: Grade::Normal,
        strength: (f64::from(answer.score) / 10.0).clamp(0.0, 1.0),
        evidence: vec![Evidence::new("nps", f64::from(answer.score), "1", window, "survey/nps")],
        raised_by: None,
    };
    seen.add(Kind::Promoter, "nps", Some(Sighting::Holds(observation)));
}
