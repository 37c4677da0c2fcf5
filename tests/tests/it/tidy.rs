//! The shape of the project, held true by reading it.

use std::{
    fs,
    path::{Path, PathBuf},
};

const SERVICES: [&str; 5] = ["ingestion", "scoring", "offers", "renewals", "metrics"];
const LONGEST_FILE: usize = 500;

/// What a pure domain may not name: transport, storage, runtime, contracts, clocks, chance.
const IMPURE: [&str; 13] = [
    "tonic",
    "prost",
    "sea_orm",
    "sqlx",
    "tokio",
    "upswell_proto",
    "rand::",
    "Timestamp::now",
    "Zoned::now",
    "SystemTime",
    "Instant::now",
    "Uuid::now",
    "std::env",
];

/// The visible top level, fixed by the owner of the project.
const TOP_LEVEL: [&str; 8] = [
    "Cargo.toml",
    "Cargo.lock",
    "proto",
    "services",
    "charts",
    "k8s",
    "tests",
    "README.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(
        !found.is_empty(),
        "no {ending} below {}: the test looks in the wrong place",
        folder.display()
    );
    found
}

fn rust_files() -> Vec<PathBuf> {
    ["proto", "services", "tests"]
        .iter()
        .flat_map(|folder| files(&root().join(folder), ".rs"))
        .collect()
}

/// Every line of `paths` that `wrong` objects to, with its place; comments do not count.
fn offences(paths: &[PathBuf], wrong: impl Fn(&Path, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).unwrap();
        for (index, line) in text.lines().enumerate() {
            if !line.trim_start().starts_with("//") && wrong(path, line) {
                found.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    found
}

fn is_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !inside(before) && (word.ends_with(':') || !inside(after))
    })
}

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn domains_are_pure() {
    for service in SERVICES {
        let source = root().join("services").join(service).join("src");
        let mut paths = files(&source.join("domain"), ".rs");
        paths.extend([source.join("domain.rs")].into_iter().filter(|path| path.is_file()));
        paths.retain(|path| !path.components().any(|part| part.as_os_str() == "tests") && !path.ends_with("tests.rs"));
        let found = offences(&paths, |_, line| IMPURE.iter().any(|word| is_word(line, word)));
        assert_none(
            &found,
            "a domain knows neither transport, storage, contracts, clock nor chance",
        );
    }
}

#[test]
fn only_stores_know_the_database() {
    for service in SERVICES {
        let source = root().join("services").join(service).join("src");
        let paths: Vec<PathBuf> = files(&source, ".rs")
            .into_iter()
            .filter(|path| !path.starts_with(source.join("store")) && !path.ends_with("store.rs"))
            .collect();
        let found = offences(&paths, |_, line| is_word(line, "sea_orm") || is_word(line, "sqlx"));
        assert_none(&found, "only `store` sees sea-orm");
    }
}

#[test]
fn only_the_edges_know_the_contracts() {
    for service in SERVICES {
        let source = root().join("services").join(service).join("src");
        let paths = files(&source.join("store"), ".rs");
        let found = offences(&paths, |_, line| {
            is_word(line, "upswell_proto") || is_word(line, "tonic")
        });
        assert_none(&found, "a store sees no contract");
    }
}

#[test]
fn no_service_depends_on_another() {
    for service in SERVICES {
        let manifest = fs::read_to_string(root().join("services").join(service).join("Cargo.toml")).unwrap();
        for other in SERVICES.iter().filter(|other| **other != service) {
            assert!(
                !manifest.contains(&format!("upswell-{other}")),
                "{service} depends on {other}: they talk over contracts"
            );
        }
    }
    let runtime = files(&root().join("services/runtime/src"), ".rs");
    let found = offences(&runtime, |_, line| {
        ["account_id", "commercial", "playbook", "holdout", "churn"]
            .iter()
            .any(|word| is_word(line, word))
    });
    assert_none(&found, "the runtime knows no business word");
}

#[test]
fn files_are_short_enough_to_read() {
    let long: Vec<String> = rust_files()
        .iter()
        .map(|path| (path, fs::read_to_string(path).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert_none(&long, "no file is longer than 500 lines");
}

#[test]
fn members_inherit_lints_and_nothing_is_silenced_without_a_reason() {
    for manifest in files(&root(), "Cargo.toml") {
        let text = fs::read_to_string(&manifest).unwrap();
        if text.contains("[package]") {
            assert!(
                text.contains("[lints]\nworkspace = true"),
                "{} does not inherit the lints",
                manifest.display()
            );
        }
    }
    let found = offences(&rust_files(), |path, line| {
        let here = path.ends_with("tidy.rs");
        !here
            && ["#[allow", "#![allow", "#[ignore", "todo!(", "unimplemented!("]
                .iter()
                .any(|word| line.contains(word))
    });
    assert_none(&found, "nothing is silenced, ignored or left to do");
}

#[test]
fn the_top_level_is_as_agreed() {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let unseen = name.starts_with('.') || ignored.lines().any(|line| line == format!("/{name}"));
        assert!(
            unseen || TOP_LEVEL.contains(&name.as_str()),
            "`{name}` does not belong at the top level"
        );
    }
    for name in TOP_LEVEL {
        assert!(root().join(name).exists(), "`{name}` is missing at the top level");
    }
    for part in SERVICES.iter().chain(&["runtime", "upswell"]) {
        assert!(
            root().join("services").join(part).join("README.md").is_file(),
            "services/{part} has no page"
        );
    }
}

#[test]
fn tests_do_not_sleep() {
    let is_test = |path: &Path| {
        let path = path.to_string_lossy();
        let within = path.rsplit_once("/src/").map_or("", |(_, within)| within);
        path.contains("/it/") || within.contains("tests")
    };
    let paths: Vec<PathBuf> = rust_files()
        .into_iter()
        .filter(|path| is_test(path) && !path.ends_with("tidy.rs"))
        .collect();
    // A script that PostgreSQL plays is the work itself.
    let waits = |_: &Path, line: &str| line.contains("sleep(") && !line.contains("pg_sleep(");
    let found = offences(&paths, waits);
    assert_none(&found, "a test waits for a condition, never for time");
}
