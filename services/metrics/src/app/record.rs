//! Takes what another service told, inside the transaction of its event.

use upswell_runtime::db::Tx;

use super::App;
use crate::{
    domain::{
        journey::{Approval, Arm, Offer, Order, Profile, Signal, Touch, Voice},
        subscription::Version,
        variants::Assignment,
    },
    error::MetricsError,
    store,
};

/// Something that is so now: a snapshot, which replaces the one before.
#[derive(Clone, Debug, PartialEq)]
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
    /// An order of an account that was taken back: the order, then the account.
    Cancelled(String, String),
    /// A touch.
    Touch(Touch),
    /// A request for approval.
    Approval(Approval),
    /// The arm of an account.
    Arm(Arm),
    /// Something that an account said or reached.
    Voice(Voice),
    /// The variant of an account in a test.
    Variant(Assignment),
}

impl App {
    /// Writes the snapshot. A version, an order or a profile also renews what is derived of its account, and only that. Errors: INVALID_ARGUMENT
    /// `MRR_OUT_OF_RANGE`; the store's.
    #[tracing::instrument(name = "metrics.record", skip_all)]
    pub async fn record(&self, tx: &Tx, fact: Fact) -> Result<(), MetricsError> {
        match fact {
            Fact::Profile(profile) => {
                let account_id = profile.account_id.clone();
                store::profile_upsert(tx, profile).await?;
                self.refresh(tx, &account_id).await?;
            }
            Fact::Version(account_id, version) => self.record_version(tx, &account_id, &version).await?,
            Fact::Signal(signal) => store::signal_upsert(tx, signal).await?,
            Fact::Offer(offer) => store::offer_upsert(tx, offer).await?,
            Fact::Order(order) => {
                let account_id = order.account_id.clone();
                store::order_upsert(tx, order).await?;
                self.refresh(tx, &account_id).await?;
            }
            Fact::Cancelled(order_id, account_id) => {
                store::order_remove(tx, &order_id).await?;
                self.refresh(tx, &account_id).await?;
            }
            Fact::Touch(touch) => store::touch_upsert(tx, touch).await?,
            Fact::Approval(approval) => store::approval_upsert(tx, approval).await?,
            Fact::Arm(arm) => store::arm_upsert(tx, arm).await?,
            Fact::Voice(voice) => store::voice_upsert(tx, voice).await?,
            Fact::Variant(assignment) => store::assignment_insert(tx, assignment).await?,
        }
        Ok(())
    }

    async fn record_version(&self, tx: &Tx, account_id: &str, version: &Version) -> Result<(), MetricsError> {
        let owner = store::version_owner(&**tx, &version.version_id).await?;
        store::version_upsert(tx, account_id, version).await?;
        if let Some(owner) = owner.filter(|owner| owner != account_id) {
            self.refresh(tx, &owner).await?;
        }
        self.refresh(tx, account_id).await
    }
}
