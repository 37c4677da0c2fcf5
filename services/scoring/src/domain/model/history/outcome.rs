//! What followed a day.

use serde::{Deserialize, Serialize};

use super::{Day, History, Line};

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The customer leaves: a day without a plan.
    Churn,
    /// More seats, another plan at a higher price, or one more add-on.
    Expansion,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Churn, Self::Expansion];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::Expansion => "expansion",
        }
    }
}

/// Whether it happened in the `horizon` days after `day`. `None` when the account was no customer on `day`, or when it
/// cannot be known by the end of `known_until`.
pub fn outcome(history: &History, kind: Kind, day: Day, horizon: Day, known_until: Day) -> Option<bool> {
    let last = day.saturating_add(horizon);
    // An early leaver is known at once and a late one is not: a row counts only when all of its horizon is known.
    if last > known_until || !history.is_customer(day) {
        return None;
    }
    let then = Size::of(&history.in_force(day));
    let turns = history.turns().into_iter().filter(|turn| *turn > day && *turn <= last);
    let mut seen = turns.map(|turn| history.in_force(turn));
    Some(match kind {
        Kind::Churn => seen.any(|lines| !lines.iter().any(|line| line.is_plan)),
        Kind::Expansion => seen.any(|lines| Size::of(&lines).is_above(&then)),
    })
}

/// How large a contract is.
struct Size {
    seats: f64,
    plans: Vec<(String, f64)>,
    add_ons: usize,
}

impl Size {
    fn of(lines: &[&Line]) -> Self {
        let plans = lines.iter().filter(|line| line.is_plan);
        Self {
            seats: lines.iter().map(|line| line.seats).sum(),
            plans: plans.map(|line| (line.product.clone(), line.mrr)).collect(),
            add_ons: lines.iter().filter(|line| !line.is_plan).count(),
        }
    }

    fn is_above(&self, then: &Self) -> bool {
        let price = |size: &Self| size.plans.iter().map(|(_, mrr)| mrr).sum::<f64>();
        let names = |size: &Self| {
            size.plans
                .iter()
                .map(|(product, _)| product.clone())
                .collect::<Vec<_>>()
        };
        let is_higher_plan = names(self) != names(then) && price(self) > price(then);
        self.seats > then.seats || self.add_ons > then.add_ons || is_higher_plan
    }
}
