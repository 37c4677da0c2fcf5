//! Rates of loss (K-6). Every rate is a share of what there was at the start; without a start there is none.

use super::{
    movement::MovementKind,
    revenue::{Ends, Total, share},
    rules::{MrrChurn, Rules},
};

/// Rates of loss of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChurnRates {
    /// Share of the accounts lost.
    pub logo: Option<f64>,
    /// Share of MRR lost.
    pub gross: Option<f64>,
    /// Share of MRR lost, less what the others grew by.
    pub net: Option<f64>,
    /// Won over lost.
    pub quick: Option<f64>,
}

/// What moved, by kind; `churn` and `contraction` as positive amounts. Any unit, all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moved {
    /// First MRR.
    pub new: i64,
    /// MRR that came back.
    pub reactivation: i64,
    /// More.
    pub expansion: i64,
    /// Less.
    pub contraction: i64,
    /// Gone.
    pub churn: i64,
}

/// Gross MRR churn on movements: (churn + contraction) / start.
pub fn gross(start: i64, moved: Moved) -> Option<f64> {
    share(moved.churn + moved.contraction, start)
}

/// Net MRR churn on movements: (churn + contraction − expansion − reactivation) / start.
pub fn net(start: i64, moved: Moved) -> Option<f64> {
    share(
        moved.churn + moved.contraction - moved.expansion - moved.reactivation,
        start,
    )
}

/// Gross MRR churn on ends: what is less at the end, over the start. `retained` is Σ min(end, start).
pub fn gross_by_ends(start: i64, retained: i64) -> Option<f64> {
    share(start - retained, start)
}

/// Net MRR churn on ends: (start − (end − new)) / start.
pub fn net_by_ends(start: i64, end: i64, new: i64) -> Option<f64> {
    share(start - (end - new), start)
}

/// Quick ratio: (new + reactivation + expansion) / (contraction + churn); unset when nothing was lost.
pub fn quick_ratio(moved: Moved) -> Option<f64> {
    share(
        moved.new + moved.reactivation + moved.expansion,
        moved.contraction + moved.churn,
    )
}

pub(super) fn rates(ends: &Ends, totals: &[Total], rules: Rules) -> ChurnRates {
    let of = |kind| {
        let mut found = totals.iter().filter(|total| total.kind == kind);
        found.next().map_or(0, |total| total.amount.minor)
    };
    let moved = Moved {
        new: of(MovementKind::New),
        reactivation: of(MovementKind::Reactivation),
        expansion: of(MovementKind::Expansion),
        contraction: -of(MovementKind::Contraction),
        churn: -of(MovementKind::Churn),
    };
    let (gross, net) = match rules.mrr_churn {
        MrrChurn::Movements => (gross(ends.mrr_start, moved), net(ends.mrr_start, moved)),
        MrrChurn::Accounts => (
            gross_by_ends(ends.mrr_start, ends.retained_gross),
            gross_by_ends(ends.mrr_start, ends.retained_end),
        ),
    };
    ChurnRates {
        logo: share(ends.churned_accounts, ends.paying_start),
        gross,
        net,
        quick: quick_ratio(moved),
    }
}
