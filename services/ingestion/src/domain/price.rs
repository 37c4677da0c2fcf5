//! What terms cost a month on a day: discounts run out and escalators rise on their days (§9).

use jiff::{Span, civil::Date};
use serde::Serialize;
use upswell_runtime::money::{Money, MoneyFault};

use super::fact::SubscriptionTerms;

/// The whole, in basis points.
const WHOLE: i64 = 10_000;
/// Rises that are looked ahead; terms without an end would have them for ever.
const RISES_MAX: i32 = 40;

/// Something taken off a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Discount {
    /// Hundredths of a percent, 1 to 10,000.
    pub basis_points: i32,
    /// First day without it.
    pub end_date: Option<Date>,
}

/// A contracted rise of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Escalator {
    /// Hundredths of a percent, 1 to 10,000, of the price after the rise before.
    pub basis_points: i32,
    /// The day of the first rise.
    pub first_date: Date,
    /// Months from one rise to the next, 1 or more; None: 12.
    pub every_months: Option<i32>,
}

impl Escalator {
    fn rises_until(self, day: Date) -> usize {
        let months = self.every_months.unwrap_or(12);
        let rise = |index| self.first_date.checked_add(Span::new().months(months * index)).ok();
        (0..RISES_MAX).map_while(rise).take_while(|rise| *rise <= day).count()
    }
}

/// The monthly amount of terms on `day`. Everything is multiplied first, then rounded to the minor unit once; rises and
/// discounts carry four more digits. Errors: an amount beyond 64 bits.
pub fn mrr(terms: &SubscriptionTerms, day: Date) -> Result<Money, MoneyFault> {
    let listed = terms.unit_price.checked_mul(terms.quantity)?;
    if terms.discounts.is_empty() && terms.escalator.is_none() {
        return listed.monthly(terms.period);
    }
    let mut amount = listed.checked_mul(WHOLE)?;
    if let Some(escalator) = terms.escalator {
        for _ in 0..escalator.rises_until(day) {
            amount = amount.ratio(WHOLE + i64::from(escalator.basis_points), WHOLE)?;
        }
    }
    let holds = |discount: &&Discount| discount.end_date.is_none_or(|end| day < end);
    for discount in terms.discounts.iter().filter(holds) {
        amount = amount.ratio(WHOLE - i64::from(discount.basis_points), WHOLE)?;
    }
    let (numerator, denominator) = terms.period.monthly_ratio();
    amount.ratio(numerator, denominator * WHOLE)
}
