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
        let built = Command::new(env!("CARGO"))
            .args(["build", "--package", "upswell"])
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the binary cannot be built");
    }
    binary
}
