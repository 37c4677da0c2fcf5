//! What is wrong with a request, field by field, collected before anything is answered.

use std::fmt;

use super::Problem;

/// One field which is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path in the request, e.g. `facts[3].amount`.
    pub field: String,
    /// What is wrong with it, lower case, no full stop.
    pub description: String,
}

/// Collects violations; conversions take `&mut Violations` and go on after the first fault.
#[derive(Clone, Debug, Default)]
pub struct Violations {
    prefix: String,
    list: Vec<Violation>,
}

impl Violations {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `field`, below the present prefix, is wrong.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.list.push(Violation {
            field: join(&self.prefix, &field.into()),
            description: description.into(),
        });
    }

    /// Runs `check` with every field it adds below `prefix`: `at("facts[3]", |v| fact(wire, v))`.
    pub fn at<T>(&mut self, prefix: impl fmt::Display, check: impl FnOnce(&mut Self) -> T) -> T {
        let deeper = join(&self.prefix, &prefix.to_string());
        let outer = std::mem::replace(&mut self.prefix, deeper);
        let result = check(self);
        self.prefix = outer;
        result
    }

    /// The value of a parsed field, or None with the fault noted.
    pub fn take<T, E: fmt::Display>(&mut self, field: impl Into<String>, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|fault| self.add(field, fault.to_string())).ok()
    }

    /// True while nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Ok, or INVALID_ARGUMENT with all of them.
    pub fn into_result(self) -> Result<(), Problem> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self))
        }
    }

    /// The violations in the order they were found.
    pub fn into_vec(self) -> Vec<Violation> {
        self.list
    }
}

fn join(prefix: &str, field: &str) -> String {
    match (prefix.is_empty(), field.is_empty()) {
        (true, _) => field.to_owned(),
        (_, true) => prefix.to_owned(),
        _ => format!("{prefix}.{field}"),
    }
}
