//! The settings file, read twice: once for the values, once for the lines they stand on.

use std::{collections::BTreeMap, fs, path::Path};

use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use super::{ConfigFault, schema};

/// Lays the file over `merged`, noting every key which the defaults do not allow.
pub(super) fn merge(path: &Path, defaults: &Table, merged: &mut Table, faults: &mut Vec<ConfigFault>) {
    let name = path.display().to_string();
    let unreadable = |message: String| ConfigFault {
        path: "file".to_owned(),
        origin: name.clone(),
        message,
    };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return faults.push(unreadable(error.to_string())),
    };
    let (table, lines) = match (text.parse::<Table>(), DeTable::parse(&text)) {
        (Ok(table), Ok(spans)) => {
            let mut lines = BTreeMap::new();
            collect_lines(&text, spans.get_ref(), "", &mut lines);
            (table, lines)
        }
        (Err(error), _) | (_, Err(error)) => return faults.push(unreadable(error.to_string())),
    };
    let mut overlay = Overlay {
        name: &name,
        lines: &lines,
        faults,
    };
    overlay.lay(table, "", defaults, merged);
}

struct Overlay<'a> {
    name: &'a str,
    lines: &'a BTreeMap<String, usize>,
    faults: &'a mut Vec<ConfigFault>,
}

impl Overlay<'_> {
    fn lay(&mut self, given: Table, prefix: &str, defaults: &Table, merged: &mut Table) {
        for (key, value) in given {
            let path = join(prefix, &key);
            let Some(example) = schema::example(defaults, &key) else {
                self.fault(path, schema::unknown(defaults, &key));
                continue;
            };
            match (example, value) {
                (Value::Table(inner), Value::Table(value)) => {
                    let slot = merged.entry(key).or_insert_with(|| open_entry(inner));
                    if let Value::Table(slot) = slot {
                        self.lay(value, &path, inner, slot);
                    }
                }
                (example, value) => match schema::conform(example, value) {
                    Ok(value) => drop(merged.insert(key, value)),
                    Err(message) => self.fault(path, message),
                },
            }
        }
    }

    fn fault(&mut self, path: String, message: String) {
        let origin = match self.lines.get(&path) {
            Some(line) => format!("{}:{line}", self.name),
            None => self.name.to_owned(),
        };
        self.faults.push(ConfigFault { path, origin, message });
    }
}

/// A new entry of an open table of tables starts from the example's values.
pub(super) fn open_entry(example: &Table) -> Value {
    let mut entry = example.clone();
    schema::close(&mut entry);
    Value::Table(entry)
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
