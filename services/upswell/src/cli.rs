//! The command line: one binary that serves, plays, imports, and answers people in tables and programs in JSON.

mod account;
mod admin;
mod approvals;
mod calendar;
mod check;
mod check_config;
mod context;
mod database;
mod decisions;
mod demo;
mod facts;
mod fault;
pub mod import;
mod ledger;
mod merges;
mod metrics;
mod migrate;
mod model;
mod offers;
mod operate;
mod output;
mod pages;
mod playbooks;
mod renewals;
mod scores;
mod serve;
mod signals;
mod stop;
mod suppressions;
#[cfg(test)]
mod tests;
mod words;
mod work;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};

use self::{context::Context, output::Output};

/// Revenue from the customers you have: signals, offers under hard limits on pressure, renewals, and the money they
/// brought.
///
/// Start with `upswell demo`: it plays a whole case on this machine and prints what came of it. Then `upswell serve all`
/// runs the five services for real, `upswell import` brings facts in, and the other commands ask and answer.
#[derive(Debug, Parser)]
#[command(name = "upswell", version = env!("UPSWELL_VERSION"), propagate_version = true, max_term_width = 110)]
#[command(after_long_help = "\
Examples:
  upswell demo
  upswell serve all
  upswell import facts.jsonl
  upswell account acct-01
  upswell approvals --actor anna --mine
  upswell metrics revenue --from 2026-01-01 --to 2026-04-01 --output json

Exit codes: 0 done, 1 failed, 2 wrong usage or rows that an import had to reject.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
struct Global {
    /// A TOML file with settings that differ from the defaults; the environment (`UPSWELL__SECTION__KEY`) wins over it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the answer is written: a table for people, JSON for programs, CSV for spreadsheets.
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    output: Output,
    /// Who you are, for commands that act; services believe it from their own machine only.
    #[arg(long, global = true, value_name = "NAME", env = "UPSWELL_ACTOR")]
    actor: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Operate(operate::Command),
    #[command(flatten)]
    Facts(facts::Command),
    #[command(flatten)]
    Merges(merges::Command),
    #[command(flatten)]
    Scores(scores::Command),
    #[command(
        subcommand,
        after_long_help = "\
Examples:
  upswell model train --csv train.csv --label churned --out model.json
  upswell model predict --csv test.csv --model model.json --out predictions.csv
  upswell model train
  upswell model list"
    )]
    Model(model::Command),
    #[command(flatten)]
    Offers(offers::Command),
    #[command(flatten)]
    Approvals(approvals::Command),
    /// Check, compare and try playbooks; pause them, and see what was learned.
    #[command(
        subcommand,
        after_long_help = "\
Examples:
  upswell playbooks validate ./policy
  upswell playbooks diff ./policy
  upswell playbooks dry-run ./policy
  upswell playbooks what-if --from 2026-07-01 --cap commercial_max=2
  upswell playbooks conversions
  upswell playbooks pauses --active"
    )]
    Playbooks(playbooks::Command),
    #[command(flatten)]
    Decisions(decisions::Command),
    #[command(flatten)]
    Ledger(ledger::Command),
    #[command(flatten)]
    Calendar(calendar::Command),
    #[command(flatten)]
    Work(work::Command),
    #[command(flatten)]
    Suppressions(suppressions::Command),
    #[command(flatten)]
    Renewals(renewals::Command),
    #[command(flatten)]
    Metrics(metrics::Command),
    #[command(flatten)]
    Admin(admin::Command),
}

/// Reads the arguments and does what they say; a failure is told in sentences on standard error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", fault::sentence(&error));
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(run(cli))
}

async fn run(cli: Cli) -> Result<ExitCode> {
    let global = cli.global;
    let command = match cli.command {
        Command::Operate(command) => return Box::pin(command.run(&global)).await,
        client => client,
    };
    let context = Context::new(&global)?;
    match command {
        Command::Operate(_) => {}
        Command::Facts(command) => command.run(&context).await?,
        Command::Merges(command) => command.run(&context).await?,
        Command::Scores(command) => command.run(&context).await?,
        Command::Model(command) => command.run(&context).await?,
        Command::Offers(command) => command.run(&context).await?,
        Command::Approvals(command) => command.run(&context).await?,
        Command::Playbooks(command) => command.run(&context).await?,
        Command::Decisions(command) => command.run(&context).await?,
        Command::Ledger(command) => command.run(&context).await?,
        Command::Calendar(command) => command.run(&context).await?,
        Command::Work(command) => command.run(&context).await?,
        Command::Suppressions(command) => command.run(&context).await?,
        Command::Renewals(command) => command.run(&context).await?,
        Command::Metrics(command) => command.run(&context).await?,
        Command::Admin(command) => command.run(&context).await?,
    }
    Ok(ExitCode::SUCCESS)
}
