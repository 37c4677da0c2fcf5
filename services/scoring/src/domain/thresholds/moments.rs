//! Thresholds of the signals that single happenings and the calendar give.

use serde::{Deserialize, Serialize};

/// SG-11: interest.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interest {
    /// Happenings about one subject that are a signal.
    pub count: i32,
    /// Days of the window.
    pub days: i32,
    /// Page views and webinars alone are `low` below so many.
    pub strong_count: i32,
}

/// SG-12: a goal attained.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ValueReached {
    /// Days for which it speaks.
    pub days: i32,
}

/// SG-14: workflow friction.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WorkflowFriction {
    /// Exports that are a signal.
    pub exports: i64,
    /// Days of their window.
    pub exports_days: i32,
    /// Complaints that are a signal.
    pub complaints: i32,
    /// Days of their window.
    pub complaints_days: i32,
}

/// SG-15: organisational initiative.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Initiative {
    /// Days for which it speaks.
    pub days: i32,
}

/// SG-16: company growth.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CompanyGrowth {
    /// Days for which it speaks.
    pub days: i32,
    /// Growth of the head count that is a signal, in percent.
    pub head_percent: f64,
}

/// SG-17: a trial ends.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TrialEnding {
    /// Days before its end.
    pub days: i32,
}

/// SG-19: asks for proof.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProofRequest {
    /// Days for which it speaks.
    pub days: i32,
}

/// SG-20: budget moments.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetMoment {
    /// Days before the renewal.
    pub renewal_days: i32,
    /// Last days of a quarter, in which the next one is planned.
    pub quarter_days: i32,
    /// Days before the fiscal year starts.
    pub fiscal_days: i32,
    /// Month in which it starts, 1 to 12.
    pub fiscal_month: i8,
    /// Days for which a report of budget planning speaks.
    pub planning_days: i32,
}

/// SG-21: raised by a CSM.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CsmRaised {
    /// Days for which a report speaks.
    pub days: i32,
}

/// SG-22: downgrade or cancel attempt.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DowngradeAttempt {
    /// Days for which it speaks.
    pub days: i32,
}
