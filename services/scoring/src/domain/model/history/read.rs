//! The history of an account, read off its facts: what learns and what scores see the same.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use upswell_runtime::money::Period;

use super::{Day, History, Invoice, Line, Ticket};
use crate::domain::{
    facts::{self, Facts, Terms},
    moment::days_between,
    series::Series,
};

/// The number of a day, counted from 1970-01-01.
pub fn day_number(day: Date) -> Day {
    days_between(Date::constant(1970, 1, 1), day)
}

impl History {
    /// The dated history that `facts` hold, in the account's own calendar.
    pub fn of(account_id: &str, facts: &Facts) -> Self {
        let zone = facts.time_zone();
        let nps = facts.nps.iter().map(|answer| (day_of(answer.at, &zone), answer.score));
        let mut history = Self {
            account_id: account_id.to_owned(),
            lines: facts.terms.iter().map(line).collect(),
            tickets: facts.tickets.iter().map(|known| ticket(known, &zone)).collect(),
            nps: nps.collect(),
            invoices: facts.invoices.iter().map(invoice).collect(),
            ..Self::default()
        };
        let usage = facts
            .usage
            .iter()
            .map(|(metric, series)| (format!("usage/{metric}"), series));
        let features = facts.feature_users.iter();
        let people = [("active_users", &facts.active_users), ("logins", &facts.logins)];
        let all = usage
            .chain(features.map(|(feature, series)| (format!("feature/{feature}"), series)))
            .chain(people.map(|(name, series)| (name.to_owned(), series)));
        for (name, series) in all.filter(|(_, series)| !series.is_empty()) {
            history.series.insert(name, counts(series));
        }
        history
    }
}

fn counts(series: &Series) -> Vec<(Day, f64)> {
    let counts = series.all().iter();
    counts.map(|(day, count)| (day_number(*day), *count as f64)).collect()
}

fn line(terms: &Terms) -> Line {
    let months = match terms.period {
        Some(Period::Year) => 12.0,
        Some(Period::Quarter) => 3.0,
        Some(Period::Week) => 12.0 / 365.25 * 7.0,
        Some(Period::Day) => 1.0 / 30.4375,
        Some(Period::Month) | None => 1.0,
    };
    Line {
        subscription_id: terms.subscription_id.clone(),
        product: terms.product.clone(),
        is_plan: terms.is_plan,
        mrr: terms.monthly.map_or(0.0, |amount| amount.minor as f64),
        seats: terms.seats as f64,
        period_months: months,
        effective: day_number(terms.effective),
        end: terms.end.map(day_number),
        renewal: terms.renewal.map(day_number),
    }
}

fn ticket(ticket: &facts::Ticket, zone: &TimeZone) -> Ticket {
    Ticket {
        opened: day_of(ticket.opened_at, zone),
        resolved: ticket.resolved_at.map(|at| day_of(at, zone)),
        critical: ticket.critical,
    }
}

fn invoice(invoice: &facts::Invoice) -> Invoice {
    Invoice {
        issued: day_number(invoice.issued),
        due: day_number(invoice.due),
        paid: invoice.paid.map(day_number),
    }
}

fn day_of(at: Timestamp, zone: &TimeZone) -> Day {
    day_number(zone.to_datetime(at).date())
}
