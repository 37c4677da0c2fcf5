//! The wish to stop: ctrl-c, or SIGTERM from a supervisor.

use std::process;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

/// The exit code of a process that was interrupted, as shells know it.
const INTERRUPTED: i32 = 130;

/// A future that ends with the first signal. The second one ends the process at once: whoever asks twice will not wait.
///
/// # Errors
/// The handlers cannot be installed.
pub(super) fn stop() -> Result<impl Future<Output = ()> + Send> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for ctrl-c")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping; a second signal stops at once");
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            process::exit(INTERRUPTED);
        });
    })
}
