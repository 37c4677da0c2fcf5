//! Orders are handed to billing (T-5). What pays them comes back as a payment fact.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use tracing::Instrument as _;
use upswell_runtime::{jobs::Job, problem::Problem};

use super::App;
use crate::{
    channel::{DeliveryFault, Receipt, billing::Billing},
    domain::order::Order,
    store::{accounts, answers},
};

/// Orders in one run.
const RUN: u64 = 500;
/// Orders that are told at the same time.
const AT_ONCE: usize = 8;

/// Hands over orders that billing does not know yet.
pub(super) struct HandOrders(pub(crate) Arc<App>);

#[async_trait]
impl Job for HandOrders {
    fn name(&self) -> &'static str {
        "offers.hand_orders"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn event_driven(&self) -> bool {
        true
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let app = &self.0;
        let Some(billing) = &app.billing else { return Ok(0) };
        let due = answers::order_list_to_hand(app.db.reader(), now, RUN).await?;
        // Where billing does not answer, the others need not try in this run.
        let away = AtomicBool::new(false);
        let told = stream::iter(due)
            .take_while(|_| ready(!away.load(Ordering::Relaxed)))
            .map(|order| app.tell_billing(billing, order, &away))
            .buffer_unordered(AT_ONCE);
        told.try_fold(0, |sum, one| ready(Ok(sum + one))).await
    }
}

impl App {
    /// Tells billing about an order; how many were told.
    async fn tell_billing(&self, billing: &Billing, order: Order, away: &AtomicBool) -> Result<usize, Problem> {
        let Some(kind) = order.to_tell() else { return Ok(0) };
        let span = tracing::info_span!("offers.hand_order", account.id = %order.account_id, order.id = %order.id);
        // Cut off between the two, it is told again under the same id.
        let outcome = billing.tell(kind, &order).instrument(span).await;
        away.fetch_or(matches!(outcome, Err(DeliveryFault::Unknown(_))), Ordering::Relaxed);
        self.handed(&order, outcome).await?;
        Ok(1)
    }

    /// What came of telling billing about `told`.
    async fn handed(&self, told: &Order, outcome: Result<Receipt, DeliveryFault>) -> Result<(), Problem> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        accounts::account_lock(&tx, &told.account_id).await?;
        // It may have been paid or taken back meanwhile; then that is told next.
        let Some(mut order) = answers::order_fetch(&*tx, told.id).await? else {
            return Ok(());
        };
        match outcome {
            Ok(receipt) => order.handover.done(told.state, receipt.reference, now),
            Err(fault) => {
                order.handover.failed(&self.settings.channel.pauses(), now);
                tracing::warn!(order.id = %order.id, error = %fault, "an order waits for billing");
            }
        }
        answers::order_save(&tx, &order).await?;
        tx.commit().await
    }
}
