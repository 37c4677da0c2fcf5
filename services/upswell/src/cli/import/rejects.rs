//! The report of rows that were not taken: one JSON object a line, enough to mend and import again.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::lines::Line;

/// How many rows are told at once on the terminal.
const SHOWN: usize = 10;
/// Characters of a line in the report, so that a line without end does not fill the disk.
const TEXT_MAX: usize = upswell_ingestion::jsonl::LINE_MAX;

/// One fault of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fault {
    /// Path of the key; empty when the line as a whole is meant.
    pub(super) path: String,
    /// What is wrong, with the column where the line cannot be read.
    pub(super) reason: String,
}

#[derive(Serialize)]
struct Reject<'a> {
    line: u64,
    outcome: &'a str,
    faults: &'a [Fault],
    /// The line itself, its beginning where it is too long; what is no UTF-8 is replaced.
    text: &'a str,
}

/// The report; its file is made with its first row.
pub(super) struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    first: Vec<String>,
}

impl Rejects {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            first: Vec::new(),
        }
    }

    /// Adds a row.
    pub(super) fn report(&mut self, line: &Line, outcome: &str, faults: Vec<Fault>) -> Result<()> {
        let named = || self.path.display().to_string();
        let file = match &mut self.file {
            Some(file) => file,
            empty => empty.insert(BufWriter::new(File::create(&self.path).with_context(named)?)),
        };
        let text: String = String::from_utf8_lossy(&line.bytes).chars().take(TEXT_MAX).collect();
        serde_json::to_writer(
            &mut *file,
            &Reject {
                line: line.number,
                outcome,
                faults: &faults,
                text: &text,
            },
        )?;
        file.write_all(b"\n").with_context(named)?;
        if self.first.len() < SHOWN {
            self.first.push(told(line.number, outcome, &faults));
        }
        Ok(())
    }

    /// The file and its first rows, once everything is written.
    pub(super) fn finish(self) -> Result<(Option<PathBuf>, Vec<String>)> {
        let Some(mut file) = self.file else {
            return Ok((None, self.first));
        };
        file.flush().with_context(|| self.path.display().to_string())?;
        Ok((Some(self.path), self.first))
    }
}

fn told(line: u64, outcome: &str, faults: &[Fault]) -> String {
    let fault = |Fault { path, reason }: &Fault| {
        if path.is_empty() {
            reason.clone()
        } else {
            format!("{path}: {reason}")
        }
    };
    format!(
        "line {line} {outcome}: {}",
        faults.iter().map(fault).collect::<Vec<_>>().join("; ")
    )
}
