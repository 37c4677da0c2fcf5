//! Models of churn and expansion: learnt from a file of anybody's, or from the deployment's own history.

mod files;
mod service;
mod show;
#[cfg(test)]
mod tests;
mod views;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use upswell_scoring::domain::model::{
    evaluate,
    table::{self, Roles, Table, Taught},
    train::{Options, Step},
};

use self::{
    files::ModelFile,
    show::{Evaluated, Reasons, Written},
};
use super::{context::Context, words::RequestId};

/// Learn, judge and use models: those of a running service, from its own history; or with --csv from any table, with
/// features, a label of yes and no, and where there is one the account of each row.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Learn from a table, or without --csv let the service learn from its history, and say how good the model is on rows
    /// that it did not see.
    ///
    /// Candidates (boosted trees, ridge logistic regression, their mean) learn on parts of the accounts, or on earlier
    /// rows where --time is given, and are judged on the others; the lowest log-loss wins and is calibrated. Words,
    /// days, yes and no, and empty cells are understood. The same table and seed give the same model.
    ///
    /// Where an account has several rows in an order (--time, or ids such as A3_m1, A3_m2), how long ago its features moved
    /// is told from its earlier rows, if that tells more. A table that lacks them is answered from its rows alone.
    #[command(after_long_help = "\
Examples:
  upswell model train
  upswell model train --csv train.csv.gz --label churned --out model.json
  upswell model train --csv train.csv --label outcome --positive lost --group company --time month --out model.json")]
    Train(Train),
    /// Give every row of a table its calibrated probability.
    #[command(
        after_long_help = "Example:\n  upswell model predict --csv test.csv --model model.json --out predictions.csv"
    )]
    Predict(Predict),
    /// Judge a model on a table with labels; without --csv the scores of the service by its history, as `backtest` does.
    #[command(after_long_help = "\
Examples:
  upswell model evaluate
  upswell model evaluate --csv test.csv --model model.json --segment plan")]
    Evaluate(Evaluate),
    /// Say what pushed one row, or one account of the service, up and down.
    #[command(after_long_help = "\
Examples:
  upswell model explain --account acct-01
  upswell model explain --csv test.csv --model model.json --row A3_m1")]
    Explain(Explain),
    /// Judge the scores by history: how well they told, 60 and 90 days before, what happened; by the scores as they were
    /// told, by rules, by a model, and by a model with the least input.
    #[command(after_long_help = "Example:\n  upswell model backtest")]
    Backtest(service::Backtest),
    /// List the models of the service with what later rows said of them, and their drift.
    #[command(after_long_help = "Example:\n  upswell model list --kind churn")]
    List(service::List),
    /// Put a model in use; the scores follow with the next scoring.
    #[command(after_long_help = "Example:\n  upswell model promote churn-3 --actor anna")]
    Promote(service::Promote),
    /// Return to the model that was in use before, or to the rules.
    #[command(after_long_help = "\
Examples:
  upswell model rollback churn --actor anna
  upswell model rollback churn --to-rules --actor anna")]
    Rollback(service::Rollback),
}

#[derive(Debug, Args)]
pub(super) struct Train {
    /// Decides all chance.
    #[arg(long, value_name = "N", default_value_t = 17)]
    seed: u64,
    #[command(flatten)]
    request: RequestId,
    #[command(flatten)]
    table: Option<FromTable>,
}

#[derive(Debug, Args)]
pub(super) struct FromTable {
    /// The table, with a header; `.gz` is unpacked.
    #[arg(long, value_name = "FILE", required = false, requires = "label", requires = "out")]
    csv: PathBuf,
    /// Column that says whether it happened. Rows without it are left out.
    #[arg(long, value_name = "COLUMN", required = false, requires = "csv")]
    label: String,
    /// The word of the label that means yes, where it is not 1, yes, true or churned.
    #[arg(long, value_name = "WORD", requires = "csv")]
    positive: Option<String>,
    /// Column that names rows. By default one called `id` or `…_id` without a repeat.
    #[arg(long, value_name = "COLUMN", requires = "csv")]
    id: Option<String>,
    /// Column that names the account of a row. By default what stands before the last `_` of the id, or without an id one
    /// called `account_id`, `customer_id` or the like.
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Column of days or numbers that orders rows in time; then later rows judge what earlier rows taught.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// Time that passes until a row's outcome is known, in the unit of --time (days for days).
    #[arg(long, value_name = "N", default_value_t = 0)]
    gap: i32,
    /// Parts that take turns in being held out.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=20))]
    folds: u8,
    /// Where the model is written, as JSON.
    #[arg(long, value_name = "FILE", required = false, requires = "csv")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Predict {
    /// The table; it needs the columns that the model knows, in any order.
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// The model that `train` wrote.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Where `id,probability` is written; `.gz` is packed.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Evaluate {
    /// The table, with the label.
    #[arg(long, value_name = "FILE", requires = "model")]
    csv: Option<PathBuf>,
    /// The model that `train` wrote.
    #[arg(long, value_name = "FILE", requires = "csv")]
    model: Option<PathBuf>,
    /// Also judge each value of this column alone.
    #[arg(long, value_name = "COLUMN", requires = "csv")]
    segment: Option<String>,
    #[command(flatten)]
    request: RequestId,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// An account of the service.
    #[arg(long, value_name = "ID", required_unless_present = "csv", conflicts_with = "csv")]
    account: Option<String>,
    /// The table.
    #[arg(long, value_name = "FILE", requires = "model", requires = "row")]
    csv: Option<PathBuf>,
    /// The model that `train` wrote.
    #[arg(long, value_name = "FILE", requires = "csv")]
    model: Option<PathBuf>,
    /// Id of the row; without an id its number, counted from 1.
    #[arg(long, value_name = "ID", requires = "csv")]
    row: Option<String>,
    /// Features shown.
    #[arg(long, value_name = "N", default_value_t = 12)]
    top: usize,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Train(Train { seed, request, table }) => match table {
                Some(table) => table.run(context, seed),
                None => service::train(context, seed, request).await,
            },
            Self::Predict(predict) => predict.run(context),
            Self::Evaluate(evaluate) => match (&evaluate.csv, &evaluate.model) {
                (Some(csv), Some(model)) => evaluate.run(context, csv, model),
                _ => service::backtest(context, 17, evaluate.request).await,
            },
            Self::Explain(explain) => match (explain.account, explain.csv, explain.model, explain.row) {
                (None, Some(csv), Some(model), Some(row)) => explain_row(context, &csv, &model, row, explain.top),
                (account, ..) => service::explain(context, account.unwrap_or_default(), explain.top).await,
            },
            Self::Backtest(backtest) => backtest.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Promote(promote) => promote.run(context).await,
            Self::Rollback(rollback) => rollback.run(context).await,
        }
    }
}

