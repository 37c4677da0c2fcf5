//! Features as of the end of a day. Windows are of 28 days, whole weeks, so that weekdays do not count as a change. The
//! end of terms that lies ahead is not read: it may have been written when the customer left. Beside the contract nothing
//! older than [`LOOK_BACK`] days is read, so that a score, which asks for no more, sees what the training saw.

use super::{Day, History, Invoice, Line, Ticket};

/// Days of a window.
const WINDOW: Day = 28;

/// Days of facts that the features need, besides all terms of the contract.
pub const LOOK_BACK: Day = 180;

/// The features of an account at the end of `day`, by name; one that cannot be told is not there.
pub fn point(history: &History, day: Day) -> Vec<(String, f64)> {
    let mut known = Known(Vec::new());
    contract(history, day, &mut known);
    changes(history, day, &mut known);
    for (name, series) in &history.series {
        usage(name, series, day, &mut known);
    }
    let plan: f64 = history.in_force(day).iter().map(|line| line.seats).sum();
    if let Some(active) = known.get("active_users_max")
        && plan > 0.0
    {
        known.set("seat_use", active / plan);
    }
    if let (Some(events), Some(active)) = (known.get("events"), known.get("active_users_mean"))
        && active > 0.0
    {
        known.set("events_per_user", events / active);
    }
    people(history, day, &mut known);
    known.0
}

struct Known(Vec<(String, f64)>);

impl Known {
    fn set(&mut self, name: impl Into<String>, value: f64) {
        self.0.push((name.into(), value));
    }

