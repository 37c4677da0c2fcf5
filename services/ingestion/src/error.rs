//! What this service refuses by its own rules; everything else is a problem of the runtime.

use upswell_runtime::problem::Problem;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No fact about the account was ever recorded.
    #[error("account \"{0}\" is unknown")]
    AccountNotFound(String),
    /// A batch without facts.
    #[error("the batch is empty: expected 1 to {max} facts")]
    BatchEmpty { max: usize },
    /// A batch with too many facts.
    #[error("the batch has {found} facts: expected 1 to {max}")]
    BatchTooLarge { found: usize, max: usize },
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::AccountNotFound(account_id) => {
                Self::not_found("ACCOUNT_NOT_FOUND", text).with("account_id", account_id)
            }
            Refusal::BatchEmpty { .. } | Refusal::BatchTooLarge { .. } => Self::invalid_field("facts", text),
        }
    }
}
