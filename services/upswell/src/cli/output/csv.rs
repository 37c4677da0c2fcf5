//! The JSON of an answer as CSV: its rows are the list that it holds, its columns the fields of a row, where a field that
//! is a record gives one column per field of its own (`amount.minor`).

use anyhow::Result;
use serde_json::{Map, Value};

/// One line per row, with a header. A list inside a row is one cell of JSON, or of words with `;` between them.
pub(super) fn text(answer: &Value) -> Result<String> {
    let rows: Vec<Map<String, Value>> = rows(answer).into_iter().map(|row| flat(&row)).collect();
    let mut columns: Vec<&String> = Vec::new();
    for name in rows.iter().flat_map(Map::keys) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    if !columns.is_empty() {
        writer.write_record(&columns)?;
    }
    for row in &rows {
        writer.write_record(columns.iter().map(|name| row.get(*name).map(cell).unwrap_or_default()))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// The list that the answer is or holds, or the answer alone.
fn rows(answer: &Value) -> Vec<Value> {
    let list = match answer {
        Value::Array(list) => Some(list),
        Value::Object(fields) => fields.values().find_map(Value::as_array).filter(|_| fields.len() <= 2),
        _ => None,
    };
    list.cloned().unwrap_or_else(|| vec![answer.clone()])
}

fn flat(row: &Value) -> Map<String, Value> {
    let mut cells = Map::new();
    flatten("", row, &mut cells);
    cells
}

fn flatten(name: &str, value: &Value, cells: &mut Map<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() {
                    field.clone()
                } else {
                    format!("{name}.{field}")
                };
                flatten(&name, value, cells);
            }
        }
        value => {
            let name = if name.is_empty() { "value" } else { name };
            cells.insert(name.to_owned(), value.clone());
        }
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";")
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_become_lines_and_records_columns() {
        let answer = json!({
            "items": [
                {"day": "2026-01-01", "amount": {"minor": 100, "currency": "USD"}, "facts": ["a", "b"]},
                {"day": "2026-01-02", "amount": null, "facts": [], "note": "x, \"y\""},
            ],
            "more": false,
        });
        let expected = "day,amount.minor,amount.currency,facts,amount,note\n\
                        2026-01-01,100,USD,a;b,,\n2026-01-02,,,,,\"x, \"\"y\"\"\"\n";
        assert_eq!(text(&answer).unwrap(), expected);
        assert_eq!(
            text(&json!({"touches": 3, "weeks": 1.5, "busiest": "a"})).unwrap(),
            "touches,weeks,busiest\n3,1.5,a\n"
        );
        assert_eq!(text(&json!({"items": [], "more": false})).unwrap(), "");
    }
}
