//! What makes an account dirty: changed facts and renewal marks.

use jiff::Timestamp;
use upswell_runtime::{db::Tx, problem::Problem, telemetry::TraceContext};

use super::App;
use crate::{domain::facts::Mark, store};

impl App {
    /// Marks an account as changed. The last change's trace is continued by the scoring.
    pub async fn account_changed(
        &self,
        tx: &Tx,
        account_id: &str,
        at: Timestamp,
        trace: TraceContext,
    ) -> Result<(), Problem> {
        store::accounts_mark_changed(tx, account_id, at, trace).await
    }

    /// Keeps a renewal mark (SG-6) and marks the account as changed.
    pub async fn mark_reached(
        &self,
        tx: &Tx,
        account_id: &str,
        mark: &Mark,
        at: Timestamp,
        trace: TraceContext,
    ) -> Result<(), Problem> {
        store::marks_upsert(tx, account_id, mark).await?;
        store::accounts_mark_changed(tx, account_id, at, trace).await
    }
}
