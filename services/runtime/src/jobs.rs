//! Background work: `run_once(now)` and a small timer around it. Of several processes over one store one at a time
//! runs a job; when it dies another does.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::{sync::Notify, task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    db::{Db, retrying},
    failpoints::failpoint,
    lease::{LEASE_MICROS, Leases},
    problem::Problem,
    telemetry::meters,
};

/// How soon an event-driven job is tried again that another process was running: it may have looked too early.
const TAKEN_PAUSE: Duration = Duration::from_millis(100);
/// The shortest time between two runs of a job: what is applied meanwhile is done in one run.
const PACE: Duration = Duration::from_millis(25);
/// The longest pause after failures in a row.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A piece of background work. It may be killed anywhere and run again.
#[async_trait]
pub trait Job: Send + Sync + 'static {
    /// Name for logs and drivers, e.g. `offers.reminders`.
    fn name(&self) -> &'static str;

    /// How often it runs by itself.
    fn period(&self) -> Duration;

    /// True when events give it work, so that it also runs when one was applied or appended.
    fn event_driven(&self) -> bool {
        false
    }

    /// Does what is due at `now`; the number of things done, 0 when nothing was due.
    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem>;
}

/// Runs `job` over `db` at its period, and when woken if it is event-driven, until `shutdown`. Failures in a row are logged
/// once and make the pauses longer, up to a minute.
pub fn spawn(
    job: Arc<dyn Job>,
    db: Db,
    clock: Clock,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let leases = Leases::new(db);
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            // Listening begins before the work, so that a wake during the work is not lost.
            let woken = wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let begun = Instant::now();
            let run = run_alone(&*job, &leases, &clock).await;
            if let Some(meters) = meters() {
                meters.job(job.name(), outcome(&run), begun.elapsed());
            }
            let taken = matches!(run, Ok(None));
            failures = report(&*job, run, failures);
            let pause = match pause(job.period(), failures) {
                pause if taken && job.event_driven() => pause.min(TAKEN_PAUSE),
                pause => pause,
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(pause) => {}
                () = woken, if job.event_driven() && failures == 0 => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(PACE.saturating_sub(begun.elapsed())) => {}
            }
        }
    })
}

/// Runs `job` unless another process is at it (None). The lease is renewed while it runs; a job is safe without, so that
/// a lease that was lost meanwhile harms nobody.
async fn run_alone(job: &dyn Job, leases: &Leases, clock: &Clock) -> Result<Option<usize>, Problem> {
    let name = format!("job:{}", job.name());
    if !leases.take(&name).await? {
        return Ok(None);
    }
    let renewing = async {
        loop {
            sleep(Duration::from_micros(LEASE_MICROS.unsigned_abs() / 3)).await;
            if let Err(problem) = leases.take(&name).await {
                tracing::debug!(job.name = job.name(), error = %problem, "the lease of a job was not renewed");
            }
        }
    };
    // What lost against a request that changed the same is no failure of the job.
    let running = retrying(|| async {
        failpoint!("job.before");
        let done = job.run_once(clock.now()).await?;
        failpoint!("job.after");
        Ok(done)
    });
    let running = AssertUnwindSafe(running).catch_unwind();
    let done = tokio::select! {
        done = running => done.unwrap_or_else(|_| Err(Problem::internal("the job panicked"))),
        never = renewing => never,
    };
    leases.release(&name).await?;
    done.map(Some)
}

fn outcome(run: &Result<Option<usize>, Problem>) -> &'static str {
    match run {
        Ok(None) => "taken",
        Ok(Some(0)) => "idle",
        Ok(Some(_)) => "done",
        Err(_) => "failed",
    }
}

fn report(job: &dyn Job, result: Result<Option<usize>, Problem>, failures: u32) -> u32 {
    match result {
        Ok(_) => {
            if failures > 0 {
                tracing::info!(job.name = job.name(), job.failures = failures, "the job works again");
            }
            0
        }
        Err(problem) => {
            if failures == 0 && problem.is_transient() {
                // A store that is away for a moment needs nobody.
                tracing::warn!(job.name = job.name(), error = %problem, "a job failed");
            } else if failures == 0 {
                tracing::error!(job.name = job.name(), error = %problem, "a job failed");
            } else {
                tracing::debug!(job.name = job.name(), error = %problem, "the job failed again");
            }
            failures.saturating_add(1)
        }
    }
}

fn pause(period: Duration, failures: u32) -> Duration {
    let longer = period.saturating_mul(1 << failures.min(6));
    if failures == 0 {
        period
    } else {
        longer.min(PAUSE_MAX.max(period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_failures_up_to_a_minute() {
        let second = Duration::from_secs(1);
        assert_eq!(pause(second, 0), second);
        assert_eq!(pause(second, 1), second * 2);
        assert_eq!(pause(second, 60), PAUSE_MAX);
        assert_eq!(pause(PAUSE_MAX * 60, 9), PAUSE_MAX * 60);
    }
}
