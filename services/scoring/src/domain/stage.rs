//! Where an account stands: onboarding (SC-10), qualification (SC-8), growth potential and its class (SC-1, SC-7).

use serde::{Deserialize, Serialize};

use super::{
    facts::{Facts, What},
    health::Health,
    icp::IcpFit,
    model::Prediction,
    moment::{Moment, days_between},
    series::Window,
    signal::{Kind, Signal, State},
};

/// What makes the stages of onboarding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnboardingRules {
    /// Days of each of the three stages.
    pub stage_days: i32,
    /// People who must be regular.
    pub regular_users: i64,
    /// Days of the last fortnight on which so many must be active.
    pub regular_days: i32,
}

/// How A, B and C are told apart.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRules {
    /// Share of the accounts with the greatest potential that are A, in percent.
    pub a_percent: f64,
    /// Share that comes next and is B, in percent; the rest is C.
    pub b_percent: f64,
    /// An account changes its class when it stands this far beyond the border, in percent of all accounts.
    pub margin_percent: f64,
    /// Days from one computation to the next.
    pub days: i32,
}

/// A stage of onboarding and whether what it is for was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onboarding {
    /// The stage of the account's age.
    pub stage: Stage,
    /// What the stage is for was reached.
    pub is_reached: bool,
}

/// Stages of onboarding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Days 0 to 30: the first real task.
    FirstTask,
    /// Days 30 to 60: several regular users.
    RegularUsers,
    /// Days 60 to 90: the benefit can be stated.
    Benefit,
}

impl Stage {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstTask => "first_task",
            Self::RegularUsers => "regular_users",
            Self::Benefit => "benefit",
        }
    }
}

/// Whether an account may be a target (SC-8); what is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qualification {
    /// Value is realised: it is used, and not weakly.
    pub is_adopted: Option<bool>,
    /// It pays on time, and a budget holder is known.
    pub is_able: Option<bool>,
    /// A champion or sponsor is known.
    pub is_aligned: Option<bool>,
}

/// Classes by growth potential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tier {
    /// The greatest potential.
    A,
    /// The next.
    B,
    /// The rest.
    C,
}

impl Tier {
    /// Its letter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }

    /// The class of a letter; `None` for anything else.
    pub fn parse(letter: &str) -> Option<Self> {
        [Self::A, Self::B, Self::C]
            .into_iter()
            .find(|tier| tier.as_str() == letter)
    }
}

/// The stage of an account in its first days; `None` later, or where nobody knows when it began.
pub fn onboarding(facts: &Facts, moment: &Moment, rules: &OnboardingRules) -> Option<Onboarding> {
    let age = days_between(facts.customer_since()?, moment.today);
    let (stage, is_reached) = match age / rules.stage_days.max(1) {
        0 if age >= 0 => (Stage::FirstTask, did_a_task(facts, moment)),
        1 => (Stage::RegularUsers, has_regulars(facts, moment, rules)),
        2 => (Stage::Benefit, can_state_benefit(facts, moment)),
        _ => return None,
    };
    Some(Onboarding { stage, is_reached })
}

/// The primary metric, any other usage or a feature counted something.
fn did_a_task(facts: &Facts, moment: &Moment) -> bool {
    let until = Window {
        first: jiff::civil::Date::MIN,
        last: moment.today,
    };
    let mut counts = facts.usage.values().chain(facts.feature_users.values());
    counts.any(|series| series.peak(until).is_some_and(|peak| peak > 0))
}

fn has_regulars(facts: &Facts, moment: &Moment, rules: &OnboardingRules) -> bool {
    let fortnight = Window::ending(moment.as_of, 14);
    facts.active_users.days_with(fortnight, rules.regular_users) >= rules.regular_days
}

fn can_state_benefit(facts: &Facts, moment: &Moment) -> bool {
    let reached =
        |happening: &super::facts::Happening| happening.what == What::GoalReached && happening.at <= moment.now;
    facts.happenings.iter().any(reached)
}

/// Judges an account by its health, its people and its open signals.
pub fn qualification(facts: &Facts, health: &Health, signals: &[Signal]) -> Qualification {
    let part = |name: &str| health.parts.iter().find(|part| part.name == name && !part.missing);
    let is_weak = signals
        .iter()
        .any(|signal| signal.state == State::Open && signal.key.kind == Kind::WeakAdoption);
    let is_adopted = part("logins").map(|logins| logins.points > 0 && !is_weak);
    let pays = part("payments").map(|payments| payments.points > 0);
    let holder = facts.people.map(|people| people.has_budget_holder);
    let is_able = match (pays, holder) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    Qualification {
        is_adopted,
        is_able,
        is_aligned: facts.people.map(|people| people.has_champion || people.has_sponsor),
    }
}

/// The three numbers combined (SC-1): fit × propensity × (1 − risk), 0 to 1. A fit without any input counts half.
pub fn potential(icp: &IcpFit, prediction: &Prediction) -> f64 {
    let is_unknown = icp.parts.iter().all(|part| part.missing);
    let fit = if is_unknown { 0.5 } else { f64::from(icp.value) / 100.0 };
    (fit * prediction.expansion_propensity * (1.0 - prediction.churn_risk)).clamp(0.0, 1.0)
}
