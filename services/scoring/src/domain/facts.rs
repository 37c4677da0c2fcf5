//! What is known about an account when it is scored.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use upswell_runtime::money::Money;

use super::series::Series;

/// The facts of one account.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Who the account is; `None` while no profile arrived.
    pub profile: Option<Profile>,
    /// Every version of every subscription's terms.
    pub terms: Vec<Terms>,
    /// Sum a day of each usage metric.
    pub usage: BTreeMap<String, Series>,
    /// Active people a day.
    pub active_users: Series,
    /// Logins a day.
    pub logins: Series,
    /// People who used each feature a day.
    pub feature_users: BTreeMap<String, Series>,
    /// Tickets.
    pub tickets: Vec<Ticket>,
    /// NPS answers.
    pub nps: Vec<NpsAnswer>,
    /// Invoices.
    pub invoices: Vec<Invoice>,
    /// Renewal marks that renewals told of.
    pub marks: Vec<Mark>,
}

/// Who the account is.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Decides the account's calendar days.
    pub time_zone: TimeZone,
    /// The metric of SG-2; `None` when there is none.
    pub primary_metric: Option<String>,
}

/// The terms of one subscription from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The contract line.
    pub subscription_id: String,
    /// First day on which these terms hold.
    pub effective: Date,
    /// First day on which the subscription no longer exists.
    pub end: Option<Date>,
    /// The day the term renews.
    pub renewal: Option<Date>,
    /// Seats bought; 0 when not sold by seat.
    pub seats: i64,
    /// What the terms include.
    pub limits: Vec<Limit>,
}

/// A quantity that terms limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The usage metric.
    pub metric: String,
    /// The highest total included.
    pub value: i64,
    /// Holds for the standing amount, not for the sum of a calendar month.
    pub standing: bool,
}

/// A support ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What it is about.
    pub topic: String,
    /// The product is down for them.
    pub critical: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was first answered.
    pub replied_at: Option<Timestamp>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
}

impl Ticket {
    /// True while it is open at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.opened_at <= now && self.resolved_at.is_none_or(|resolved| resolved > now)
    }
}

/// An answer to the NPS question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NpsAnswer {
    /// When it was given.
    pub at: Timestamp,
    /// 0 to 10.
    pub score: i32,
}

/// An invoice and whether it was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// The day it was issued.
    pub issued: Date,
    /// The day it is due.
    pub due: Date,
    /// What is to be paid.
    pub amount: Money,
    /// It bills an order that Upswell won.
    pub won_by_upswell: bool,
    /// The day it was paid in full.
    pub paid: Option<Date>,
}

impl Invoice {
    /// Due on or before `day`, and not paid by its due day.
    pub fn is_late(&self, day: Date) -> bool {
        self.due <= day && self.paid.is_none_or(|paid| paid > self.due)
    }

    /// Due before `day` and still not paid then.
    pub fn is_overdue(&self, day: Date) -> bool {
        self.due < day && self.paid.is_none_or(|paid| paid > day)
    }
}

/// A mark before a renewal (SG-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The deal.
    pub deal_id: String,
    /// 120, 60 or 30.
    pub days: i32,
    /// The day that renews.
    pub renewal: Date,
    /// The day on which the mark was reached.
    pub reached: Date,
}

impl Facts {
    /// The account's calendar: its time zone, or UTC while no profile arrived.
    pub fn time_zone(&self) -> TimeZone {
        self.profile
            .as_ref()
            .map_or(TimeZone::UTC, |profile| profile.time_zone.clone())
    }

    /// The terms in force on `day`: of each subscription the newest version that began, unless it ended.
    pub fn terms_on(&self, day: Date) -> Vec<&Terms> {
        let mut newest: BTreeMap<&str, &Terms> = BTreeMap::new();
        for terms in self.terms.iter().filter(|terms| terms.effective <= day) {
            let known = newest.entry(&terms.subscription_id).or_insert(terms);
            if known.effective <= terms.effective {
                *known = terms;
            }
        }
        newest
            .into_values()
            .filter(|terms| terms.end.is_none_or(|end| day < end))
            .collect()
    }

    /// The last NPS answer by `now`.
    pub fn last_nps(&self, now: Timestamp) -> Option<NpsAnswer> {
        self.nps
            .iter()
            .filter(|answer| answer.at <= now)
            .max_by_key(|answer| answer.at)
            .copied()
    }

    /// The metric that stands for volume: the primary one, or active people where it has no facts (I-2). With the
    /// name of the series that ingestion keeps it under.
    pub fn volume(&self) -> Option<(&str, &Series, String)> {
        let primary = self
            .profile
            .as_ref()
            .and_then(|profile| profile.primary_metric.as_deref());
        if let Some(metric) = primary
            && let Some(series) = self.usage.get(metric)
        {
            return Some((metric, series, format!("usage/{metric}")));
        }
        let people = (ACTIVE_USERS, &self.active_users, format!("activity/{ACTIVE_USERS}"));
        (!self.active_users.is_empty()).then_some(people)
    }
}

/// Subject of signals that stand on active people because usage is missing.
pub const ACTIVE_USERS: &str = "active_users";
