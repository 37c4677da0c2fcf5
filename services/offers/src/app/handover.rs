//! Orders are handed to billing (T-5). What pays them comes back as a payment fact.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use tracing::Instrument as _;
use upswell_runtime::{jobs::Job, problem::Problem};

use super::App;
use crate::{
    channel::{DeliveryFault, Receipt},
    domain::order::Order,
    store::{accounts, answers},
};

/// Orders in one run.
const RUN: u64 = 500;

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
        for order in &due {
            let Some(kind) = order.to_tell() else { continue };
            let span = tracing::info_span!("offers.hand_order", account.id = %order.account_id, order.id = %order.id);
            // Cut off between the two, it is told again under the same id.
            let outcome = billing.tell(kind, order).instrument(span).await;
            app.handed(order, outcome, now).await?;
        }
        Ok(due.len())
    }
}

impl App {
    /// What came of telling billing about `told`.
    async fn handed(
        &self,
        told: &Order,
        outcome: Result<Receipt, DeliveryFault>,
        now: Timestamp,
    ) -> Result<(), Problem> {
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
