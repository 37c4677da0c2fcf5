//! The binary under test.

use std::{env, path::PathBuf, process::Command};

/// The binary beside the running test; built first where a package was tested alone.
///
/// # Panics
/// It cannot be built.
pub fn binary() -> PathBuf {
    let own = env::current_exe().expect("a test has a path");
    let profile = own.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    let binary = profile.join("upswell");
    if !binary.is_file() {
        let mut build = Command::new(env!("CARGO"));
        // Together with the tests, so that dependencies are compiled alike and not once more.
        build.args([
            "build",
            "--package",
            "upswell",
            "--package",
            "upswell-tests",
            "--bin",
            "upswell",
        ]);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let built = build.status();
        assert!(built.is_ok_and(|status| status.success()), "the binary cannot be built");
    }
    binary
}
