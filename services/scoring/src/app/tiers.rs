//! Gives accounts their classes by growth potential once a week (SC-7).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::Notify;
use upswell_runtime::{db::epoch_day, jobs::Job, problem::Problem};

use super::App;
use crate::store;

const ROUND: &str = "tiers";

/// The weekly computation. Its day is noted in its own transaction, so that of several replicas one does it.
pub struct ClassAccounts {
    app: App,
    wake: Arc<Notify>,
}

impl ClassAccounts {
    /// The job over the use cases; `wake` wakes the scoring, which tells others of new classes.
    pub fn new(app: App, wake: Arc<Notify>) -> Self {
        Self { app, wake }
    }
}

#[async_trait]
impl Job for ClassAccounts {
    fn name(&self) -> &'static str {
        "scoring.class_accounts"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let changed = self.app.class_accounts(now).await?;
        if changed > 0 {
            self.wake.notify_waiters();
        }
        Ok(changed)
    }
}

impl App {
    /// Computes the classes if a week is over; how many accounts have another one.
    async fn class_accounts(&self, now: Timestamp) -> Result<usize, Problem> {
        let today = TimeZone::UTC.to_datetime(now).date();
        let last = store::round_read(self.0.db.reader(), ROUND).await?;
        if last.is_some_and(|day| epoch_day(today) - day < self.0.tiers.days) {
            return Ok(0);
        }
        let tx = self.0.db.begin().await?;
        store::round_upsert(&tx, ROUND, today).await?;
        let changed = store::tiers_recompute(&tx, &self.0.tiers, now).await?;
        if changed == 0 && last.is_none() {
            // Nobody has a score yet: the first round waits for one.
            return Ok(0);
        }
        tx.commit().await?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }
}
