//! Calls to the other services: every one has a deadline, and only what no peer has judged is repeated.

mod balance;
mod peers;
mod retry;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tonic::{Code, Response, Status};

pub use self::{
    peers::{Peers, Traced},
    retry::RetryBudget,
};
use crate::{
    deadline::Deadline,
    problem::{Problem, Violations},
    security::Security,
};

/// Below this a call is not worth starting.
const TOO_LATE: Duration = Duration::from_millis(10);

/// Section `[<service>.client]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientSettings {
    /// Deadline in ms of one call with all its attempts.
    pub deadline_ms: u64,
    /// Attempts in all; 1 means no retry.
    pub attempts: u32,
    /// Backoff in ms before the first retry; doubles, with full jitter.
    pub backoff_ms: u64,
    /// The longest backoff in ms.
    pub max_backoff_ms: u64,
    /// Time in ms to open a connection.
    pub connect_timeout_ms: u64,
    /// How often in ms the addresses of a peer are looked up again.
    pub resolve_ms: u64,
    /// Shared by the clones of these settings.
    #[serde(skip)]
    pub budget: RetryBudget,
    /// How this process shows who it is and knows the services it calls.
    #[serde(skip)]
    pub security: Security,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            deadline_ms: 3_000,
            attempts: 3,
            backoff_ms: 50,
            max_backoff_ms: 1_000,
            connect_timeout_ms: 2_000,
            resolve_ms: 5_000,
            budget: RetryBudget::default(),
            security: Security::default(),
        }
    }
}

impl ClientSettings {
    /// Notes every value which cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        for (field, value) in [
            ("deadline_ms", self.deadline_ms),
            ("attempts", self.attempts.into()),
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("resolve_ms", self.resolve_ms),
        ] {
            if value == 0 {
                violations.add(field, "must be positive");
            }
        }
        if self.attempts > 5 {
            violations.add("attempts", "must be at most 5");
        }
    }
}

/// Calls `attempt` until it succeeds, fails for good, or the deadline is over. `method` names the
/// callee and its peer, e.g. `offers.DecideSlot`. Only UNAVAILABLE and connections that end under a call are repeated;
/// such a call may have been done, so every method called through here must be idempotent.
pub async fn call<R, F, Fut>(settings: &ClientSettings, method: &'static str, mut attempt: F) -> Result<R, Problem>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>>,
{
    let deadline = Deadline::downstream(Duration::from_millis(settings.deadline_ms));
    let late = || Problem::deadline_exceeded(format!("no answer from {method} in time"));
    let peer = method.split('.').next().unwrap_or(method);
    if deadline.remaining() < TOO_LATE {
        return Err(late());
    }
    let attempts = async {
        for done in 1.. {
            let status = match attempt().await {
                Ok(response) => {
                    settings.budget.success(peer);
                    return Ok(response.into_inner());
                }
                Err(status) => status,
            };
            let pause = retry::pause(settings, peer, done, &status);
            let Some(pause) = pause.filter(|pause| *pause < deadline.remaining()) else {
                return Err(refused(method, status));
            };
            tracing::debug!(rpc.method = method, rpc.attempt = done, "retrying a call");
            tokio::time::sleep(pause).await;
        }
        Err(late())
    };
    deadline.bound(attempts).await.unwrap_or_else(|_| Err(late()))
}

/// tonic says CANCELLED when its own timer is first, which means the same.
pub(crate) fn refused(method: &str, status: Status) -> Problem {
    match status.code() {
        Code::Cancelled if status.message() == "Timeout expired" => {
            Problem::deadline_exceeded(format!("no answer from {method} in time"))
        }
        // The text of a transport fault is ours, not the peer's.
        _ if retry::is_fault_of_the_way(&status) => {
            Problem::unavailable("PEER_UNAVAILABLE", format!("{method} cannot be reached")).caused_by(status.message())
        }
        _ => Problem::from(status),
    }
}
