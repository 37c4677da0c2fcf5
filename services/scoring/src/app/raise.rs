//! A CSM, or another person of ours, raises a signal (SG-21).

use upswell_runtime::{
    problem::Problem,
    requests::{Replay, begin_request, finish_request},
    telemetry::TraceContext,
};

use super::App;
use crate::{
    domain::signal::Raised,
    store::{self, Raiser},
};

const METHOD: &str = "RaiseSignal";

/// A request to raise a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raise {
    /// What is raised.
    pub raised: Raised,
    /// A UUID of the caller's.
    pub request_id: String,
    /// Of the request without its id.
    pub fingerprint: [u8; 32],
}

impl App {
    /// Keeps the report and marks the account, so that the signal opens with the next scoring, which follows at once.
    pub async fn raise(&self, command: Raise, encode: impl FnOnce(&Raised) -> Vec<u8>) -> Result<Vec<u8>, Problem> {
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        let Raise {
            raised,
            request_id,
            fingerprint,
        } = command;
        if let Replay::Stored(answer) = begin_request(&tx, METHOD, &request_id, fingerprint).await? {
            return Ok(answer);
        }
        let raised = Raised {
            raised_at: now,
            ..raised
        };
        store::raised_insert(&tx, &raised).await?;
        store::accounts_mark_changed(&tx, &raised.account_id, now, TraceContext::current()).await?;
        let answer = encode(&raised);
        finish_request(&tx, METHOD, &request_id, fingerprint, &answer, now).await?;
        tx.commit().await?;
        self.0.wake.notify_waiters();
        Ok(answer)
    }

    /// Everybody who raised signals, with what became of them.
    pub async fn raisers(&self) -> Result<Vec<Raiser>, Problem> {
        store::raisers_list(self.0.db.reader()).await
    }
}
