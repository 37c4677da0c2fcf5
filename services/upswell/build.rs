//! Puts the version and the commit into the binary: `0.1.0 (0580b89d9e41)`.
//!
//! The commit comes from `UPSWELL_COMMIT` where the sources have no repository around them (an image's build), else
//! from git; without either, the version stands alone. Builds that are not for release do not ask git, because every
//! commit would compile them anew.

use std::{env, process::Command};

/// Digits of the commit that are shown.
const DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-env-changed=UPSWELL_COMMIT");
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let given = env::var("UPSWELL_COMMIT").ok().filter(|commit| !commit.is_empty());
    let released = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = given.or_else(|| released.then(head).flatten());
    let commit: Option<String> = commit.map(|commit| commit.chars().take(DIGITS).collect());
    let shown = commit.map_or(version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=UPSWELL_VERSION={shown}");
}

/// The commit that is checked out.
fn head() -> Option<String> {
    // The log of HEAD changes with every commit and checkout, whether this is a clone or a work tree of one.
    if let Some(log) = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "HEAD"])
}

/// The first line that git answers; nothing where there is no git or no repository.
fn git(arguments: &[&str]) -> Option<String> {
    let answer = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    (answer.status.success() && !line.is_empty()).then_some(line)
}
