//! What is kept summed up, so that no answer has to look at every account: what one account adds to each sum.
//!
//! Flows are sums by day and by month: of what the levels change by, and of the movements. Spans are the months, quarters
//! and years that begin with a month; of each is kept by how much the accounts that moved in it differ at its end from
//! its start. An account that did not move adds nothing, so that a change touches its own day and month and at most 16
//! spans (1 + 3 + 12), in each of the slices in which the account lies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Span as Length, civil::Date};
use upswell_runtime::money::Currency;

use super::{
    movement::{Level, MovementKind},
    timeline::Timeline,
};

/// Lengths of the kept spans, in months.
pub const SPANS: [i32; 3] = [1, 3, 12];

/// By what revenue is cut. An account lies in one slice of each: those of today, not of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Everybody.
    All,
    /// The account's segment.
    Segment,
    /// The plan that it has or had last.
    Plan,
    /// Its country.
    Country,
    /// Its cohort, `2026-01`.
    Cohort,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 5] = [Self::All, Self::Segment, Self::Plan, Self::Country, Self::Cohort];

    /// The number under which it is stored.
    pub const fn number(self) -> i32 {
        match self {
            Self::All => 0,
            Self::Segment => 1,
            Self::Plan => 2,
            Self::Country => 3,
            Self::Cohort => 4,
        }
    }
}

/// Where an account lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its segment; empty when unknown.
    pub segment: String,
    /// Its plan; empty when unknown.
    pub plan: String,
    /// Its country; empty when unknown.
    pub country: String,
    /// Its cohort as `2026-01`; empty before its first MRR and without a sign-up.
    pub cohort: String,
}

impl Place {
    /// The slices that it lies in.
    pub fn slices(&self) -> [(Dimension, &str); 5] {
        [
            (Dimension::All, ""),
            (Dimension::Segment, &self.segment),
            (Dimension::Plan, &self.plan),
            (Dimension::Country, &self.country),
            (Dimension::Cohort, &self.cohort),
        ]
    }
}

/// How long a bucket of flows is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// A day.
    Day,
    /// A calendar month, named by its first day.
    Month,
}

/// What flows: the level itself, or movements of a kind and cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowKey {
    /// The bucket's length.
    pub grain: Grain,
    /// Its first day.
    pub on: Date,
    /// The currency; `None` for counts of accounts over all currencies.
    pub currency: Option<Currency>,
    /// Number of the movement's kind; 0 for the level.
    pub kind: i32,
    /// Number of the movement's cause; 0 for the level.
    pub cause: i32,
}

/// A sum of flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Σ amount in minor units.
    pub amount: i64,
    /// Of the level: accounts that began to pay minus those that ceased. Else movements.
    pub count: i64,
    /// Σ amount of what an order caused.
    pub attributed: i64,
}

/// A span of months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanKey {
    /// Its first day.
    pub start: Date,
    /// Its length, one of [`SPANS`].
    pub months: i32,
    /// The currency.
    pub currency: Currency,
}

/// How the accounts that moved in a span differ at its end from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Σ (end − start) of accounts with MRR at the start.
    pub retained: i64,
    /// Σ (min(end, start) − start) of the same.
    pub gross: i64,
    /// Of the same, those that pay in no currency at the end.
    pub churned: i64,
    /// Σ expansion × days that it earned in the span.
    pub earned: i64,
}

/// What one account, or many, add to the sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// By bucket.
    pub flows: BTreeMap<FlowKey, Flow>,
    /// By span.
    pub spans: BTreeMap<SpanKey, Span>,
}

impl Kept {
    /// What an account with this timeline adds; `orders` are the orders that are known to be its own.
    pub fn of(timeline: &Timeline, orders: &BTreeSet<String>) -> Self {
        let mut kept = Self::default();
        kept.add_levels(&timeline.levels);
        kept.add_paying(&timeline.levels);
        let mut spans = BTreeSet::new();
        for movement in &timeline.movements {
            let amount = movement.amount.minor;
            let known = movement.order_id.as_ref().is_some_and(|order| orders.contains(order));
            let flow = Flow {
                amount,
                count: 1,
                attributed: if known { amount } else { 0 },
            };
            let number = (movement.kind.number(), movement.cause.number());
            kept.add_flow(movement.day, Some(movement.amount.currency), number, flow);
            spans.extend(spans_with(movement.day));
        }
        for (start, months) in spans {
            kept.add_span(timeline, start, months);
        }
        kept.flows.retain(|_, flow| *flow != Flow::default());
        kept.spans.retain(|_, span| *span != Span::default());
        kept
    }

