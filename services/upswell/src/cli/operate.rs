//! The commands that run something in this process.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::{Global, check, check_config, demo, import, migrate, serve};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Play a case on this machine and report what came of it.
    ///
    /// A case is a folder with raw facts, a catalogue with playbooks, and how customers, managers and billing answer.
    /// The five services run in this process over real gRPC, on a clock that the case drives. A run that was killed goes
    /// on where it was; a finished one is played anew.
    #[command(after_long_help = "\
Examples:
  upswell demo
  upswell demo --keep                 look around with the other commands afterwards
  upswell demo --case my/case --data /tmp/my-case --output json")]
    Demo(demo::Demo),
    /// Run all services, or one of them.
    ///
    /// `serve all` runs the five services in one process and brings their schemas up to date by itself. `serve <service>`
    /// runs one of them: it finds the others at the addresses under [peers] and refuses to run on an outdated schema.
    /// Logs go to standard error. SIGTERM or ctrl-c stops it in good order, a second one at once.
    #[command(after_long_help = "\
Examples:
  upswell serve all
  UPSWELL__OFFERS__SERVER__LISTEN=0.0.0.0:7303 upswell serve offers --config /etc/upswell.toml")]
    Serve(serve::Serve),
    /// Bring facts in from a file of JSON Lines.
    ///
    /// Every line is one fact (the README of ingestion shows each kind). A bad line is kept out with everything that is
    /// wrong with it and costs no other line. Importing a file again is harmless: known facts count as duplicates.
    #[command(after_long_help = "\
Examples:
  upswell import facts.jsonl
  upswell import facts.jsonl --rejects to-mend.jsonl
  zcat facts.jsonl.gz | upswell import - --rejects to-mend.jsonl

The report of rejected rows has one JSON object a line: the line's number, its outcome (`rejected`, or `conflict`
for a known fact with other content), its faults (path, reason), and the line itself.
Exit code 2 says that at least one row was rejected.")]
    Import(import::Import),
    /// Bring the schemas of the services' stores up to date.
    #[command(after_long_help = "\
Examples:
  upswell migrate
  upswell migrate offers metrics --config /etc/upswell.toml")]
    Migrate(migrate::Migrate),
    /// Check the settings and show where they come from.
    ///
    /// Settings are the documented defaults, then the file of --config, then `UPSWELL__SECTION__KEY` from the environment.
    /// Names every fault at once; exit code 1 says that there are some.
    #[command(after_long_help = "\
Examples:
  upswell check-config --config /etc/upswell.toml
  UPSWELL__OFFERS__HOLDOUT__SHARE=0.1 upswell check-config")]
    CheckConfig,
    /// Send one fact through the running services and say when each of them had it.
    ///
    /// Records the activity of an account that exists only for this, waits until it was scored and every event has
    /// arrived, and asks all five services about it. Exit code 1 says how far it came.
    #[command(after_long_help = "\
Examples:
  upswell check
  upswell check --within 120 --config /etc/upswell.toml")]
    Check(check::Check),
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        match self {
            Self::Demo(demo) => demo.run(global).await?,
            Self::Serve(serve) => serve.run(global).await?,
            Self::Import(import) => return import.run(global).await,
            Self::Migrate(migrate) => migrate.run(global).await?,
            Self::CheckConfig => check_config::run(global)?,
            Self::Check(check) => Box::pin(check.run(global)).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
