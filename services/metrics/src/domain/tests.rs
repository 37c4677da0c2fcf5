//! Tests of the domain: golden movements (§9), and what holds for every set of facts.

mod dense;
mod exchange;
mod goldens;
mod kept;
mod lead_times;
mod movements;
mod properties;
mod rates;
mod schedule;

use jiff::{Timestamp, civil::Date};
use upswell_runtime::money::Money;

use super::{
    movement::MovementKind,
    revenue::{Ends, KindSum, Revenue, revenue},
    rules::Rules,
    subscription::{Terms, Version},
    timeline::{Timeline, timeline},
    window::Window,
};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window(start: &str, end: &str) -> Window {
    Window::new(day(start), day(end)).unwrap()
}

fn usd(minor: i64) -> Money {
    Money::new(minor, "USD".parse().unwrap())
}

/// Terms of `line` from a day on; the version's id is line and day.
fn terms(line: &str, from: &str, mrr: i64) -> Version {
    Version {
        version_id: format!("billing/{line}@{from}"),
        subscription_id: line.to_owned(),
        effective_on: day(from),
        end_on: None,
        mrr: usd(mrr),
        occurred_at: Timestamp::UNIX_EPOCH,
        superseded: false,
        order_id: None,
        terms: Terms::default(),
    }
}

impl Version {
    fn until(self, end: &str) -> Self {
        Self {
            end_on: Some(day(end)),
            ..self
        }
    }

    fn ordered(self, order_id: &str) -> Self {
        Self {
            order_id: Some(order_id.to_owned()),
            ..self
        }
    }
}

/// `2026-01-01 New 16667` per movement.
fn told(timeline: &Timeline) -> Vec<String> {
    let tell = |m: &super::movement::Movement| {
        let order = m.order_id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        format!("{} {:?} {}{order}", m.day, m.kind, m.amount.minor)
    };
    timeline.movements.iter().map(tell).collect()
}

fn mrr_on(timeline: &Timeline, day: Date) -> i64 {
    let holds = |from: Date, to: Option<Date>| from <= day && to.is_none_or(|to| day < to);
    timeline
        .levels
        .iter()
        .filter(|level| holds(level.from, level.to))
        .map(|level| level.mrr.minor)
        .sum()
}

/// What the store sums up, here by brute force over whole timelines in one currency; every order counts as known.
fn measured(accounts: &[Timeline], window: Window) -> Revenue {
    let before = window.start().yesterday().unwrap();
    let last = window.end().yesterday().unwrap();
    let ends: Vec<(i64, i64)> = accounts.iter().map(|a| (mrr_on(a, before), mrr_on(a, last))).collect();
    let sum = |pick: &dyn Fn(&(i64, i64)) -> i64| ends.iter().map(pick).sum::<i64>();
    let totals = Ends {
        currency: usd(0).currency,
        mrr_start: sum(&|e| e.0),
        mrr_end: sum(&|e| e.1),
        paying_start: sum(&|e| i64::from(e.0 > 0)),
        paying_end: sum(&|e| i64::from(e.1 > 0)),
        retained_end: sum(&|e| if e.0 > 0 { e.1 } else { 0 }),
        retained_gross: sum(&|e| e.0.min(e.1)),
        churned_accounts: sum(&|e| i64::from(e.0 > 0 && e.1 == 0)),
    };
    let inside = accounts
        .iter()
        .flat_map(|a| &a.movements)
        .filter(|m| m.day >= window.start() && m.day < window.end());
    let sums = inside.map(|m| {
        let until = m.earns_until.map_or(window.end(), |until| until.min(window.end()));
        KindSum {
            currency: m.amount.currency,
            kind: m.kind,
            cause: m.cause,
            amount: m.amount.minor,
            count: 1,
            attributed: if m.order_id.is_some() { m.amount.minor } else { 0 },
            amount_days: m.amount.minor * (until.duration_since(m.day).as_hours() / 24),
        }
    });
    revenue(vec![totals], sums.collect(), Rules::default())
        .unwrap()
        .remove(0)
}

fn total(revenue: &Revenue, kind: MovementKind) -> i64 {
    revenue
        .totals
        .iter()
        .find(|total| total.kind == kind)
        .unwrap()
        .amount
        .minor
}

fn line(versions: &[Version]) -> Timeline {
    timeline(versions).unwrap()
}
