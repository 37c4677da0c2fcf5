//! Forgetting what no delivery and no repeated request can need any more.

use jiff::{SignedDuration, Timestamp};

use super::Inner;
use crate::{
    db::{Db, execute, micros},
    problem::Problem,
};

const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(24);
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Rows removed per transaction.
const CHUNK: i64 = 5000;
const LEASE: &str = "prune";

/// Events that were delivered: below the cursor of their lane, and not needed by a key that lags.
const OUTBOX: &str = "DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox o \
    JOIN outbox_lane c ON c.dest = o.dest AND c.shard = o.shard AND (o.txid, o.id) <= (c.txid, c.position) \
    LEFT JOIN outbox_blocked b ON b.dest = o.dest AND b.key = o.key \
    WHERE o.occurred_at < $1 AND (b.key IS NULL OR o.seq < b.seq) LIMIT $2)";
/// Marks of applied events. What comes later than that is known by the position of its key, which is kept for ever.
const INBOX: &str = "DELETE FROM inbox WHERE (source, event_id) IN (\
    SELECT source, event_id FROM inbox WHERE occurred_at < $1 LIMIT $2)";
const REQUESTS: &str = "DELETE FROM request_log WHERE (method, request_id) IN (\
    SELECT method, request_id FROM request_log WHERE answered_at < $1 LIMIT $2)";

impl Inner {
    /// Removes what is old, once a day and in one process at a time: delivered events after `keep_days`; marks of
    /// applied events and stored answers after twice that, so that they outlive what may be sent again.
    pub(super) async fn prune_daily(&self, now: Timestamp) -> Result<(), Problem> {
        let Ok(mut pruned_at) = self.pruned_at.try_lock() else {
            return Ok(());
        };
        if pruned_at.is_some_and(|last| now.duration_since(last) < PRUNE_EVERY) {
            return Ok(());
        }
        // What fails is tried again before the day is over.
        *pruned_at = Some(now.saturating_sub(PRUNE_EVERY - RETRY_AFTER).unwrap_or(Timestamp::MIN));
        if !self.leases.take(LEASE).await? {
            *pruned_at = Some(now);
            return Ok(());
        }
        let before = |days: i64| {
            let keep = SignedDuration::from_hours(24 * days);
            micros(now.saturating_sub(keep).unwrap_or(Timestamp::MIN))
        };
        let days = i64::from(self.settings.keep_days);
        for (delete, before) in [
            (OUTBOX, before(days)),
            (INBOX, before(2 * days)),
            (REQUESTS, before(2 * days)),
        ] {
            self.remove(&self.db, delete, before).await?;
        }
        *pruned_at = Some(now);
        self.leases.release(LEASE).await
    }

    async fn remove(&self, db: &Db, delete: &str, before: i64) -> Result<(), Problem> {
        loop {
            let tx = db.begin().await?;
            let count = execute(&*tx, delete, [before.into(), CHUNK.into()]).await?;
            tx.commit().await?;
            if count < CHUNK.cast_unsigned() {
                return Ok(());
            }
            self.leases.take(LEASE).await?;
        }
    }
}
