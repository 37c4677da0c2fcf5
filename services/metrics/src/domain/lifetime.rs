//! What an account is worth over its life (K-6). The life is the inverse of churn, so without churn there is no number.

use upswell_runtime::money::{Money, MoneyFault};

use super::{
    movement::MovementKind,
    revenue::{Revenue, share},
    rules::{LtvChurn, Rules},
    window::Window,
};

/// Days of a month are 30.4375 (§9), which is 487/16.
const DAYS_PER_MONTH: (i64, i64) = (487, 16);
/// The whole, in basis points.
pub(super) const WHOLE: i64 = 10_000;

/// What is known beside revenue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Share of revenue that is left after the cost to serve, in basis points; `None` when unknown.
    pub gross_margin: Option<i64>,
    /// Cost of winning one account, in the currency of the revenue; `None` when unknown.
    pub acquisition: Option<Money>,
}

/// Lifetime value in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifetime {
    /// MRR per paying account at the window's end.
    pub arpa: Option<Money>,
    /// Churn a month.
    pub monthly_churn: Option<f64>,
    /// 1 / monthly churn.
    pub months: Option<f64>,
    /// ARPA / monthly churn; `None` without churn.
    pub revenue: Option<Money>,
    /// The same times the margin; `None` without churn or margin.
    pub margin: Option<Money>,
    /// LTV over the cost of acquisition: of margin where it is known, else of revenue.
    pub to_cac: Option<f64>,
}

impl Lifetime {
    /// By what share the value of revenue changed since `before` (K-8); `None` without a value on either side.
    pub fn change_since(&self, before: &Self) -> Option<f64> {
        let (now, then) = self.revenue.zip(before.revenue)?;
        share(now.minor.checked_sub(then.minor)?, then.minor)
    }
}

/// The lifetime value that a window's churn and ARPA give. Errors: an amount beyond 64 bits.
pub fn lifetime(revenue: &Revenue, window: Window, rules: Rules, costs: Costs) -> Result<Lifetime, MoneyFault> {
    let (lost, whole) = match rules.ltv_churn {
        LtvChurn::Logo => (revenue.churned_accounts, revenue.paying_start),
        LtvChurn::GrossMrr => (lost_mrr(revenue), revenue.mrr_start.minor),
    };
    let (per_month, sixteenths) = DAYS_PER_MONTH;
    let days = i64::from(window.days());
    let monthly_churn = share(lost, whole).map(|churn| churn * per_month as f64 / (sixteenths * days) as f64);
    let has_churn = lost > 0 && whole > 0;
    let value = match revenue.arpa {
        Some(arpa) if has_churn => {
            // ARPA / (lost / whole × 487 / (16 × days)): exact, rounded once.
            let numerator = whole.checked_mul(sixteenths * days).ok_or(MoneyFault::Overflow)?;
            let denominator = lost.checked_mul(per_month).ok_or(MoneyFault::Overflow)?;
            Some(arpa.ratio(numerator, denominator)?)
        }
        _ => None,
    };
    let margin = match (value, costs.gross_margin) {
        (Some(value), Some(margin)) => Some(value.ratio(margin, WHOLE)?),
        _ => None,
    };
    let to_cac = margin.or(value).zip(costs.acquisition).and_then(|(value, cost)| {
        (value.currency == cost.currency)
            .then(|| share(value.minor, cost.minor))
            .flatten()
    });
    Ok(Lifetime {
        arpa: revenue.arpa,
        monthly_churn,
        months: monthly_churn.filter(|churn| *churn > 0.0).map(|churn| 1.0 / churn),
        revenue: value,
        margin,
        to_cac,
    })
}

fn lost_mrr(revenue: &Revenue) -> i64 {
    let lost = |kind| matches!(kind, MovementKind::Contraction | MovementKind::Churn);
    let amounts = revenue.totals.iter().filter(|total| lost(total.kind));
    -amounts.map(|total| total.amount.minor).sum::<i64>()
}
