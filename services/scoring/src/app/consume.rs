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
        let mut accounts: Vec<String> = known.iter().map(|signal| signal.account_id.clone()).collect();
        accounts.sort();
        accounts.dedup();
        // A scoring under way holds the account; what it wrote is read again, so that neither undoes the other.
        store::accounts_fetch_for_update(&**tx, &accounts).await?;
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

impl App {
    /// Notes how far an offer came on the signals behind it, for the hit rate of those who raise them (SG-21).
    pub async fn note_outcome(&self, tx: &Tx, signal_ids: &[Uuid], outcome: &str) -> Result<(), Problem> {
        if signal_ids.is_empty() {
            return Ok(());
        }
        store::signals_note_outcome(tx, signal_ids, outcome).await
    }
}
