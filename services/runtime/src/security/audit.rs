//! The audit log: every refused call, and every call of a method that the policy marks. Structured records under the
//! target `audit`, which the filter of the logs does not silence unless it names it.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tonic::Code;
use tracing::{Level, event};

use super::{Security, caller::Caller, policy::Policy};
use crate::{problem::code_name, telemetry::TraceContext};

/// The target of the records.
pub const TARGET: &str = "audit";

/// Records about refusals in a second; what comes on top is counted.
const REFUSALS: u32 = 50;

/// Lets so many refusals a second be told, that whoever floods the door does not flood the log.
#[derive(Debug)]
pub(super) struct Throttle(Mutex<Window>);

#[derive(Debug)]
struct Window {
    since: Instant,
    told: u32,
    untold: u64,
}

impl Default for Throttle {
    fn default() -> Self {
        let since = Instant::now();
        Self(Mutex::new(Window {
            since,
            told: 0,
            untold: 0,
        }))
    }
}

impl Throttle {
    /// How many were not told since the last that was, if this one may be.
    fn admit(&self) -> Option<u64> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.since.elapsed() >= Duration::from_secs(1) {
            (window.since, window.told) = (Instant::now(), 0);
        }
        if window.told >= REFUSALS {
            window.untold += 1;
            return None;
        }
        window.told += 1;
        Some(std::mem::take(&mut window.untold))
    }
}

/// A call that was refused; `reason` is for this log only.
pub(super) fn refused(
    security: &Security,
    method: &str,
    caller: Option<&Caller>,
    peer: Option<SocketAddr>,
    reason: &str,
) {
    let Some(untold) = security.throttle().admit() else {
        return;
    };
    event!(
        target: TARGET,
        Level::INFO,
        audit.decision = "refused",
        audit.method = method,
        audit.caller = caller.map(|caller| &*caller.name),
        audit.roles = roles(caller),
        audit.reason = reason,
        audit.untold = untold,
        client.address = peer.map(|peer| tracing::field::display(peer.ip())),
        trace.id = TraceContext::current().trace_id(),
        "a call was refused",
    );
}

/// A connection that came to nothing.
pub(super) fn refused_connection(security: &Security, peer: SocketAddr, reason: &str) {
    let Some(untold) = security.throttle().admit() else {
        return;
    };
    event!(
        target: TARGET,
        Level::INFO,
        audit.decision = "refused",
        audit.reason = reason,
        audit.untold = untold,
        client.address = %peer.ip(),
        "a connection was refused",
    );
}

/// A call that the policy marks. It is written when the call is over, however it ends: answered, cut off or in a panic.
pub(crate) struct Record {
    method: String,
    caller: Caller,
    outcome: Code,
}

impl Record {
    pub(crate) fn new(method: String, caller: Caller) -> Self {
        Self {
            method,
            caller,
            outcome: Code::Unknown,
        }
    }

    /// How the call was answered.
    pub(crate) fn answered(&mut self, outcome: Code) {
        self.outcome = outcome;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        event!(
            target: TARGET,
        Level::INFO,
            audit.decision = "allowed",
            audit.method = self.method,
            audit.caller = &*self.caller.name,
            audit.roles = roles(Some(&self.caller)),
            audit.outcome = code_name(self.outcome),
            trace.id = TraceContext::current().trace_id(),
            "a privileged call",
        );
    }
}

fn roles(caller: Option<&Caller>) -> String {
    caller.map_or_else(String::new, |caller| Policy::shipped().names(caller.roles).join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_on_top_is_counted() {
        let throttle = Throttle::default();
        let later = Instant::now() + Duration::from_secs(3600);
        throttle.0.lock().unwrap().since = later;
        assert!((0..REFUSALS).all(|_| throttle.admit() == Some(0)));
        assert_eq!((throttle.admit(), throttle.admit()), (None, None));
        throttle.0.lock().unwrap().told = 0;
        assert_eq!(throttle.admit(), Some(2));
        assert_eq!(throttle.admit(), Some(0));
    }
}
