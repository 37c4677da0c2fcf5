//! Everything that can go wrong here, and what a caller is told of it.

use upswell_runtime::{
    money::MoneyFault,
    problem::{Kind, Problem},
};

use crate::domain::{exchange::RateFault, restate::RestateFault, revenue::RevenueFault, window::WEEKS_MAX};

/// Errors of the metrics service.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// There is no true number for the window (K-1), or none that fits.
    #[error(transparent)]
    Revenue(#[from] RevenueFault),
    /// There is no number in the currency that was asked for.
    #[error(transparent)]
    Restate(#[from] RestateFault),
    /// The MRR of an account is beyond what is computed with.
    #[error("mrr of account {account_id}: {fault}")]
    AccountMrr {
        /// The account.
        account_id: String,
        /// Why.
        fault: MoneyFault,
    },
    /// The weekly cut of too long a window was asked for.
    #[error("the window has {0} weeks")]
    TooManyWeeks(usize),
    /// A test of variants that no account is in.
    #[error("no account has a variant of experiment {0}")]
    UnknownExperiment(String),
    /// The store, or an argument that was already found wrong.
    #[error(transparent)]
    Problem(#[from] Problem),
}

impl From<MetricsError> for Problem {
    fn from(error: MetricsError) -> Self {
        match error {
            MetricsError::Revenue(fault @ RevenueFault::IdentityBroken { .. }) => {
                let message = "the movements do not add up to the mrr; no number is given";
                Self::new(Kind::Internal, "MRR_IDENTITY_BROKEN", message).caused_by(fault)
            }
            MetricsError::Revenue(fault @ RevenueFault::Money(_)) => Self::internal(fault),
            MetricsError::Restate(RestateFault::Rate(fault @ RateFault::Missing { .. })) => {
                Self::failed_precondition("RATE_MISSING", fault.to_string())
            }
            MetricsError::Restate(fault @ RestateFault::Fx { .. }) => {
                let message = "the movements and the exchange rates do not add up to the mrr; no number is given";
                Self::new(Kind::Internal, "MRR_IDENTITY_BROKEN", message).caused_by(fault)
            }
            MetricsError::Restate(fault) => Self::internal(fault),
            // The event that brought it is refused; the account keeps the numbers it had.
            MetricsError::AccountMrr { .. } => Self::new(Kind::InvalidArgument, "MRR_OUT_OF_RANGE", error.to_string()),
            MetricsError::TooManyWeeks(weeks) => Self::invalid_field(
                "window.end_date",
                format!("must leave at most {WEEKS_MAX} weeks, has {weeks}"),
            ),
            MetricsError::UnknownExperiment(_) => Self::new(Kind::NotFound, "EXPERIMENT_NOT_FOUND", error.to_string()),
            MetricsError::Problem(problem) => problem,
        }
    }
}

impl From<MetricsError> for tonic::Status {
    fn from(error: MetricsError) -> Self {
        Problem::from(error).into()
    }
}
