//! Tries thresholds on history (SG-R5): how often a signal would have fired, and what followed.
//!
//! The facts are looked at as on each past day, by what had happened until then. A condition that holds again opens
//! anew only after it was false for as long as a consumed signal must be (SG-R3).

use std::collections::BTreeMap;

use jiff::{
    Timestamp,
    civil::{Date, Time},
};

use super::{
    assess::{Rulebook, look_with},
    facts::Facts,
    moment::{Moment, days_after, days_between},
    signal::{Key, Kind, Sighting},
    thresholds::Thresholds,
};

/// What is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The signal.
    pub kind: Kind,
    /// The table to set beside the present one.
    pub changed: Option<Thresholds>,
    /// First day on which it is looked for.
    pub first: Date,
    /// Last day on which it is looked for.
    pub last: Date,
    /// Days between two looks, 1 or more.
    pub step_days: i32,
    /// Days in which what follows is counted.
    pub outcome_days: i32,
}

/// How often the signal would have fired, and what followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Times that it opened.
    pub fired: i64,
    /// Accounts for which it did.
    pub accounts: i64,
    /// The monthly amount rose within the days.
    pub expanded: i64,
    /// It fell.
    pub contracted: i64,
    /// It ended.
    pub churned: i64,
    /// It stayed.
    pub unchanged: i64,
    /// The days are not over, and nothing changed yet.
    pub pending: i64,
    /// The account did not pay when it fired.
    pub not_paying: i64,
}

/// What history says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// By the present table.
    pub present: Tally,
    /// By the changed one; `None` when none is tried.
    pub changed: Option<Tally>,
    /// What follows on any look, whether the signal fired or not.
    pub base: Tally,
}

/// What followed on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The monthly amount rose.
    Expanded,
    /// It fell.
    Contracted,
    /// It ended.
    Churned,
    /// It stayed.
    Unchanged,
    /// Not known yet.
    Pending,
    /// There was nothing to rise or fall.
    NotPaying,
}

/// Looks at one account on every day of the question.
pub fn backtest(facts: &Facts, question: &Question, rules: &Rulebook, now: Timestamp) -> Answer {
    let mut present = Run::default();
    let mut changed = question.changed.as_ref().map(|_| Run::default());
    let mut base = Tally::default();
    let zone = facts.time_zone();
    let today = Moment::at(now, &zone).today;
    let mut day = question.first;
    while day <= question.last && day <= today {
        let Ok(noon) = zone.to_timestamp(day.to_datetime(Time::constant(12, 0, 0, 0))) else {
            break;
        };
        let moment = Moment::at(noon, &zone);
        let outcome = outcome(facts, day, question.outcome_days, today);
        base.add(outcome);
        present.look(facts, &moment, question.kind, rules, &rules.thresholds, outcome);
        if let (Some(run), Some(table)) = (&mut changed, &question.changed) {
            run.look(facts, &moment, question.kind, rules, table, outcome);
        }
        day = days_after(day, question.step_days.max(1));
    }
    base.accounts = i64::from(base.fired > 0);
    Answer {
        present: present.tally(),
        changed: changed.map(Run::tally),
        base,
    }
}

/// What followed on `day` within `days`, by the contracts. An end counts before a rise, a rise before a fall.
pub fn outcome(facts: &Facts, day: Date, days: i32, today: Date) -> Outcome {
    let Some(start) = facts.monthly_on(day).filter(|amount| amount.minor > 0) else {
        return Outcome::NotPaying;
    };
    let until = days_after(day, days);
    let known = until.min(today);
    let dates = facts
        .terms
        .iter()
        .flat_map(|terms| [Some(terms.effective), terms.end])
        .flatten();
    let mut changes: Vec<Date> = dates.filter(|date| day < *date && *date <= known).collect();
    changes.sort();
    let amounts = changes
        .iter()
        .map(|date| facts.monthly_on(*date).map_or(0, |amount| amount.minor));
    let amounts: Vec<i64> = amounts.collect();
    if amounts.contains(&0) {
        Outcome::Churned
    } else if amounts.iter().any(|amount| *amount > start.minor) {
        Outcome::Expanded
    } else if amounts.iter().any(|amount| *amount < start.minor) {
        Outcome::Contracted
    } else if until > today {
        Outcome::Pending
    } else {
        Outcome::Unchanged
    }
}

impl Tally {
    /// Counts one time that it fired.
    fn add(&mut self, outcome: Outcome) {
        self.fired += 1;
        let place = match outcome {
            Outcome::Expanded => &mut self.expanded,
            Outcome::Contracted => &mut self.contracted,
            Outcome::Churned => &mut self.churned,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Pending => &mut self.pending,
            Outcome::NotPaying => &mut self.not_paying,
        };
        *place += 1;
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            fired: self.fired + other.fired,
            accounts: self.accounts + other.accounts,
            expanded: self.expanded + other.expanded,
            contracted: self.contracted + other.contracted,
            churned: self.churned + other.churned,
            unchanged: self.unchanged + other.unchanged,
            pending: self.pending + other.pending,
            not_paying: self.not_paying + other.not_paying,
        }
    }
}

impl Answer {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let changed = match (self.changed, other.changed) {
            (Some(one), Some(two)) => Some(one.plus(two)),
            (one, two) => one.or(two),
        };
        Self {
            present: self.present.plus(other.present),
            changed,
            base: self.base.plus(other.base),
        }
    }
}

/// One table on its way through the days of one account.
#[derive(Default)]
struct Run {
    tally: Tally,
    /// The last day on which each condition held.
    held: BTreeMap<Key, Date>,
}

impl Run {
    fn look(
        &mut self,
        facts: &Facts,
        moment: &Moment,
        kind: Kind,
        rules: &Rulebook,
        table: &Thresholds,
        outcome: Outcome,
    ) {
        let seen = look_with(facts, moment, rules, table);
        let holding = seen
            .iter()
            .filter(|(key, sighting)| key.kind == kind && matches!(sighting, Sighting::Holds(_)));
        for (key, _) in holding {
            let before = self.held.insert(key.clone(), moment.today);
            let is_new = before.is_none_or(|day| days_between(day, moment.today) > table.life.reopen_days);
            if is_new {
                self.tally.add(outcome);
            }
        }
    }

    fn tally(self) -> Tally {
        Tally {
            accounts: i64::from(self.tally.fired > 0),
            ..self.tally
        }
    }
}
