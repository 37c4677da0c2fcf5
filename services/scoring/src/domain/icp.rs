//! ICP fit (SC-9): 0 to 100 from industry, size and plan by a configured table. A missing input scores 0 and says so.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    health::{Part, licences},
    moment::Moment,
};

/// The table of points.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcpRules {
    /// Points of an industry that the table does not name.
    pub industry_other: i32,
    /// Points of a plan that the table does not name.
    pub plan_other: i32,
    /// Points by seats: the last line that is reached counts.
    pub sizes: Vec<Size>,
    /// Points by industry.
    pub industries: BTreeMap<String, i32>,
    /// Points by plan.
    pub plans: BTreeMap<String, i32>,
}

/// Points of accounts from so many seats on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Least seats.
    pub seats: i64,
    /// Points.
    pub points: i32,
}

/// How well the account fits the ideal customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcpFit {
    /// 0 to 100: the clamped sum of the parts.
    pub value: i32,
    /// Industry, size and plan.
    pub parts: Vec<Part>,
}

/// Adds up the fit of an account.
pub fn icp_fit(facts: &Facts, moment: &Moment, rules: &IcpRules) -> IcpFit {
    let parts = vec![
        industry(facts, rules),
        size(facts, moment, rules),
        plan(facts, moment, rules),
    ];
    let sum: i32 = parts.iter().map(|part| part.points).sum();
    IcpFit {
        value: sum.clamp(0, 100),
        parts,
    }
}

fn industry(facts: &Facts, rules: &IcpRules) -> Part {
    let industry = facts.profile.as_ref().map_or("", |profile| profile.industry.as_str());
    if industry.is_empty() {
        return Part::missing("industry", "industry");
    }
    let points = rules.industries.get(industry).copied().unwrap_or(rules.industry_other);
    Part::new("industry", points, format!("industry={industry}"))
}

fn size(facts: &Facts, moment: &Moment, rules: &IcpRules) -> Part {
    let seats = licences(facts, moment);
    if seats <= 0 {
        return Part::missing("size", "licences");
    }
    let reached = rules
        .sizes
        .iter()
        .filter(|size| seats >= size.seats)
        .max_by_key(|size| size.seats);
    Part::new("size", reached.map_or(0, |size| size.points), format!("seats={seats}"))
}

fn plan(facts: &Facts, moment: &Moment, rules: &IcpRules) -> Part {
    let Some(plan) = facts.plan_on(moment.today).filter(|plan| !plan.product.is_empty()) else {
        return Part::missing("plan", "plan");
    };
    let points = rules.plans.get(&plan.product).copied().unwrap_or(rules.plan_other);
    Part::new("plan", points, format!("plan={}", plan.product))
}
