//! Reads the keys of one JSON object. A faulty key is noted and gives a default, and reading goes on.

use jiff::{Timestamp, civil::Date};
use upswell_proto::gtype;
use upswell_runtime::money;

use super::{LineFault, node::Node};
use crate::{
    api::convert::{day, wire_time, words::Word},
    domain::rules::shown,
};

/// An object, its path, and which keys it may have.
pub(super) struct Object<'a> {
    path: String,
    entries: &'a [(String, Node)],
    known: Vec<&'static str>,
    faults: &'a mut Vec<LineFault>,
}

impl<'a> Object<'a> {
    /// The object that a line is.
    pub(super) fn root(entries: &'a [(String, Node)], faults: &'a mut Vec<LineFault>) -> Self {
        Self {
            path: String::new(),
            entries,
            known: Vec::new(),
            faults,
        }
    }

    /// True when `key` stands with a value; does not ask for it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries
            .iter()
            .any(|(name, node)| name == key && *node != Node::Null)
    }

    pub(super) fn fault(&mut self, key: &str, description: impl Into<String>) {
        let path = join(&self.path, key);
        self.faults.push(LineFault {
            path,
            description: description.into(),
        });
    }

    /// Says that `key` may stand here.
    pub(super) fn knows(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// Notes the keys that are unknown or stand twice. To be called when all known keys were asked for.
    pub(super) fn finish(&mut self) {
        for (index, (name, _)) in self.entries.iter().enumerate() {
            if !self.known.contains(&name.as_str()) {
                let known = self.known.join(", ");
                self.fault(&shown(name), format!("unknown key: expected one of {known}"));
            } else if self.entries[..index].iter().any(|(earlier, _)| earlier == name) {
                self.fault(name, "stands twice: expected each key once");
            }
        }
    }

    fn optional<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Node) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        let (_, node) = self.entries.iter().find(|(name, _)| name == key)?;
        if *node == Node::Null {
            return None;
        }
        let value = read(node);
        if value.is_none() {
            let found = match node {
                Node::Text(text) => format!("\"{}\"", shown(text)),
                Node::Number(number) => number.to_string(),
                other => other.kind().to_owned(),
            };
            self.fault(key, format!("{found}: expected {expected}"));
        }
        value
    }

    fn required<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Node) -> Option<T>,
    ) -> Option<T> {
        if !self.has(key) {
            self.known.push(key);
            self.fault(key, format!("required: expected {expected}"));
            return None;
        }
        self.optional(key, expected, read)
    }

    pub(super) fn text(&mut self, key: &'static str) -> String {
        self.required(key, "a string", as_text).unwrap_or_default().to_owned()
    }

    pub(super) fn optional_text(&mut self, key: &'static str) -> String {
        self.optional(key, "a string", as_text).unwrap_or_default().to_owned()
    }

    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        self.maybe_flag(key).unwrap_or_default()
    }

    /// A flag that may be left out, which is not false.
    pub(super) fn maybe_flag(&mut self, key: &'static str) -> Option<bool> {
        let read = |node: &Node| if let Node::Bool(flag) = node { Some(*flag) } else { None };
        self.optional(key, "true or false", read)
    }

    pub(super) fn count(&mut self, key: &'static str) -> i64 {
        self.required(key, WHOLE, as_whole).unwrap_or_default()
    }

    pub(super) fn optional_count(&mut self, key: &'static str, default: i64) -> i64 {
        self.optional(key, WHOLE, as_whole).unwrap_or(default)
    }

    /// A number that may be left out, which is not zero.
    pub(super) fn maybe_count(&mut self, key: &'static str) -> Option<i64> {
        self.optional(key, WHOLE, as_whole)
    }

    /// A number of 32 bits; one beyond them stays beyond every range.
    pub(super) fn small(&mut self, key: &'static str) -> i32 {
        i32::try_from(self.count(key)).unwrap_or(i32::MAX)
    }

    /// A number of 32 bits that may be left out.
    pub(super) fn maybe_small(&mut self, key: &'static str) -> Option<i32> {
        let number = self.maybe_count(key)?;
        Some(i32::try_from(number).unwrap_or(i32::MAX))
    }

    /// The wire number of a word that may be left out.
    pub(super) fn optional_word<W: Word>(&mut self, key: &'static str, from_word: impl Fn(&str) -> Option<W>) -> i32 {
        let word = self.optional(key, W::EXPECTED, |node| as_text(node).and_then(from_word));
        word.map(W::to_wire).unwrap_or_default()
    }

    /// The wire number of a word.
    pub(super) fn word<W: Word>(&mut self, key: &'static str, from_word: impl Fn(&str) -> Option<W>) -> i32 {
        let word = self.required(key, W::EXPECTED, |node| as_text(node).and_then(from_word));
        word.map(W::to_wire).unwrap_or_default()
    }

    pub(super) fn day(&mut self, key: &'static str) -> Option<gtype::Date> {
        self.required(key, DAY, as_day)
    }

    pub(super) fn optional_day(&mut self, key: &'static str) -> Option<gtype::Date> {
        self.optional(key, DAY, as_day)
    }

    pub(super) fn instant(&mut self, key: &'static str) -> Option<prost_types::Timestamp> {
        self.required(key, INSTANT, as_instant)
    }

    pub(super) fn optional_instant(&mut self, key: &'static str) -> Option<prost_types::Timestamp> {
        self.optional(key, INSTANT, as_instant)
    }

    /// `"<decimal> <ISO 4217>"`.
    pub(super) fn money(&mut self, key: &'static str) -> Option<gtype::Money> {
        let text = self.required(key, MONEY, as_text)?;
        self.amount(key, text)
    }

    /// An amount that may be left out.
    pub(super) fn optional_money(&mut self, key: &'static str) -> Option<gtype::Money> {
        let text = self.optional(key, MONEY, as_text)?;
        self.amount(key, text)
    }

    fn amount(&mut self, key: &str, text: &str) -> Option<gtype::Money> {
        let amount = decimal(text).ok_or_else(|| format!("\"{}\": expected {MONEY}", shown(text)));
        let checked = amount.and_then(|amount| match money::from_proto(&amount) {
            Ok(_) => Ok(amount),
            Err(fault) => Err(format!("\"{}\": {fault}", shown(text))),
        });
        checked.map_err(|description| self.fault(key, description)).ok()
    }

    /// Reads the object at `key`, which stands.
    pub(super) fn object<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Object<'_>) -> T) -> Option<T> {
        let entries = self.required(key, "an object", as_object)?;
        Some(self.nested(key, entries, read))
    }

    /// Reads the object at `key`, if it stands.
    pub(super) fn optional_object<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Object<'_>) -> T,
    ) -> Option<T> {
        let entries = self.optional(key, "an object", as_object)?;
        Some(self.nested(key, entries, read))
    }

    /// Reads the objects in the list at `key`; none when it does not stand.
    pub(super) fn objects<T>(&mut self, key: &'static str, read: impl Fn(&mut Object<'_>) -> T) -> Vec<T> {
        let list = self.optional(key, "a list of objects", |node| match node {
            Node::List(list) => Some(list),
            _ => None,
        });
        let mut items = Vec::new();
        for (index, node) in list.into_iter().flatten().enumerate() {
            let place = format!("{key}[{index}]");
            match as_object(node) {
                Some(entries) => items.push(self.nested(&place, entries, &read)),
                None => self.fault(&place, format!("{}: expected an object", node.kind())),
            }
        }
        items
    }

    fn nested<T>(&mut self, key: &str, entries: &[(String, Node)], read: impl FnOnce(&mut Object<'_>) -> T) -> T {
        let path = join(&self.path, key);
        let mut object = Object {
            path,
            entries,
            known: Vec::new(),
            faults: self.faults,
        };
        let value = read(&mut object);
        object.finish();
        value
    }
}

