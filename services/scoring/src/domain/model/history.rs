//! What happened to one account, dated, so that it can be seen as it stood on any day: features as of a day and what
//! followed within a horizon. Features read nothing that happened after their day; a test plants leaks to prove it.

mod corpus;
mod outcome;
mod point;
mod read;

use std::collections::{BTreeMap, BTreeSet};

pub use self::{
    corpus::Corpus,
    outcome::{Kind, outcome},
    point::{LOOK_BACK, point},
    read::day_number,
};

/// Days are days since 1970-01-01.
pub type Day = i32;

/// The dated facts of one account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The account.
    pub account_id: String,
    /// Every version of every subscription's terms.
    pub lines: Vec<Line>,
    /// Sums a day by series: usage metrics as `usage/<metric>`, `active_users`, `logins`, `feature/<feature>`.
    pub series: BTreeMap<String, Vec<(Day, f64)>>,
    /// Tickets.
    pub tickets: Vec<Ticket>,
    /// NPS answers.
    pub nps: Vec<(Day, i32)>,
    /// Invoices.
    pub invoices: Vec<Invoice>,
}

/// The terms of one subscription from a day on.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The contract line.
    pub subscription_id: String,
    /// Plan, add-on or module.
    pub product: String,
    /// The base plan.
    pub is_plan: bool,
    /// A month's price in minor units; money is only a feature here, sums stay exact elsewhere.
    pub mrr: f64,
    /// Seats bought; 0 when not sold by seat.
    pub seats: f64,
    /// Months that one price pays.
    pub period_months: f64,
    /// First day of these terms.
    pub effective: Day,
    /// First day without the subscription.
    pub end: Option<Day>,
    /// The day the term renews.
    pub renewal: Option<Day>,
}

/// A support ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// When it was opened.
    pub opened: Day,
    /// When it was resolved.
    pub resolved: Option<Day>,
    /// The product is down.
    pub critical: bool,
}

/// An invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// When it was issued.
    pub issued: Day,
    /// When it is due.
    pub due: Day,
    /// When it was paid in full.
    pub paid: Option<Day>,
}

impl History {
    /// The terms in force on `day`, by what was in force then: the newest version of each subscription that had begun.
    pub fn in_force(&self, day: Day) -> Vec<&Line> {
        let mut newest: BTreeMap<&str, &Line> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line.effective <= day) {
            let known = newest.entry(&line.subscription_id).or_insert(line);
            if known.effective <= line.effective {
                *known = line;
            }
        }
        newest
            .into_values()
            .filter(|line| line.end.is_none_or(|end| end > day))
            .collect()
    }

    /// True with a plan in force on `day`.
    pub fn is_customer(&self, day: Day) -> bool {
        self.in_force(day).iter().any(|line| line.is_plan)
    }

    /// The first day of the first plan.
    pub fn first_day(&self) -> Option<Day> {
        self.lines
            .iter()
            .filter(|line| line.is_plan)
            .map(|line| line.effective)
            .min()
    }

    /// Days on which terms begin or end.
    fn turns(&self) -> BTreeSet<Day> {
        self.lines
            .iter()
            .flat_map(|line| [Some(line.effective), line.end])
            .flatten()
            .collect()
    }
}
