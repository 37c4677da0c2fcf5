//! `import`: facts from JSON Lines, or from CSV and JSON through a mapping, in bounded memory, in the order of the file.

mod checkpoint;
mod lines;
mod rejects;
mod rows;
mod sender;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tokio::{
    fs,
    io::{self, AsyncRead},
};
use upswell_proto::ingestion::v1::{Fact, FactResult, fact_result::Outcome};
use upswell_runtime::client::Peers;

use self::{
    checkpoint::Checkpoint,
    lines::{Line, Lines},
    rejects::{Fault, Rejects},
    rows::{Row, Rows, Table},
    sender::Sender,
};
use super::{
    Global,
    output::{self, View, card},
};
use crate::settings::Settings;

/// A batch is sent when it has this many bytes, whatever its rows: well below what a service takes.
const BATCH_BYTES: usize = 256 * 1024;
const REJECTED: u8 = 2;

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file, or `-` for standard input: fact lines, or with --mapping a table or JSON objects.
    file: PathBuf,
    /// A mapping file (TOML) that says how rows become facts. The file is CSV with a header, or JSON objects, one a line,
    /// if its name ends with `.jsonl` or `.ndjson`.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Begins anew where an earlier import of the same file broke; without it, the import goes on there.
    #[arg(long)]
    restart: bool,
    /// Rows a request, 1 to 2,000.
    #[arg(long, default_value_t = 500, value_name = "ROWS", value_parser = clap::value_parser!(u16).range(1..=2000))]
    batch: u16,
    /// Where rejected rows are reported, as CSV if it ends with `.csv`, else as JSON Lines; `<FILE>.rejects.jsonl` if
    /// absent. Made only when there are some.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Lines with content, or rows of a table.
    pub lines: u64,
    /// New facts, durable now.
    pub recorded: u64,
    /// Facts that were known with the same content.
    pub duplicates: u64,
    /// Known facts that came with other content: the first stands, the row is reported.
    pub conflicts: u64,
    /// Rows with faults: reported, and nothing of them kept.
    pub rejected: u64,
    /// The report of rejected and conflicting rows; absent when there are none.
    pub rejects_file: Option<PathBuf>,
    /// The first of them, for people.
    #[serde(skip)]
    pub first: Vec<String>,
}

impl View for Summary {
    fn render(&self) -> String {
        let mut lines = vec![
            ("lines", self.lines.to_string()),
            ("recorded", self.recorded.to_string()),
            ("duplicates", self.duplicates.to_string()),
            ("conflicts", self.conflicts.to_string()),
            ("rejected", self.rejected.to_string()),
        ];
        if let Some(file) = &self.rejects_file {
            lines.push(("reported in", file.display().to_string()));
            lines.push(("beginning with", self.first.join("\n")));
        }
        card(&lines)
    }
}

impl Import {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let settings = Settings::load(global.config.as_deref(), std::env::vars())?;
        let summary = self.import(&settings).await?;
        output::show(global.output, &summary)?;
        Ok(if summary.rejected > 0 {
            ExitCode::from(REJECTED)
        } else {
            ExitCode::SUCCESS
        })
    }

    async fn import(&self, settings: &Settings) -> Result<Summary> {
        let peers = Peers::new(&settings.peers, &settings.client)?;
        let address = settings.peers.get(upswell_ingestion::NAME).map_or("", String::as_str);
        let sender = Sender::new(
            peers.channel(upswell_ingestion::NAME)?,
            settings.client.clone(),
            address,
        );
        let from_input = self.file == Path::new("-");
        let (rows, bytes) = self.rows(from_input).await?;
        let checkpoint = (!from_input)
            .then(|| Checkpoint::of(&self.file, self.mapping.as_deref()))
            .transpose()?;
        let earlier = checkpoint.as_ref().filter(|_| !self.restart).and_then(Checkpoint::read);
        let rejects = self.rejects_path(from_input);
        ensure!(
            rejects != self.file,
            "--rejects would overwrite the file that is imported"
        );
        let bar = bar(bytes);
        let importer = Importer {
            sender,
            rejects: Rejects::new(rejects, earlier.as_ref().map(|(_, bytes)| *bytes)),
            summary: earlier.map(|(summary, _)| summary).unwrap_or_default(),
            waiting: Vec::new(),
            checkpoint,
        };
        let summary = import(rows, self.batch.into(), importer, &bar).await;
        bar.finish_and_clear();
        summary
    }

    /// What the file holds, and how many bytes that is.
    async fn rows(&self, from_input: bool) -> Result<(Rows<Box<dyn AsyncRead + Unpin>>, Option<u64>)> {
        let named = || self.file.display().to_string();
        let length = if from_input {
            None
        } else {
            Some(fs::metadata(&self.file).await.with_context(named)?.len())
        };
        let ending = self
            .file
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase());
        let of_lines = self.mapping.is_none() || ending.is_some_and(|ending| ["jsonl", "ndjson"].contains(&&*ending));
        let mapping = self.mapping.as_deref().map(rows::mapping).transpose()?;
        if !of_lines && let Some(mapping) = mapping {
            let reader: Box<dyn std::io::Read> = if from_input {
                Box::new(std::io::stdin())
            } else {
                Box::new(std::fs::File::open(&self.file).with_context(named)?)
            };
            let table = Table::new(reader, mapping).with_context(named)?;
            return Ok((Rows::Table(Box::new(table)), length));
        }
        let reader: Box<dyn AsyncRead + Unpin> = if from_input {
            Box::new(io::stdin())
        } else {
            Box::new(fs::File::open(&self.file).await.with_context(named)?)
        };
        let lines = Lines::new(reader);
        let rows = match mapping {
            Some(mapping) => Rows::Objects(lines, Box::new(mapping)),
            None => Rows::Facts(lines),
        };
        Ok((rows, length))
    }

    fn rejects_path(&self, from_input: bool) -> PathBuf {
        self.rejects.clone().unwrap_or_else(|| {
            let mut name: std::ffi::OsString = if from_input {
                "stdin".into()
            } else {
                self.file.clone().into_os_string()
            };
            name.push(".rejects.jsonl");
            PathBuf::from(name)
        })
    }
}

