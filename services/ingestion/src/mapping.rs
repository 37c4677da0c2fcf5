//! Mapping files: how rows of somebody else's table become facts (I-7). A mapping is TOML: one `[[fact]]` per fact that a
//! row says, each value a text with `{columns}` or a conversion. A row becomes fact lines ([`crate::jsonl`]), so that it is
//! judged by the same rules and every fault names the column that it comes from.

mod convert;
mod spec;
mod template;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use upswell_proto::ingestion::v1 as pb;

use self::spec::{FactSpec, File, Spec};
use crate::jsonl::parse_line;

/// One fault of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// The columns that the value comes from; empty for a constant or a missing value.
    pub columns: Vec<String>,
    /// Path of the key in the fact line.
    pub path: String,
    /// What is wrong and what is expected.
    pub reason: String,
}

/// How rows become facts.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Separates the columns of CSV.
    pub delimiter: u8,
    facts: Vec<FactSpec>,
}

impl Mapping {
    /// Reads a mapping file. Errors: everything that is wrong with it, a line each.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let file: File = toml::from_str(text).map_err(|fault| vec![fault.to_string()])?;
        file.read()
    }

    /// Every column that the mapping names.
    pub fn columns(&self) -> BTreeSet<&str> {
        let mut columns = BTreeSet::new();
        for fact in &self.facts {
            fact.head
                .values()
                .chain(fact.fields.values())
                .for_each(|spec| spec.columns_into(&mut columns));
            columns.extend(fact.when.iter().map(|condition| condition.column.as_str()));
        }
        columns
    }

    /// The facts that a row says; `cell` gives the text of a column. Errors: all faults of all its facts, so that nothing
    /// of a faulty row is kept.
    pub fn facts<'a>(&self, cell: &dyn Fn(&str) -> Option<&'a str>) -> Result<Vec<pb::Fact>, Vec<RowFault>> {
        let (mut facts, mut faults) = (Vec::new(), Vec::new());
        for spec in self.facts.iter().filter(|spec| spec.applies(cell)) {
            match one(spec, cell) {
                Ok(fact) => facts.push(fact),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(facts) } else { Err(faults) }
    }
}

fn one<'a>(spec: &FactSpec, cell: &dyn Fn(&str) -> Option<&'a str>) -> Result<pb::Fact, Vec<RowFault>> {
    let mut faults = Vec::new();
    let mut line = object(&spec.head, "", cell, &mut faults);
    let body = object(&spec.fields, &spec.body, cell, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    line.insert(spec.body.clone(), Json::Object(body));
    parse_line(&Json::Object(line).to_string()).map_err(|faults| {
        let told = faults.into_iter().map(|fault| RowFault {
            columns: spec.columns_at(&fault.path),
            path: fault.path,
            reason: fault.description,
        });
        told.collect()
    })
}

/// The keys that have a value in this row.
fn object<'a>(
    specs: &BTreeMap<String, Spec>,
    path: &str,
    cell: &dyn Fn(&str) -> Option<&'a str>,
    faults: &mut Vec<RowFault>,
) -> Map<String, Json> {
    let mut object = Map::new();
    for (key, spec) in specs {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        if let Some(value) = value(spec, &path, cell, faults) {
            object.insert(key.clone(), value);
        }
    }
    object
}

fn value<'a>(
    spec: &Spec,
    path: &str,
    cell: &dyn Fn(&str) -> Option<&'a str>,
    faults: &mut Vec<RowFault>,
) -> Option<Json> {
    match spec {
        Spec::Constant(value) => Some(value.clone()),
        Spec::Object(specs) => Some(Json::Object(object(specs, path, cell, faults))),
        Spec::List(specs) => {
            let items = specs.iter().enumerate();
            let items = items.filter_map(|(index, spec)| value(spec, &format!("{path}[{index}]"), cell, faults));
            Some(Json::Array(items.collect()))
        }
        Spec::Cell(template, conversion) => {
            let text = template.fill(cell);
            if text.is_empty() {
                return None;
            }
            let fault = |reason| RowFault {
                columns: template.columns().map(str::to_owned).collect(),
                path: path.to_owned(),
                reason,
            };
            conversion
                .convert(&text)
                .map_err(|reason| faults.push(fault(reason)))
                .ok()
        }
    }
}
