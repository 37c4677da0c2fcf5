//! Fact lines in the import format, and the noise in them.

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Map, Value, json};
use upswell_runtime::ids;

/// Lines of a `facts.jsonl` as they grow.
pub struct Lines {
    seed: &'static str,
    text: String,
}

impl Lines {
    /// No lines yet; `seed` decides all noise.
    pub fn new(seed: &'static str) -> Self {
        Self {
            seed,
            text: String::new(),
        }
    }

    /// A number from 0 up to 1 that depends on the seed and on what it is for, never on the order of calls.
    pub fn chance(&self, what: &[&str]) -> f64 {
        let bits = ids::derive(self.seed, what).as_u128() & u128::from(u32::MAX);
        f64::from(u32::try_from(bits).unwrap_or_default()) / f64::from(u32::MAX)
    }

    /// A whole number from `low` to `high`, both included.
    pub fn pick(&self, low: i64, high: i64, what: &[&str]) -> i64 {
        let width = (high - low + 1) as f64;
        low + ((self.chance(what) * width) as i64).min(high - low)
    }

    /// A fact about `account`.
    pub fn fact(&mut self, source: &str, external_id: &str, account: &str, at: Timestamp, body: &str, content: Value) {
        self.full_fact(source, external_id, account, at, body, content, &[]);
    }

    /// A fact with further keys in its head, e.g. `known_at` or `supersedes`.
    #[expect(clippy::too_many_arguments, reason = "the head of a fact has this many parts")]
    pub fn full_fact(
        &mut self,
        source: &str,
        external_id: &str,
        account: &str,
        at: Timestamp,
        body: &str,
        content: Value,
        head: &[(&str, Value)],
    ) {
        let mut line = Map::new();
        for (key, value) in [("source", source), ("external_id", external_id), ("account", account)] {
            line.insert(key.to_owned(), json!(value));
        }
        line.insert("at".to_owned(), json!(at.to_string()));
        for (key, value) in head {
            line.insert((*key).to_owned(), value.clone());
        }
        line.insert(body.to_owned(), content);
        self.raw(&Value::Object(line).to_string());
    }

    /// A line as it is, broken or not.
    pub fn raw(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The whole file.
    pub fn finish(self) -> String {
        self.text
    }
}

/// A day that exists.
///
/// # Panics
/// `text` is no ISO date: the generator itself is wrong.
pub(crate) fn day(text: &str) -> Date {
    text.parse().expect("the generator names real days")
}

/// `days` days after `from`.
pub(crate) fn plus(from: Date, days: i64) -> Date {
    from.saturating_add(Span::new().days(days))
}

/// An instant on a day, in UTC.
pub(crate) fn at(day: Date, hour: i8, minute: i8) -> Timestamp {
    day.at(hour, minute, 0, 0)
        .to_zoned(TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

/// Monday to Friday.
pub(crate) fn is_workday(day: Date) -> bool {
    day.weekday().to_monday_one_offset() <= 5
}
