//! Looks once a day whether the sums that are kept still are what the levels and the movements say (K-1).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use upswell_runtime::{jobs::Job, problem::Problem};

use super::App;
use crate::store;

const PERIOD: Duration = Duration::from_secs(3_600);
/// How long a look is good for: it reads every level and movement.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The daily look. Sums that differ are told as an error and derived anew; until then the reads refuse what does not
/// add up.
pub struct VerifySums {
    app: App,
    looked_at: Arc<Mutex<Option<Timestamp>>>,
}

impl VerifySums {
    /// The job over the use cases; it looks first when it is first run.
    pub fn new(app: App) -> Self {
        Self {
            app,
            looked_at: Arc::default(),
        }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked_at.is_none_or(|at| now.duration_since(at) >= GOOD_FOR);
        if due {
            *looked_at = Some(now);
        }
        due
    }
}

#[async_trait]
impl Job for VerifySums {
    fn name(&self) -> &'static str {
        "metrics.verify_sums"
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        if !self.is_due(now) {
            return Ok(0);
        }
        let faults = store::kept_faults(self.app.db.reader()).await?;
        if faults == 0 {
            return Ok(0);
        }
        tracing::error!(
            revenue.faults = faults,
            "sums of revenue differ from the movements and are derived anew"
        );
        self.app.derive_all_now().await?;
        Ok(1)
    }
}
