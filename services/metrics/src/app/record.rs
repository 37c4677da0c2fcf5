//! Takes what another service told, inside the transaction of its event.

use upswell_runtime::db::Tx;

use super::App;
use crate::{
    domain::{
        journey::{Approval, Arm, Offer, Order, Profile, Signal, Touch},
        subscription::Version,
        timeline::timeline,
    },
    error::MetricsError,
    store,
};

/// Something that is so now: a snapshot, which replaces the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Who an account is.
    Profile(Profile),
    /// A version of a subscription's terms, of an account.
    Version(String, Version),
    /// A signal.
    Signal(Signal),
    /// An offer.
    Offer(Offer),
    /// An order.
    Order(Order),
    /// A touch.
    Touch(Touch),
    /// A request for approval.
    Approval(Approval),
    /// The arm of an account.
    Arm(Arm),
}

impl App {
    /// Writes the snapshot. A version also renews its account's timeline, and only that. Errors: INVALID_ARGUMENT
    /// `MRR_OUT_OF_RANGE`; the store's.
    #[tracing::instrument(name = "metrics.record", skip_all)]
    pub async fn record(&self, tx: &Tx, fact: Fact) -> Result<(), MetricsError> {
        match fact {
            Fact::Profile(profile) => store::profile_upsert(tx, profile).await?,
            Fact::Version(account_id, version) => self.record_version(tx, &account_id, &version).await?,
            Fact::Signal(signal) => store::signal_upsert(tx, signal).await?,
            Fact::Offer(offer) => store::offer_upsert(tx, offer).await?,
            Fact::Order(order) => store::order_upsert(tx, order).await?,
            Fact::Touch(touch) => store::touch_upsert(tx, touch).await?,
            Fact::Approval(approval) => store::approval_upsert(tx, approval).await?,
            Fact::Arm(arm) => store::arm_upsert(tx, arm).await?,
        }
        Ok(())
    }

    async fn record_version(&self, tx: &Tx, account_id: &str, version: &Version) -> Result<(), MetricsError> {
        store::version_upsert(tx, account_id, version).await?;
        let versions = store::version_list(&**tx, account_id).await?;
        let timeline = timeline(&versions).map_err(|fault| MetricsError::AccountMrr {
            account_id: account_id.to_owned(),
            fault,
        })?;
        Ok(store::timeline_replace(tx, account_id, &timeline).await?)
    }
}
