//! The agenda of a review and its value report, from the account's own figures (RN-5).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::{account::days_before, country::Country, risk::HEALTHY};

/// Days of a quarter.
const QUARTER: i32 = 91;

/// One figure of the value report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What is counted.
    pub name: String,
    /// Now.
    pub value: i64,
    /// In the period before.
    pub previous: Option<i64>,
}

/// Parts of the agenda, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgendaPart {
    /// The customer's goals.
    Goals,
    /// What came of them.
    Results,
    /// What stands in the way.
    Problems,
    /// What comes next.
    Plans,
}

/// A point of the agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaItem {
    /// Which part.
    pub part: AgendaPart,
    /// What to say.
    pub lines: Vec<String>,
}

/// A person at the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The contact.
    pub contact_id: String,
    /// Decides about the renewal.
    pub decides: bool,
    /// Holds a budget.
    pub holds_budget: bool,
}

/// A goal of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// What it says.
    pub title: String,
    /// By when, if anybody said.
    pub target_on: Option<Date>,
    /// The day it was reached.
    pub reached_on: Option<Date>,
}

/// What ingestion knows of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Its people.
    pub people: Vec<Person>,
    /// Use, by name.
    pub use_of: Vec<Figure>,
    /// Its goals, as they stand.
    pub goals: Vec<Goal>,
    /// Tickets that were solved in the last quarter, by topic.
    pub solved: Vec<Figure>,
    /// Tickets that are open, by topic.
    pub open: Vec<Figure>,
    /// The last NPS answer.
    pub nps: Option<i32>,
}

/// A prepared review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// Who is invited.
    pub invited: Vec<String>,
    /// Goals, results, problems, plans.
    pub agenda: Vec<AgendaItem>,
    /// The value report.
    pub figures: Vec<Figure>,
    /// Growth may be talked about.
    pub expansion_talk: bool,
}

/// Prepares a review that is held on `day`. Growth is talked about only with a healthy account that has no critical
/// problem; a month that favours expansion says so.
pub fn prepare(
    figures: Figures,
    health: Option<i32>,
    open_critical: i32,
    country: &Country,
    day: Date,
    renewal_on: Date,
) -> Preparation {
    let Figures {
        people,
        use_of,
        goals,
        solved,
        open,
        nps,
    } = figures;
    let expansion_talk = health.is_some_and(|health| health >= HEALTHY) && open_critical == 0;
    let change = |figure: &Figure| match figure.previous {
        Some(previous) => format!("{}: {} after {previous}", figure.name, figure.value),
        None => format!("{}: {}", figure.name, figure.value),
    };
    let reached = reached_in(&goals, day, 0);
    let results = (reached.iter().map(|goal| format!("goal reached: {}", goal.title)))
        .chain(use_of.iter().chain(&solved).map(change));
    let problems = open
        .iter()
        .map(change)
        .chain(nps.filter(|nps| *nps <= 6).map(|nps| format!("last NPS: {nps}")));
    let mut plans = vec![format!("the contract renews on {renewal_on}")];
    if expansion_talk {
        let budget = if country.favours_expansion(day) {
            ", and budgets are open this month"
        } else {
            ""
        };
        plans.push(format!("the account is healthy: growth may be talked about{budget}"));
    }
    let or_none = |lines: Vec<String>, none: &str| if lines.is_empty() { vec![none.to_owned()] } else { lines };
    let part = |part, lines| AgendaItem { part, lines };
    let agenda = vec![
        part(
            AgendaPart::Goals,
            or_none(
                goals.iter().filter_map(|goal| goal.said(day)).collect(),
                "no goal is on record: ask for the goals of the next quarter",
            ),
        ),
        part(
            AgendaPart::Results,
            or_none(results.collect(), "no figures of use are on record"),
        ),
        part(
            AgendaPart::Problems,
            or_none(problems.collect(), "no open problem is on record"),
        ),
        part(AgendaPart::Plans, plans),
    ];
    let goal_count = Figure {
        name: "goals reached".to_owned(),
        value: reached.len() as i64,
        previous: Some(reached_in(&goals, day, 1).len() as i64),
    };
    let open_count = Figure {
        name: "goals open".to_owned(),
        value: goals.iter().filter(|goal| goal.reached_on.is_none()).count() as i64,
        previous: None,
    };
    let figures = use_of
        .into_iter()
        .chain([goal_count, open_count])
        .chain(solved)
        .collect();
    Preparation {
        invited: invited(&people),
        agenda,
        figures,
        expansion_talk,
    }
}

impl Goal {
    /// The point of the agenda; None for what was reached long ago.
    fn said(&self, day: Date) -> Option<String> {
        match (self.reached_on, self.target_on) {
            (Some(reached), _) if reached <= days_before(day, QUARTER) => None,
            (Some(reached), _) => Some(format!("{}: reached on {reached}", self.title)),
            (None, Some(target)) if target < day => Some(format!("{}: was to be reached by {target}", self.title)),
            (None, Some(target)) => Some(format!("{}: to be reached by {target}", self.title)),
            (None, None) => Some(format!("{}: open", self.title)),
        }
    }
}

/// The goals that were reached in the quarter which ended so many quarters before `day`.
fn reached_in(goals: &[Goal], day: Date, ago: i32) -> Vec<&Goal> {
    let last = days_before(day, ago * QUARTER);
    let in_it = |on: Date| days_before(last, QUARTER) < on && on <= last;
    goals.iter().filter(|goal| goal.reached_on.is_some_and(in_it)).collect()
}

/// Who decides about the renewal, or who holds a budget where nobody is known to decide.
fn invited(people: &[Person]) -> Vec<String> {
    let ids = |wanted: fn(&Person) -> bool| -> Vec<String> {
        people
            .iter()
            .filter(|person| wanted(person))
            .map(|person| person.contact_id.clone())
            .collect()
    };
    let deciders = ids(|person| person.decides);
    if deciders.is_empty() {
        ids(|person| person.holds_budget)
    } else {
        deciders
    }
}
