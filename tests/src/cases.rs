//! Makes the raw facts of the shipped cases from a seed. The files in `tests/cases` are its output; a test compares them.

mod frontier;
mod lines;
mod model;

use std::{fs, io, path::Path};

pub use lines::Lines;

/// A shipped case: its folder below `tests/cases` and its facts.
pub struct ShippedCase {
    /// Name of the folder.
    pub name: &'static str,
    /// Content of `facts.jsonl`.
    pub facts: fn() -> String,
}

/// Every shipped case.
pub const SHIPPED: [ShippedCase; 2] = [
    ShippedCase {
        name: "model",
        facts: model::facts,
    },
    ShippedCase {
        name: "frontier",
        facts: frontier::facts,
    },
];

/// Writes the facts of every shipped case below `folder`.
///
/// # Errors
/// A folder is missing or cannot be written.
pub fn write_all(folder: &Path) -> io::Result<()> {
    SHIPPED
        .iter()
        .try_for_each(|case| fs::write(folder.join(case.name).join("facts.jsonl"), (case.facts)()))
}
