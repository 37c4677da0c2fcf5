//! The defaults as a schema: which keys exist, and of which type a value must be.

use strsim::levenshtein;
use toml::{Table, Value};

/// The key of the example in an open table.
pub(super) const ANY: &str = "*";

/// The example for `key` in `table`: its own default, or that of an open table.
pub(super) fn example<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key {
        ANY => None,
        _ => table.get(key).or_else(|| table.get(ANY)),
    }
}

/// Checks `given` against `example` and returns the value to use, or what is wrong. Tables are not
/// for this function: their keys are checked one by one.
pub(super) fn conform(example: &Value, given: Value) -> Result<Value, String> {
    match (example, given) {
        // People write 1 for 1.0; the other way round something would be lost.
        (Value::Float(_), Value::Integer(whole)) => Ok(Value::Float(whole as f64)),
        (Value::Array(examples), Value::Array(items)) => {
            let items = items.into_iter().enumerate();
            let checked = items.map(|(n, item)| conform_item(examples, n, item));
            checked.collect::<Result<_, _>>().map(Value::Array)
        }
        (example, given) if example.same_type(&given) => Ok(given),
        (example, given) => Err(format!("must be {}, is {}", kind(example), kind(&given))),
    }
}

/// An item is typed like the first default item; its tables may have the keys of any default item.
fn conform_item(examples: &[Value], n: usize, item: Value) -> Result<Value, String> {
    let Some(first) = examples.first() else {
        return Ok(item);
    };
    let Value::Table(given) = item else {
        return conform(first, item).map_err(|fault| format!("item {n} {fault}"));
    };
    let known = |key: &str| {
        let tables = examples.iter().filter_map(Value::as_table);
        tables.into_iter().find_map(|table| example(table, key))
    };
    let mut checked = Table::new();
    for (key, value) in given {
        let example = known(&key).ok_or_else(|| format!("item {n} has the unknown key {key}"))?;
        let value = conform(example, value).map_err(|fault| format!("item {n} {key} {fault}"))?;
        checked.insert(key, value);
    }
    Ok(Value::Table(checked))
}

/// The values of `examples`, without the examples of open tables.
pub(super) fn closed(examples: &Table) -> Table {
    let values = examples.iter().filter(|(key, _)| *key != ANY);
    let close = |(key, value): (&String, &Value)| match value {
        Value::Table(inner) => (key.clone(), Value::Table(closed(inner))),
        value => (key.clone(), value.clone()),
    };
    values.map(close).collect()
}

/// Adds the entries which `given` has in open tables of tables to `values`, with the example's values.
pub(super) fn open(examples: &Table, given: &Table, values: &mut Table) {
    for (key, given) in given {
        let (Some(Value::Table(inner)), Value::Table(given)) = (example(examples, key), given) else {
            continue;
        };
        let entry = values.entry(key).or_insert_with(|| Value::Table(closed(inner)));
        if let Value::Table(entry) = entry {
            open(inner, given, entry);
        }
    }
}

/// The name of a value's type, with its article, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "an integer",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// "unknown key", with the nearest known one when it is near enough to be a slip.
pub(super) fn unknown(table: &Table, key: &str) -> String {
    let known = table.keys().filter(|known| *known != ANY);
    let nearest = known.min_by_key(|known| levenshtein(known, key));
    match nearest.filter(|known| levenshtein(known, key) <= key.len().max(3) / 2) {
        Some(known) => format!("unknown key, did you mean {known}?"),
        None => "unknown key".to_owned(),
    }
}
