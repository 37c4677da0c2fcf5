//! SIGKILL at random points of a run, and the same files again: the end is the same.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use upswell_runtime::ids;
use upswell_tests::binary;

use crate::support::cut_case;

/// Times a run is killed before it may end.
const KILLS: u32 = 8;

fn demo(case: &Path, data: &Path) -> Command {
    let mut command = Command::new(binary());
    command
        .args(["--output", "json", "demo", "--case"])
        .arg(case)
        .arg("--data")
        .arg(data);
    command
}

/// Kills the run after a while that depends on `round`; false when it had ended by itself.
fn kill_after(case: &Path, data: &Path, round: u32, longest: Duration) -> bool {
    let mut child = demo(case, data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let share = ids::derive("kill", &[&round.to_string()]).as_u128() % 1_000;
    let wait = longest.mul_f64(f64::from(u32::try_from(share).unwrap()) / 1_000.0);
    let begun = Instant::now();
    while begun.elapsed() < wait {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

fn report(case: &Path, data: &Path) -> serde_json::Value {
    let output = demo(case, data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_killed_demo_goes_on_and_ends_with_the_same_report() {
    let case = tempfile::tempdir().unwrap();
    // Long enough for offers, approvals, answers and payments.
    cut_case("frontier", case.path(), 16, |_| true);
    let whole = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let expected = report(case.path(), whole.path());
    // Each leg gets a fraction of a whole run, so that kills fall all over it.
    let leg = begun.elapsed() / KILLS * 2;

    let broken = tempfile::tempdir().unwrap();
    let killed = (0..KILLS)
        .filter(|round| kill_after(case.path(), broken.path(), *round, leg))
        .count();
    assert!(killed >= 3, "only {killed} kills hit a running demo");
    assert_eq!(report(case.path(), broken.path()), expected);
}
