//! `UPSWELL__OFFERS__CAPS__PER_WEEK=2` sets `offers.caps.per_week`, typed like its default. With `_FILE` behind it the value
//! is the content of a file: a secret in the environment is shown to whoever can look at the process.

use std::fs;

use toml::{Table, Value};

use super::{ConfigFault, ENV_PREFIX, schema};

/// The settings among the variables, noting those which the defaults do not allow; names are not
/// case sensitive, lists are comma separated.
pub(super) fn overlay(
    env: impl Iterator<Item = (String, String)>,
    defaults: &Table,
    faults: &mut Vec<ConfigFault>,
) -> Table {
    let mut overlay = Table::new();
    let mut variables: Vec<_> = env.filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect();
    variables.sort();
    for (name, text) in variables {
        let lower = name[ENV_PREFIX.len()..].to_lowercase();
        let path: Vec<&str> = lower.split("__").collect();
        if let Err(message) = set(&path, &text, defaults, &mut overlay) {
            faults.push(ConfigFault {
                path: path.join("."),
                origin: name,
                message,
            });
        }
    }
    overlay
}

fn set(path: &[&str], text: &str, defaults: &Table, overlay: &mut Table) -> Result<(), String> {
    let [key, deeper @ ..] = path else {
        return Err("must name a key".to_owned());
    };
    if let Some(key) = of_file(path, defaults) {
        let content = fs::read_to_string(text).map_err(|fault| format!("{text}: {fault}"))?;
        return set(&[key], content.trim_end(), defaults, overlay);
    }
    let example = schema::example(defaults, key).ok_or_else(|| schema::unknown(defaults, key))?;
    match (example, deeper) {
        (Value::Table(_), []) => Err("is a table, name one of its keys".to_owned()),
        (Value::Table(inner), deeper) => {
            let slot = overlay.entry(*key).or_insert_with(|| Value::Table(Table::new()));
            match slot {
                Value::Table(slot) => set(deeper, text, inner, slot),
                _ => Err("is not a table".to_owned()),
            }
        }
        (example, []) => {
            overlay.insert((*key).to_owned(), parse(example, text)?);
            Ok(())
        }
        (_, [deeper, ..]) => Err(format!("is not a table, so it has no {deeper}")),
    }
}

/// `url` for `url_file`, where the first is a key and the second is none.
fn of_file<'a>(path: &[&'a str], defaults: &Table) -> Option<&'a str> {
    let [name] = path else { return None };
    let key = name.strip_suffix("_file")?;
    let is_value = |key: &str| defaults.get(key).is_some_and(|value| !value.is_table());
    (is_value(key) && !defaults.contains_key(*name)).then_some(key)
}

fn parse(example: &Value, text: &str) -> Result<Value, String> {
    if let Value::Array(items) = example {
        let string = Value::String(String::new());
        let example = items.first().unwrap_or(&string);
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let values: Result<_, _> = parts.map(|part| parse(example, part)).collect();
        return values.map(Value::Array);
    }
    let parsed = match example {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Float(_) => text.trim().parse().ok().map(Value::Float),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Datetime(_) => text.trim().parse().ok().map(Value::Datetime),
        Value::Array(_) | Value::Table(_) => None,
    };
    parsed.ok_or_else(|| format!("must be {}", schema::kind(example)))
}
