//! What moved a score since when (SC-3), and how many accounts have a fresh one (SC-4).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use upswell_runtime::problem::Problem;

use super::App;
use crate::{
    domain::{
        history::{Movement, movements},
        overrides::Override,
        score::Score,
        signal::Signal,
    },
    error::ScoringError,
    store::{self, Coverage, SignalFilter},
};

/// Score changes that are looked through at most.
const CHANGES_MAX: u64 = 400;
/// Signals that are looked through at most.
const SIGNALS_MAX: u64 = 500;

/// A score and how it came about.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The newest score.
    pub score: Score,
    /// What moved it, the newest first.
    pub movements: Vec<Movement>,
    /// Signals that opened, were seen or closed since, the newest first.
    pub signals: Vec<Signal>,
    /// Judgements that stand.
    pub overrides: Vec<Override>,
}

impl App {
    /// Explains the newest score of an account by what moved it after `since`.
    pub async fn explain(&self, account_id: String, since: Timestamp) -> Result<Explained, ScoringError> {
        let score = self.score_of(account_id.clone()).await?;
        let reader = self.0.db.reader();
        let mut past = store::history_list(reader, &account_id, since, CHANGES_MAX).await?;
        if past.last().is_none_or(|last| last.scored_at < score.scored_at) {
            past.push(score.clone());
        }
        let mut movements = movements(&past);
        movements.reverse();
        let filter = SignalFilter {
            account_id: Some(account_id.clone()),
            states: Vec::new(),
        };
        let mut signals = store::signal_list(reader, &filter, None, SIGNALS_MAX).await?;
        signals.retain(|signal| signal.closed_at.is_none_or(|closed| closed > since));
        let overrides = self
            .overrides_of(std::slice::from_ref(&account_id))
            .await?
            .remove(&account_id);
        Ok(Explained {
            score,
            movements,
            signals,
            overrides: overrides.unwrap_or_default(),
        })
    }

    /// The judgements that stand now, by account.
    pub async fn overrides_of(&self, account_ids: &[String]) -> Result<BTreeMap<String, Vec<Override>>, Problem> {
        store::overrides_standing(self.0.db.reader(), account_ids, self.0.clock.now()).await
    }

    /// How many accounts have a score not older than a day.
    pub async fn coverage(&self) -> Result<Coverage, Problem> {
        let day = SignedDuration::from_hours(24);
        let since = self.0.clock.now().saturating_sub(day).unwrap_or(Timestamp::MIN);
        store::coverage_fetch(self.0.db.reader(), since).await
    }
}
