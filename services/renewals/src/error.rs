//! Everything that can go wrong here, and what a caller is told of it.

use upswell_runtime::problem::Problem;

use crate::domain::renewal::DealFault;

/// Errors of the renewals service.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// No such deal.
    #[error("deal {0} does not exist")]
    DealNotFound(String),
    /// No such task.
    #[error("task {0} does not exist")]
    TaskNotFound(String),
    /// The state of a deal or task forbids it.
    #[error("{id}: {fault}")]
    Fault {
        /// The deal or task.
        id: String,
        /// Why.
        fault: DealFault,
    },
    /// The store, the request log, or a request that was found wrong.
    #[error(transparent)]
    Below(#[from] Problem),
}

impl From<RenewalError> for Problem {
    fn from(error: RenewalError) -> Self {
        let text = error.to_string();
        match error {
            RenewalError::DealNotFound(_) => Self::not_found("DEAL_NOT_FOUND", text),
            RenewalError::TaskNotFound(_) => Self::not_found("TASK_NOT_FOUND", text),
            RenewalError::Fault { fault, .. } => match fault {
                DealFault::NoDeal => Self::not_found("DEAL_NOT_FOUND", text),
                DealFault::NoTask => Self::not_found("TASK_NOT_FOUND", text),
                DealFault::Closed(stage) => Self::failed_precondition("DEAL_CLOSED", text).with("stage", stage),
                DealFault::NotAhead { from, .. } => {
                    Self::failed_precondition("STAGE_NOT_AHEAD", text).with("stage", from)
                }
                DealFault::Changed => Self::aborted("ETAG_MISMATCH", text),
                DealFault::TaskDone => Self::failed_precondition("TASK_DONE", text),
                DealFault::TaskCancelled => Self::failed_precondition("TASK_CANCELLED", text),
            },
            RenewalError::Below(problem) => problem,
        }
    }
}

impl From<RenewalError> for tonic::Status {
    fn from(error: RenewalError) -> Self {
        Problem::from(error).into()
    }
}
