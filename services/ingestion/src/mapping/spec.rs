//! The mapping file itself, and what is wrong with one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value as Json;
use toml::Value;

use super::{Mapping, convert::Conversion, template::Template};

/// A mapping file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The system that the facts come from.
    source: String,
    /// Separates the columns of CSV; a comma when left out.
    #[serde(default)]
    delimiter: Option<char>,
    fact: Vec<RawFact>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFact {
    body: String,
    external_id: Value,
    account: Value,
    at: Value,
    supersedes: Option<Value>,
    #[serde(default)]
    when: Vec<Condition>,
    #[serde(default)]
    fields: BTreeMap<String, Value>,
}

/// For which rows a fact is made: where the column has one of the words `is`, and none of `not`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) column: String,
    is: Option<Vec<String>>,
    #[serde(default)]
    not: Vec<String>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Spec {
    Constant(Json),
    Cell(Template, Conversion),
    List(Vec<Spec>),
    Object(BTreeMap<String, Spec>),
}

/// One fact of a row.
#[derive(Clone, Debug)]
pub(super) struct FactSpec {
    pub(super) body: String,
    pub(super) head: BTreeMap<String, Spec>,
    pub(super) fields: BTreeMap<String, Spec>,
    pub(super) when: Vec<Condition>,
}

impl File {
    /// The mapping. Errors: every fault, with its place.
    pub(super) fn read(self) -> Result<Mapping, Vec<String>> {
        let mut faults = Vec::new();
        let delimiter = self.delimiter.unwrap_or(',');
        if !delimiter.is_ascii() {
            faults.push(format!("delimiter: '{delimiter}': expected an ASCII character"));
        }
        if self.fact.is_empty() {
            faults.push("fact: there is none: expected one or more [[fact]]".to_owned());
        }
        let source = self.source;
        let facts = self.fact.into_iter().enumerate();
        let facts = facts
            .map(|(index, raw)| raw.read(&source, &format!("fact[{index}]"), &mut faults))
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Mapping {
            delimiter: u8::try_from(delimiter).unwrap_or(b','),
            facts,
        })
    }
}

impl RawFact {
    fn read(self, source: &str, place: &str, faults: &mut Vec<String>) -> FactSpec {
        let mut head = BTreeMap::from([("source".to_owned(), Spec::Constant(source.into()))]);
        let keys = [("external_id", Some(self.external_id)), ("account", Some(self.account))];
        for (key, value) in keys
            .into_iter()
            .chain([("at", Some(self.at)), ("supersedes", self.supersedes)])
        {
            if let Some(value) = value {
                head.insert(key.to_owned(), spec(value, &format!("{place}.{key}"), faults));
            }
        }
        let fields = self.fields.into_iter();
        let fields = fields.map(|(key, value)| {
            let spec = spec(value, &format!("{place}.fields.{key}"), faults);
            (key, spec)
        });
        FactSpec {
            fields: fields.collect(),
            body: self.body,
            head,
            when: self.when,
        }
    }
}

impl FactSpec {
    /// True when a row makes this fact.
    pub(super) fn applies<'a>(&self, cell: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        self.when.iter().all(|condition| {
            let found = cell(&condition.column).unwrap_or_default().trim();
            let wanted = condition
                .is
                .as_ref()
                .is_none_or(|words| words.iter().any(|word| word == found));
            wanted && !condition.not.iter().any(|word| word == found)
        })
    }

    /// The columns behind the value at a path of the fact line.
    pub(super) fn columns_at(&self, path: &str) -> Vec<String> {
        let inside = path.strip_prefix(&self.body).and_then(|rest| rest.strip_prefix('.'));
        let (specs, path) = inside.map_or((&self.head, path), |inside| (&self.fields, inside));
        let key = path.split(['.', '[']).next().unwrap_or_default();
        let mut columns = BTreeSet::new();
        if let Some(spec) = specs.get(key) {
            spec.columns_into(&mut columns);
        }
        columns.into_iter().map(str::to_owned).collect()
    }
}

impl Spec {
    pub(super) fn columns_into<'a>(&'a self, columns: &mut BTreeSet<&'a str>) {
        match self {
            Self::Constant(_) => {}
            Self::Cell(template, _) => columns.extend(template.columns()),
            Self::List(specs) => specs.iter().for_each(|spec| spec.columns_into(columns)),
            Self::Object(specs) => specs.values().for_each(|spec| spec.columns_into(columns)),
        }
    }
}

