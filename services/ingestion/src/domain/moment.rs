//! Facts that say *why now*: limits, trials, interest, friction, goals, what happens to the company, costs, attempts to
//! leave (I-6). Field names are those of the contract.

use jiff::civil::Date;
use serde::Serialize;
use upswell_runtime::money::Money;

use super::words::{ActionKind, CompanyEventKind, ComplaintKind, CostKind, LeaveKind, ReportKind, TrialState};

/// A limit of the account's plan, told by the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanLimit {
    /// The metric.
    pub metric: String,
    /// The highest total included; None: unlimited.
    pub value: Option<i64>,
    /// For the standing amount instead of the month's sum.
    pub standing: bool,
}

/// A trial of a higher plan or of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// The trial.
    pub trial_id: String,
    /// Catalogue key of what is tried.
    pub product: String,
    /// Its first day.
    pub start_date: Date,
    /// The first day on which it is over.
    pub end_date: Date,
    /// How it stands.
    pub state: TrialState,
}

/// How much a premium feature was used in a trial on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrialUse {
    /// The feature.
    pub feature: String,
    /// The account's calendar day.
    pub day: Date,
    /// People who used it.
    pub users: i64,
    /// Times it was used.
    pub uses: i64,
}

/// How often data was exported to another tool on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportCount {
    /// The other tool.
    pub tool: String,
    /// The account's calendar day.
    pub day: Date,
    /// Exports.
    pub exports: i64,
}

/// What a person did or asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProductAction {
    /// What it was.
    pub kind: ActionKind,
    /// Feature, plan, page or webinar; may be empty.
    pub subject: String,
    /// Who; may be empty.
    pub contact_id: String,
    /// What there is to say about it; may be empty.
    pub note: String,
}

/// What a person complained about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// What it was about.
    pub kind: ComplaintKind,
    /// Feature, tool or message; may be empty.
    pub subject: String,
    /// Who; may be empty.
    pub contact_id: String,
    /// The words; may be empty.
    pub note: String,
}

/// What the account wants to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Goal {
    /// The goal.
    pub goal_id: String,
    /// What it says.
    pub title: String,
    /// When it should be reached.
    pub target_date: Option<Date>,
    /// The day it was reached.
    pub reach_date: Option<Date>,
}

/// What happened to the company itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CompanyEvent {
    /// What it was.
    pub kind: CompanyEventKind,
    /// Product area or place; may be empty.
    pub area: String,
    /// People before; 0 when unknown.
    pub head_count_before: i64,
    /// People after; 0 when unknown.
    pub head_count: i64,
    /// Money raised.
    pub amount: Option<Money>,
    /// What there is to say about it; may be empty.
    pub note: String,
}

/// What the account costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// What it was spent on.
    pub kind: CostKind,
    /// How much.
    pub amount: Money,
    /// First day of the period.
    pub start_date: Date,
    /// First day after the period.
    pub end_date: Date,
}

/// An attempt to pay less or to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeaveAttempt {
    /// What was attempted.
    pub kind: LeaveKind,
    /// Why, in a word; empty when nobody asked.
    pub reason: String,
    /// The words; may be empty.
    pub note: String,
    /// The subscription or product that is meant; may be empty.
    pub product: String,
    /// Who; may be empty.
    pub contact_id: String,
}

/// What a customer success manager reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CsmReport {
    /// What it is.
    pub kind: ReportKind,
    /// Who reports.
    pub csm_id: String,
    /// Feature, plan or area; may be empty.
    pub subject: String,
    /// The words; may be empty.
    pub note: String,
}
