//! SG-24: the lifecycle segment of an account, in the order in which they are asked:
//!
//! - `new`: a customer for less than 90 days;
//! - `leaving`: health below 40 where activity is known at all, or use down by 30 % in 30 days;
//! - `active`: health of 70 or more, and use not falling;
//! - `middling`: everybody else.
//!
//! Every account has a segment, which stands in its score. Only `new` and `leaving` ask for something now, so only they
//! are signals. Evidence: `account_age_days`; for `leaving` `health`, and `drop_percent` where use speaks.

use super::{Kind, Sightings, reaches};
use crate::domain::{
    facts::Facts,
    health::Health,
    moment::{Moment, days_between},
    series::{Window, growth_percent},
    signal::{Evidence, Grade, Observation, Sighting},
    thresholds::Lifecycle,
};

/// Lifecycle segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// A customer for a short time.
    New,
    /// On the way out.
    Leaving,
    /// Healthy, and its use does not fall.
    Active,
    /// Everybody else.
    #[default]
    Middling,
}

impl Segment {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Leaving => "leaving",
            Self::Active => "active",
            Self::Middling => "middling",
        }
    }
}

/// The segment of an account with this health.
pub fn segment(facts: &Facts, health: &Health, moment: &Moment, rule: &Lifecycle) -> Segment {
    let drop = drop_percent(facts, moment, rule);
    if age_days(facts, moment).is_some_and(|age| age < rule.new_days) {
        Segment::New
    } else if is_ill(health, rule) || drop.is_some_and(|drop| reaches(drop, rule.leaving_percent)) {
        Segment::Leaving
    } else if health.value >= rule.active_health && !drop.is_some_and(|drop| reaches(drop, rule.falling_percent)) {
        Segment::Active
    } else {
        Segment::Middling
    }
}

/// Adds the signal of the segment, if it is one.
pub fn detect_lifecycle(facts: &Facts, health: &Health, moment: &Moment, rule: &Lifecycle, seen: &mut Sightings) {
    let window = Window::ending(moment.as_of, rule.window_days);
    let (subject, observation) = match segment(facts, health, moment, rule) {
        Segment::New => {
            let age = age_days(facts, moment).unwrap_or_default();
            let evidence = Evidence::new("account_age_days", f64::from(age), "d", window, "account_profile");
            ("new", Observation::new(Grade::Low, 0.5, vec![evidence]))
        }
        Segment::Leaving if facts.terms_on(moment.today).is_empty() => return,
        Segment::Leaving => {
            let mut evidence = vec![Evidence::new("health", f64::from(health.value), "1", window, "health")];
            if let Some(drop) = drop_percent(facts, moment, rule) {
                evidence.push(Evidence::new("drop_percent", drop, "%", window, "usage"));
            }
            ("leaving", Observation::new(Grade::High, 0.9, evidence))
        }
        Segment::Active | Segment::Middling => return,
    };
    seen.add(Kind::Lifecycle, subject, Some(Sighting::Holds(observation)));
}

/// Low points for want of facts are no illness (I-2).
fn is_ill(health: &Health, rule: &Lifecycle) -> bool {
    let knows_activity = health.parts.iter().any(|part| part.name == "logins" && !part.missing);
    knows_activity && health.value < rule.leaving_health
}

fn age_days(facts: &Facts, moment: &Moment) -> Option<i32> {
    facts.customer_since().map(|since| days_between(since, moment.today))
}

/// By how many percent use fell; negative when it grew. `None` when it cannot be said.
fn drop_percent(facts: &Facts, moment: &Moment, rule: &Lifecycle) -> Option<f64> {
    let (_, series, _) = facts.volume()?;
    let now = Window::ending(moment.as_of, rule.window_days);
    let (tally, before) = (series.tally(now), series.tally(now.before(rule.window_days)));
    if tally.days < rule.min_days || before.days < rule.min_days {
        return None;
    }
    growth_percent(tally, before).map(|growth| -growth)
}
