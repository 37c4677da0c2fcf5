//! SG-11, SG-12, SG-15, SG-16, SG-19, SG-21 and SG-22: what happened at one instant and speaks for a while. They fire as
//! facts arrive (SG-R4), so the windows end now.
//!
//! | signal | subject | evidence |
//! |---|---|---|
//! | SG-11 interest | the feature, plan, page or webinar; `unknown` | `times` |
//! | SG-12 value reached | the goal | `times` |
//! | SG-15 initiative | the area; `unknown` | `times` |
//! | SG-16 company growth | `head_count`, `branch`, `funding`, `new_market` | `times`; `growth_percent` for `head_count` |
//! | SG-19 proof request | `proof` | `times` |
//! | SG-21 CSM-raised | what the report is about; `unknown` | `times`; the signal keeps who raised it |
//! | SG-22 downgrade attempt | `downgrade`, `cancel` | `times` |

use std::collections::BTreeMap;

use super::{Sightings, reaches, strength};
use crate::domain::{
    facts::{Facts, Happening, What},
    moment::Moment,
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::{Interest, Thresholds},
};

const INTEREST: &[What] = &[
    What::LockedAction,
    What::FeatureRequest,
    What::PlanQuestion,
    What::UpgradeView,
    What::Webinar,
];
const GROWTH: &[What] = &[What::Branch, What::Funding, What::NewMarket];
const REPORTS: &[What] = &[What::ManualWork, What::Opportunity];

pub(super) fn detect(facts: &Facts, moment: &Moment, rules: &Thresholds, seen: &mut Sightings) {
    for (subject, found) in by_subject(facts, moment, INTEREST, rules.interest.days) {
        seen.add(Kind::Interest, subject, interest(&found, moment, &rules.interest));
    }
    for (subject, found) in by_subject(facts, moment, &[What::GoalReached], rules.value_reached.days) {
        seen.add(Kind::ValueReached, subject, told(&found, moment, Grade::Normal, 0.8));
    }
    for (subject, found) in by_subject(facts, moment, &[What::Team, What::Project], rules.initiative.days) {
        seen.add(Kind::Initiative, subject, told(&found, moment, Grade::Normal, 0.7));
    }
    company_growth(facts, moment, rules, seen);
    let asked = facts.happened(&[What::ProofRequest], moment.now, rules.proof_request.days);
    seen.add(Kind::ProofRequest, "proof", told(&asked, moment, Grade::Normal, 0.8));
    for (subject, found) in by_subject(facts, moment, REPORTS, rules.csm_raised.days) {
        seen.add(Kind::CsmRaised, subject, raised(&found, moment));
    }
    for (what, subject, grade) in [
        (What::Downgrade, "downgrade", Grade::Normal),
        (What::Cancel, "cancel", Grade::High),
    ] {
        let tried = facts.happened(&[what], moment.now, rules.downgrade_attempt.days);
        seen.add(Kind::DowngradeAttempt, subject, told(&tried, moment, grade, 0.9));
    }
}

/// What happened, by what it was about.
fn by_subject<'a>(
    facts: &'a Facts,
    moment: &Moment,
    whats: &'a [What],
    days: i32,
) -> BTreeMap<&'a str, Vec<&'a Happening>> {
    let mut found: BTreeMap<&str, Vec<&Happening>> = BTreeMap::new();
    for happening in facts.happened(whats, moment.now, days) {
        let subject = if happening.subject.is_empty() {
            "unknown"
        } else {
            &happening.subject
        };
        found.entry(subject).or_default().push(happening);
    }
    found
}

/// How often it happened, from the first to the last day; `None` when it did not.
pub(super) fn times(found: &[&Happening], moment: &Moment) -> Option<Evidence> {
    let first = found.iter().min_by_key(|happening| happening.at)?;
    let last = found.iter().max_by_key(|happening| happening.at)?;
    let window = Window {
        first: moment.back_to(first.at).today,
        last: moment.back_to(last.at).today,
    };
    let source = match last.subject.as_str() {
        "" => last.what.body().to_owned(),
        subject => format!("{}/{subject}", last.what.body()),
    };
    Some(Evidence::new("times", found.len() as f64, "times", window, &source))
}

fn told(found: &[&Happening], moment: &Moment, grade: Grade, strength: f64) -> Option<Sighting> {
    let evidence = times(found, moment)?;
    Some(Sighting::Holds(Observation::new(grade, strength, vec![evidence])))
}

/// Somebody asked or tried: ordinary. Somebody only looked: can wait, unless often.
fn interest(found: &[&Happening], moment: &Moment, rule: &Interest) -> Option<Sighting> {
    let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
    if count < rule.count {
        return None;
    }
    let looked = |happening: &&Happening| matches!(happening.what, What::UpgradeView | What::Webinar);
    let grade = if found.iter().all(looked) && count < rule.strong_count {
        Grade::Low
    } else {
        Grade::Normal
    };
    let strength = strength(f64::from(count), f64::from(rule.strong_count));
    told(found, moment, grade, strength)
}

fn company_growth(facts: &Facts, moment: &Moment, rules: &Thresholds, seen: &mut Sightings) {
    let rule = &rules.company_growth;
    for what in GROWTH {
        let subject = match what {
            What::Branch => "branch",
            What::Funding => "funding",
            _ => "new_market",
        };
        let found = facts.happened(std::slice::from_ref(what), moment.now, rule.days);
        seen.add(Kind::CompanyGrowth, subject, told(&found, moment, Grade::Normal, 0.7));
    }
    let grown = |happening: &&Happening| {
        happening
            .percent
            .is_some_and(|percent| reaches(percent, rule.head_percent))
    };
    let hired = facts
        .happened(&[What::Hiring], moment.now, rule.days)
        .into_iter()
        .filter(grown)
        .collect::<Vec<_>>();
    let most = hired
        .iter()
        .filter_map(|happening| happening.percent)
        .max_by(f64::total_cmp);
    if let (Some(evidence), Some(most)) = (times(&hired, moment), most) {
        let growth = Evidence {
            name: "growth_percent".to_owned(),
            value: most,
            unit: "%".to_owned(),
            ..evidence.clone()
        };
        let observation = Observation::new(Grade::Normal, strength(most, rule.head_percent), vec![growth, evidence]);
        seen.add(Kind::CompanyGrowth, "head_count", Some(Sighting::Holds(observation)));
    }
}

/// The first to report it raised it.
fn raised(found: &[&Happening], moment: &Moment) -> Option<Sighting> {
    let first = found.iter().min_by_key(|happening| happening.at)?;
    let observation = Observation {
        raised_by: Some(first.by.clone()).filter(|by| !by.is_empty()),
        ..Observation::new(Grade::Normal, 0.7, vec![times(found, moment)?])
    };
    Some(Sighting::Holds(observation))
}
