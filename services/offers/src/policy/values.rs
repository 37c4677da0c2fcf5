//! Single values: words, names, numbers, money. Each says what it expected, where, and what would be right.

use std::{collections::BTreeSet, fmt::Display, str::FromStr};

use upswell_runtime::{
    money::{Currency, Money, Period},
    text,
};

use super::{
    fault::{Faults, did_you_mean},
    fields::{At, Fields},
    node::Value,
};
use crate::domain::vocabulary::UnknownWord;

/// What an amount may be at most, in minor units: below it every figure of a YAML decimal is exact.
const MAX_MINOR: i64 = 1_000_000_000_000_000;

impl At<'_> {
    /// One line for people. Control, bidirectional and invisible characters are refused.
    pub(super) fn line_of_text(&self, max: usize, faults: &mut Faults) -> Option<String> {
        let text = self.raw(faults)?;
        match text::clean(&text, max) {
            Ok(clean) if clean.is_empty() => self.fault(faults, "must not be empty", ""),
            Ok(clean) => return Some(clean),
            Err(_) if text.trim().contains('\n') => self.fault(faults, "must be one line", "no line breaks here"),
            Err(fault) => self.fault(faults, &fault.to_string(), ""),
        }
        None
    }

    /// Lines for people, as they stand.
    pub(super) fn lines_of_text(&self, max: usize, faults: &mut Faults) -> Option<String> {
        let text = self.raw(faults)?;
        for line in text.lines() {
            if let Err(fault) = text::clean(line, max) {
                self.fault(faults, &fault.to_string(), "");
                return None;
            }
        }
        if text.trim().is_empty() {
            self.fault(faults, "must not be empty", "");
            return None;
        }
        Some(text.trim_end().to_owned())
    }

    /// An identifier.
    pub(super) fn key(&self, faults: &mut Faults) -> Option<String> {
        let raw = self.raw(faults)?;
        match text::key(&raw) {
            Ok(key) if key == raw => return Some(key),
            Ok(key) => self.fault(faults, "must be written in its normal form", &format!("write `{key}`")),
            Err(fault) => self.fault(faults, &fault.to_string(), ""),
        }
        None
    }

    /// A word of a closed set.
    pub(super) fn word<T: FromStr<Err = UnknownWord>>(&self, faults: &mut Faults) -> Option<T> {
        let raw = self.raw(faults)?;
        match raw.parse() {
            Ok(word) => Some(word),
            Err(fault) => {
                let hint = did_you_mean(&raw, fault.expected.split(", "));
                self.fault(faults, &format!("unknown {} `{raw}`", fault.set), &hint);
                None
            }
        }
    }

    /// A list of words of a closed set, in order, each once.
    pub(super) fn words<T: FromStr<Err = UnknownWord> + PartialEq + Display + Copy>(
        &self,
        faults: &mut Faults,
    ) -> Vec<T> {
        let mut words = Vec::new();
        for item in self.items(faults) {
            let Some(word) = item.word::<T>(faults) else { continue };
            if words.contains(&word) {
                item.fault(faults, &format!("`{word}` is in the list twice"), "");
            } else {
                words.push(word);
            }
        }
        words
    }

    /// A list of identifiers.
    pub(super) fn keys(&self, faults: &mut Faults) -> BTreeSet<String> {
        self.items(faults).iter().filter_map(|item| item.key(faults)).collect()
    }

    /// A whole number within bounds.
    pub(super) fn integer(&self, least: i64, most: i64, faults: &mut Faults) -> Option<i64> {
        match self.node.value {
            Value::Integer(value) if (least..=most).contains(&value) => Some(value),
            Value::Integer(value) => {
                self.fault(
                    faults,
                    &format!("{value} is out of range"),
                    &format!("from {least} to {most}"),
                );
                None
            }
            _ => {
                self.expected(faults, "a whole number", &format!("from {least} to {most}"));
                None
            }
        }
    }

    /// A number within bounds.
    pub(super) fn number(&self, least: f64, most: f64, faults: &mut Faults) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "the bounds are small")]
        let value = match self.node.value {
            Value::Integer(value) => value as f64,
            Value::Decimal(value) => value,
            _ => {
                self.expected(faults, "a number", &format!("from {least} to {most}"));
                return None;
            }
        };
        if (least..=most).contains(&value) {
            return Some(value);
        }
        self.fault(
            faults,
            &format!("{value} is out of range"),
            &format!("from {least} to {most}"),
        );
        None
    }

    /// True or false.
    pub(super) fn boolean(&self, faults: &mut Faults) -> Option<bool> {
        if let Value::Bool(value) = self.node.value {
            return Some(value);
        }
        self.expected(faults, "true or false", "");
        None
    }

    /// Whether this is the word `word`.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(&self.node.value, Value::Text(text) if text == word)
    }

    /// An amount in units of the currency, e.g. `29.99`; not negative.
    pub(super) fn amount(&self, currency: Currency, faults: &mut Faults) -> Option<Money> {
        let digits = match &self.node.value {
            Value::Integer(value) => value.to_string(),
            Value::Decimal(value) => value.to_string(),
            Value::Text(text) => text.clone(),
            _ => {
                self.expected(faults, "an amount", "a number such as 29.99");
                return None;
            }
        };
        match minor(&digits, currency.exponent()) {
            Ok(minor) => Some(Money::new(minor, currency)),
            Err(problem) => {
                self.fault(
                    faults,
                    &format!("`{digits}`: {problem}"),
                    "an amount such as 29.99, not negative",
                );
                None
            }
        }
    }

    fn raw(&self, faults: &mut Faults) -> Option<String> {
        match &self.node.value {
            Value::Text(text) => Some(text.clone()),
            // A name such as `2024` is a name.
            Value::Integer(value) => Some(value.to_string()),
            _ => {
                self.expected(faults, "text", "put it in quotes");
                None
            }
        }
    }
}

impl Fields<'_> {
    /// The currency of the table, which every amount needs.
    pub(super) fn currency(&self, faults: &mut Faults) -> Option<Currency> {
        let at = self.required("currency", faults, "an amount needs a currency, e.g. `currency: USD`")?;
        let code = at.raw(faults)?;
        match code.parse() {
            Ok(currency) => Some(currency),
            Err(fault) => {
                at.fault(
                    faults,
                    &format!("{fault}"),
                    "an ISO 4217 code in capitals, e.g. USD, EUR, KZT",
                );
                None
            }
        }
    }

    /// The billing period of the table.
    pub(super) fn period(&self, faults: &mut Faults) -> Option<Period> {
        let at = self.required("period", faults, "month, quarter, year, week or day")?;
        let word = at.raw(faults)?;
        match word.parse() {
            Ok(period) => Some(period),
            Err(fault) => {
                at.fault(faults, &format!("{fault}"), "month, quarter, year, week or day");
                None
            }
        }
    }
}

/// Minor units of a decimal, e.g. `29.9` with two decimals is 2990.
fn minor(digits: &str, exponent: u32) -> Result<i64, &'static str> {
    let (units, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if units.starts_with('-') {
        return Err("must not be negative");
    }
    if units.is_empty() || !numeric(units) || !numeric(rest) {
        return Err("is not an amount");
    }
    let places = exponent as usize;
    if rest.trim_end_matches('0').len() > places {
        return Err("has more decimals than the currency");
    }
    let rest: String = rest.chars().chain(std::iter::repeat('0')).take(places).collect();
    let minor: i64 = format!("{units}{rest}").parse().map_err(|_| "is too large")?;
    if minor > MAX_MINOR {
        Err("is too large")
    } else {
        Ok(minor)
    }
}
