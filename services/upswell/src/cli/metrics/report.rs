//! The report for people who answer for revenue, and the rows behind its figures.

use std::{
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use upswell_metrics::NAME;
use upswell_runtime::clock::Clock;

use super::Days;
use crate::{
    cli::{context::Context, output::View},
    report::{self, Format},
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReportCommand {
    /// One HTML file with figures, charts and the rows behind them; it opens without a server.
    #[command(after_long_help = "\
Examples:
  upswell metrics report --from 2026-01-01 --to 2026-04-01 --html quarter.html
  upswell metrics report --pictures charts/")]
    Report {
        #[command(flatten)]
        window: Days,
        /// Where the page is written.
        #[arg(long, value_name = "FILE", default_value = "upswell-report.html")]
        html: PathBuf,
        /// Also write every chart into this folder, as SVG and PNG.
        #[arg(long, value_name = "DIR")]
        pictures: Option<PathBuf>,
    },
    /// The rows behind the figures as a file for a spreadsheet or an analyst; money is in integer minor units.
    #[command(after_long_help = "\
Examples:
  upswell metrics export movements --from 2026-01-01 --format parquet --out movements.parquet
  upswell metrics export accounts --out accounts.csv")]
    Export {
        /// Which rows.
        rows: Rows,
        #[command(flatten)]
        window: Days,
        /// How they are written.
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
        /// Where they are written.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum Rows {
    /// Every movement of MRR, with cause and facts.
    Movements,
    /// What each account brings into the figures.
    Accounts,
}

/// The files that were written.
#[derive(Serialize)]
struct Written {
    written: Vec<PathBuf>,
}

impl View for Written {
    fn render(&self) -> String {
        let names = self.written.iter().map(|path| path.display().to_string());
        names.collect::<Vec<_>>().join("\n")
    }
}

impl ReportCommand {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<()> {
        let (Self::Report { window, .. } | Self::Export { window, .. }) = &self;
        let days = window.days()?;
        let collected = report::collect(&context.channel(NAME)?, days, Clock::system().now()).await?;
        let written = match self {
            Self::Report { html, pictures, .. } => {
                fs::write(&html, report::render(&collected)?).with_context(|| html.display().to_string())?;
                let mut written = vec![html];
                if let Some(folder) = pictures {
                    written.extend(write_pictures(&collected, &folder)?);
                }
                written
            }
            Self::Export { rows, format, out, .. } => {
                let file = File::create(&out).with_context(|| out.display().to_string())?;
                let file = BufWriter::new(file);
                match rows {
                    Rows::Movements => report::movements(&collected.movements, format, file)?,
                    Rows::Accounts => report::accounts(&collected.accounts, format, file)?,
                }
                vec![out]
            }
        };
        context.show(&Written { written })
    }
}

fn write_pictures(collected: &report::Report, folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut written = Vec::new();
    for (name, svg) in report::pictures(collected)? {
        for (ending, bytes) in [("png", report::png(&svg)?), ("svg", svg.into_bytes())] {
            let path = folder.join(&name).with_extension(ending);
            fs::write(&path, bytes).with_context(|| path.display().to_string())?;
            written.push(path);
        }
    }
    Ok(written)
}
