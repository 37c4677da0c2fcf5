//! SIGKILL at random points of a run, and the same files again: the end is the same.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use upswell_runtime::ids;

use crate::support;

/// Times a run is killed before it may end.
const KILLS: u32 = 8;

/// The binary beside this test's own; built first where a package was tested alone.
fn binary() -> PathBuf {
    let own = env::current_exe().unwrap();
    let profile = own.ancestors().nth(2).unwrap();
    let binary = profile.join("upswell");
    if !binary.is_file() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--package", "upswell"])
            .status()
            .unwrap();
        assert!(built.success());
    }
    binary
}

/// The second case, cut to its first weeks: long enough for offers, approvals, answers and payments.
fn short_case(folder: &Path) {
    let whole = support::case_folder("frontier");
    fs::create_dir_all(folder.join("policy/playbooks")).unwrap();
    for name in [
        "facts.jsonl",
        "reactions.yaml",
        "settings.toml",
        "policy/catalogue.yaml",
    ] {
        fs::copy(whole.join(name), folder.join(name)).unwrap();
    }
    for playbook in fs::read_dir(whole.join("policy/playbooks")).unwrap() {
        let playbook = playbook.unwrap();
        fs::copy(
            playbook.path(),
            folder.join("policy/playbooks").join(playbook.file_name()),
        )
        .unwrap();
    }
    let header = fs::read_to_string(whole.join("case.yaml")).unwrap();
    assert!(header.contains("days: 49"));
    fs::write(folder.join("case.yaml"), header.replace("days: 49", "days: 16")).unwrap();
}

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
    short_case(case.path());
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
