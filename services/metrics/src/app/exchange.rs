//! Dated exchange rates.

use upswell_runtime::{
    money::Currency,
    problem::Problem,
    requests::{self, Replay},
};

use super::App;
use crate::store::{self, ExchangeKey, ExchangeRow};

/// What makes a request safe to repeat.
#[derive(Clone, Debug)]
pub struct Once {
    /// Name of the RPC.
    pub method: &'static str,
    /// The caller's id.
    pub request_id: String,
    /// Of the command.
    pub fingerprint: [u8; 32],
}

impl App {
    /// Records rates and answers with how many are new or differ; the answer's bytes are kept for repeats. Errors:
    /// INVALID_ARGUMENT `REQUEST_ID_REUSED`.
    #[tracing::instrument(name = "metrics.exchange_record", skip_all)]
    pub async fn record_exchange_rates(
        &self,
        once: &Once,
        rates: Vec<ExchangeRow>,
        answer: impl Fn(usize) -> Vec<u8>,
    ) -> Result<Vec<u8>, Problem> {
        let Once {
            method,
            request_id,
            fingerprint,
        } = once;
        let tx = self.db.begin().await?;
        if let Replay::Stored(bytes) = requests::begin_request(&tx, method, request_id, *fingerprint).await? {
            return Ok(bytes);
        }
        let now = self.clock.now();
        let changed = store::exchange_upsert(&tx, &rates, now).await?;
        let bytes = answer(changed);
        requests::finish_request(&tx, method, request_id, *fingerprint, &bytes, now).await?;
        tx.commit().await?;
        Ok(bytes)
    }

    /// At most `size` rates after the key, and the key of the last one when more follow.
    pub async fn exchange_rates(
        &self,
        currency: Option<Currency>,
        after: Option<ExchangeKey>,
        size: u32,
    ) -> Result<(Vec<ExchangeRow>, Option<ExchangeKey>), Problem> {
        let mut rates = store::exchange_list(self.db.reader(), currency, after, size.saturating_add(1)).await?;
        let more = rates.len() > size as usize;
        rates.truncate(size as usize);
        let last = rates.last().filter(|_| more).map(ExchangeRow::key);
        Ok((rates, last))
    }
}
