//! Accounts become one, and two again (I-3). What ingestion knows of both is told again under the account that goes on; what
//! is ours (touches, offers, arms, suppressions) stays where it is and counts together.

use upswell_runtime::{db::Tx, problem::Problem};

use super::{
    App,
    ledger::{merge_in, unmerge_in},
    released::released_in,
};
use crate::{
    domain::{ledger::ReleaseReason, vocabulary::OfferState},
    error::OfferError,
    store::{accounts, entities::merge, offers},
};

impl App {
    /// `merge.part_id` is part of `merge.account_id` from now on. What was on its way to it is decided anew, for both.
    pub(crate) async fn merged(&self, tx: &Tx, merge: merge::Model) -> Result<(), Problem> {
        let now = self.clock.now();
        let (root, part) = (merge.account_id.clone(), merge.part_id.clone());
        self.lock_both(tx, &root, &part).await?;
        let displaced = merge_in(tx, &self.ledger, merge, now).await?;
        released_in(tx, &self.ledger.routes, &displaced, now).await?;
        let reason = format!("the account is part of {root} now");
        for mut offer in offers::offer_list_of(&**tx, &[part]).await? {
            let previous = offer.state;
            if !matches!(
                previous,
                OfferState::Deferred | OfferState::AwaitingApproval | OfferState::Reserved
            ) {
                continue;
            }
            self.give_up_place(tx, &mut offer, ReleaseReason::Cancelled, now)
                .await?;
            offer
                .close(OfferState::Withdrawn, reason.as_str(), now)
                .map_err(OfferError::from)?;
            self.save(tx, &mut offer, Some(previous)).await?;
        }
        accounts::account_urgency_set(tx, &root, true).await?;
        Ok(())
    }

    /// They are two again.
    pub(crate) async fn unmerged(&self, tx: &Tx, merge: merge::Model) -> Result<(), Problem> {
        let now = self.clock.now();
        let (root, part) = (merge.account_id.clone(), merge.part_id.clone());
        self.lock_both(tx, &root, &part).await?;
        unmerge_in(tx, &self.ledger, merge, now).await?;
        for account_id in [root, part] {
            accounts::account_urgency_set(tx, &account_id, true).await?;
        }
        Ok(())
    }

    async fn lock_both(&self, tx: &Tx, root: &str, part: &str) -> Result<(), Problem> {
        let (first, second) = if root < part { (root, part) } else { (part, root) };
        accounts::account_lock(tx, first).await?;
        accounts::account_lock(tx, second).await?;
        Ok(())
    }
}
