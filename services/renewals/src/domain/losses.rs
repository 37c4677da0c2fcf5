//! Why renewals were lost, by quarter (RN-4).

use std::collections::BTreeMap;

use jiff::civil::Date;
use upswell_runtime::money::{Currency, Money};

use super::deal::{LossCategory, LossReason};

/// A lost deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The day on which it was lost.
    pub lost_on: Date,
    /// Why.
    pub reason: LossReason,
    /// Monthly amount that was lost.
    pub mrr: Money,
}

/// One reason among the losses of a quarter.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The reason.
    pub category: LossCategory,
    /// Deals that were lost for it.
    pub count: i32,
    /// Share of all losses, 0 to 1.
    pub share: f64,
    /// Amounts by currency.
    pub mrr: Vec<Money>,
    /// Competitors by frequency.
    pub competitors: Vec<(String, i32)>,
    /// Missing integrations by frequency.
    pub integrations: Vec<(String, i32)>,
    /// The product must answer.
    pub product_signal: bool,
}

/// Losses of one quarter.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarter {
    /// First day.
    pub first_on: Date,
    /// Deals that were lost.
    pub lost: i32,
    /// By category, the most frequent first.
    pub shares: Vec<Share>,
}

/// When a reason becomes a signal to the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalRule {
    /// Share of the quarter's losses, in hundredths.
    pub share_percent: i32,
    /// Deals at least, so that one loss alone need not be a signal.
    pub losses_min: i32,
}

impl SignalRule {
    /// `other` is no reason that the product could answer.
    fn holds(&self, category: LossCategory, count: i32, lost: i32) -> bool {
        category != LossCategory::Other && count >= self.losses_min && count * 100 >= lost * self.share_percent
    }
}

/// First day of the quarter of `day`.
pub fn quarter_of(day: Date) -> Date {
    let month = (day.month() - 1) / 3 * 3 + 1;
    // The first of a month exists in every year.
    Date::new(day.year(), month, 1).unwrap_or(day)
}

/// The quarters with their losses, by time.
pub fn analyse(losses: &[Loss], rule: SignalRule) -> Vec<Quarter> {
    let mut quarters: BTreeMap<Date, Vec<&Loss>> = BTreeMap::new();
    for loss in losses {
        quarters.entry(quarter_of(loss.lost_on)).or_default().push(loss);
    }
    quarters
        .into_iter()
        .map(|(first_on, losses)| quarter(first_on, &losses, rule))
        .collect()
}

fn quarter(first_on: Date, losses: &[&Loss], rule: SignalRule) -> Quarter {
    // More losses in a quarter than an i32 holds are no business.
    let lost = losses.len() as i32;
    let share = |category: LossCategory| {
        let own: Vec<&&Loss> = losses.iter().filter(|loss| loss.reason.category == category).collect();
        let count = own.len() as i32;
        (count > 0).then(|| Share {
            category,
            count,
            share: f64::from(count) / f64::from(lost),
            mrr: sums(own.iter().map(|loss| loss.mrr)),
            competitors: names(own.iter().map(|loss| loss.reason.competitor.as_str())),
            integrations: names(own.iter().map(|loss| loss.reason.integration.as_str())),
            product_signal: rule.holds(category, count, lost),
        })
    };
    let mut shares: Vec<Share> = LossCategory::ALL.iter().copied().filter_map(share).collect();
    shares.sort_by_key(|share| -share.count);
    Quarter { first_on, lost, shares }
}

fn sums(amounts: impl Iterator<Item = Money>) -> Vec<Money> {
    let mut sums: BTreeMap<Currency, Money> = BTreeMap::new();
    for amount in amounts {
        let sum = sums.entry(amount.currency).or_insert(Money::zero(amount.currency));
        *sum = sum.checked_add(amount).unwrap_or(*sum);
    }
    sums.into_values().collect()
}

/// Names by frequency, then alphabetically; empty ones are left out.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(String, i32)> {
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        *counts.entry(name.to_lowercase()).or_default() += 1;
    }
    let mut counts: Vec<(String, i32)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| -count);
    counts
}
