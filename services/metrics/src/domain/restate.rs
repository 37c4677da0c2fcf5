//! The revenue of several currencies told in one, with FX as its own movement (K-1, K-4).

use std::collections::BTreeMap;

use jiff::civil::Date;
use upswell_runtime::money::{Currency, Money, MoneyFault};

use super::{
    exchange::{RateFault, Rates, Worth},
    movement::{Cause, MovementKind},
    revenue::{Ends, KindSum},
    window::Window,
};

/// Roundings that a sum of told figures may differ by from the exact one, in minor units: one per figure.
const ROUNDINGS: i64 = 64;

/// What one currency brings into the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    /// The currency.
    pub currency: Currency,
    /// Σ MRR when the window opens, in minor units.
    pub mrr_start: i64,
    /// What the levels change by, per day of the window.
    pub turns: BTreeMap<Date, i64>,
    /// The movements of the window, summed by day.
    pub moved: Vec<(Date, KindSum)>,
}

/// The MRR of one account at both ends of the window, by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountEnds(pub Vec<(Currency, i64, i64)>);

/// Accounts that pay in any currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paying {
    /// When the window opens.
    pub start: i64,
    /// When it closes.
    pub end: i64,
}

/// The sums of the window in the currency of `rates`, ready for [`super::revenue::revenue`]. `moved` are the accounts
/// whose MRR moved in the window: all others end with what they began with, at the same rate. Each figure is exact and
/// rounded once; FX takes what the roundings leave. Errors: a missing rate, by name; FX that does not follow from the
/// rates.
pub fn restate(
    window: Window,
    rates: &Rates,
    natives: &[Native],
    moved: &[AccountEnds],
    paying: Paying,
) -> Result<(Ends, Vec<KindSum>), RestateFault> {
    let (mut start, mut end, mut fx) = (Worth::default(), Worth::default(), Worth::default());
    let mut told: BTreeMap<(MovementKind, Cause), Told> = BTreeMap::new();
    for native in natives {
        let (first, last, rated) = native.worth(window, rates)?;
        start = start.plus(first)?;
        end = end.plus(last)?;
        fx = fx.plus(rated)?;
        for (day, sum) in &native.moved {
            told.entry((sum.kind, sum.cause))
                .or_default()
                .add(*day, sum, window, rates)?;
        }
    }
    let quote = rates.quote();
    let mut sums = told
        .into_iter()
        .map(|(key, told)| told.sum(key, quote))
        .collect::<Result<Vec<_>, _>>()?;
    let mut ends = Ends {
        paying_start: paying.start,
        paying_end: paying.end,
        mrr_start: start.minor()?,
        mrr_end: end.minor()?,
        ..Ends::nothing(quote)
    };
    let others: i64 = sums.iter().map(|sum| sum.amount).sum();
    let left = ends.mrr_end - ends.mrr_start - others;
    let expected = fx.minor()?;
    if (left - expected).abs() > ROUNDINGS {
        let [left, expected] = [left, expected].map(|minor| Money::new(minor, quote));
        return Err(RestateFault::Fx { left, expected });
    }
    sums.push(KindSum {
        amount: left,
        count: i64::from(left != 0),
        ..KindSum::nothing(quote, MovementKind::Fx, Cause::Fx)
    });
    retained(&mut ends, window, rates, moved)?;
    Ok((ends, sums))
}

/// Why nothing is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestateFault {
    /// No rate, or no amount.
    #[error(transparent)]
    Rate(#[from] RateFault),
    /// What is left over is not what the rates make of the levels.
    #[error("fx is {left} by difference and {expected} by rates")]
    Fx {
        /// End − start − other movements.
        left: Money,
        /// Σ level × change of rate.
        expected: Money,
    },
}

impl From<MoneyFault> for RestateFault {
    fn from(fault: MoneyFault) -> Self {
        Self::Rate(fault.into())
    }
}

impl Native {
    /// Worth at the start, at the end, and what the rates alone made of it.
    fn worth(&self, window: Window, rates: &Rates) -> Result<(Worth, Worth, Worth), RestateFault> {
        let money = |minor| Money::new(minor, self.currency);
        let mut level = self.mrr_start;
        if level == 0 && self.turns.is_empty() {
            return Ok(Default::default());
        }
        let start = rates.worth(money(level), window.start())?;
        let mut fx = Worth::default();
        let mut turns = self.turns.iter().peekable();
        let mut before = window.start();
        for day in rates.turns(self.currency, window.start(), window.end()) {
            // What moves on the day itself moves at the new rate.
            while let Some((_, delta)) = turns.next_if(|(moved, _)| **moved < day) {
                level = level.checked_add(*delta).ok_or(MoneyFault::Overflow)?;
            }
            if level != 0 {
                let old = rates.worth(money(level), before)?;
                fx = fx.plus(rates.worth(money(level), day)?.minus(old)?)?;
            }
            before = day;
        }
        for (_, delta) in turns {
            level = level.checked_add(*delta).ok_or(MoneyFault::Overflow)?;
        }
        Ok((start, rates.worth(money(level), window.end())?, fx))
    }
}

#[derive(Default)]
struct Told {
    amount: Worth,
    attributed: Worth,
    earned: Worth,
    count: i64,
}

impl Told {
    fn add(&mut self, day: Date, sum: &KindSum, window: Window, rates: &Rates) -> Result<(), RateFault> {
        let worth = |minor, day| rates.worth(Money::new(minor, sum.currency), day);
        self.amount = self.amount.plus(worth(sum.amount, day)?)?;
        self.attributed = self.attributed.plus(worth(sum.attributed, day)?)?;
        self.earned = self.earned.plus(worth(sum.amount_days, window.end())?)?;
        self.count += sum.count;
        Ok(())
    }

    fn sum(self, (kind, cause): (MovementKind, Cause), quote: Currency) -> Result<KindSum, MoneyFault> {
        Ok(KindSum {
            amount: self.amount.minor()?,
            count: self.count,
            attributed: self.attributed.minor()?,
            amount_days: self.earned.minor()?,
            ..KindSum::nothing(quote, kind, cause)
        })
    }
}

/// NRR and GRR compare at the rates of the window's first day (K-4), account by account (K-5).
fn retained(ends: &mut Ends, window: Window, rates: &Rates, moved: &[AccountEnds]) -> Result<(), RestateFault> {
    let (mut net, mut gross) = (Worth::default(), Worth::default());
    for AccountEnds(currencies) in moved {
        let (mut start, mut end) = (Worth::default(), Worth::default());
        for (currency, first, last) in currencies {
            start = start.plus(rates.worth(Money::new(*first, *currency), window.start())?)?;
            end = end.plus(rates.worth(Money::new(*last, *currency), window.start())?)?;
        }
        if start > Worth::default() {
            let change = end.minus(start)?;
            net = net.plus(change)?;
            gross = gross.plus(change.min(Worth::default()))?;
            ends.churned_accounts += i64::from(end == Worth::default());
        }
    }
    ends.retained_end = ends.mrr_start + net.minor()?;
    ends.retained_gross = ends.mrr_start + gross.minor()?;
    Ok(())
}
