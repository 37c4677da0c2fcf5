//! Models of churn and expansion: learnt from a file of anybody's, or from the deployment's own history.

mod files;
mod show;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use upswell_scoring::domain::model::{
    evaluate,
    table::{self, Roles, Table},
    train::{Options, train},
};

use self::{
    files::ModelFile,
    show::{Evaluated, Reasons, Written},
};
use super::context::Context;

/// Learn, judge and use models. With --csv any table will do: features, a label of yes and no, and where there is one
/// the account of each row.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Learn from a table and say how good the model is on rows that it did not see.
    ///
    /// Candidates (boosted trees, ridge logistic regression, their mean) learn on parts of the accounts, or on earlier
    /// rows where --time is given, and are judged on the others; the lowest log-loss wins and is calibrated. Words,
    /// days, yes and no, and empty cells are understood. The same table and seed give the same model.
    #[command(after_long_help = "\
Examples:
  upswell model train --csv train.csv.gz --label churned --out model.json
  upswell model train --csv train.csv --label outcome --positive lost --group company --time month --out model.json")]
    Train(Train),
    /// Give every row of a table its calibrated probability.
    #[command(
        after_long_help = "Example:\n  upswell model predict --csv test.csv --model model.json --out predictions.csv"
    )]
    Predict(Predict),
    /// Judge a model on a table with labels.
    #[command(after_long_help = "Example:\n  upswell model evaluate --csv test.csv --model model.json --segment plan")]
    Evaluate(Evaluate),
    /// Say what pushed one row up and down.
    #[command(after_long_help = "Example:\n  upswell model explain --csv test.csv --model model.json --row A3_m1")]
    Explain(Explain),
}

#[derive(Debug, Args)]
pub(super) struct Train {
    /// The table, with a header; `.gz` is unpacked.
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// Column that says whether it happened. Rows without it are left out.
    #[arg(long, value_name = "COLUMN")]
    label: String,
    /// The word of the label that means yes, where it is not 1, yes, true or churned.
    #[arg(long, value_name = "WORD")]
    positive: Option<String>,
    /// Column that names rows. By default one called `id` or `…_id` without a repeat.
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// Column that names the account of a row. By default what stands before the last `_` of the id.
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
    /// Decides all chance.
    #[arg(long, value_name = "N", default_value_t = 17)]
    seed: u64,
    /// Where the model is written, as JSON.
    #[arg(long, value_name = "FILE")]
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
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// The model that `train` wrote.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Also judge each value of this column alone.
    #[arg(long, value_name = "COLUMN")]
    segment: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The table.
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// The model that `train` wrote.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Id of the row; without an id its number, counted from 1.
    #[arg(long, value_name = "ID")]
    row: String,
    /// Features shown.
    #[arg(long, value_name = "N", default_value_t = 12)]
    top: usize,
}

impl Command {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Train(train) => train.run(context),
            Self::Predict(predict) => predict.run(context),
            Self::Evaluate(evaluate) => evaluate.run(context),
            Self::Explain(explain) => explain.run(context),
        }
    }
}

impl Train {
    fn run(self, context: &Context) -> Result<()> {
        let table = files::table(&self.csv)?;
        let roles = Roles {
            id: self
                .id
                .or_else(|| table::guess_id(&table))
                .filter(|id| *id != self.label),
            label: self.label,
            group: self.group,
            time: self.time,
        };
        let (reading, dataset, unlabelled) =
            table::learn(&table, roles, self.positive.as_deref()).with_context(|| self.csv.display().to_string())?;
        let options = Options {
            seed: self.seed,
            folds: usize::from(self.folds),
            gap_days: self.gap,
        };
        let told = &mut |step: upswell_scoring::domain::model::train::Step| {
            eprintln!("{}/{} {}", step.done, step.all, step.what);
            true
        };
        let model = train(&dataset, &options, told)?;
        let file = ModelFile::new(reading, model);
        file.write(&self.out)?;
        context.show(&Evaluated::trained(&file, unlabelled, &self.out))
    }
}

impl Predict {
    fn run(self, context: &Context) -> Result<()> {
        let (file, table) = (ModelFile::read(&self.model)?, files::table(&self.csv)?);
        let frame = file
            .reading
            .frame(&table)
            .with_context(|| self.csv.display().to_string())?;
        let probabilities = file.model.probabilities(&frame);
        files::write_predictions(&self.out, &ids(&file, &table), &probabilities)?;
        let unknown = file.reading.unknown(&table);
        context.show(&Written::new(&self.out, &probabilities, unknown))
    }
}

impl Evaluate {
    fn run(self, context: &Context) -> Result<()> {
        let (file, table) = (ModelFile::read(&self.model)?, files::table(&self.csv)?);
        let label = &file.reading.roles.label;
        let words = table
            .column(label)
            .with_context(|| format!("{} has no column {label}", self.csv.display()))?;
        let rows: Vec<usize> = (0..table.rows()).filter(|row| !table::is_gap(&words[*row])).collect();
        let dataset = file
            .reading
            .dataset(&table, &rows)
            .with_context(|| self.csv.display().to_string())?;
        if dataset.is_empty() {
            bail!("{}: no row has a label", self.csv.display());
        }
        let given = file.model.probabilities(&dataset.frame);
        let mut report = evaluate::evaluate(&dataset.labels, &given, &dataset.groups, file.model.choice.seed);
        if let Some(segment) = &self.segment {
            let cells = table
                .column(segment)
                .with_context(|| format!("the table has no column {segment}"))?;
            let names: Vec<String> = rows.iter().map(|row| cells[*row].clone()).collect();
            report.segments = evaluate::by_segment(&dataset.labels, &given, &names);
        }
        let drifts = upswell_scoring::domain::model::drift::drifts(&file.model.references, &dataset.frame);
        context.show(&Evaluated::judged(report, drifts, table.rows() - rows.len()))
    }
}

impl Explain {
    fn run(self, context: &Context) -> Result<()> {
        let (file, table) = (ModelFile::read(&self.model)?, files::table(&self.csv)?);
        let frame = file
            .reading
            .frame(&table)
            .with_context(|| self.csv.display().to_string())?;
        let ids = ids(&file, &table);
        let row = ids
            .iter()
            .position(|id| *id == self.row)
            .with_context(|| format!("no row {}", self.row))?;
        let explained = file.model.explain(&frame.row(row));
        context.show(&Reasons::new(self.row, explained, self.top))
    }
}

/// The ids of rows, or their numbers.
fn ids(file: &ModelFile, table: &Table) -> Vec<String> {
    let column = file.reading.roles.id.as_ref().and_then(|id| table.column(id));
    column.map_or_else(
        || (1..=table.rows()).map(|row| row.to_string()).collect(),
        <[String]>::to_vec,
    )
}
