//! Scores accounts on demand (SG-R4). Scoring again changes nothing that is right, so only the answer is kept by the
//! request id; a request that was cut off runs again.

use upswell_runtime::{
    db::Tx,
    problem::Problem,
    requests::{Replay, begin_request, finish_request},
    telemetry::TraceContext,
};

use super::App;
use crate::{
    NAME,
    store::{self, Account},
};

const METHOD: &str = "RescoreAccounts";

/// A request to score accounts now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescore {
    /// The accounts; empty means all that are marked as changed.
    pub account_ids: Vec<String>,
    /// A UUID of the caller's.
    pub request_id: String,
    /// Of the request without its id.
    pub fingerprint: [u8; 32],
}

impl Rescore {
    async fn begin(&self, tx: &Tx) -> Result<Replay, Problem> {
        begin_request(tx, METHOD, &self.request_id, self.fingerprint).await
    }
}

impl App {
    /// Scores the accounts and returns the answer as `encode` writes the number of accounts scored, or the answer
    /// that was given to the same request before.
    #[tracing::instrument(name = "scoring.rescore", skip_all, fields(upswell.service = NAME))]
    pub async fn rescore(&self, command: &Rescore, encode: impl FnOnce(usize) -> Vec<u8>) -> Result<Vec<u8>, Problem> {
        let tx = self.0.db.begin().await?;
        if let Replay::Stored(answer) = command.begin(&tx).await? {
            return Ok(answer);
        }
        // Nothing is claimed yet: the scoring asks ingestion and must not hold a transaction.
        drop(tx);
        let now = self.0.clock.now();
        let scored = if command.account_ids.is_empty() {
            self.score_dirty(now).await?
        } else {
            let accounts = self.accounts(&command.account_ids).await?;
            self.score(accounts, now).await?
        };
        let tx = self.0.db.begin().await?;
        if let Replay::Stored(answer) = command.begin(&tx).await? {
            return Ok(answer);
        }
        let answer = encode(scored);
        finish_request(&tx, METHOD, &command.request_id, command.fingerprint, &answer, now).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The change versions of accounts; 0 for one that no event has told of.
    async fn accounts(&self, account_ids: &[String]) -> Result<Vec<Account>, Problem> {
        let mut known = store::accounts_fetch(self.0.db.reader(), account_ids).await?;
        let new = account_ids
            .iter()
            .filter(|id| !known.iter().any(|known| known.account_id == **id));
        let new: Vec<Account> = new
            .map(|id| Account {
                account_id: id.clone(),
                change_version: 0,
                scored_version: 0,
                trace: TraceContext::default(),
            })
            .collect();
        known.extend(new);
        Ok(known)
    }
}
