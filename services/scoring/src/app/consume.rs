//! An offer that was sent takes its signals up (SG-R3). Offers says which: an educational touch names none and leaves
//! the reason to sell in place.

use jiff::Timestamp;
use upswell_runtime::{db::Tx, outbox, problem::Problem};
use uuid::Uuid;

use super::App;
use crate::{NAME, api::events, domain::lifecycle, store};

impl App {
    /// Consumes those of `signal_ids` that are open, in the transaction of the event that says so.
    pub async fn consume(&self, tx: &Tx, signal_ids: &[Uuid], offer_id: &str, at: Timestamp) -> Result<(), Problem> {
        let known = store::signals_fetch(&**tx, signal_ids).await?;
        let steps: Vec<_> = known
            .iter()
            .filter_map(|signal| lifecycle::consume(signal, offer_id, at))
            .collect();
        if steps.is_empty() {
            return Ok(());
        }
        let events = steps
            .iter()
            .map(|step| events::signal_changed(&step.signal, at))
            .collect();
        let signals: Vec<_> = steps.into_iter().map(|step| step.signal).collect();
        store::signals_upsert(tx, &signals).await?;
        outbox::append(tx, NAME, &self.0.topics, events).await
    }
}