/// Imports every row that was not imported before. Errors: the reader breaks, or ingestion stays away.
async fn import<R: AsyncRead + Unpin>(
    mut rows: Rows<R>,
    batch: usize,
    mut importer: Importer,
    bar: &ProgressBar,
) -> Result<Summary> {
    for _ in 0..importer.summary.lines {
        rows.skip().await?;
    }
    let mut bytes = 0;
    while let Some(row) = rows.next().await? {
        importer.summary.lines += 1;
        bytes += importer.take(row)?;
        if importer.waiting.len() >= batch || bytes >= BATCH_BYTES {
            importer.send(batch, bar).await?;
            bytes = 0;
            bar.set_position(rows.read());
        }
    }
    importer.send(batch, bar).await?;
    importer.finish()
}

struct Importer {
    sender: Sender,
    rejects: Rejects,
    summary: Summary,
    /// Facts of the next request with their rows, in the order of the file.
    waiting: Vec<(Arc<Line>, Fact)>,
    checkpoint: Option<Checkpoint>,
}

impl Importer {
    /// Takes a row up into the next request, or reports it; the bytes that it adds.
    fn take(&mut self, row: Row) -> Result<usize> {
        let line = Arc::new(row.line);
        match row.facts {
            Ok(facts) => {
                // The line is kept for the report, so it counts too.
                let mut bytes = line.bytes.len();
                for fact in facts {
                    bytes += fact.encoded_len();
                    self.waiting.push((Arc::clone(&line), fact));
                }
                Ok(bytes)
            }
            Err(faults) => {
                self.summary.rejected += 1;
                self.rejects.report(&line, "rejected", faults)?;
                Ok(0)
            }
        }
    }

    /// Sends what waits and notes how far the import came. A row may say more facts than a request takes.
    async fn send(&mut self, batch: usize, bar: &ProgressBar) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        for part in waiting.chunks(batch.max(1)) {
            let Some((first, _)) = part.first() else { continue };
            let place = format!(
                "line {}; everything before it is recorded, and importing again goes on there",
                first.number
            );
            let facts = part.iter().map(|(_, fact)| fact.clone()).collect();
            let results = self.sender.send(facts, bar).await.context(place)?;
            for ((line, _), result) in part.iter().zip(results) {
                self.settle(line, &result)?;
            }
        }
        let rejects_bytes = self.rejects.flush()?;
        match &self.checkpoint {
            Some(checkpoint) => checkpoint.write(&self.summary, rejects_bytes),
            None => Ok(()),
        }
    }

    fn settle(&mut self, line: &Line, result: &FactResult) -> Result<()> {
        let summary = &mut self.summary;
        let outcome = match result.outcome() {
            Outcome::Recorded => {
                summary.recorded += 1;
                return Ok(());
            }
            Outcome::Duplicate => {
                summary.duplicates += 1;
                return Ok(());
            }
            Outcome::Conflict => {
                summary.conflicts += 1;
                "conflict"
            }
            Outcome::Rejected | Outcome::Unspecified => {
                summary.rejected += 1;
                "rejected"
            }
        };
        let fault = |fault: &upswell_proto::ingestion::v1::FieldFault| Fault {
            column: String::new(),
            path: fault.field.clone(),
            reason: fault.description.clone(),
        };
        self.rejects
            .report(line, outcome, result.faults.iter().map(fault).collect())
    }

    fn finish(mut self) -> Result<Summary> {
        (self.summary.rejects_file, self.summary.first) = self.rejects.finish()?;
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.remove();
        }
        Ok(self.summary)
    }
}

fn bar(bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{bar:40} {bytes} of {total_bytes}  {binary_bytes_per_sec}  {eta} left {msg}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {bytes}  {binary_bytes_per_sec} {msg}",
        ),
    };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

#[cfg(test)]
mod tests;
