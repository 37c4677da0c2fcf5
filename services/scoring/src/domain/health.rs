//! Health by points (SC-2): five parts, each from one input; a missing input scores 0 and says so. The shipped
//! points and bands are those of the rule; all of them are configuration.

use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    moment::{Moment, days_between},
    series::Window,
};
use jiff::{Timestamp, ToSpan as _};

/// Points and bands of health.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthRules {
    /// Days of the window for logins and active users.
    pub window_days: i32,
    /// More login days than this give `logins_many`.
    pub logins_many_days: i32,
    /// At least so many give `logins_some`.
    pub logins_some_days: i32,
    /// Points for many login days.
    pub logins_many: i32,
    /// Points for some login days.
    pub logins_some: i32,
    /// Active users above this share of the licences, in percent, give `active_users`.
    pub active_percent: i64,
    /// Points for active users.
    pub active_users: i32,
    /// Points when no critical ticket is open.
    pub critical_none: i32,
    /// A critical ticket open for longer than this counts as old.
    pub critical_old_days: i32,
    /// Points when an old critical ticket is open; negative.
    pub critical_old: i32,
    /// Points for an NPS answer of 9 or 10.
    pub nps_promoter: i32,
    /// Points for an NPS answer of 0 to 6; negative.
    pub nps_detractor: i32,
    /// Months in which every payment must have been on time.
    pub payment_months: i32,
    /// Points for payments on time.
    pub payments_on_time: i32,
    /// Tickets reach this deployment; without, the part of the critical tickets is missing everywhere.
    pub has_tickets: bool,
    /// Lowest value of the green band.
    pub green: i32,
    /// Lowest value of the yellow band.
    pub yellow: i32,
}

/// Bands of health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Below yellow.
    Red,
    /// Between.
    Yellow,
    /// Green and above.
    Green,
}

/// Health with its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// 0 to 100.
    pub value: i32,
    /// The sum before clamping.
    pub raw: i32,
    /// Band of the value.
    pub band: Band,
    /// The parts in the order of SC-2.
    pub parts: Vec<Part>,
}

/// One part of health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Name, e.g. `logins`.
    pub name: String,
    /// Points given.
    pub points: i32,
    /// Points given a week before, where known.
    pub previous_points: Option<i32>,
    /// The input was missing.
    pub missing: bool,
    /// The observation behind the points.
    pub observation: String,
}

impl Part {
    pub(super) fn new(name: &str, points: i32, observation: String) -> Self {
        Self {
            name: name.to_owned(),
            points,
            previous_points: None,
            missing: false,
            observation,
        }
    }

    pub(super) fn missing(name: &str, input: &str) -> Self {
        Self {
            missing: true,
            ..Self::new(name, 0, format!("no {input}"))
        }
    }
}

/// Adds up the health of an account.
pub fn health(facts: &Facts, moment: &Moment, rules: &HealthRules) -> Health {
    let parts = vec![
        logins(facts, moment, rules),
        active_users(facts, moment, rules),
        critical_tickets(facts, moment, rules),
        nps(facts, moment, rules),
        payments(facts, moment, rules),
    ];
    let raw: i32 = parts.iter().map(|part| part.points).sum();
    let value = raw.clamp(0, 100);
    Health {
        value,
        raw,
        band: band(value, rules),
        parts,
    }
}

fn band(value: i32, rules: &HealthRules) -> Band {
    if value >= rules.green {
        Band::Green
    } else if value >= rules.yellow {
        Band::Yellow
    } else {
        Band::Red
    }
}

/// Days with a login in the window; days with active people where nobody counts logins. `None` without activity.
pub fn login_days(facts: &Facts, moment: &Moment, days: i32) -> Option<i32> {
    let window = Window::ending(moment.as_of, days);
    let everything = Window {
        first: jiff::civil::Date::MIN,
        last: moment.as_of,
    };
    let counts_logins = facts.logins.peak(everything).is_some_and(|most| most > 0);
    let series = if counts_logins {
        &facts.logins
    } else {
        &facts.active_users
    };
    (!series.is_empty()).then(|| series.days_with(window, 1))
}