const WHOLE: &str = "a whole number";
const DAY: &str = "a day such as 2026-10-12";
const INSTANT: &str = "an instant with offset such as 2026-10-12T05:00:00Z";
const MONEY: &str = "an amount and a currency such as \"240000.00 KZT\"";

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn as_text(node: &Node) -> Option<&str> {
    if let Node::Text(text) = node { Some(text) } else { None }
}

fn as_whole(node: &Node) -> Option<i64> {
    if let Node::Whole(number) = node {
        Some(*number)
    } else {
        None
    }
}

fn as_object(node: &Node) -> Option<&[(String, Node)]> {
    if let Node::Object(entries) = node {
        Some(entries)
    } else {
        None
    }
}

/// Exactly `YYYY-MM-DD`: jiff alone would also take an instant and drop its time.
fn as_day(node: &Node) -> Option<gtype::Date> {
    let text = as_text(node).filter(|text| text.len() == 10 && text.as_bytes()[4] == b'-')?;
    text.parse::<Date>().ok().map(day)
}

fn as_instant(node: &Node) -> Option<prost_types::Timestamp> {
    as_text(node)?.parse::<Timestamp>().ok().map(wire_time)
}

/// A decimal with at most nine places and a code after one space; exact, without floating point.
fn decimal(text: &str) -> Option<gtype::Money> {
    let (number, currency_code) = text.split_once(' ')?;
    let (sign, digits) = number.strip_prefix('-').map_or((1, number), |digits| (-1, digits));
    let (whole, places) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(places) || places.len() > 9 {
        return None;
    }
    let units = whole.parse::<i64>().ok()? * sign;
    let nanos = format!("{places:0<9}").parse::<i32>().ok()? * i32::try_from(sign).ok()?;
    Some(gtype::Money {
        currency_code: currency_code.to_owned(),
        units,
        nanos,
    })
}