fn spec(value: Value, place: &str, faults: &mut Vec<String>) -> Spec {
    match value {
        Value::String(text) => cell(&text, Conversion::Text, place, faults),
        Value::Integer(number) => Spec::Constant(number.into()),
        Value::Boolean(flag) => Spec::Constant(flag.into()),
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            Spec::List(
                items
                    .map(|(index, item)| spec(item, &format!("{place}[{index}]"), faults))
                    .collect(),
            )
        }
        Value::Table(table) => table_spec(table, place, faults),
        other @ (Value::Float(_) | Value::Datetime(_)) => {
            faults.push(format!("{place}: {other}: expected a text, e.g. \"{other}\""));
            Spec::Constant(Json::Null)
        }
    }
}

fn cell(text: &str, conversion: Conversion, place: &str, faults: &mut Vec<String>) -> Spec {
    match Template::parse(text) {
        Ok(template) => Spec::Cell(template, conversion),
        Err(fault) => {
            faults.push(format!("{place}: {fault}"));
            Spec::Constant(Json::Null)
        }
    }
}

/// The words that make a table a conversion; any other table is an object.
const CONVERSIONS: [&str; 6] = ["whole", "money", "day", "instant", "flag", "word"];

/// A conversion as it is written, e.g. `{ money = "{mrr}", currency = "USD" }`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawConversion {
    whole: Option<String>,
    money: Option<String>,
    currency: Option<String>,
    day: Option<String>,
    instant: Option<String>,
    format: Option<String>,
    zone: Option<String>,
    days: Option<i32>,
    flag: Option<String>,
    is: Option<Vec<String>>,
    word: Option<String>,
    map: Option<BTreeMap<String, String>>,
    otherwise: Option<String>,
}

fn table_spec(table: toml::Table, place: &str, faults: &mut Vec<String>) -> Spec {
    if !CONVERSIONS
        .iter()
        .any(|name| table.get(*name).is_some_and(Value::is_str))
    {
        let specs = table.into_iter().map(|(key, value)| {
            let spec = spec(value, &format!("{place}.{key}"), faults);
            (key, spec)
        });
        return Spec::Object(specs.collect());
    }
    let read: Result<RawConversion, _> = Value::Table(table).try_into();
    let found = read.map_err(|fault| fault.message().to_owned()).and_then(conversion);
    match found {
        Ok((text, conversion)) => cell(&text, conversion, place, faults),
        Err(fault) => {
            faults.push(format!("{place}: {fault}"));
            Spec::Constant(Json::Null)
        }
    }
}

fn conversion(raw: RawConversion) -> Result<(String, Conversion), String> {
    let days = raw.days.unwrap_or(0);
    // Ten thousand years are the calendar's own bounds; more is a slip, and a span cannot hold it.
    if days.unsigned_abs() > 3_660_000 {
        return Err(format!("days = {days}: that is more than the calendar has"));
    }
    let format = |default: &str| raw.format.clone().unwrap_or_else(|| default.to_owned());
    if let Some(text) = raw.whole {
        return Ok((text, Conversion::Whole));
    }
    if let Some(text) = raw.money {
        let currency = raw
            .currency
            .ok_or("an amount needs its currency, e.g. currency = \"USD\"")?;
        return Ok((text, Conversion::Money { currency }));
    }
    if let Some(text) = raw.day {
        return Ok((
            text,
            Conversion::Day {
                format: format("%Y-%m-%d"),
                days,
            },
        ));
    }
    if let Some(text) = raw.instant {
        let name = raw.zone.as_deref().unwrap_or("UTC");
        let zone = TimeZone::get(name).map_err(|_| format!("unknown time zone \"{name}\""))?;
        let format = format("%Y-%m-%d %H:%M:%S");
        return Ok((text, Conversion::Instant { format, zone, days }));
    }
    if let Some(text) = raw.flag {
        let truths = raw
            .is
            .unwrap_or_else(|| ["true", "yes", "1"].map(str::to_owned).to_vec());
        return Ok((text, Conversion::Flag { truths }));
    }
    let text = raw
        .word
        .ok_or("expected one of whole, money, day, instant, flag, word")?;
    let (words, otherwise) = (raw.map.unwrap_or_default(), raw.otherwise);
    if let Some(other) = otherwise.as_ref().filter(|other| other.contains(['{', '}'])) {
        return Err(format!(
            "otherwise = \"{other}\" is a constant: leave it out to keep words that are not listed"
        ));
    }
    Ok((text, Conversion::Word { words, otherwise }))
}
