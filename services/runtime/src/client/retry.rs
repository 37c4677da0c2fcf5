//! When a call may be repeated, and after which pause.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::RngExt as _;
use tonic::{Code, Status};

use super::ClientSettings;

/// gRPC's retry throttling (proposal A6), for each peer by itself: a failure costs a token, a success gives a tenth back,
/// and below half of the tokens nothing is repeated, so that retries cannot drown a peer which is ill.
#[derive(Clone, Debug, Default)]
pub struct RetryBudget(Arc<Mutex<HashMap<&'static str, i64>>>);

const FULL: i64 = 1_000;
const FAILURE: i64 = 10;

impl RetryBudget {
    pub(super) fn success(&self, peer: &'static str) {
        self.change(peer, 1);
    }

    /// Pays for a failure; true while repeating is still allowed.
    pub(super) fn failure(&self, peer: &'static str) -> bool {
        self.change(peer, -FAILURE) > FULL / 2
    }

    fn change(&self, peer: &'static str, by: i64) -> i64 {
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = budgets.entry(peer).or_insert(FULL);
        *tokens = (*tokens + by).clamp(0, FULL);
        *tokens
    }
}

/// How long to wait before the next attempt, or None when this answer is final.
pub(super) fn pause(settings: &ClientSettings, peer: &'static str, done: u32, status: &Status) -> Option<Duration> {
    let repeats = status.code() == Code::Unavailable || is_fault_of_the_way(status);
    if !repeats || !settings.budget.failure(peer) || done >= settings.attempts {
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

/// True where no peer answered: a connection that closed or broke under the request. tonic makes many codes of that, and
/// gives the status a source, which nothing has that came over the wire.
pub(super) fn is_fault_of_the_way(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::Unknown | Code::Internal => std::error::Error::source(status).is_some(),
        Code::Cancelled => status.message() == "operation was canceled",
        _ => false,
    }
}