    /// Adds `other`, or takes it away when `sign` is −1.
    pub fn merge(&mut self, other: &Self, sign: i64) {
        for (key, flow) in &other.flows {
            let sum = self.flows.entry(*key).or_default();
            sum.amount += sign * flow.amount;
            sum.count += sign * flow.count;
            sum.attributed += sign * flow.attributed;
        }
        for (key, span) in &other.spans {
            let sum = self.spans.entry(*key).or_default();
            sum.retained += sign * span.retained;
            sum.gross += sign * span.gross;
            sum.churned += sign * span.churned;
            sum.earned += sign * span.earned;
        }
        self.flows.retain(|_, flow| *flow != Flow::default());
        self.spans.retain(|_, span| *span != Span::default());
    }

    fn add_levels(&mut self, levels: &[Level]) {
        let mut turns: BTreeMap<(Currency, Date), (i64, i64)> = BTreeMap::new();
        for level in levels {
            let begins = turns.entry((level.mrr.currency, level.from)).or_default();
            *begins = (begins.0 + level.mrr.minor, begins.1 + 1);
            if let Some(to) = level.to {
                let ends = turns.entry((level.mrr.currency, to)).or_default();
                *ends = (ends.0 - level.mrr.minor, ends.1 - 1);
            }
        }
        for ((currency, day), (amount, count)) in turns {
            let flow = Flow {
                amount,
                count,
                attributed: 0,
            };
            self.add_flow(day, Some(currency), (0, 0), flow);
        }
    }

    /// Days on which the account begins or ceases to pay in any currency, and its first one.
    fn add_paying(&mut self, levels: &[Level]) {
        let mut runs: Vec<(Date, Option<Date>)> = levels.iter().map(|level| (level.from, level.to)).collect();
        runs.sort_unstable();
        if let Some((first, _)) = runs.first() {
            self.add_flow(*first, None, (MovementKind::New.number(), 0), Flow::counted(1));
        }
        let mut open: Option<(Date, Option<Date>)> = None;
        for (from, to) in runs {
            match &mut open {
                Some((_, until)) if until.is_none_or(|until| from <= until) => {
                    *until = until.and_then(|until| to.map(|to| to.max(until)));
                }
                _ => {
                    self.add_run(open.replace((from, to)));
                }
            }
        }
        self.add_run(open);
    }

    fn add_run(&mut self, run: Option<(Date, Option<Date>)>) {
        if let Some((from, to)) = run {
            self.add_flow(from, None, (0, 0), Flow::counted(1));
            if let Some(to) = to {
                self.add_flow(to, None, (0, 0), Flow::counted(-1));
            }
        }
    }

    fn add_flow(&mut self, day: Date, currency: Option<Currency>, (kind, cause): (i32, i32), flow: Flow) {
        for (grain, on) in [(Grain::Day, day), (Grain::Month, day.first_of_month())] {
            let key = FlowKey {
                grain,
                on,
                currency,
                kind,
                cause,
            };
            let sum = self.flows.entry(key).or_default();
            sum.amount += flow.amount;
            sum.count += flow.count;
            sum.attributed += flow.attributed;
        }
    }

    fn add_span(&mut self, timeline: &Timeline, start: Date, months: i32) {
        let end = months_after(start, months);
        let (first, last) = (levels_before(timeline, start), levels_before(timeline, end));
        for (currency, start_mrr) in &first {
            let end_mrr = last.get(currency).copied().unwrap_or_default();
            let span = self.span(start, months, *currency);
            span.retained += end_mrr - start_mrr;
            span.gross += end_mrr.min(*start_mrr) - start_mrr;
            span.churned += i64::from(last.is_empty());
        }
        let grew = |kind| kind == MovementKind::Expansion;
        for movement in timeline
            .movements
            .iter()
            .filter(|m| grew(m.kind) && m.day >= start && m.day < end)
        {
            let until = movement.earns_until.map_or(end, |until| until.min(end));
            let days = until.duration_since(movement.day).as_hours() / 24;
            self.span(start, months, movement.amount.currency).earned += movement.amount.minor * days;
        }
    }

    fn span(&mut self, start: Date, months: i32, currency: Currency) -> &mut Span {
        let key = SpanKey {
            start,
            months,
            currency,
        };
        self.spans.entry(key).or_default()
    }
}

impl Flow {
    fn counted(count: i64) -> Self {
        Self {
            count,
            ..Self::default()
        }
    }
}

/// The first day of the month `months` after that of `day`.
pub fn months_after(day: Date, months: i32) -> Date {
    day.first_of_month().saturating_add(Length::new().months(months))
}

/// The kept spans in which `day` lies.
fn spans_with(day: Date) -> impl Iterator<Item = (Date, i32)> {
    SPANS
        .into_iter()
        .flat_map(move |months| (0..months).map(move |back| (months_after(day, -back), months)))
}

/// The MRR at the start of `day`, before anything moves on it.
fn levels_before(timeline: &Timeline, day: Date) -> BTreeMap<Currency, i64> {
    let holds = |level: &&Level| level.from < day && level.to.is_none_or(|to| to >= day);
    let levels = timeline.levels.iter().filter(holds);
    levels.map(|level| (level.mrr.currency, level.mrr.minor)).collect()
}
