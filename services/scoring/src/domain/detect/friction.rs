//! SG-14: work goes on in other tools: 5 exports to them in 30 days, or 2 complaints about duplicated work or a missing
//! integration in 60.
//!
//! Subject: `exports` or `complaints`. Evidence: `exports` or `complaints`.

use super::{Sightings, happenings, strength};
use crate::domain::{
    facts::{Facts, What},
    moment::Moment,
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::WorkflowFriction,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &WorkflowFriction, seen: &mut Sightings) {
    seen.add(Kind::WorkflowFriction, "exports", exports(facts, moment, rule));
    seen.add(Kind::WorkflowFriction, "complaints", complaints(facts, moment, rule));
}

/// Today counts: behaviour fires as facts arrive (SG-R4).
fn exports(facts: &Facts, moment: &Moment, rule: &WorkflowFriction) -> Option<Sighting> {
    let window = Window::ending(moment.today, rule.exports_days);
    let total: i128 = facts.exports.values().map(|series| series.tally(window).sum).sum();
    if total < i128::from(rule.exports) {
        return None;
    }
    let mut tools = facts.exports.iter().filter(|(_, series)| series.tally(window).sum > 0);
    let source = match (tools.next(), tools.next()) {
        (Some((tool, _)), None) => format!("export/{tool}"),
        _ => "export".to_owned(),
    };
    let evidence = vec![Evidence::new("exports", total as f64, "exports", window, &source)];
    let strength = strength(total as f64, rule.exports as f64);
    Some(Sighting::Holds(Observation::new(Grade::Normal, strength, evidence)))
}

fn complaints(facts: &Facts, moment: &Moment, rule: &WorkflowFriction) -> Option<Sighting> {
    let sorts = [What::DuplicatedWork, What::MissingIntegration];
    let found = facts.happened(&sorts, moment.now, rule.complaints_days);
    let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
    if count < rule.complaints {
        return None;
    }
    let evidence = Evidence {
        name: "complaints".to_owned(),
        unit: "complaints".to_owned(),
        facts: "complaint".to_owned(),
        ..happenings::times(&found, moment)?
    };
    let strength = strength(f64::from(count), f64::from(rule.complaints));
    Some(Sighting::Holds(Observation::new(
        Grade::Normal,
        strength,
        vec![evidence],
    )))
}
