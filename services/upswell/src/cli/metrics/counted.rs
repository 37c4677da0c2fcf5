//! Slices of the programme, and what their numbers count.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use upswell_proto::metrics::v1 as pb;
use upswell_runtime::money::Money;

use super::steps::counted;
use crate::{
    cli::output::{Column, Row, cashes, day, left, percent, right, time, wire_money, wire_moneys},
    wire::{date, instant, word},
};

#[derive(Serialize)]
pub(super) struct SliceLine {
    slice: String,
    steps: Vec<Step>,
    largest_loss: String,
    customers: i64,
    accounts_offered: i64,
    accounts_accepted: i64,
    conversion_of_customers: Option<f64>,
    conversion_of_offers: Option<f64>,
    conversion_a_year: Option<f64>,
    attach_rate: Option<f64>,
    expansion: Vec<Money>,
    average: Vec<Money>,
    velocity: Vec<Money>,
    earned: Vec<Money>,
}

#[derive(Serialize)]
struct Step {
    step: String,
    /// None: not measured.
    count: Option<i64>,
    conversion: Option<f64>,
}

impl From<&pb::StepCount> for Step {
    fn from(step: &pb::StepCount) -> Self {
        Self {
            step: word(step.step().as_str_name(), "PROGRAMME_STEP"),
            count: step.count,
            conversion: step.conversion,
        }
    }
}

impl From<pb::ProgrammeSlice> for SliceLine {
    fn from(slice: pb::ProgrammeSlice) -> Self {
        let moneys = |pick: fn(&pb::ProgrammeMoney) -> Option<&upswell_proto::gtype::Money>| {
            slice.money.iter().filter_map(|part| wire_money(pick(part))).collect()
        };
        Self {
            steps: slice.steps.iter().map(Step::from).collect(),
            expansion: moneys(|part| part.expansion.as_ref()),
            average: moneys(|part| part.average.as_ref()),
            velocity: moneys(|part| part.velocity.as_ref()),
            earned: moneys(|part| part.earned.as_ref()),
            slice: slice.value,
            largest_loss: slice.largest_loss_step,
            customers: slice.customers,
            accounts_offered: slice.accounts_offered,
            accounts_accepted: slice.accounts_accepted,
            conversion_of_customers: slice.conversion_of_customers,
            conversion_of_offers: slice.conversion_of_offers,
            conversion_a_year: slice.conversion_a_year,
            attach_rate: slice.attach_rate,
        }
    }
}

impl Row for SliceLine {
    const COLUMNS: &'static [Column] = &[
        left("slice"),
        right("signals"),
        right("sent"),
        right("delivered"),
        right("opened"),
        right("clicked"),
        right("accepted"),
        right("paid"),
        left("largest loss"),
        right("of customers"),
        right("of offers"),
        right("a year"),
        right("attach"),
        right("expansion MRR"),
        right("average"),
        right("a month"),
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.slice.clone()];
        cells.extend(self.steps.iter().map(|step| counted(step.count)));
        cells.push(self.largest_loss.replace('_', " "));
        cells.extend(
            [
                self.conversion_of_customers,
                self.conversion_of_offers,
                self.conversion_a_year,
                self.attach_rate,
            ]
            .map(percent),
        );
        cells.extend([&self.expansion, &self.average, &self.velocity].map(|moneys| cashes(moneys)));
        cells
    }
}

/// A week of a slice.
#[derive(Serialize)]
pub(super) struct SliceWeek {
    slice: String,
    start: Option<Date>,
    steps: Vec<Step>,
    largest_loss: String,
    touches: Option<i64>,
    expansion: Vec<Money>,
}

impl SliceWeek {
    /// One line per week.
    pub(super) fn of(slice: pb::WeeklySlice) -> impl Iterator<Item = Self> {
        let pb::WeeklySlice { value, weeks } = slice;
        weeks.into_iter().map(move |week| Self {
            slice: value.clone(),
            start: date(week.start_date.as_ref()),
            steps: week.steps.iter().map(Step::from).collect(),
            largest_loss: week.largest_loss_step,
            touches: week.touches,
            expansion: wire_moneys(&week.expansion),
        })
    }
}

impl Row for SliceWeek {
    const COLUMNS: &'static [Column] = &[
        left("slice"),
        left("week from"),
        right("signals"),
        right("sent"),
        right("delivered"),
        right("opened"),
        right("clicked"),
        right("accepted"),
        right("paid"),
        left("largest loss"),
        right("touches"),
        right("expansion MRR"),
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.slice.clone(), day(self.start)];
        cells.extend(self.steps.iter().map(|step| counted(step.count)));
        cells.push(self.largest_loss.replace('_', " "));
        cells.push(self.touches.map_or(String::new(), |touches| touches.to_string()));
        cells.push(cashes(&self.expansion));
        cells
    }
}

#[derive(Serialize)]
pub(super) struct Counted {
    time: Option<Timestamp>,
    account: String,
    reason: String,
    motion: String,
    signal: String,
    offer: String,
    order: String,
}

impl From<pb::CountedStep> for Counted {
    fn from(step: pb::CountedStep) -> Self {
        let motion = word(step.motion().as_str_name(), "MOTION");
        Self {
            time: instant(step.time.as_ref()),
            motion: if motion == "unspecified" { String::new() } else { motion },
            account: step.account_id,
            reason: step.reason,
            signal: step.signal_id,
            offer: step.offer_id,
            order: step.order_id,
        }
    }
}

impl Row for Counted {
    const COLUMNS: &'static [Column] = &[
        left("time"),
        left("account"),
        left("reason"),
        left("motion"),
        left("signal"),
        left("offer"),
        left("order"),
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![time(self.time)];
        let texts = [
            &self.account,
            &self.reason,
            &self.motion,
            &self.signal,
            &self.offer,
            &self.order,
        ];
        cells.extend(texts.map(Clone::clone));
        cells
    }
}
