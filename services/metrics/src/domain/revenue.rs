//! Revenue metrics of a window, one currency at a time, and the identity of K-1.

use std::collections::BTreeMap;

use upswell_runtime::money::{Currency, Money, MoneyFault};

use super::{
    churn,
    movement::{Cause, MovementKind},
    rules::Rules,
};

/// Days of a month are 30.4375 (§9), which is 487/16.
const MONTHS_PER_DAY: (i64, i64) = (16, 487);

/// Sums over the accounts' MRR at the two ends of a window; all amounts in minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The currency of every amount here.
    pub currency: Currency,
    /// Σ MRR at the start.
    pub mrr_start: i64,
    /// Σ MRR at the end.
    pub mrr_end: i64,
    /// Accounts with MRR at the start.
    pub paying_start: i64,
    /// Accounts with MRR at the end.
    pub paying_end: i64,
    /// Σ MRR at the end of the accounts with MRR at the start.
    pub retained_end: i64,
    /// Σ min(end, start) of the same accounts.
    pub retained_gross: i64,
    /// Of the same accounts, those without MRR in any currency at the end.
    pub churned_accounts: i64,
}

/// Sums over the movements of one kind, cause and currency in a window; amounts in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindSum {
    /// The currency of every amount here.
    pub currency: Currency,
    /// The kind.
    pub kind: MovementKind,
    /// Why.
    pub cause: Cause,
    /// Σ amount.
    pub amount: i64,
    /// How many.
    pub count: i64,
    /// Σ amount of those that an order of Upswell caused.
    pub attributed: i64,
    /// Σ amount × days from the movement to the end of the window or, if earlier, to the end of its MRR.
    pub amount_days: i64,
}

/// A kind's share in the movements of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// The kind.
    pub kind: MovementKind,
    /// Σ amount; negative for contraction and churn.
    pub amount: Money,
    /// How many.
    pub count: i64,
}

/// A kind's share by one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CauseTotal {
    /// The kind.
    pub kind: MovementKind,
    /// Why.
    pub cause: Cause,
    /// Σ amount.
    pub amount: Money,
    /// How many.
    pub count: i64,
}

/// Revenue metrics of one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Revenue {
    /// MRR at the start.
    pub mrr_start: Money,
    /// MRR at the end.
    pub mrr_end: Money,
    /// Every kind, in order; also those without movements.
    pub totals: Vec<Total>,
    /// Accounts with MRR at the start.
    pub paying_start: i64,
    /// Accounts with MRR at the end.
    pub paying_end: i64,
    /// MRR per paying account at the end (K-2).
    pub arpa: Option<Money>,
    /// 12 × MRR at the end (K-3).
    pub arr: Money,
    /// The numerator of `nrr`.
    pub retained_end: Money,
    /// The numerator of `grr`.
    pub retained_gross: Money,
    /// Net revenue retention (K-4), 1 = 100 %.
    pub nrr: Option<f64>,
    /// Gross revenue retention (K-5), never above 1.
    pub grr: Option<f64>,
    /// Expansion minus contraction (K-3).
    pub expansion_net: Money,
    /// Expansion.
    pub expansion_gross: Money,
    /// Of it, what orders of Upswell caused (K-1).
    pub expansion_attributed: Money,
    /// Revenue that the window's expansions earned inside it, while the account paid.
    pub expansion_cumulative: Money,
    /// Accounts with MRR at the start and none at the end.
    pub churned_accounts: i64,
    /// The totals by cause; only those that there are.
    pub causes: Vec<CauseTotal>,
    /// Share of the accounts lost (K-6).
    pub logo_churn: Option<f64>,
    /// Share of MRR lost by churn and contraction (K-6).
    pub gross_mrr_churn: Option<f64>,
    /// The same less expansion and reactivation; below 0 when the accounts grew.
    pub net_mrr_churn: Option<f64>,
    /// What was won over what was lost (K-6); unset when nothing was lost.
    pub quick_ratio: Option<f64>,
}

/// Why there is no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevenueFault {
    /// The levels and the movements of the store disagree (K-1).
    #[error("mrr {start} plus movements {moved} is not mrr {end}")]
    IdentityBroken { start: Money, moved: Money, end: Money },
    /// A figure is beyond 64 bits.
    #[error(transparent)]
    Money(#[from] MoneyFault),
}

