//! Accounts that are left alone (C-10).

use jiff::Timestamp;
use upswell_runtime::{
    db::{Tx, micros},
    ids,
    problem::Problem,
};
use uuid::Uuid;

use super::App;
use crate::{
    error::OfferError,
    store::{accounts, entities::suppression, suppressions},
};

impl App {
    /// Stops all but contractual touches until `expires_at`. What has its place already is withdrawn when it would be
    /// sent.
    pub(crate) async fn suppress(
        &self,
        tx: &Tx,
        request_id: &str,
        account_id: String,
        reason: String,
        author: String,
        expires_at: Option<Timestamp>,
    ) -> Result<suppression::Model, OfferError> {
        let now = self.clock.now();
        if !accounts::account_lock(tx, &account_id).await? {
            return Err(OfferError::AccountNotFound(account_id));
        }
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Problem::invalid_field("expire_time", "must be in the future").into());
        }
        let row = suppression::Model {
            suppression_id: ids::derive("suppression", &[&account_id, request_id]),
            account_id,
            reason,
            author,
            created_at: micros(now),
            expires_at: expires_at.map(micros),
            lifted_at: None,
        };
        suppressions::suppression_save(tx, row.clone()).await?;
        Ok(row)
    }

    /// Ends a suppression. Ending it again changes nothing.
    pub(crate) async fn lift(&self, tx: &Tx, id: Uuid) -> Result<suppression::Model, OfferError> {
        let found = suppressions::suppression_fetch(&**tx, id).await?;
        let mut row = found.ok_or_else(|| OfferError::SuppressionNotFound(id.to_string()))?;
        if row.lifted_at.is_none() {
            row.lifted_at = Some(micros(self.clock.now()));
            suppressions::suppression_save(tx, row.clone()).await?;
        }
        Ok(row)
    }
}
