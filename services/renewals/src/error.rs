//! Everything that can go wrong here, and what a caller is told of it.

use upswell_runtime::problem::Problem;

use crate::domain::{care::ReviewFault, contact::ContactFault, renewal::DealFault};

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
    /// The state of a review or an onboarding plan forbids it.
    #[error("{id}: {fault}")]
    Review {
        /// The review or plan.
        id: String,
        /// Why.
        fault: ReviewFault,
    },
    /// The state of a contact forbids it.
    #[error("contact {id}: {fault}")]
    Contact {
        /// The contact.
        id: String,
        /// Why.
        fault: ContactFault,
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
                DealFault::NoticeGiven => Self::failed_precondition("NOTICE_GIVEN", text),
                DealFault::NoticeLate(last) => Self::failed_precondition("NOTICE_TOO_LATE", text).with("until", last),
                DealFault::OutOfReach(_) => Self::invalid_field("negotiation_end_date", fault.to_string()),
                DealFault::TaskDone => Self::failed_precondition("TASK_DONE", text),
                DealFault::TaskCancelled => Self::failed_precondition("TASK_CANCELLED", text),
            },
            RenewalError::Review { fault, .. } => match fault {
                ReviewFault::NoReview => Self::not_found("REVIEW_NOT_FOUND", text),
                ReviewFault::NoPlan => Self::not_found("PLAN_NOT_FOUND", text),
                ReviewFault::Changed => Self::aborted("ETAG_MISMATCH", text),
                ReviewFault::Closed(state) => Self::failed_precondition("REVIEW_CLOSED", text).with("state", state),
                ReviewFault::NotHeld(state) => Self::failed_precondition("REVIEW_NOT_HELD", text).with("state", state),
                ReviewFault::Past(_) => Self::invalid_field("date", fault.to_string()),
            },
            RenewalError::Contact { fault, .. } => match fault {
                ContactFault::NoContact => Self::not_found("CONTACT_NOT_FOUND", text),
                ContactFault::Changed => Self::aborted("ETAG_MISMATCH", text),
                ContactFault::NotReserved(state) => {
                    Self::failed_precondition("CONTACT_NOT_RESERVED", text).with("state", state)
                }
                ContactFault::NotSending(state) => {
                    Self::failed_precondition("CONTACT_NOT_SENDING", text).with("state", state)
                }
                ContactFault::Begun(state) => Self::failed_precondition("CONTACT_BEGUN", text).with("state", state),
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
