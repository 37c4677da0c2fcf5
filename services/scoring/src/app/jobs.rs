//! Background work: score what changed, and mark every account once a day so that its windows move.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{Timestamp, civil::Time, tz::TimeZone};
use tokio::sync::Notify;
use upswell_runtime::{jobs::Job, problem::Problem};

use super::App;
use crate::{domain::moment::days_before, store};

/// Batches of each of those under way at once that are read from the store together.
const PORTION_BATCHES: usize = 4;

/// Scores the accounts that changed (SG-R4).
pub struct ScoreDirty(App);

impl ScoreDirty {
    /// The job over the use cases.
    pub fn new(app: App) -> Self {
        Self(app)
    }
}

#[async_trait]
impl Job for ScoreDirty {
    fn name(&self) -> &'static str {
        "scoring.score_dirty"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn event_driven(&self) -> bool {
        true
    }

    /// Goes on until no account is dirty or a batch made no progress; the number of accounts taken.
    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        self.0.score_dirty(now).await
    }
}

/// Marks the accounts whose calendar day is over, once a day each, and prunes the history.
pub struct RescoreDaily {
    app: App,
    wake: Arc<Notify>,
}

impl RescoreDaily {
    /// The job over the use cases; `wake` wakes the scoring.
    pub fn new(app: App, wake: Arc<Notify>) -> Self {
        Self { app, wake }
    }
}

#[async_trait]
impl Job for RescoreDaily {
    fn name(&self) -> &'static str {
        "scoring.rescore_daily"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let marked = self.app.mark_due(now).await?;
        if marked > 0 {
            self.wake.notify_waiters();
        }
        Ok(marked)
    }
}

impl App {
    /// Scores every dirty account; the number of accounts taken.
    pub(super) async fn score_dirty(&self, now: Timestamp) -> Result<usize, Problem> {
        let mut taken = 0;
        loop {
            let portion = self.0.batch_size * self.0.parallel_batches * PORTION_BATCHES;
            let limit = u64::try_from(portion).unwrap_or(u64::MAX);
            let dirty = store::accounts_list_dirty(self.0.db.reader(), limit).await?;
            if dirty.is_empty() {
                return Ok(taken);
            }
            let count = dirty.len();
            self.score(dirty, now).await?;
            taken += count;
            // An account that changes all the time must not keep the job from ending.
            if count < portion {
                return Ok(taken);
            }
        }
    }

    async fn mark_due(&self, now: Timestamp) -> Result<usize, Problem> {
        if !store::accounts_are_due(self.0.db.reader(), now).await? {
            return Ok(0);
        }
        let tx = self.0.db.begin().await?;
        let marked = store::accounts_mark_due(&tx, now).await?;
        let today = TimeZone::UTC.to_datetime(now).date();
        let oldest = days_before(today, self.0.keep_days);
        store::past_health_prune(&tx, oldest).await?;
        let first = TimeZone::UTC.to_timestamp(oldest.to_datetime(Time::midnight()));
        store::history_prune(&tx, first.unwrap_or(Timestamp::MIN)).await?;
        tx.commit().await?;
        Ok(usize::try_from(marked).unwrap_or(usize::MAX))
    }
}