    fn set_known(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

fn contract(history: &History, day: Day, known: &mut Known) {
    let lines = history.in_force(day);
    let sum = |value: fn(&&Line) -> f64| lines.iter().map(value).sum::<f64>();
    let (mrr, seats) = (sum(|line| line.mrr), sum(|line| line.seats));
    known.set("mrr", mrr);
    known.set("add_ons", lines.iter().filter(|line| !line.is_plan).count() as f64);
    if seats > 0.0 {
        known.set("seats", seats);
        known.set("mrr_per_seat", mrr / seats);
    }
    let months = lines
        .iter()
        .filter(|line| line.is_plan)
        .map(|line| line.period_months)
        .reduce(f64::max);
    known.set_known("period_months", months);
    let renewal = lines
        .iter()
        .filter_map(|line| line.renewal)
        .filter(|renewal| *renewal > day)
        .min();
    known.set_known("days_to_renewal", renewal.map(|renewal| f64::from(renewal - day)));
    let first = history.first_day().filter(|first| *first <= day);
    known.set_known("tenure_days", first.map(|first| f64::from(day - first)));
}

/// What the contract was before, and how long ago it changed.
fn changes(history: &History, day: Day, known: &mut Known) {
    let mrr = |day: Day| history.in_force(day).iter().map(|line| line.mrr).sum::<f64>();
    let seats = |day: Day| history.in_force(day).iter().map(|line| line.seats).sum::<f64>();
    let (mrr_now, seats_now) = (mrr(day), seats(day));
    for (name, ago) in [("1m", 31), ("3m", 92)] {
        if history.is_customer(day - ago) {
            let (mrr_then, seats_then) = (mrr(day - ago), seats(day - ago));
            if mrr_then > 0.0 {
                known.set(format!("mrr_change_{name}"), mrr_now / mrr_then - 1.0);
            }
            if seats_then > 0.0 {
                known.set(format!("seats_change_{name}"), seats_now / seats_then - 1.0);
            }
        }
    }
    let (mut up, mut down, mut before) = (None, None, None);
    for turn in history.turns().into_iter().filter(|turn| *turn <= day) {
        let now = mrr(turn);
        if let Some(before) = before {
            if now > before {
                up = Some(turn);
            } else if now < before {
                down = Some(turn);
            }
        }
        before = Some(now);
    }
    known.set_known("days_since_mrr_up", up.map(|turn: Day| f64::from(day - turn)));
    known.set_known("days_since_mrr_down", down.map(|turn: Day| f64::from(day - turn)));
}

/// This window, the mean of the last three, and this against the two before. A window without a count says nothing.
fn usage(name: &str, series: &[(Day, f64)], day: Day, known: &mut Known) {
    let window = |index: Day| {
        let (first, last) = (day - WINDOW * (index + 1) + 1, day - WINDOW * index);
        let start = series.partition_point(|(at, _)| *at < first);
        let values = series[start..]
            .iter()
            .take_while(|(at, _)| *at <= last)
            .map(|(_, value)| *value);
        let (sum, most, days) = values.fold((0.0, 0.0_f64, 0.0), |(sum, most, days), value| {
            (sum + value, most.max(value), days + 1.0)
        });
        (days > 0.0).then_some((sum, most, days))
    };
    let Some((sum, most, days)) = window(0) else { return };
    let is_people = name == "active_users" || name.starts_with("feature/");
    let value = if is_people { sum / days } else { sum };
    if is_people {
        known.set(format!("{name}_mean"), value);
        known.set(format!("{name}_max"), most);
        known.set(format!("{name}_days"), days);
    } else {
        known.set(name, value);
    }
    if name.starts_with("usage/") {
        let all = known.get("events").unwrap_or(0.0) + sum;
        known.0.retain(|(name, _)| name != "events");
        known.set("events", all);
    }
    let before: Vec<f64> = [1, 2]
        .into_iter()
        .filter_map(window)
        .map(|(sum, _, days)| if is_people { sum / days } else { sum })
        .collect();
    if !before.is_empty() {
        let mean = before.iter().sum::<f64>() / before.len() as f64;
        known.set(
            format!("{name}_3m_mean"),
            (mean * before.len() as f64 + value) / (before.len() + 1) as f64,
        );
        if mean > 0.0 {
            known.set(format!("{name}_trend"), value / mean - 1.0);
        }
    }
}

fn people(history: &History, day: Day, known: &mut Known) {
    let first = day - LOOK_BACK + 1;
    tickets(history, day, known);
    let nps = history.nps.iter().filter(|(at, _)| (first..=day).contains(at));
    known.set_known("nps", nps.max_by_key(|(at, _)| *at).map(|(_, score)| f64::from(*score)));
    let is_due = |invoice: &&Invoice| invoice.issued <= day && (first..=day).contains(&invoice.due);
    let due: Vec<_> = history.invoices.iter().filter(is_due).collect();
    if !due.is_empty() {
        // A payment after the day has not happened yet.
        let paid = |invoice: &Invoice| invoice.paid.filter(|paid| *paid <= day);
        let overdue = due
            .iter()
            .filter(|invoice| invoice.due < day && paid(invoice).is_none());
        let late = due
            .iter()
            .filter(|invoice| paid(invoice).is_none_or(|paid| paid > invoice.due));
        known.set("invoices_overdue", overdue.count() as f64);
        known.set("invoices_late_180d", late.count() as f64);
    }
}

/// Of the tickets that were opened or open within the last 90 days; without any the features are gaps.
fn tickets(history: &History, day: Day, known: &mut Known) {
    let is_open = |ticket: &&Ticket| ticket.resolved.is_none_or(|resolved| resolved > day);
    let is_recent = |ticket: &&Ticket| {
        ticket.opened <= day && (ticket.opened > day - 90 || ticket.resolved.is_none_or(|at| at > day - 90))
    };
    let recent: Vec<&Ticket> = history.tickets.iter().filter(is_recent).collect();
    if recent.is_empty() {
        return;
    }
    let opened = recent.iter().filter(|ticket| ticket.opened > day - 90).count();
    let open: Vec<_> = recent.iter().filter(|ticket| is_open(ticket)).collect();
    let critical = open.iter().filter(|ticket| ticket.critical).count();
    known.set("tickets_90d", opened as f64);
    known.set("tickets_open", open.len() as f64);
    known.set("critical_open", critical as f64);
}
