//! Everything that can go wrong here, and what a caller is told of it.

use upswell_runtime::problem::Problem;

/// Errors of the scoring service.
#[derive(Debug, thiserror::Error)]
pub enum ScoringError {
    /// The account was never scored.
    #[error("account {account_id} has no score")]
    ScoreNotFound {
        /// The account.
        account_id: String,
    },
    /// The store, ingestion, or an argument that was already found wrong.
    #[error(transparent)]
    Problem(#[from] Problem),
}

impl From<ScoringError> for Problem {
    fn from(error: ScoringError) -> Self {
        match error {
            ScoringError::ScoreNotFound { ref account_id } => {
                Self::not_found("SCORE_NOT_FOUND", error.to_string()).with("account_id", account_id)
            }
            ScoringError::Problem(problem) => problem,
        }
    }
}
