//! Forgets what providers told long ago: they do not repeat themselves after a month.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use upswell_runtime::{jobs::Job, problem::Problem};

use super::App;
use crate::store::webhooks;

/// How long a message of a provider is known again.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Prunes what providers told.
pub struct PruneWebhooks(pub(crate) Arc<App>);

#[async_trait]
impl Job for PruneWebhooks {
    fn name(&self) -> &'static str {
        "offers.prune_webhooks"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(3_600)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let until = now.checked_sub(KEPT).map_err(Problem::internal)?;
        let tx = self.0.db.begin().await?;
        let gone = webhooks::webhooks_prune(&tx, until).await?;
        if gone > 0 {
            tx.commit().await?;
        }
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}
