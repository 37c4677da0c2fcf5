//! Fact lines: the friendly flat JSON that people and tools write, one fact a line. The README of this service
//! documents the format with an example of every kind.
//!
//! This module judges the form of a line: JSON, keys, types, words, days and money. Ranges are judged by `RecordFacts`,
//! which knows the time.

mod bodies;
mod moments;
mod node;
mod object;
#[cfg(test)]
mod tests;

use std::fmt;

use upswell_proto::ingestion::v1 as pb;

use self::{node::Node, object::Object};

/// The longest line, in bytes.
pub const LINE_MAX: usize = 64 * 1024;

/// One fault of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// Path of the key, e.g. `subscription.limits[0].metric`; empty when the line as a whole is meant.
    pub path: String,
    /// What is wrong and what is expected; with the column where the line is no JSON.
    pub description: String,
}

/// `path: description`.
impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, description } = self;
        let colon = if path.is_empty() { "" } else { ": " };
        write!(f, "{path}{colon}{description}")
    }
}

/// Reads one line. Errors: all faults of the line, in the order of its keys.
pub fn parse_line(line: &str) -> Result<pb::Fact, Vec<LineFault>> {
    let whole = |description: String| {
        vec![LineFault {
            path: String::new(),
            description,
        }]
    };
    if line.len() > LINE_MAX {
        return Err(whole(format!(
            "the line has {} bytes: expected at most {LINE_MAX}",
            line.len()
        )));
    }
    let node: Node = serde_json::from_str(line).map_err(|fault| whole(no_json(&fault)))?;
    let Node::Object(entries) = node else {
        return Err(whole(format!("the line is {}: expected an object", node.kind())));
    };
    let mut faults = Vec::new();
    let fact = read(&mut Object::root(&entries, &mut faults));
    if faults.is_empty() { Ok(fact) } else { Err(faults) }
}

/// What serde_json says, with the column in front; the line number is the caller's.
fn no_json(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    format!("no JSON at column {}: {reason}", fault.column())
}

fn read(line: &mut Object<'_>) -> pb::Fact {
    let fact = pb::Fact {
        source: line.text("source"),
        external_id: line.text("external_id"),
        account_id: line.text("account"),
        occur_time: line.instant("at"),
        supersedes_external_id: line.optional_text("supersedes"),
        body: bodies::read(line),
    };
    line.finish();
    fact
}
