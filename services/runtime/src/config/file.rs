//! The settings file, read twice: once for the values, once for the lines they stand on.

use std::{collections::BTreeMap, fs, path::Path};

use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use super::{ConfigFault, schema};

/// The settings of the file, noting every key which the defaults do not allow.
pub(super) fn overlay(path: &Path, defaults: &Table, faults: &mut Vec<ConfigFault>) -> Table {
    let name = path.display().to_string();
    match read(path) {
        Ok((table, lines)) => Check { name, lines, faults }.table(table, "", defaults),
        Err(message) => {
            faults.push(ConfigFault {
                path: "file".to_owned(),
                origin: name,
                message,
            });
            Table::new()
        }
    }
}

/// The file's values, and the line of every key.
fn read(path: &Path) -> Result<(Table, BTreeMap<String, usize>), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let table = text.parse().map_err(|error| unreadable(&text, &error))?;
    let spans = DeTable::parse(&text).map_err(|error| unreadable(&text, &error))?;
    let mut lines = BTreeMap::new();
    collect_lines(&text, spans.get_ref(), "", &mut lines);
    Ok((table, lines))
}

/// What is wrong and where, without the line itself: it may hold a password.
fn unreadable(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
    line.map_or_else(
        || error.message().to_owned(),
        |line| format!("line {line}: {}", error.message()),
    )
}

struct Check<'a> {
    name: String,
    lines: BTreeMap<String, usize>,
    faults: &'a mut Vec<ConfigFault>,
}

impl Check<'_> {
    fn table(&mut self, given: Table, prefix: &str, defaults: &Table) -> Table {
        let mut checked = Table::new();
        for (key, value) in given {
            let path = join(prefix, &key);
            match self.value(&key, value, &path, defaults) {
                Ok(value) => drop(checked.insert(key, value)),
                Err(message) => self.fault(path, message),
            }
        }
        checked
    }

    fn value(&mut self, key: &str, value: Value, path: &str, defaults: &Table) -> Result<Value, String> {
        let example = schema::example(defaults, key).ok_or_else(|| schema::unknown(defaults, key))?;
        match (example, value) {
            (Value::Table(inner), Value::Table(value)) => Ok(Value::Table(self.table(value, path, inner))),
            (example, value) => schema::conform(example, value),
        }
    }

    fn fault(&mut self, path: String, message: String) {
        let origin = match self.lines.get(&path) {
            Some(line) => format!("{}:{line}", self.name),
            None => self.name.clone(),
        };
        self.faults.push(ConfigFault { path, origin, message });
    }
}

fn collect_lines(text: &str, table: &DeTable<'_>, prefix: &str, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let path = join(prefix, key.get_ref());
        let before = text.get(..key.span().start).unwrap_or_default();
        lines.insert(path.clone(), before.matches('\n').count() + 1);
        if let DeValue::Table(inner) = value.get_ref() {
            collect_lines(text, inner, &path, lines);
        }
    }
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_owned()
    } else {
        format!("{prefix}.{key}")
    }
}
