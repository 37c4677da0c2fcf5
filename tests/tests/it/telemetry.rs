//! `TELEMETRY.md` says what the source says: spans, metrics and their attributes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const OPENING: &str = "<!-- spans -->\n";
const CLOSING: &str = "<!-- /spans -->";

fn services() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../services")
}

/// Everything in back quotes in a line.
pub(crate) fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The document in rows of cells: what stands first in a row of a table is what the row is about.
pub(crate) fn document() -> String {
    fs::read_to_string(services().join("runtime/TELEMETRY.md")).unwrap()
}

/// Metrics by name, with their attributes.
pub(crate) fn metrics() -> BTreeMap<String, BTreeSet<String>> {
    let text = document();
    let part = text.split("\n## ").find(|part| part.starts_with("Metrics")).unwrap();
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    let named = rows.map(|row| {
        let mut names = quoted(row).map(str::to_owned);
        (names.next().unwrap(), names.collect())
    });
    named.collect()
}

/// Every attribute that a span of the document has.
pub(crate) fn span_attributes() -> BTreeSet<String> {
    let text = document();
    let part = text.split("\n## ").find(|part| part.starts_with("Spans")).unwrap();
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| quoted(row).skip(1).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn sources() -> Vec<String> {
    let mut texts = Vec::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(services())
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .filter(|folder| folder.is_dir())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
                texts.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}

/// What stands between the parenthesis that opens after each `macro` and the one that closes it.
fn arguments<'a>(text: &'a str, opening: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(opening) {
        let rest = &text[at + opening.len()..];
        let mut depth = 1;
        let end = rest.find(|letter| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            depth == 0
        });
        found.push(&rest[..end.unwrap_or(rest.len())]);
    }
    found
}

/// The `a.b = …` of a span's fields; `otel.…` are instructions to the exporter.
fn fields(text: &str) -> BTreeSet<String> {
    let assigned = text.split(" = ").filter_map(|before| {
        let name = before
            .rsplit(|letter: char| !(letter.is_ascii_lowercase() || letter == '.' || letter == '_'))
            .next()?;
        (name.contains('.') && !name.starts_with("otel.") && !name.starts_with('.')).then(|| name.to_owned())
    });
    assigned.collect()
}

/// Spans of the services, from the source.
fn spans() -> BTreeMap<String, BTreeSet<String>> {
    let mut spans = BTreeMap::new();
    for text in sources() {
        for inside in arguments(&text, "info_span!(") {
            let name = inside
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next());
            spans.insert(name.expect("a span begins with its name").to_owned(), fields(inside));
        }
        for inside in arguments(&text, "tracing::instrument(") {
            let name = inside.split("name = \"").nth(1).and_then(|rest| rest.split('"').next());
            let given = arguments(inside, "fields(").concat();
            spans.insert(name.expect("a span has a name").to_owned(), fields(&given));
        }
    }
    // These are named by what they carry; they have rows of their own.
    spans.retain(|name, _| !["rpc.server", "rpc.client", "outbox.send", "inbox.process"].contains(&name.as_str()));
    spans
}

#[test]
fn the_telemetry_table_of_spans_is_the_source() {
    let mut table = "| span | attributes |\n|---|---|\n".to_owned();
    for (name, attributes) in spans() {
        let attributes: Vec<String> = attributes.iter().map(|name| format!("`{name}`")).collect();
        table += &format!("| `{name}` | {} |\n", attributes.join(" "));
    }
    let text = document();
    let (before, rest) = text.split_once(OPENING).unwrap();
    let (written, after) = rest.split_once(CLOSING).unwrap();
    if std::env::var_os("ACCEPT_GOLDENS").is_some() {
        let path = services().join("runtime/TELEMETRY.md");
        fs::write(path, format!("{before}{OPENING}{table}{CLOSING}{after}")).unwrap();
        return;
    }
    assert_eq!(written, table, "ACCEPT_GOLDENS=1 writes the table anew");
}

#[test]
fn the_telemetry_table_of_metrics_is_the_names_of_the_source() {
    let names = fs::read_to_string(services().join("runtime/src/telemetry/names.rs")).unwrap();
    let constants: BTreeSet<&str> = names.split('"').skip(1).step_by(2).collect();
    let meters = fs::read_to_string(services().join("runtime/src/telemetry/meters.rs")).unwrap();
    let made = meters.matches("names::").count();
    assert!(made > 20, "the instruments are read from another place");
    for (metric, attributes) in metrics() {
        assert!(
            constants.contains(metric.as_str()),
            "no source makes the metric {metric}"
        );
        for attribute in attributes {
            assert!(
                constants.contains(attribute.as_str()),
                "no source sets {attribute} of {metric}"
            );
        }
    }
    let told = metrics();
    let instruments = [
        "rpc.server.call",
        "rpc.client.call",
        "db.client.",
        "messaging.client.",
        "messaging.process",
        "upswell.",
    ];
    for name in constants
        .iter()
        .filter(|name| instruments.iter().any(|prefix| name.starts_with(prefix)))
    {
        let is_attribute = told.values().flatten().any(|attribute| attribute == name) || name.split('.').count() < 3;
        assert!(told.contains_key(*name) || is_attribute, "{name} is not in the table");
    }
}
