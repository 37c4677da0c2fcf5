//! What can be read.

use upswell_runtime::problem::Problem;
use uuid::Uuid;

use super::App;
use crate::{
    domain::{score::Score, signal::Signal},
    error::ScoringError,
    store::{self, SignalFilter},
};

impl App {
    /// The newest score of an account.
    pub async fn score_of(&self, account_id: String) -> Result<Score, ScoringError> {
        let mut found = store::scores_fetch(self.0.db.reader(), std::slice::from_ref(&account_id)).await?;
        found.pop().ok_or(ScoringError::ScoreNotFound { account_id })
    }

    /// The newest scores of many accounts, by account id.
    pub async fn scores_of(&self, account_ids: &[String]) -> Result<Vec<Score>, Problem> {
        store::scores_fetch(self.0.db.reader(), account_ids).await
    }

    /// Up to `limit` scores after (trend, health, account), in the order of SC-3.
    pub async fn scores(&self, after: Option<(i32, i32, &str)>, limit: u64) -> Result<Vec<Score>, Problem> {
        store::score_list(self.0.db.reader(), after, limit).await
    }

    /// Up to `limit` signals after (opening instant in µs, id), the newest first.
    pub async fn signals(
        &self,
        filter: &SignalFilter,
        after: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<Signal>, Problem> {
        store::signal_list(self.0.db.reader(), filter, after, limit).await
    }
}
