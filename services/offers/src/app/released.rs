//! Offers whose place in the ledger was taken from them compete again (C-8, C-9).

use jiff::Timestamp;
use upswell_runtime::{db::Tx, outbox, outbox::Routes, problem::Problem};

use super::NAME;
use crate::{
    api::events,
    domain::{approval::ApprovalState, ledger::Touch, vocabulary::OfferState},
    error::OfferError,
    store::{approvals, offers},
};

/// To be called with touches that were released or expired without the offer's doing. Their offers go back among the
/// candidates; an approval that was not used yet is void, because it was given for the lost time.
pub async fn released_in(tx: &Tx, routes: &Routes, touches: &[Touch], now: Timestamp) -> Result<usize, Problem> {
    let mut told = Vec::new();
    for touch in touches {
        let Some(mut offer) = offers::offer_fetch_by_touch(&**tx, touch.id).await? else {
            continue;
        };
        if offer.state != OfferState::Reserved {
            continue;
        }
        if let Some(id) = offer.approval_id
            && let Some(mut approval) = approvals::approval_fetch(&**tx, id).await?
            && approval.state == ApprovalState::Approved
        {
            approval.state = ApprovalState::Revoked;
            approvals::approvals_save(tx, std::slice::from_ref(&approval)).await?;
            told.push(events::approval_changed(&approval));
        }
        offer.defer(None, now).map_err(OfferError::from)?;
        offers::offer_save(tx, &mut offer).await?;
        told.push(events::offer_changed(&offer, Some(OfferState::Reserved)));
    }
    let count = told.len();
    outbox::append(tx, NAME, routes, told).await?;
    Ok(count)
}
