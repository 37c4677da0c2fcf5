//! Reading a table key by key: what is missing, what is too much, and where.

use std::cell::RefCell;

use super::{
    fault::{Faults, did_you_mean},
    node::{Node, Value},
};

/// A value with its place, ready to be read.
#[derive(Clone)]
pub(super) struct At<'a> {
    pub(super) node: &'a Node,
    pub(super) place: String,
}

/// The keys of a table. Every key that is asked for is known; [`Fields::close`] complains about the rest.
pub(super) struct Fields<'a> {
    entries: Vec<(&'a str, u64, &'a Node)>,
    known: RefCell<Vec<&'static str>>,
    place: String,
    line: u64,
}

impl<'a> At<'a> {
    /// The root of a file.
    pub(super) const fn root(node: &'a Node) -> Self {
        Self {
            node,
            place: String::new(),
        }
    }

    /// Says that something is wrong here.
    pub(super) fn fault(&self, faults: &mut Faults, problem: &str, hint: &str) {
        faults.add(Some(self.node.line), &self.place, problem, hint);
    }

    /// Says that this is not what was expected.
    pub(super) fn expected(&self, faults: &mut Faults, what: &str, hint: &str) {
        self.fault(faults, &format!("expected {what}, found {}", self.node.kind()), hint);
    }

    /// The table that this is; a fault when it is none.
    pub(super) fn fields(&self, faults: &mut Faults) -> Option<Fields<'a>> {
        let entries = self.entries(faults)?;
        let entries = entries
            .into_iter()
            .map(|(key, line, at)| (key, line, at.node))
            .collect();
        Some(Fields {
            entries,
            known: RefCell::default(),
            place: self.place.clone(),
            line: self.node.line,
        })
    }

    /// The entries of a table whose keys are free: key, its line, value.
    pub(super) fn entries(&self, faults: &mut Faults) -> Option<Vec<(&'a str, u64, Self)>> {
        let Value::Map(entries) = &self.node.value else {
            self.expected(faults, "a table", "write `key: value` lines, indented below");
            return None;
        };
        let entry = |(key, node): &'a (serde_saphyr::Spanned<String>, Node)| {
            (
                key.value.as_str(),
                key.referenced.line(),
                Self {
                    node,
                    place: join(&self.place, &key.value),
                },
            )
        };
        Some(entries.iter().map(entry).collect())
    }

    /// The items of a list; a fault when it is none.
    pub(super) fn items(&self, faults: &mut Faults) -> Vec<Self> {
        let Value::List(items) = &self.node.value else {
            self.expected(faults, "a list", "write `[one, two]`");
            return Vec::new();
        };
        let item = |(index, node)| Self {
            node,
            place: format!("{}[{index}]", self.place),
        };
        items.iter().enumerate().map(item).collect()
    }
}

impl<'a> Fields<'a> {
    /// The value of a key that may be left out.
    pub(super) fn optional(&self, key: &'static str) -> Option<At<'a>> {
        self.known.borrow_mut().push(key);
        let (_, _, node) = self.entries.iter().find(|(name, _, _)| *name == key)?;
        Some(At {
            node,
            place: join(&self.place, key),
        })
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, key: &'static str, faults: &mut Faults, hint: &str) -> Option<At<'a>> {
        let found = self.optional(key);
        if found.is_none() {
            faults.add(Some(self.line), &join(&self.place, key), "is missing", hint);
        }
        found
    }

    /// Says that something is wrong with the table as a whole.
    pub(super) fn fault(&self, faults: &mut Faults, key: &str, problem: &str, hint: &str) {
        let line = self
            .entries
            .iter()
            .find(|(name, _, _)| *name == key)
            .map_or(self.line, |(_, line, _)| *line);
        faults.add(Some(line), &join(&self.place, key), problem, hint);
    }

    /// Every key that was never asked for is unknown.
    pub(super) fn close(&self, faults: &mut Faults) {
        let known = self.known.borrow();
        for (key, line, _) in self.entries.iter().filter(|(key, _, _)| !known.contains(key)) {
            let hint = did_you_mean(key, known.iter().copied());
            faults.add(Some(*line), &join(&self.place, key), "unknown key", &hint);
        }
    }
}

fn join(place: &str, key: &str) -> String {
    if place.is_empty() {
        key.to_owned()
    } else {
        format!("{place}.{key}")
    }
}
