//! Doing it again where the store says that nothing was done.

use std::time::Duration;

use tokio::time::sleep;

use crate::problem::Problem;

/// Attempts of a piece of work that others got in the way of.
const ATTEMPTS: u32 = 4;
/// Attempts of a migration that a busy table held up. Each waits for its lock as long as it may.
const ATTEMPTS_BUSY: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_BUSY: Duration = Duration::from_millis(500);

/// Runs `work`, one whole transaction, again when it lost a deadlock or a serialization conflict: three times more, with
/// jitter. What is still in conflict then is the caller's: ABORTED `CONCURRENT_CHANGE`.
pub async fn retrying<T, F>(work: impl FnMut() -> F) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>>,
{
    again(work, &["CONCURRENT_CHANGE"], ATTEMPTS, PAUSE).await
}

/// Runs `work` again while a lock it needs is held too long.
pub(super) async fn while_busy<T, F>(work: impl FnMut() -> F) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>>,
{
    again(work, &["STORE_BUSY", "STORE_LOCKED"], ATTEMPTS_BUSY, PAUSE_BUSY).await
}

async fn again<T, F>(
    mut work: impl FnMut() -> F,
    reasons: &[&str],
    attempts: u32,
    pause: Duration,
) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>>,
{
    let mut left = attempts;
    loop {
        left -= 1;
        match work().await {
            Err(problem) if left > 0 && reasons.contains(&problem.reason()) => {
                tracing::debug!(error = %problem, attempts_left = left, "the store is asked again");
                sleep(pause.mul_f64(rand::random_range(0.5..1.5) * f64::from(attempts - left))).await;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    #[tokio::test]
    async fn f43_a_conflict_is_tried_four_times_and_then_the_callers() {
        for (conflicts, tries, ok) in [(0, 1, true), (3, 4, true), (4, 4, false)] {
            let mut tried = 0;
            let conflict = || Problem::aborted("CONCURRENT_CHANGE", "a concurrent change got in between");
            let result = retrying(|| {
                tried += 1;
                ready(if tried > conflicts { Ok(()) } else { Err(conflict()) })
            });
            let ended = result.await.is_ok();
            assert_eq!((tried, ended), (tries, ok));
        }
    }

    #[tokio::test]
    async fn other_problems_are_not_tried_again() {
        let mut tried = 0;
        let result = retrying(|| {
            tried += 1;
            ready(Err::<(), _>(Problem::aborted(
                "ETAG_MISMATCH",
                "it was changed meanwhile",
            )))
        });
        assert!(result.await.is_err());
        assert_eq!(tried, 1);
    }
}
