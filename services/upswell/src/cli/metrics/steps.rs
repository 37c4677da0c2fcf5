//! From signal to payment: by step, by week, by motion.

use jiff::civil::Date;
use serde::Serialize;
use upswell_proto::metrics::v1 as pb;
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, cashes, day, left, percent, right, wire_moneys},
    wire::{date, word},
};

#[derive(Serialize)]
pub(super) struct Step {
    step: String,
    count: i64,
    conversion: Option<f64>,
}

impl From<pb::FunnelStep> for Step {
    fn from(step: pb::FunnelStep) -> Self {
        Self {
            step: step.step,
            count: step.count,
            conversion: step.conversion,
        }
    }
}

impl Row for Step {
    const COLUMNS: &'static [Column] = &[left("step"), right("count"), right("of the step before")];

    fn cells(&self) -> Vec<String> {
        vec![self.step.clone(), self.count.to_string(), percent(self.conversion)]
    }
}

#[derive(Serialize)]
pub(super) struct Week {
    start: Option<Date>,
    signals: i64,
    offers_sent: i64,
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
        right("accepted"),
        right("paid"),
        right("touches"),
        right("expansion MRR"),
    ];

    fn cells(&self) -> Vec<String> {
        let numbers = [self.signals, self.offers_sent, self.accepted, self.paid, self.touches];
        let mut cells = vec![day(self.start)];
        cells.extend(numbers.map(|number| number.to_string()));
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