/// Seats bought, over the terms in force.
pub fn licences(facts: &Facts, moment: &Moment) -> i64 {
    facts
        .terms_on(moment.as_of)
        .iter()
        .map(|terms| terms.seats)
        .fold(0, i64::saturating_add)
}

/// Critical tickets open now: how many, and since when the oldest.
pub fn open_critical(facts: &Facts, now: Timestamp) -> (i32, Option<Timestamp>) {
    let open = || {
        facts
            .tickets
            .iter()
            .filter(|ticket| ticket.critical && ticket.is_open(now))
    };
    (
        i32::try_from(open().count()).unwrap_or(i32::MAX),
        open().map(|ticket| ticket.opened_at).min(),
    )
}

fn logins(facts: &Facts, moment: &Moment, rules: &HealthRules) -> Part {
    let Some(days) = login_days(facts, moment, rules.window_days) else {
        return Part::missing("logins", "activity");
    };
    let points = if days > rules.logins_many_days {
        rules.logins_many
    } else if days >= rules.logins_some_days {
        rules.logins_some
    } else {
        0
    };
    Part::new("logins", points, format!("login_days={days}"))
}

/// The most people active on one day of the window: a lower bound of those active in it.
fn active_users(facts: &Facts, moment: &Moment, rules: &HealthRules) -> Part {
    let licences = licences(facts, moment);
    if facts.active_users.is_empty() {
        return Part::missing("active_users", "activity");
    }
    if licences <= 0 {
        return Part::missing("active_users", "licences");
    }
    let peak = facts
        .active_users
        .peak(Window::ending(moment.as_of, rules.window_days))
        .unwrap_or_default();
    let is_above = i128::from(peak) * 100 > i128::from(licences) * i128::from(rules.active_percent);
    let points = if is_above { rules.active_users } else { 0 };
    Part::new(
        "active_users",
        points,
        format!("active_users={peak} licences={licences}"),
    )
}

fn critical_tickets(facts: &Facts, moment: &Moment, rules: &HealthRules) -> Part {
    if !rules.has_tickets {
        return Part::missing("critical_tickets", "tickets");
    }
    let (open, oldest) = open_critical(facts, moment.now);
    let Some(oldest) = oldest else {
        return Part::new("critical_tickets", rules.critical_none, "open_critical=0".to_owned());
    };
    let hours = moment.now.duration_since(oldest).as_secs();
    let is_old = hours > i64::from(rules.critical_old_days) * 24 * 3600;
    let days = days_between(moment.back_to(oldest).today, moment.today);
    let points = if is_old { rules.critical_old } else { 0 };
    Part::new(
        "critical_tickets",
        points,
        format!("open_critical={open} oldest_days={days}"),
    )
}

fn nps(facts: &Facts, moment: &Moment, rules: &HealthRules) -> Part {
    let Some(answer) = facts.last_nps(moment.now) else {
        return Part::missing("nps", "answer");
    };
    let points = match answer.score {
        9.. => rules.nps_promoter,
        7..=8 => 0,
        _ => rules.nps_detractor,
    };
    Part::new("nps", points, format!("nps={}", answer.score))
}

/// Every invoice that fell due in the last six months, or since the account is billed, was paid by its due day.
fn payments(facts: &Facts, moment: &Moment, rules: &HealthRules) -> Part {
    let start = moment.as_of.saturating_sub(rules.payment_months.months());
    let due = || {
        facts
            .invoices
            .iter()
            .filter(|invoice| start < invoice.due && invoice.due <= moment.as_of)
    };
    let (count, late) = (
        due().count(),
        due().filter(|invoice| invoice.is_late(moment.as_of)).count(),
    );
    if count == 0 {
        return Part::missing("payments", "invoices");
    }
    let points = if late == 0 { rules.payments_on_time } else { 0 };
    Part::new("payments", points, format!("invoices={count} late={late}"))
}
