//! Named points at which a test makes a process fail, in a build with the feature `failpoints` alone.
//!
//! A process takes its orders from `FAILPOINTS` in its environment, e.g. `tx.commit.after=1*return(kill)`. The words are
//! `error`: UNAVAILABLE; `panic`; `kill`: the process ends at once, as by SIGKILL; `delay`: it stands there for a while.
//! What was done is told on standard error, by which a test knows that the point was met.

/// Every point. In reading order: a request, a transaction, an event on its way, background work.
pub const POINTS: [&str; 13] = [
    "request.begin",
    "request.finish",
    "tx.commit.before",
    "tx.commit.after",
    "outbox.append",
    "relay.claim",
    "relay.send",
    "relay.answer",
    "relay.cursor",
    "inbox.apply",
    "inbox.answer",
    "job.before",
    "job.after",
];

/// How a point that was met begins its line on standard error.
pub const MET: &str = "failpoint met: ";

/// Meets a point of [`POINTS`]: nothing without the feature. In a function that returns a `Problem` or what is made of one.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoints::meet($name).await?;
    };
}
pub(crate) use failpoint;

/// Takes the orders from the environment; they hold until the end of the process.
#[cfg(feature = "failpoints")]
pub fn init() {
    // The value would take its orders back when it is dropped.
    std::mem::forget(fail::FailScenario::setup());
}

#[cfg(feature = "failpoints")]
#[expect(clippy::panic, reason = "that is what it is for")]
pub(crate) async fn meet(name: &'static str) -> Result<(), crate::problem::Problem> {
    /// Longer than a call waits for a connection, and shorter than its deadline.
    const DELAY: std::time::Duration = std::time::Duration::from_secs(5);
    assert!(POINTS.contains(&name), "{name} is not listed");
    let Some(order) = order(name) else { return Ok(()) };
    eprintln!("{MET}{name}: {order}");
    match order.as_str() {
        "error" => Err(crate::problem::Problem::unavailable("FAILPOINT", "a test wants it so")),
        "panic" => panic!("a test wants it so"),
        "kill" => std::process::abort(),
        _ => {
            tokio::time::sleep(DELAY).await;
            Ok(())
        }
    }
}

#[cfg(feature = "failpoints")]
fn order(name: &str) -> Option<String> {
    fail::fail_point!(name, |order| order);
    None
}
