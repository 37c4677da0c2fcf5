//! The features that models read, taken from facts, health and open signals.

use std::collections::BTreeSet;

use super::{
    detect::{next_renewal, volume_growth},
    facts::Facts,
    health::{Band, Health, licences, open_critical},
    moment::{Moment, days_between},
    signal::{Kind, Signal, State},
    thresholds::Thresholds,
};

/// What a model knows of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Health, 0 to 100.
    pub health: i32,
    /// Its band.
    pub band: Band,
    /// Its change in a week, where known.
    pub health_change: Option<i32>,
    /// Has a subscription in force.
    pub is_paying: bool,
    /// Invoices that are overdue now.
    pub overdue_invoices: i32,
    /// Critical tickets open now.
    pub open_critical: i32,
    /// The last NPS answer.
    pub nps: Option<i32>,
    /// Growth of volume in percent (SG-2), where it can be said.
    pub volume_growth: Option<f64>,
    /// Days to the nearest renewal, where known.
    pub days_to_renewal: Option<i32>,
    /// Kinds of the open signals.
    pub open_signals: BTreeSet<Kind>,
}

impl Features {
    /// Reads the features of an account.
    pub fn of(facts: &Facts, health: &Health, signals: &[Signal], moment: &Moment, thresholds: &Thresholds) -> Self {
        let overdue = facts
            .invoices
            .iter()
            .filter(|invoice| invoice.is_overdue(moment.today))
            .count();
        let open = signals.iter().filter(|signal| signal.state == State::Open);
        Self {
            health: health.value,
            band: health.band,
            health_change: None,
            is_paying: !facts.terms_on(moment.today).is_empty(),
            overdue_invoices: i32::try_from(overdue).unwrap_or(i32::MAX),
            open_critical: open_critical(facts, moment.now).0,
            nps: facts.last_nps(moment.now).map(|answer| answer.score),
            volume_growth: volume_growth(facts, moment, &thresholds.volume_growth),
            days_to_renewal: next_renewal(facts, moment).map(|day| days_between(moment.today, day)),
            open_signals: open.map(|signal| signal.key.kind).collect(),
        }
    }

    /// True while a signal of `kind` is open.
    pub fn has(&self, kind: Kind) -> bool {
        self.open_signals.contains(&kind)
    }
}

/// The inputs that are missing (I-2), by name and sorted.
pub fn missing_inputs(facts: &Facts, health: &Health, moment: &Moment) -> Vec<String> {
    let primary = facts
        .profile
        .as_ref()
        .and_then(|profile| profile.primary_metric.as_ref());
    let is_missing = |part: &str| health.parts.iter().any(|known| known.name == part && known.missing);
    let checks = [
        ("activity", facts.active_users.is_empty() && facts.logins.is_empty()),
        ("invoices", facts.invoices.is_empty()),
        ("licences", licences(facts, moment) <= 0),
        ("nps", is_missing("nps")),
        (
            "primary_metric",
            primary.is_none_or(|metric| !facts.usage.contains_key(metric)),
        ),
        ("profile", facts.profile.is_none()),
        ("renewal_date", next_renewal(facts, moment).is_none()),
        ("subscriptions", facts.terms_on(moment.today).is_empty()),
        ("tickets", is_missing("critical_tickets")),
        ("usage", facts.usage.is_empty()),
    ];
    checks
        .into_iter()
        .filter(|(_, missing)| *missing)
        .map(|(name, _)| name.to_owned())
        .collect()
}
