//! The binary under test.

use std::{env, path::PathBuf, process::Command};

/// The binary that `UPSWELL_BINARY` names, or the one beside the running test; built first where a package was tested
/// alone.
///
/// # Panics
/// It cannot be built.
pub fn binary() -> PathBuf {
    if let Some(named) = env::var_os("UPSWELL_BINARY") {
        return named.into();
    }
    let binary = beside("upswell");
    if !binary.is_file() {
        build(&["--bin", "upswell"]);
    }
    binary
}

/// The binary with points at which it can be made to fail; always built, since nothing else builds it.
///
/// # Panics
/// It cannot be built.
pub fn binary_with_failpoints() -> PathBuf {
    if let Some(named) = env::var_os("UPSWELL_BINARY_WITH_FAILPOINTS") {
        return named.into();
    }
    build(&["--bin", "upswell-failpoints", "--features", "upswell/failpoints"]);
    beside("upswell-failpoints")
}

fn beside(name: &str) -> PathBuf {
    let own = env::current_exe().expect("a test has a path");
    let profile = own.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    profile.join(name)
}

fn build(what: &[&str]) {
    let mut cargo = Command::new(env!("CARGO"));
    // Together with the tests, so that dependencies are compiled alike and not once more.
    cargo
        .args(["build", "--package", "upswell", "--package", "upswell-tests"])
        .args(what);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    assert!(
        cargo.status().is_ok_and(|status| status.success()),
        "the binary cannot be built"
    );
}
