//! The audit log: every call that was refused, at the door or by the service itself, and every call of a method that the
//! policy marks. Structured records under the target `audit`, which the filter of the logs does not silence unless it
//! names it.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tracing::{Level, event};

use super::{Security, caller::Caller, guard::Admitted, policy::Policy};
use crate::{problem::code_name, telemetry::TraceContext};

/// The target of the records.
pub const TARGET: &str = "audit";

/// Records about refusals in a second; what comes on top is counted.
const REFUSALS: u32 = 50;

/// Numbers the records, so that one that is missing is missed, and lets so many refusals a second be told, that whoever
/// floods the door does not flood the log.
#[derive(Debug)]
pub(super) struct Throttle(Mutex<Window>);

#[derive(Debug)]
struct Window {
    since: Instant,
    told: u32,
    untold: u64,
    records: u64,
}

impl Default for Throttle {
    fn default() -> Self {
        let since = Instant::now();
        Self(Mutex::new(Window {
            since,
            told: 0,
            untold: 0,
            records: 0,
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

    /// The number of the next record: 1, 2, 3 … since the process began.
    fn number(&self) -> u64 {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        window.records += 1;
        window.records
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
    let number = security.throttle().number();
    event!(
        target: TARGET,
        Level::INFO,
        audit.number = number,
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
    let number = security.throttle().number();
    event!(
        target: TARGET,
        Level::INFO,
        audit.number = number,
        audit.decision = "refused",
        audit.reason = reason,
        audit.untold = untold,
        client.address = %peer.ip(),
        "a connection was refused",
    );
}

/// A call that came in. It is told when it is over, however it ends (answered, cut off or in a panic): a privileged one in
/// any case, another one if the service itself refused it.
pub(crate) struct Record {
    security: Security,
    method: String,
    caller: Caller,
    peer: Option<SocketAddr>,
    privileged: bool,
    outcome: Code,
    reason: String,
}

impl Record {
    pub(crate) fn new(security: Security, method: String, admitted: &Admitted) -> Self {
        Self {
            security,
            method,
            caller: admitted.caller.clone(),
            peer: admitted.peer,
            privileged: admitted.audited,
            outcome: Code::Unknown,
            reason: String::new(),
        }
    }

    /// How the call was answered, by the headers of the answer.
    pub(crate) fn answered(&mut self, headers: &HeaderMap) {
        let status = Status::from_header_map(headers);
        self.outcome = status.as_ref().map_or(Code::Ok, Status::code);
        if self.outcome == Code::PermissionDenied {
            let info = status.and_then(|status| status.get_details_error_info());
            self.reason = info.map(|info| info.reason).unwrap_or_default();
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.outcome == Code::PermissionDenied {
            refused(
                &self.security,
                &self.method,
                Some(&self.caller),
                self.peer,
                &self.reason,
            );
        } else if self.privileged {
            let number = self.security.throttle().number();
            event!(
                target: TARGET,
                Level::INFO,
                audit.number = number,
                audit.decision = "allowed",
                audit.method = self.method,
                audit.caller = &*self.caller.name,
                audit.roles = roles(Some(&self.caller)),
                audit.outcome = code_name(self.outcome),
                client.address = self.peer.map(|peer| tracing::field::display(peer.ip())),
                trace.id = TraceContext::current().trace_id(),
                "a privileged call",
            );
        }
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