/// Revenue metrics by currency, out of sums over the accounts and over the movements of the same window and accounts,
/// which were computed apart. Errors: [`RevenueFault::IdentityBroken`] rather than a false number.
pub fn revenue(ends: Vec<Ends>, sums: Vec<KindSum>, rules: Rules) -> Result<Vec<Revenue>, RevenueFault> {
    let mut by_currency: BTreeMap<_, (Option<Ends>, Vec<KindSum>)> = BTreeMap::new();
    for of_one in ends {
        let currency = of_one.currency;
        by_currency.entry(currency).or_default().0 = Some(of_one);
    }
    for sum in sums {
        by_currency.entry(sum.currency).or_default().1.push(sum);
    }
    by_currency
        .into_iter()
        .map(|(currency, (ends, sums))| of_currency(&ends.unwrap_or_else(|| Ends::nothing(currency)), &sums, rules))
        .collect()
}

impl Ends {
    /// No accounts.
    pub fn nothing(currency: Currency) -> Self {
        Self {
            currency,
            mrr_start: 0,
            mrr_end: 0,
            paying_start: 0,
            paying_end: 0,
            retained_end: 0,
            retained_gross: 0,
            churned_accounts: 0,
        }
    }
}

impl KindSum {
    /// No movements.
    pub fn nothing(currency: Currency, kind: MovementKind, cause: Cause) -> Self {
        Self {
            currency,
            kind,
            cause,
            amount: 0,
            count: 0,
            attributed: 0,
            amount_days: 0,
        }
    }
}

fn of_currency(ends: &Ends, sums: &[KindSum], rules: Rules) -> Result<Revenue, RevenueFault> {
    let money = |minor| Money::new(minor, ends.currency);
    let of = |kind, pick: fn(&KindSum) -> i64| sums.iter().filter(move |sum| sum.kind == kind).map(pick).sum::<i64>();
    // FX is there only where several currencies are told in one.
    let is_told = |kind: &MovementKind| *kind != MovementKind::Fx || sums.iter().any(|sum| sum.kind == *kind);
    let totals: Vec<Total> = MovementKind::ALL
        .into_iter()
        .filter(is_told)
        .map(|kind| Total {
            kind,
            amount: money(of(kind, |sum| sum.amount)),
            count: of(kind, |sum| sum.count),
        })
        .collect();
    let (start, end) = (money(ends.mrr_start), money(ends.mrr_end));
    let moved = Money::sum(ends.currency, totals.iter().map(|total| total.amount))?;
    if start.checked_add(moved)? != end {
        return Err(RevenueFault::IdentityBroken { start, moved, end });
    }
    let expansion = money(of(MovementKind::Expansion, |sum| sum.amount));
    let contraction = money(of(MovementKind::Contraction, |sum| sum.amount));
    let rates = churn::rates(ends, &totals, rules);
    let (numerator, denominator) = MONTHS_PER_DAY;
    let amount_days = money(of(MovementKind::Expansion, |sum| sum.amount_days));
    Ok(Revenue {
        mrr_start: start,
        mrr_end: end,
        paying_start: ends.paying_start,
        paying_end: ends.paying_end,
        arpa: (ends.paying_end > 0)
            .then(|| end.ratio(1, ends.paying_end))
            .transpose()?,
        arr: end.checked_mul(12)?,
        retained_end: money(ends.retained_end),
        retained_gross: money(ends.retained_gross),
        nrr: share(ends.retained_end, ends.mrr_start),
        grr: share(ends.retained_gross, ends.mrr_start),
        expansion_net: expansion.checked_add(contraction)?,
        expansion_gross: expansion,
        expansion_attributed: money(of(MovementKind::Expansion, |sum| sum.attributed)),
        expansion_cumulative: amount_days.ratio(numerator, denominator)?,
        churned_accounts: ends.churned_accounts,
        causes: causes(sums),
        logo_churn: rates.logo,
        gross_mrr_churn: rates.gross,
        net_mrr_churn: rates.net,
        quick_ratio: rates.quick,
        totals,
    })
}

/// Amounts and counts by kind and cause, both in order.
fn causes(sums: &[KindSum]) -> Vec<CauseTotal> {
    let mut by_cause: BTreeMap<(MovementKind, Cause), (i64, i64)> = BTreeMap::new();
    for sum in sums.iter().filter(|sum| sum.count != 0) {
        let (amount, count) = by_cause.entry((sum.kind, sum.cause)).or_default();
        *amount += sum.amount;
        *count += sum.count;
    }
    let currency = sums.first().map(|sum| sum.currency);
    let total = |((kind, cause), (amount, count))| {
        Some(CauseTotal {
            kind,
            cause,
            amount: Money::new(amount, currency?),
            count,
        })
    };
    by_cause.into_iter().filter_map(total).collect()
}

/// `part / whole` for people; no money is computed from it.
pub(crate) fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
