//! From signal to payment: by step, by week, by motion.

use jiff::civil::Date;
use serde::Serialize;
use upswell_proto::metrics::v1 as pb;
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, cashes, day, left, percent, right, wire_moneys},
    wire::{date, word},
};

/// Steps of the funnel.
const ORDER: [&str; 7] = [
    "signals",
    "offers_sent",
    "delivered",
    "opened",
    "clicked",
    "accepted",
    "paid",
];
/// A step that no channel tells of.
const NOT_MEASURED: &str = "not measured";

#[derive(Serialize)]
pub(super) struct Step {
    step: String,
    /// None: not measured.
    count: Option<i64>,
    conversion: Option<f64>,
}

impl Step {
    /// The steps in their order, also those that are not measured.
    pub(super) fn all(answer: pb::GetFunnelResponse) -> Vec<Self> {
        let missing = answer.unmeasured_steps.into_iter().map(|step| Self {
            step,
            count: None,
            conversion: None,
        });
        let mut steps: Vec<Self> = answer.steps.into_iter().map(Self::from).chain(missing).collect();
        steps.sort_by_key(|step| ORDER.iter().position(|name| *name == step.step));
        steps
    }
}

impl From<pb::FunnelStep> for Step {
    fn from(step: pb::FunnelStep) -> Self {
        Self {
            step: step.step,
            count: Some(step.count),
            conversion: step.conversion,
        }
    }
}

impl Row for Step {
    const COLUMNS: &'static [Column] = &[left("step"), right("count"), right("of the step before")];

    fn cells(&self) -> Vec<String> {
        vec![self.step.clone(), counted(self.count), percent(self.conversion)]
    }
}

pub(super) fn counted(count: Option<i64>) -> String {
    count.map_or(NOT_MEASURED.to_owned(), |count| count.to_string())
}

#[derive(Serialize)]
pub(super) struct Week {
    start: Option<Date>,
    signals: i64,
    offers_sent: i64,
    delivered: Option<i64>,
    opened: Option<i64>,
    clicked: Option<i64>,
    accepted: i64,
    paid: i64,
    touches: i64,
    expansion: Vec<Money>,
}

impl From<pb::Week> for Week {
    fn from(week: pb::Week) -> Self {
        Self {
            start: date(week.start_date.as_ref()),
            signals: week.signals,
            offers_sent: week.offers_sent,
            delivered: week.delivered,
            opened: week.opened,
            clicked: week.clicked,
            accepted: week.accepted,
            paid: week.paid,
            touches: week.touches,
            expansion: wire_moneys(&week.expansion),
        }
    }
}

impl Row for Week {
    const COLUMNS: &'static [Column] = &[
        left("week from"),
        right("signals"),
        right("sent"),
        right("delivered"),
        right("opened"),
        right("clicked"),
        right("accepted"),
        right("paid"),
        right("touches"),
        right("expansion MRR"),
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![day(self.start)];
        cells.extend([self.signals, self.offers_sent].map(|number| number.to_string()));
        cells.extend([self.delivered, self.opened, self.clicked].map(counted));
        cells.extend([self.accepted, self.paid, self.touches].map(|number| number.to_string()));
        cells.push(cashes(&self.expansion));
        cells
    }
}

#[derive(Serialize)]
pub(super) struct Conversion {
    motion: String,
    accounts: i64,
    sent: i64,
    accepted: i64,
    paid: i64,
    expansion: Vec<Money>,
}

impl From<pb::MotionConversion> for Conversion {
    fn from(conversion: pb::MotionConversion) -> Self {
        Self {
            motion: word(conversion.motion().as_str_name(), "MOTION"),
            accounts: conversion.accounts,
            sent: conversion.sent,
            accepted: conversion.accepted,
            paid: conversion.paid,
            expansion: wire_moneys(&conversion.expansion),
        }
    }
}

impl Row for Conversion {
    const COLUMNS: &'static [Column] = &[
        left("motion"),
        right("accounts"),
        right("sent"),
        right("accepted"),
        right("of sent"),
        right("paid"),
        right("expansion MRR"),
    ];

    fn cells(&self) -> Vec<String> {
        let share = (self.sent > 0).then(|| self.accepted as f64 / self.sent as f64);
        vec![
            self.motion.clone(),
            self.accounts.to_string(),
            self.sent.to_string(),
            self.accepted.to_string(),
            percent(share),
            self.paid.to_string(),
            cashes(&self.expansion),
        ]
    }
}
