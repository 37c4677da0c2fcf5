//! Every way in which this service refuses, and what a caller is told.

use upswell_runtime::problem::{Kind, Problem};

use crate::domain::{approval::ApprovalFault, offer::OfferFault, task::TaskFault};

/// A refusal of the offers service.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// No such account.
    #[error("account {0} is not known")]
    AccountNotFound(String),
    /// No such offer.
    #[error("offer {0} does not exist")]
    OfferNotFound(String),
    /// No such approval request.
    #[error("approval {0} does not exist")]
    ApprovalNotFound(String),
    /// No such order.
    #[error("order {0} does not exist")]
    OrderNotFound(String),
    /// No such suppression.
    #[error("suppression {0} does not exist")]
    SuppressionNotFound(String),
    /// Nothing was recorded at or before the moment.
    #[error("no decision on account {0} was recorded at or before that time")]
    DecisionNotFound(String),
    /// No such delegation.
    #[error("delegation {0} does not exist")]
    DelegationNotFound(String),
    /// No such hold.
    #[error("hold {0} does not exist")]
    HoldNotFound(String),
    /// Somebody else's matter.
    #[error("only {0} and the lead may do this")]
    NotYours(String),
    /// No such in-app message.
    #[error("message {0} does not exist")]
    MessageNotFound(String),
    /// No such task.
    #[error("task {0} does not exist")]
    TaskNotFound(String),
    /// No such playbook in force.
    #[error("playbook {0} does not exist")]
    PlaybookNotFound(String),
    /// There is nothing to resume.
    #[error("playbook {0} is not paused")]
    PlaybookNotPaused(String),
    /// The task's state forbids it.
    #[error(transparent)]
    Task(TaskFault),
    /// The request has no acting person.
    #[error("this needs an acting person in the metadata x-upswell-actor")]
    ActorRequired,
    /// The offer's state forbids it.
    #[error(transparent)]
    Offer(#[from] OfferFault),
    /// The approval's rules forbid it.
    #[error(transparent)]
    Approval(#[from] ApprovalFault),
    /// What the approver saw no longer holds (C-14).
    #[error("the offer no longer holds: {0}")]
    NoLongerValid(String),
    /// Somebody changed it meanwhile.
    #[error("{0} was changed meanwhile")]
    Changed(&'static str),
    /// Anything below: the store, the request log, a conversion.
    #[error(transparent)]
    Below(#[from] Problem),
}

impl From<OfferError> for Problem {
    fn from(error: OfferError) -> Self {
        let text = error.to_string();
        match error {
            OfferError::AccountNotFound(_) => Self::not_found("ACCOUNT_NOT_FOUND", text),
            OfferError::OfferNotFound(_) => Self::not_found("OFFER_NOT_FOUND", text),
            OfferError::ApprovalNotFound(_) => Self::not_found("APPROVAL_NOT_FOUND", text),
            OfferError::OrderNotFound(_) => Self::not_found("ORDER_NOT_FOUND", text),
            OfferError::SuppressionNotFound(_) => Self::not_found("SUPPRESSION_NOT_FOUND", text),
            OfferError::DecisionNotFound(_) => Self::not_found("DECISION_NOT_FOUND", text),
            OfferError::DelegationNotFound(_) => Self::not_found("DELEGATION_NOT_FOUND", text),
            OfferError::HoldNotFound(_) => Self::not_found("HOLD_NOT_FOUND", text),
            OfferError::NotYours(_) => Self::permission_denied("NOT_YOURS", text),
            OfferError::MessageNotFound(_) => Self::not_found("MESSAGE_NOT_FOUND", text),
            OfferError::TaskNotFound(_) => Self::not_found("TASK_NOT_FOUND", text),
            OfferError::PlaybookNotFound(_) => Self::not_found("PLAYBOOK_NOT_FOUND", text),
            OfferError::PlaybookNotPaused(_) => Self::failed_precondition("PLAYBOOK_NOT_PAUSED", text),
            OfferError::Task(TaskFault::Closed) => Self::failed_precondition("TASK_CLOSED", text),
            OfferError::Task(TaskFault::Claimed(_)) => Self::failed_precondition("TASK_CLAIMED", text),
            OfferError::Task(TaskFault::BeyondEnd) => Self::invalid_field("snooze_time", text),
            OfferError::ActorRequired => Self::new(Kind::Unauthenticated, "ACTOR_REQUIRED", text),
            OfferError::Offer(OfferFault::TermsExpired(_)) => Self::failed_precondition("OFFER_TERMS_EXPIRED", text),
            OfferError::Offer(OfferFault::NotOpen(state) | OfferFault::Transition { from: state, .. }) => {
                Self::failed_precondition("OFFER_NOT_OPEN", text).with("state", state)
            }
            OfferError::Approval(ApprovalFault::NotTheApprover(_)) => Self::permission_denied("NOT_THE_APPROVER", text),
            OfferError::Approval(ApprovalFault::FourEyes(_)) => Self::permission_denied("FOUR_EYES", text),
            OfferError::Approval(ApprovalFault::Closed(state)) => {
                Self::failed_precondition("APPROVAL_CLOSED", text).with("state", state)
            }
            OfferError::Approval(ApprovalFault::Expired(_)) => Self::failed_precondition("APPROVAL_EXPIRED", text),
            OfferError::Approval(ApprovalFault::ContentChanged) => Self::aborted("CONTENT_CHANGED", text),
            OfferError::NoLongerValid(_) => Self::failed_precondition("OFFER_NO_LONGER_VALID", text),
            OfferError::Changed(_) => Self::aborted("CONCURRENT_CHANGE", text),
            OfferError::Below(problem) => problem,
        }
    }
}
