//! SG-6: the renewal clock. Renewals tells that a mark was reached; the signal stands until the next mark is reached
//! or the renewal day has passed. A mark whose day no contract in force renews on any more is taken back: the renewal
//! moved, or was signed early. Where no contract is known the mark stands.
//!
//! Subject: the mark, `120`, `60` or `30`. Evidence: `mark_days`, `days_to_renewal`.

use jiff::civil::Date;

use super::Sightings;
use crate::domain::{
    facts::{Facts, Mark},
    moment::{Moment, days_between},
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
};

pub(super) fn detect(facts: &Facts, moment: &Moment, seen: &mut Sightings) {
    let mut marks: Vec<&Mark> = facts.marks.iter().filter(|mark| stands(mark, facts, moment)).collect();
    // Of two deals at the same mark the nearer renewal speaks.
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.renewal));
    for mark in marks {
        seen.add(Kind::RenewalClock, &mark.days.to_string(), Some(observe(mark, moment)));
    }
}

fn stands(mark: &Mark, facts: &Facts, moment: &Moment) -> bool {
    let later = |other: &Mark| other.deal_id == mark.deal_id && other.days < mark.days && other.reached <= moment.today;
    mark.reached <= moment.today
        && moment.today <= mark.renewal
        && !facts.marks.iter().any(later)
        && !has_moved(mark, facts, moment)
}

fn has_moved(mark: &Mark, facts: &Facts, moment: &Moment) -> bool {
    let terms = facts.terms_on(moment.today);
    let mut renewals = terms.iter().filter_map(|terms| terms.renewal).peekable();
    renewals.peek().is_some() && renewals.all(|renewal| renewal != mark.renewal)
}

fn observe(mark: &Mark, moment: &Moment) -> Sighting {
    let window = Window {
        first: mark.reached,
        last: mark.renewal,
    };
    let source = format!("renewal/{}", mark.deal_id);
    let left = days_between(moment.today, mark.renewal);
    let grade = match mark.days {
        ..=30 => Grade::High,
        31..=60 => Grade::Normal,
        _ => Grade::Low,
    };
    Sighting::Holds(Observation {
        grade,
        strength: (1.0 - f64::from(mark.days) / 200.0).clamp(0.1, 1.0),
        evidence: vec![
            Evidence::new("mark_days", f64::from(mark.days), "d", window, &source),
            Evidence::new("days_to_renewal", f64::from(left), "d", window, &source),
        ],
        raised_by: None,
    })
}

/// The nearest renewal day from today on, by the terms in force.
pub fn next_renewal(facts: &Facts, moment: &Moment) -> Option<Date> {
    let terms = facts.terms_on(moment.today);
    terms
        .iter()
        .filter_map(|terms| terms.renewal)
        .filter(|day| *day >= moment.today)
        .min()
}
