//! SG-20: a moment at which budgets are decided, for accounts that pay.
//!
//! Subject: `renewal` (the last 90 days before it), `planning` (a CSM reported it), and one of the calendar's: `december`,
//! else `fiscal_year` (30 days before it starts), else `quarter_planning` (the last 21 days of a quarter).
//! Evidence: `days_to_moment`.

use jiff::{ToSpan as _, civil::Date};

use super::{Sightings, next_renewal};
use crate::domain::{
    facts::{Facts, What},
    moment::{Moment, days_after, days_between},
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::BudgetMoment,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &BudgetMoment, seen: &mut Sightings) {
    if facts.terms_on(moment.today).is_empty() {
        return;
    }
    if let Some(renewal) = next_renewal(facts, moment)
        && days_between(moment.today, renewal) <= rule.renewal_days
    {
        seen.add(Kind::BudgetMoment, "renewal", before(renewal, moment, "subscription"));
    }
    if let Some((subject, day)) = of_calendar(moment.today, rule) {
        seen.add(Kind::BudgetMoment, subject, before(day, moment, "calendar"));
    }
    let planned = facts.happened(&[What::BudgetPlanning], moment.now, rule.planning_days);
    if let Some(last) = planned.into_iter().max_by_key(|happening| happening.at) {
        let day = moment.back_to(last.at).today;
        let until = days_after(day, rule.planning_days);
        seen.add(Kind::BudgetMoment, "planning", before(until, moment, last.what.body()));
    }
}

/// The moment of the calendar that is near on `day`, and the day on which it is over or begins.
fn of_calendar(day: Date, rule: &BudgetMoment) -> Option<(&'static str, Date)> {
    let year_ends = Date::new(day.year(), 12, 31).ok()?;
    if day.month() == 12 {
        return Some(("december", year_ends));
    }
    let starts = fiscal_start(day, rule.fiscal_month)?;
    if days_between(day, starts) <= rule.fiscal_days {
        return Some(("fiscal_year", starts));
    }
    let month_of_quarter = (day.month() - 1) % 3;
    let quarter = days_after(day.saturating_add((2 - month_of_quarter).months()).last_of_month(), 1);
    (days_between(day, quarter) <= rule.quarter_days).then_some(("quarter_planning", quarter))
}

/// The next first day of a fiscal year after `day`.
fn fiscal_start(day: Date, month: i8) -> Option<Date> {
    let this_year = Date::new(day.year(), month, 1).ok()?;
    if this_year > day {
        Some(this_year)
    } else {
        Date::new(day.year().checked_add(1)?, month, 1).ok()
    }
}

fn before(day: Date, moment: &Moment, source: &str) -> Option<Sighting> {
    let window = Window {
        first: moment.today,
        last: day,
    };
    let left = days_between(moment.today, day);
    let evidence = vec![Evidence::new("days_to_moment", f64::from(left), "d", window, source)];
    Some(Sighting::Holds(Observation::new(Grade::Low, 0.4, evidence)))
}
