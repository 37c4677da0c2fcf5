//! `import`: facts from JSON Lines, in bounded memory, in the order of the file.

mod lines;
mod rejects;
mod sender;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use prost::Message as _;
use serde::Serialize;
use tokio::{
    fs,
    io::{self, AsyncRead},
};
use upswell_proto::ingestion::v1::{Fact, FactResult, fact_result::Outcome};
use upswell_runtime::client::Peers;

use self::{
    lines::{Line, Lines},
    rejects::{Fault, Rejects},
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
    /// The file of JSON Lines, or `-` for standard input.
    file: PathBuf,
    /// Rows a request, 1 to 2,000.
    #[arg(long, default_value_t = 500, value_name = "ROWS", value_parser = clap::value_parser!(u16).range(1..=2000))]
    batch: u16,
    /// Where rejected rows are reported; `<FILE>.rejects.jsonl` if absent. Made only when there are some.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Lines with content.
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
        let (reader, bytes): (Box<dyn AsyncRead + Unpin>, Option<u64>) = if from_input {
            (Box::new(io::stdin()), None)
        } else {
            let named = || self.file.display().to_string();
            let file = fs::File::open(&self.file).await.with_context(named)?;
            let length = file.metadata().await.with_context(named)?.len();
            (Box::new(file), Some(length))
        };
        let rejects = self.rejects.clone().unwrap_or_else(|| {
            let stem = if from_input {
                "stdin".into()
            } else {
                self.file.clone().into_os_string()
            };
            let mut name: std::ffi::OsString = stem;
            name.push(".rejects.jsonl");
            PathBuf::from(name)
        });
        ensure!(
            rejects != self.file,
            "--rejects would overwrite the file that is imported"
        );
        let bar = bar(bytes);
        let summary = import(reader, self.batch.into(), sender, rejects, &bar).await;
        bar.finish_and_clear();
        summary
    }
}

/// Imports everything that `reader` holds. Errors: the reader breaks, or ingestion stays away.
async fn import(
    reader: impl AsyncRead + Unpin,
    batch: usize,
    sender: Sender,
    rejects: PathBuf,
    bar: &ProgressBar,
) -> Result<Summary> {
    let mut lines = Lines::new(reader);
    let mut importer = Importer {
        sender,
        rejects: Rejects::new(rejects),
        summary: Summary::default(),
        waiting: Vec::new(),
    };
    let mut bytes = 0;
    while let Some(line) = lines.next().await? {
        importer.summary.lines += 1;
        bytes += importer.take(line)?;
        if importer.waiting.len() >= batch || bytes >= BATCH_BYTES {
            importer.send(bar).await?;
            bytes = 0;
            bar.set_position(lines.read());
        }
    }
    importer.send(bar).await?;
    importer.finish()
}

struct Importer {
    sender: Sender,
    rejects: Rejects,
    summary: Summary,
    /// Rows of the next request, in the order of the file.
    waiting: Vec<(Line, Fact)>,
}

impl Importer {
    /// Takes a line up into the next request, or reports it; the bytes that it adds.
    fn take(&mut self, line: Line) -> Result<usize> {
        let parsed = line.text().and_then(|text| {
            let faults = |faults: Vec<upswell_ingestion::jsonl::LineFault>| {
                faults
                    .into_iter()
                    .map(|fault| Fault {
                        path: fault.path,
                        reason: fault.description,
                    })
                    .collect::<Vec<_>>()
            };
            upswell_ingestion::jsonl::parse_line(text).map_err(faults)
        });
        match parsed {
            Ok(fact) => {
                // The line is kept for the report, so it counts too.
                let bytes = fact.encoded_len() + line.bytes.len();
                self.waiting.push((line, fact));
                Ok(bytes)
            }
            Err(faults) => {
                self.summary.rejected += 1;
                self.rejects.report(&line, "rejected", faults)?;
                Ok(0)
            }
        }
    }

    async fn send(&mut self, bar: &ProgressBar) -> Result<()> {
        let Some((first, _)) = self.waiting.first() else {
            return Ok(());
        };
        let place = format!(
            "line {}; everything before it is recorded, and importing again is harmless",
            first.number
        );
        let (rows, facts): (Vec<Line>, Vec<Fact>) = self.waiting.drain(..).unzip();
        let results = self.sender.send(facts, bar).await.context(place)?;
        for (line, result) in rows.iter().zip(results) {
            self.settle(line, &result)?;
        }
        Ok(())
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
            path: fault.field.clone(),
            reason: fault.description.clone(),
        };
        self.rejects
            .report(line, outcome, result.faults.iter().map(fault).collect())
    }

    fn finish(mut self) -> Result<Summary> {
        (self.summary.rejects_file, self.summary.first) = self.rejects.finish()?;
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
