//! The report of a played case. Every figure is asked of the services over gRPC; nothing is counted on the way.

mod collect;
mod render;

use serde::Serialize;

pub use self::{collect::collect, render::render};

/// What a case came to. Amounts are minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the case.
    pub case: String,
    /// What it plays.
    pub title: String,
    /// First day played.
    pub start: String,
    /// First day not played.
    pub end: String,
    /// ISO 4217 code of all amounts.
    pub currency: String,
    /// What came in.
    pub facts: Facts,
    /// Accounts known, and those in the holdout.
    pub accounts: usize,
    /// Accounts that get no automatic offers.
    pub holdout: usize,
    /// Signals opened, by kind.
    pub signals: Vec<Count>,
    /// What became of the offers, by motion.
    pub motions: Vec<Motion>,
    /// Touches that count, by class.
    pub touches: Vec<Count>,
    /// How it felt.
    pub pressure: Pressure,
    /// What an independent reading of the ledger found.
    pub checker: Checker,
    /// Approval requests, by state.
    pub approvals: Vec<Count>,
    /// Decisions that waited longest for a person.
    pub longest_waits: Vec<Wait>,
    /// Renewal deals, by stage.
    pub renewals: Vec<Count>,
    /// Money from start to end.
    pub revenue: Revenue,
    /// Money from the start to the end of the quarter, as contracted.
    pub quarter: Option<Revenue>,
    /// Days from signal to payment.
    pub signal_to_payment: LeadTime,
    /// From signal to payment, step by step.
    pub funnel: Vec<Count>,
    /// The same by week.
    pub weeks: Vec<Week>,
}

/// Facts of the case and what became of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Lines that were sent.
    pub sent: usize,
    /// Different (source, external id) among them.
    pub distinct: usize,
    /// Contents that came again different.
    pub conflicts: usize,
    /// Facts that ingestion refused, with reasons.
    pub rejected: Vec<String>,
    /// Lines that held no fact, with reasons.
    pub broken: Vec<String>,
}

/// A name and how many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The name.
    pub name: String,
    /// How many.
    pub count: i64,
}

/// Offers of one motion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Motion {
    /// The motion.
    pub motion: String,
    /// Offers that reached their account.
    pub sent: i64,
    /// Of these, accepted.
    pub accepted: i64,
    /// Of these, declined.
    pub declined: i64,
    /// Of these, run out without an answer.
    pub expired: i64,
    /// Of these, still open.
    pub open: i64,
    /// Offers kept back: rejected, withdrawn, or deferred and not sent yet.
    pub kept_back: i64,
    /// Orders of theirs that are paid.
    pub paid: i64,
    /// Expansion MRR of theirs.
    pub expansion_mrr: i64,
}

/// Pressure on the accounts (K-13), as metrics tells it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pressure {
    /// Touches of every class but contractual.
    pub touches: i64,
    /// Per account and week.
    pub per_account_week: f64,
    /// Most on one account.
    pub busiest: i64,
}

/// What an independent reading of the ledger found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checker {
    /// Touches of every class but contractual.
    pub touches: i64,
    /// Per account and week.
    pub per_account_week: f64,
    /// Broken limits.
    pub violations: Vec<String>,
}

/// A decision that waited for a person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wait {
    /// The account.
    pub account: String,
    /// Who was asked.
    pub approver: String,
    /// Hours.
    pub hours: f64,
    /// How it ended.
    pub state: String,
}

/// Money of a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Revenue {
    /// End of the window.
    pub until: String,
    /// MRR at its start.
    pub mrr_start: i64,
    /// MRR at its end.
    pub mrr_end: i64,
    /// Sum of movements by kind.
    pub movements: Vec<Movement>,
    /// MRR per paying account.
    pub arpa: i64,
    /// 12 × MRR at the end.
    pub arr: i64,
    /// Net revenue retention, 1 = 100 %.
    pub nrr: Option<f64>,
    /// Gross revenue retention, 1 = 100 %.
    pub grr: Option<f64>,
    /// Expansion MRR in the window.
    pub expansion_gross: i64,
    /// Less contraction.
    pub expansion_net: i64,
    /// Of expansion_gross, what orders of Upswell caused.
    pub expansion_attributed: i64,
    /// Expansion revenue earned day by day.
    pub expansion_cumulative: i64,
    /// Accounts lost.
    pub churned: i64,
}

/// A sum of movements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Movement {
    /// Kind.
    pub kind: String,
    /// Sum.
    pub amount: i64,
    /// How many.
    pub count: i64,
}

/// A distribution in short.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LeadTime {
    /// Complete ways.
    pub complete: i64,
    /// Ways still open.
    pub open: i64,
    /// Mean of the complete ones.
    pub mean: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
}

/// A week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Week {
    /// Its first day.
    pub start: String,
    /// Signals that opened.
    pub signals: i64,
    /// Offers sent.
    pub sent: i64,
    /// Offers accepted.
    pub accepted: i64,
    /// Orders paid.
    pub paid: i64,
    /// Touches.
    pub touches: i64,
    /// Expansion MRR.
    pub expansion: i64,
}
