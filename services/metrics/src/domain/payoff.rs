//! What the programme returned on what it cost (K-8).

use upswell_runtime::money::{Money, MoneyFault};

use super::{lifetime::WHOLE, revenue::share, window::Window};

/// Configured cost of the programme, all in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgrammeCost {
    /// A month of 30.4375 days.
    pub a_month: Money,
    /// A touch.
    pub a_touch: Money,
}

/// Earnings against cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Payoff {
    /// What expansion by orders earned in the window.
    pub earned: Money,
    /// What is left of it after the cost to serve.
    pub margin: Option<Money>,
    /// Cost of the window.
    pub cost: Option<Money>,
    /// (margin or earned − cost) / cost.
    pub returned: Option<f64>,
    /// Days after which the expansion of the window has paid its cost.
    pub payback_days: Option<f64>,
}

/// The payoff of a window. `expansion` is the MRR that orders added in it, `margin` in basis points where it is known.
/// Errors: an amount beyond 64 bits.
pub fn payoff(
    window: Window,
    (earned, expansion): (Money, Money),
    touches: i64,
    cost: ProgrammeCost,
    margin: Option<i64>,
) -> Result<Payoff, MoneyFault> {
    let by_month = cost.a_month.ratio(16 * i64::from(window.days()), 487)?;
    let whole = by_month.checked_add(cost.a_touch.checked_mul(touches)?)?;
    let cost = (!whole.is_zero()).then_some(whole);
    let kept = |money: Money| margin.map(|margin| money.ratio(margin, WHOLE)).transpose();
    let margin_earned = kept(earned)?;
    let gain = margin_earned.unwrap_or(earned);
    let a_month = kept(expansion)?.unwrap_or(expansion);
    let paid = cost.filter(|_| a_month.minor > 0);
    Ok(Payoff {
        earned,
        margin: margin_earned,
        cost,
        returned: cost
            .map(|cost| gain.checked_sub(cost).map(|net| share(net.minor, cost.minor)))
            .transpose()?
            .flatten(),
        payback_days: paid.map(|cost| cost.minor as f64 / a_month.minor as f64 * 487.0 / 16.0),
    })
}
