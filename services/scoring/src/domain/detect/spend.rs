//! SG-1: spend of the last 30 days against the account's own average per 30 days over the 60 before, by the issue day
//! of invoices, without those of orders that Upswell won.
//!
//! A month is not 30 days, so an account that is billed monthly has now and then none or two invoices in 30 days.
//! Where the two windows do not hold invoices in the proportion 1 : 2, calendar months take the place of the 30 days;
//! where even they hold none, or fewer than two before (billed by the quarter or year), nothing can be said.
//!
//! Above `high_percent` the growth must pass the anomaly check, or it is no signal: it is not one extra invoice, not
//! the season (the same windows a year earlier grew as well), and not so large that an error is likelier.
//!
//! Subject: `spend`. Evidence: `growth_percent`, `window_spend` (baseline: `baseline_spend`), `baseline_spend`, in
//! major units of the currency.

use jiff::{ToSpan as _, civil::Date};
use upswell_runtime::money::Currency;

use super::{Sightings, reaches, strength};
use crate::domain::{
    facts::Facts,
    moment::{Moment, days_after},
    series::{Tally, Window, growth_percent},
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::SpendGrowth,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &SpendGrowth, seen: &mut Sightings) {
    if let Some(spend) = Spend::of(facts) {
        seen.add(Kind::SpendGrowth, "spend", sighting(&spend, moment.as_of, rule));
    }
}

/// The account's invoices in the currency of the newest, by issue day.
pub(super) struct Spend {
    pub(super) currency: Currency,
    invoices: Vec<(Date, i64)>,
}

impl Spend {
    pub(super) fn of(facts: &Facts) -> Option<Self> {
        let own = || facts.invoices.iter().filter(|invoice| !invoice.won_by_upswell);
        let currency = own().max_by_key(|invoice| invoice.issued)?.amount.currency;
        let invoices = own().filter(|invoice| invoice.amount.currency == currency);
        let invoices = invoices.map(|invoice| (invoice.issued, invoice.amount.minor)).collect();
        Some(Self { currency, invoices })
    }

    /// Sum and number of the invoices issued in `window`.
    pub(super) fn bill(&self, window: Window) -> Tally {
        let inside = self.within(window);
        inside.fold(Tally::default(), |bill, amount| Tally {
            sum: bill.sum + i128::from(amount),
            days: bill.days + 1,
        })
    }

    pub(super) fn major(&self, minor: i128) -> f64 {
        minor as f64 / 10_f64.powi(i32::try_from(self.currency.exponent()).unwrap_or(0))
    }

    fn within(&self, window: Window) -> impl Iterator<Item = i64> {
        self.invoices
            .iter()
            .filter(move |(issued, _)| window.contains(*issued))
            .map(|(_, amount)| *amount)
    }

    /// The two windows that end with `day` and hold the invoices of 1 : 2 periods; `None` when there are none such.
    fn windows(&self, day: Date) -> Option<(Window, Window)> {
        let now = Window::ending(day, 30);
        let exact = (now, now.before(60));
        if self.is_even(exact) {
            return Some(exact);
        }
        let month = |count: i32| days_after(day.saturating_sub(count.months()), 1);
        let now = Window {
            first: month(1),
            last: day,
        };
        let monthly = (
            now,
            Window {
                first: month(3),
                last: now.before(1).last,
            },
        );
        (self.bill(monthly.0).days >= 1 && self.bill(monthly.1).days >= 2).then_some(monthly)
    }

    fn is_even(&self, (now, before): (Window, Window)) -> bool {
        let count = self.bill(now).days;
        count > 0 && self.bill(before).days == count * 2
    }

    /// Growth in percent of `now` against half of `before`.
    fn growth(&self, (now, before): (Window, Window)) -> Option<f64> {
        let per_period = |window, periods| Tally {
            days: periods,
            ..self.bill(window)
        };
        growth_percent(per_period(now, 1), per_period(before, 2))
    }
}

fn sighting(spend: &Spend, day: Date, rule: &SpendGrowth) -> Option<Sighting> {
    let Some(windows) = spend.windows(day) else {
        return Some(Sighting::Unknown);
    };
    let growth = spend.growth(windows)?;
    let is_high = growth > rule.high_percent;
    if !reaches(growth, rule.percent) || (is_high && is_anomaly(spend, day, windows, growth, rule)) {
        return None;
    }
    Some(Sighting::Holds(Observation {
        grade: if is_high { Grade::High } else { Grade::Normal },
        strength: strength(growth, rule.percent),
        evidence: evidence(spend, growth, windows),
        raised_by: None,
    }))
}

fn is_anomaly(spend: &Spend, day: Date, windows: (Window, Window), growth: f64, rule: &SpendGrowth) -> bool {
    growth > rule.error_percent || is_one_off(spend, windows, rule) || is_season(spend, day, rule)
}

/// An invoice more than usual, without the largest of which nothing grew.
fn is_one_off(spend: &Spend, (now, before): (Window, Window), rule: &SpendGrowth) -> bool {
    let (bill, baseline) = (spend.bill(now), spend.bill(before));
    let largest = spend.within(now).max().unwrap_or_default();
    let rest = Tally {
        sum: bill.sum - i128::from(largest),
        days: 1,
    };
    let growth = growth_percent(rest, Tally { days: 2, ..baseline });
    bill.days * 2 > baseline.days && growth.is_none_or(|growth| !reaches(growth, rule.percent))
}

fn is_season(spend: &Spend, day: Date, rule: &SpendGrowth) -> bool {
    let year_ago = day.saturating_sub(1.year());
    let growth = spend.windows(year_ago).and_then(|windows| spend.growth(windows));
    growth.is_some_and(|growth| reaches(growth, rule.percent))
}

fn evidence(spend: &Spend, growth: f64, (now, before): (Window, Window)) -> Vec<Evidence> {
    let unit = spend.currency.to_string();
    let amount = spend.major(spend.bill(now).sum);
    let baseline = spend.major(spend.bill(before).sum) / 2.0;
    vec![
        Evidence::new("growth_percent", growth, "%", now, "invoice"),
        Evidence::new("window_spend", amount, &unit, now, "invoice").against(baseline),
        Evidence::new("baseline_spend", baseline, &unit, before, "invoice"),
    ]
}
