//! What this service refuses by its own rules; everything else is a problem of the runtime.

use upswell_runtime::problem::{Kind, Problem};

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
    /// A merge with an account that is part of another.
    #[error("account \"{0}\" is part of \"{1}\": expected accounts that stand for themselves")]
    AccountMerged(String, String),
    /// No merge has this id.
    #[error("merge \"{0}\" is unknown")]
    MergeNotFound(String),
    /// The merge was undone.
    #[error("merge \"{0}\" is undone")]
    MergeUndone(String),
    /// No conflict has this id.
    #[error("conflict {0} is unknown")]
    ConflictNotFound(i64),
    /// Somebody else decided meanwhile.
    #[error("conflict {0} is not as it was read: read it again")]
    EtagMismatch(i64),
    /// The refused content cannot be a correction of the recorded one.
    #[error("conflict {0} cannot be replaced: {1}")]
    ConflictNotReplaceable(i64, &'static str),
    /// Nobody says who decides.
    #[error("a decision needs a person: none is named")]
    ActorRequired,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::AccountNotFound(account_id) => {
                Self::not_found("ACCOUNT_NOT_FOUND", text).with("account_id", account_id)
            }
            Refusal::AccountMerged(account_id, root) => Self::failed_precondition("ACCOUNT_MERGED", text)
                .with("account_id", account_id)
                .with("part_of", root),
            Refusal::MergeNotFound(merge_id) => Self::not_found("MERGE_NOT_FOUND", text).with("merge_id", merge_id),
            Refusal::MergeUndone(merge_id) => {
                Self::failed_precondition("MERGE_UNDONE", text).with("merge_id", merge_id)
            }
            Refusal::ConflictNotFound(id) => Self::not_found("CONFLICT_NOT_FOUND", text).with("conflict_id", id),
            Refusal::EtagMismatch(id) => Self::aborted("ETAG_MISMATCH", text).with("conflict_id", id),
            Refusal::ConflictNotReplaceable(id, _) => {
                Self::failed_precondition("CONFLICT_NOT_REPLACEABLE", text).with("conflict_id", id)
            }
            Refusal::ActorRequired => Self::new(Kind::Unauthenticated, "ACTOR_REQUIRED", text),
            Refusal::BatchEmpty { .. } | Refusal::BatchTooLarge { .. } => Self::invalid_field("facts", text),
        }
    }
}
