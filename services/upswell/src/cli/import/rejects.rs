//! The report of rows that were not taken: one JSON object a line, enough to mend and import again; or, in a file that
//! ends with `.csv`, a row a fault.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
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
    /// The columns that the value comes from; empty without a mapping, or when the row as a whole is meant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) column: String,
    /// Path of the key; empty when the line as a whole is meant.
    pub(super) path: String,
    /// What is wrong, with the column where the line cannot be read.
    pub(super) reason: String,
}

impl Fault {
    /// About the row as a whole.
    pub(super) fn whole(reason: String) -> Self {
        Self {
            column: String::new(),
            path: String::new(),
            reason,
        }
    }
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
    /// How long the report was of the import that goes on; it is added to.
    earlier: Option<u64>,
}

impl Rejects {
    /// The report at `path`; `earlier` is how long the one was that goes on.
    pub(super) fn new(path: PathBuf, earlier: Option<u64>) -> Self {
        Self {
            earlier,
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
            empty => empty.insert(open(&self.path, self.earlier).with_context(named)?),
        };
        if is_csv(&self.path) {
            for Fault { column, path, reason } in &faults {
                let number = line.number.to_string();
                let cells = [number.as_str(), outcome, column, path, reason].map(quoted);
                writeln!(file, "{}", cells.join(",")).with_context(named)?;
            }
            self.show(line.number, outcome, &faults);
            return Ok(());
        }
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
        self.show(line.number, outcome, &faults);
        Ok(())
    }

    fn show(&mut self, number: u64, outcome: &str, faults: &[Fault]) {
        if self.first.len() < SHOWN {
            self.first.push(told(number, outcome, faults));
        }
    }

    /// Makes what is reported so far outlive the process, and says how long the report is.
    pub(super) fn flush(&mut self) -> Result<u64> {
        let named = || self.path.display().to_string();
        let Some(file) = &mut self.file else {
            return Ok(self.earlier.unwrap_or_default());
        };
        file.flush().with_context(named)?;
        Ok(file.get_ref().metadata().with_context(named)?.len())
    }

    /// The file and its first rows, once everything is written.
    pub(super) fn finish(self) -> Result<(Option<PathBuf>, Vec<String>)> {
        let Some(mut file) = self.file else {
            let earlier = self.earlier.is_some_and(|bytes| bytes > 0) && self.path.exists();
            return Ok((earlier.then_some(self.path), self.first));
        };
        file.flush().with_context(|| self.path.display().to_string())?;
        Ok((Some(self.path), self.first))
    }
}

fn open(path: &Path, earlier: Option<u64>) -> std::io::Result<BufWriter<File>> {
    if let Some(bytes) = earlier.filter(|bytes| *bytes > 0 && path.exists()) {
        let file = OpenOptions::new().append(true).open(path)?;
        // Rows that were reported after the last checkpoint come again.
        file.set_len(bytes.min(file.metadata()?.len()))?;
        return Ok(BufWriter::new(file));
    }
    let mut file = BufWriter::new(File::create(path)?);
    if is_csv(path) {
        writeln!(file, "line,outcome,column,path,reason")?;
    }
    Ok(file)
}

fn is_csv(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

/// A cell of CSV. What a spreadsheet would take for a formula becomes text.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

fn told(line: u64, outcome: &str, faults: &[Fault]) -> String {
    let fault = |Fault { column, path, reason }: &Fault| {
        if !column.is_empty() {
            format!("column {column}: {path}: {reason}")
        } else if path.is_empty() {
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
