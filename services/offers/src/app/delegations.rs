//! Who stands in for whom, and what waits for a person (C-14).

use jiff::{SignedDuration, Timestamp};
use upswell_runtime::{db::Tx, problem::Problem};
use uuid::Uuid;

use super::App;
use crate::{
    domain::approval::{Approval, ApprovalState, Delegation},
    error::OfferError,
    store::{approvals, delegations},
};

/// Requests that a digest shows and counts at most.
const DIGEST: u64 = 1_000;

/// What waits for a person, and how long what was decided had waited.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    /// What waits, what expires first first.
    pub(crate) pending: Vec<Approval>,
    /// Waiting times of what was decided, ascending, in seconds.
    pub(crate) waited: Vec<i64>,
}

impl App {
    /// The person or the lead says who stands in. Errors: PERMISSION_DENIED for anybody else.
    pub(crate) async fn delegate(&self, tx: &Tx, delegation: &Delegation) -> Result<(), OfferError> {
        self.may_delegate(&delegation.author, &delegation.person_id)?;
        Ok(delegations::delegation_save(tx, delegation).await?)
    }

    /// Ends a delegation now. Ending it again changes nothing.
    pub(crate) async fn end_delegation(&self, tx: &Tx, id: Uuid, actor: &str) -> Result<Delegation, OfferError> {
        let found = delegations::delegation_fetch(&**tx, id).await?;
        let mut delegation = found.ok_or_else(|| OfferError::DelegationNotFound(id.to_string()))?;
        self.may_delegate(actor, &delegation.person_id)?;
        if delegation.ended_at.is_none() {
            delegation.ended_at = Some(self.clock.now());
            delegations::delegation_save(tx, &delegation).await?;
        }
        Ok(delegation)
    }

    /// What waits for `approver_id` (everybody when empty), and the waits of the last `days` days.
    pub(crate) async fn digest(&self, approver_id: &str, days: i64) -> Result<Digest, Problem> {
        let (reader, now) = (self.db.reader(), self.clock.now());
        let mut pending =
            approvals::approval_list(reader, approver_id, &[ApprovalState::Pending], None, DIGEST).await?;
        pending.sort_by_key(|approval| (approval.expires_at, approval.id));
        let since = now
            .saturating_sub(SignedDuration::from_hours(24 * days))
            .unwrap_or(Timestamp::MIN);
        let decided = approvals::approval_list_decided(reader, approver_id, since, DIGEST).await?;
        let mut waited: Vec<i64> = decided
            .iter()
            .filter_map(Approval::waited)
            .map(|wait| wait.as_secs())
            .collect();
        waited.sort_unstable();
        Ok(Digest { pending, waited })
    }

    fn may_delegate(&self, actor: &str, person_id: &str) -> Result<(), OfferError> {
        if actor == person_id || actor == self.settings.approvals.lead_id {
            return Ok(());
        }
        Err(OfferError::NotYours(person_id.to_owned()))
    }
}

impl Digest {
    /// The wait that `percent` of what was decided did not exceed, in seconds (nearest rank).
    pub(crate) fn wait(&self, percent: usize) -> Option<i64> {
        let rank = (self.waited.len() * percent).div_ceil(100).max(1);
        self.waited.get(rank - 1).copied()
    }
}
