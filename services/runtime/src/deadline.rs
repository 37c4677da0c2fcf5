//! The time a request has left, handed from the server to every call made for it.

use std::time::Duration;

use tokio::time::{Instant, error::Elapsed};

/// Kept back from a callee, so that its answer still arrives in time.
const MARGIN: Duration = Duration::from_millis(20);

tokio::task_local! {
    static CURRENT: Deadline;
}

/// The instant after which nobody waits for the answer. Also an extension of every served request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// `duration` from now.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// The deadline of the request this task works for; a spawned task has none.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|deadline| *deadline).ok()
    }

    /// What is left, zero when it is over.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// What a callee may have: at most `cap`, and 20 ms less than the present request has left.
    pub fn downstream(cap: Duration) -> Self {
        let capped = Self::after(cap);
        match Self::current() {
            Some(current) => capped.min(Self(current.0.checked_sub(MARGIN).unwrap_or(current.0))),
            None => capped,
        }
    }

    /// Runs `work` with this deadline as the current one and stops it (drops it) when it is over.
    pub async fn bound<F: Future>(self, work: F) -> Result<F::Output, Elapsed> {
        tokio::time::timeout_at(self.0, CURRENT.scope(self, work)).await
    }
}
