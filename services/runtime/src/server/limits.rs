//! How long a request may take and how many may run at once.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Status, metadata::MetadataValue};

use super::ServerSettings;
use crate::{deadline::Deadline, problem::Problem};

/// tonic applies `grpc-timeout` too and answers CANCELLED; the own answer has to come first.
const AHEAD_OF_TONIC: Duration = Duration::from_millis(5);

/// When a refused caller should come back.
const PUSHBACK: Duration = Duration::from_millis(200);

#[derive(Clone, Debug)]
pub(super) struct Limits {
    permits: Arc<Semaphore>,
    default_deadline: Duration,
    max_deadline: Duration,
}

impl Limits {
    pub(super) fn new(settings: &ServerSettings) -> Self {
        let permits = settings.max_concurrent_requests.min(Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(permits)),
            default_deadline: Duration::from_millis(settings.default_deadline_ms),
            max_deadline: Duration::from_millis(settings.max_deadline_ms),
        }
    }

    /// The deadline the caller brings, capped, or the default.
    pub(super) fn deadline(&self, headers: &HeaderMap) -> Deadline {
        let asked = headers.get("grpc-timeout").and_then(|v| v.to_str().ok());
        let given = match asked.and_then(grpc_timeout) {
            Some(timeout) => timeout - AHEAD_OF_TONIC.min(timeout / 4),
            None => self.default_deadline,
        };
        Deadline::after(given.min(self.max_deadline))
    }

    /// A place among the running requests, or RESOURCE_EXHAUSTED at once: a queue would only make
    /// everybody late. tonic's own limit counts per connection.
    pub(super) fn admit(&self) -> Result<OwnedSemaphorePermit, Status> {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        permit.map_err(|_| {
            let problem = Problem::resource_exhausted("OVERLOADED", "too many requests", PUSHBACK);
            let mut status = Status::from(problem);
            let pushback = MetadataValue::from(PUSHBACK.as_millis() as u64);
            status.metadata_mut().insert("grpc-retry-pushback-ms", pushback);
            status
        })
    }
}

/// Reads the header as the gRPC specification has it: at most eight digits and a unit.
fn grpc_timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_specified() {
        assert_eq!(grpc_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(grpc_timeout("2S"), Some(Duration::from_secs(2)));
        for bad in ["", "S", "-1S", "+1S", "123456789S", "5", "5x", "5é"] {
            assert_eq!(grpc_timeout(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn deadlines_have_a_default_and_a_cap() {
        let limits = Limits::new(&ServerSettings::default());
        let remaining = |timeout: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(timeout) = timeout {
                headers.insert("grpc-timeout", timeout.parse().unwrap());
            }
            limits.deadline(&headers).remaining().as_secs_f64().round()
        };
        assert_eq!(remaining(None), 5.0);
        assert_eq!(remaining(Some("nonsense")), 5.0);
        assert_eq!(remaining(Some("2S")), 2.0);
        assert_eq!(remaining(Some("9H")), 15.0);
    }
}
