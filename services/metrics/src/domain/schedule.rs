//! What a contract says about later days: discounts that run out and escalators that rise.

use jiff::{Span, civil::Date};
use serde::{Deserialize, Serialize};
use upswell_runtime::money::{Money, MoneyFault, Period};

use super::movement::Cause;

/// The whole, in basis points.
const WHOLE: i64 = 10_000;
/// Rises that are looked ahead; a contract without an end would have them for ever.
const RISES_MAX: i32 = 40;

/// A monthly amount from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The day.
    pub on: Date,
    /// The monthly amount from then on.
    pub mrr: Money,
    /// Why it differs from the one before.
    pub cause: Cause,
}

/// A price as it is contracted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Of one unit for one period, without tax.
    pub unit: Money,
    /// Units.
    pub quantity: i64,
    /// How often it recurs.
    pub period: Period,
    /// What is taken off; several apply one after the other.
    pub discounts: Vec<Discount>,
    /// What it rises by.
    pub escalator: Option<Escalator>,
}

/// Something taken off a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discount {
    /// Hundredths of a percent, 1 to 10,000.
    pub basis_points: i64,
    /// First day without it; `None` while it lasts.
    pub end_on: Option<Date>,
}

/// A contracted rise of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalator {
    /// Hundredths of a percent, 1 to 10,000; each rise is on the price after the rise before.
    pub basis_points: i64,
    /// Day of the first rise.
    pub first_on: Date,
    /// Months from one rise to the next, 1 or more.
    pub every_months: i32,
}

/// The monthly amount on `from` and what follows without another fact, by day, until `end` (not included). Everything
/// is multiplied first and rounded once. Errors: an amount beyond 64 bits.
pub fn steps(price: &Price, from: Date, end: Option<Date>) -> Result<(Money, Vec<Step>), MoneyFault> {
    let inside = |day: Date| day > from && end.is_none_or(|end| day < end);
    let mut days: Vec<(Date, Cause)> = Vec::new();
    days.extend(
        price
            .rises()
            .filter(|day| inside(*day))
            .map(|day| (day, Cause::Escalator)),
    );
    let expiries = price.discounts.iter().filter_map(|discount| discount.end_on);
    days.extend(
        expiries
            .filter(|day| inside(*day))
            .map(|day| (day, Cause::DiscountExpiry)),
    );
    // Where both fall on one day, the expiry names the step: it is the larger one.
    days.sort_by_key(|(day, cause)| (*day, *cause != Cause::DiscountExpiry));
    days.dedup_by_key(|(day, _)| *day);
    let first = price.on(from)?;
    let mut last = first;
    let mut steps = Vec::new();
    for (on, cause) in days {
        let mrr = price.on(on)?;
        if mrr != last {
            steps.push(Step { on, mrr, cause });
        }
        last = mrr;
    }
    Ok((first, steps))
}

impl Price {
    fn rises(&self) -> impl Iterator<Item = Date> {
        let escalator = self.escalator;
        (0..RISES_MAX).map_while(move |index| {
            let Escalator {
                first_on, every_months, ..
            } = escalator?;
            first_on
                .checked_add(Span::new().months(every_months.max(1).checked_mul(index)?))
                .ok()
        })
    }

    fn on(&self, day: Date) -> Result<Money, MoneyFault> {
        // Rises and reductions keep four more digits than the minor unit, so that the one rounding is at the end. 128 bits
        // hold them for every amount that 64 bits hold; only what is contracted or comes out may be too large.
        let mut amount = i128::from(self.unit.checked_mul(self.quantity)?.minor) * i128::from(WHOLE);
        let rises = self.rises().take_while(|rise| *rise <= day).count();
        let rise = self.escalator.map_or(0, |escalator| escalator.basis_points);
        for _ in 0..rises {
            amount = rounded(amount, WHOLE + rise, WHOLE)?;
        }
        for discount in &self.discounts {
            if discount.end_on.is_none_or(|end| day < end) {
                amount = rounded(amount, WHOLE - discount.basis_points, WHOLE)?;
            }
        }
        let (numerator, denominator) = self.period.monthly_ratio();
        let minor = rounded(amount, numerator, denominator * WHOLE)?;
        let minor = i64::try_from(minor).map_err(|_| MoneyFault::Overflow)?;
        Ok(Money::new(minor, self.unit.currency))
    }
}

/// `amount` × `numerator` / `denominator` (above 0), rounded half away from zero.
fn rounded(amount: i128, numerator: i64, denominator: i64) -> Result<i128, MoneyFault> {
    let product = amount.checked_mul(numerator.into()).ok_or(MoneyFault::Overflow)?;
    let denominator = i128::from(denominator);
    let (quotient, rest) = (product / denominator, product % denominator);
    Ok(if rest.abs() * 2 < denominator {
        quotient
    } else {
        quotient + product.signum()
    })
}