impl FromTable {
    fn run(self, context: &Context, seed: u64) -> Result<()> {
        let table = files::table(&self.csv)?;
        let id = self.id.or_else(|| table::guess_id(&table));
        let id = id.filter(|id| *id != self.label);
        // Without an id nothing says which rows are of one account, but a column may.
        let owner = table::guess_group(&table).filter(|owner| id.is_none() && *owner != self.label);
        let roles = Roles {
            id,
            label: self.label,
            group: self.group.or(owner),
            time: self.time,
        };
        let (mut reading, dataset, unlabelled) =
            table::learn(&table, roles, self.positive.as_deref()).with_context(|| self.csv.display().to_string())?;
        let options = Options {
            seed,
            folds: usize::from(self.folds),
            gap_days: self.gap,
        };
        let told = &mut |step: Step| {
            eprintln!("{}/{} {}", step.done, step.all, step.what);
            true
        };
        let taught = Taught::of(&table, &mut reading, &dataset, &options, told)?;
        let file = ModelFile::new(reading, taught);
        file.write(&self.out)?;
        context.show(&Evaluated::trained(&file, unlabelled, &self.out))
    }
}

impl Predict {
    fn run(self, context: &Context) -> Result<()> {
        let (file, table) = (ModelFile::read(&self.model)?, files::table(&self.csv)?);
        let asked = file.asked(&table, &self.csv)?;
        let probabilities = asked.model.probabilities(&asked.frame);
        files::write_predictions(&self.out, &ids(&file, &table), &probabilities)?;
        let unknown = file.reading.unknown(&table);
        context.show(&Written::new(&self.out, &probabilities, unknown))
    }
}

impl Evaluate {
    fn run(&self, context: &Context, csv: &Path, model: &Path) -> Result<()> {
        let (file, table) = (ModelFile::read(model)?, files::table(csv)?);
        let label = &file.reading.roles.label;
        if table.column(label).is_none() {
            bail!("{} has no column {label}", csv.display());
        }
        let rows = file.reading.labelled(&table);
        let dataset = file
            .reading
            .dataset(&table, &rows)
            .with_context(|| csv.display().to_string())?;
        if dataset.is_empty() {
            bail!("{}: no row has a label", csv.display());
        }
        let asked = file.asked(&table, csv)?;
        let frame = asked.frame.select(&rows);
        let given = asked.model.probabilities(&frame);
        let mut report = evaluate::evaluate(&dataset.labels, &given, &dataset.groups, asked.model.choice.seed);
        if let Some(segment) = &self.segment {
            let cells = table
                .column(segment)
                .with_context(|| format!("the table has no column {segment}"))?;
            let names: Vec<String> = rows.iter().map(|row| cells[*row].clone()).collect();
            report.segments = evaluate::by_segment(&dataset.labels, &given, &names);
        }
        let drifts = upswell_scoring::domain::model::drift::drifts(&asked.model.references, &frame);
        context.show(&Evaluated::judged(report, drifts, table.rows() - rows.len()))
    }
}

fn explain_row(context: &Context, csv: &Path, model: &Path, row: String, top: usize) -> Result<()> {
    let (file, table) = (ModelFile::read(model)?, files::table(csv)?);
    let asked = file.asked(&table, csv)?;
    let ids = ids(&file, &table);
    let place = ids
        .iter()
        .position(|id| *id == row)
        .with_context(|| format!("no row {row}"))?;
    let explained = asked.model.explain(&asked.frame.row(place));
    context.show(&Reasons::new(row, explained, top))
}

/// The ids of rows, or their numbers.
fn ids(file: &ModelFile, table: &Table) -> Vec<String> {
    let column = file.reading.roles.id.as_ref().and_then(|id| table.column(id));
    column.map_or_else(
        || (1..=table.rows()).map(|row| row.to_string()).collect(),
        <[String]>::to_vec,
    )
}
