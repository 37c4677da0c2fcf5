//! Where vendors of subscription metrics disagree: one switch each, with the choice that §9 or the published examples
//! take as the default.

use serde::{Deserialize, Serialize};

/// The choices of a deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// When MRR that was given notice is gone.
    pub churn_day: ChurnDay,
    /// How MRR of an account that had left is counted.
    pub reactivation: Reactivation,
    /// What MRR churn is measured on.
    pub mrr_churn: MrrChurn,
    /// Which churn the life time of an account is the inverse of.
    pub ltv_churn: LtvChurn,
    /// Which month is an account's cohort.
    pub cohort: Cohort,
}

/// When MRR that was given notice is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChurnDay {
    /// At the end of the term that is paid.
    #[default]
    EndOfTerm,
    /// On the day of the notice.
    Notice,
}

/// How MRR of an account that had left is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reactivation {
    /// As reactivation.
    #[default]
    Own,
    /// As new.
    New,
}

/// What MRR churn is measured on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MrrChurn {
    /// The movements: everything that fell counts, also what rose again.
    #[default]
    Movements,
    /// The ends: per account, what is less at the end than at the start.
    Accounts,
}

/// Which churn the life time of an account is the inverse of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LtvChurn {
    /// The share of accounts lost.
    #[default]
    Logo,
    /// The share of MRR lost.
    GrossMrr,
}

/// Which month is an account's cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cohort {
    /// The month of its sign-up where it is known, else of its first MRR.
    #[default]
    SignUp,
    /// The month of its first MRR.
    FirstMrr,
}
