//! When a call may be repeated, and after which pause.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use rand::RngExt as _;
use tonic::{Code, Status};

use super::ClientSettings;

/// gRPC's retry throttling (proposal A6): a failure costs a token, a success gives a tenth back, and
/// below half of the tokens nothing is repeated, so that retries cannot drown a peer which is ill.
#[derive(Clone, Debug)]
pub struct RetryBudget(Arc<AtomicI64>);

const FULL: i64 = 1_000;
const FAILURE: i64 = 10;

impl Default for RetryBudget {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(FULL)))
    }
}

impl RetryBudget {
    pub(super) fn success(&self) {
        self.change(1);
    }

    /// Pays for a failure; true while repeating is still allowed.
    fn failure(&self) -> bool {
        self.change(-FAILURE) > FULL / 2
    }

    fn change(&self, by: i64) -> i64 {
        let bounded = |tokens: i64| (tokens + by).clamp(0, FULL);
        let update = |tokens| Some(bounded(tokens));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update);
        bounded(before.unwrap_or_default())
    }
}

/// How long to wait before the next attempt, or None when this answer is final.
pub(super) fn pause(settings: &ClientSettings, done: u32, status: &Status) -> Option<Duration> {
    if !was_never_done(status) || !settings.budget.failure() || done >= settings.attempts {
        return None;
    }
    if let Some(pushback) = status.metadata().get("grpc-retry-pushback-ms") {
        // A negative or unreadable value means: do not.
        let millis = pushback.to_str().ok()?.parse().ok()?;
        return Some(Duration::from_millis(millis));
    }
    let doubled = settings.backoff_ms.saturating_mul(1 << (done - 1).min(16));
    let ceiling = doubled.min(settings.max_backoff_ms);
    Some(Duration::from_millis(rand::rng().random_range(0..=ceiling)))
}

/// UNAVAILABLE, or the CANCELLED which tonic makes of a connection that closes under a request.
fn was_never_done(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        Code::Cancelled => status.message() == "operation was canceled",
        _ => false,
    }
}
