//! What nobody answered in time: sent offers (SG-R3) and approval requests (C-14).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use upswell_runtime::{jobs::Job, problem::Problem};

use super::App;
use crate::{
    domain::vocabulary::OfferState,
    error::OfferError,
    store::{accounts, approvals, offers},
};

/// Things in one run.
const RUN: u64 = 1_000;

/// Closes sent offers whose time for an answer is over.
pub struct ExpireOffers(pub(crate) Arc<App>);

/// Closes approval requests that nobody decided.
pub struct ExpireApprovals(pub(crate) Arc<App>);

#[async_trait]
impl Job for ExpireOffers {
    fn name(&self) -> &'static str {
        "offers.expire_offers"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let app = &self.0;
        let overdue = offers::offer_list_overdue(app.db.reader(), now, RUN).await?;
        for seen in &overdue {
            let tx = app.db.begin().await?;
            accounts::account_lock(&tx, &seen.account_id).await?;
            let found = offers::offer_fetch(&*tx, seen.id).await?;
            let Some(mut offer) = found.filter(|offer| offer.state == OfferState::Sent) else {
                continue;
            };
            offer
                .close(OfferState::Expired, "nobody answered in time", now)
                .map_err(OfferError::from)?;
            app.save(&tx, &mut offer, Some(OfferState::Sent)).await?;
            tx.commit().await?;
        }
        Ok(overdue.len())
    }
}

#[async_trait]
impl Job for ExpireApprovals {
    fn name(&self) -> &'static str {
        "offers.expire_approvals"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let app = &self.0;
        let overdue = approvals::approval_list_overdue(app.db.reader(), now, RUN).await?;
        let mut expired = 0;
        for approval in overdue {
            let tx = app.db.begin().await?;
            expired += usize::from(app.expire_approval(&tx, approval.id, now).await?);
            tx.commit().await?;
        }
        Ok(expired)
    }
}
