//! What differs between two contents of one fact, by the paths of the contract.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{fact::Fact, rules::shown};

/// What there is to say about one field of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// Path of the field, e.g. `usage.value`.
    pub field: String,
    /// What is wrong and what is expected, or both values of a conflict.
    pub description: String,
}

/// The fields in which `refused` differs from what is `recorded`, by path.
pub fn differences(recorded: &Fact, refused: &Fact) -> Vec<FieldFault> {
    if recorded.body.kind() != refused.body.kind() {
        let description = format!(
            "recorded as {}, now {}",
            recorded.body.kind().as_str(),
            refused.body.kind().as_str()
        );
        return vec![FieldFault {
            field: "body".to_owned(),
            description,
        }];
    }
    let (recorded, refused) = (leaves(recorded), leaves(refused));
    let paths: BTreeSet<&String> = recorded.keys().chain(refused.keys()).collect();
    let differing = paths
        .into_iter()
        .filter(|path| recorded.get(*path) != refused.get(*path));
    differing
        .map(|path| {
            let (was, is) = (text(recorded.get(path)), text(refused.get(path)));
            FieldFault {
                field: path.clone(),
                description: format!("recorded as {was}, now {is}"),
            }
        })
        .collect()
}

fn text(value: Option<&String>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| shown(value))
}

fn leaves(fact: &Fact) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    // Every field of a fact has a JSON form, so the null of the fallback is never seen.
    collect("", &serde_json::to_value(fact).unwrap_or(Value::Null), &mut leaves);
    leaves
}

fn collect(path: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let deeper = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(&deeper, value, leaves);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(&format!("{path}[{index}]"), value, leaves);
            }
        }
        Value::Null => {}
        leaf => drop(leaves.insert(path.to_owned(), leaf.to_string())),
    }
}
