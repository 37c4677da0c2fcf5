//! `demo`: plays a case and tells what came of it.

mod folder;
mod keep;
mod progress;

use std::{env, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use upswell_runtime::{clock::Clock, telemetry};

use self::{folder::Folder, progress::Bar};
use super::{Global, database::Database, output, stop::stop};
use crate::{
    cluster::{Cluster, SERVICES},
    demo::{
        case::Case,
        driver,
        report::{self, Report},
    },
    settings::Settings,
};

/// Settings of this section may come from the environment; all others come from the case, so that a case plays alike
/// everywhere.
const FROM_ENVIRONMENT: &str = "UPSWELL__TELEMETRY__";
const LOG_FILTER: &str = "UPSWELL__TELEMETRY__LOG_FILTER";

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The folder of the case.
    #[arg(long, value_name = "DIR", default_value = "tests/cases/model")]
    case: PathBuf,
    /// Where databases, messages and progress are kept; `.upswell/<name of the case>` if absent.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Leave the services running afterwards and say how to ask them.
    #[arg(long)]
    keep: bool,
    /// Play from the beginning, even where an unfinished run could go on.
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    database: Database,
}

impl output::View for Report {
    fn render(&self) -> String {
        report::render(self)
    }
}

impl Demo {
    pub(super) async fn run(self, global: &Global) -> Result<()> {
        if global.config.is_some() {
            bail!("a case brings its own settings.toml, so --config has no place here");
        }
        let case = Case::read(&self.case)?;
        let path = self
            .data
            .clone()
            .unwrap_or_else(|| PathBuf::from(".upswell").join(&case.header.name));
        let folder = Folder::open(path)?;
        let file = case.folder.join("settings.toml");
        let variables = self.database.variables(&SERVICES, environment(&folder, &case))?;
        let settings = Settings::load(file.is_file().then_some(&*file), variables)?;
        let guard = telemetry::init("upswell", &settings.telemetry)?;
        let played = self.play(&case, &folder, &settings, global).await;
        guard.shutdown().await;
        played
    }

    async fn play(&self, case: &Case, folder: &Folder, settings: &Settings, global: &Global) -> Result<()> {
        let stop = stop()?;
        tokio::pin!(stop);
        let progress = folder.prepare(&case.header.name, self.fresh)?;
        // What an unfinished run has in its databases goes with it.
        self.database.prepare(&SERVICES, progress.completed.is_none()).await?;
        let clock = Clock::manual(progress.completed.unwrap_or_else(|| case.start()));
        let cluster = Cluster::start(settings, clock).await?;
        let mut bar = Bar::new(case, progress.completed);
        let file = folder.progress_file();
        let data = folder.data();
        let playing = Box::pin(driver::play(case, &cluster, &data, &file, &mut bar));
        let played = tokio::select! {
            played = playing => Some(played),
            () = &mut stop => None,
        };
        bar.clear();
        let Some(played) = played else {
            cluster.stop().await?;
            bail!("stopped; the same command goes on from here, with --fresh it begins anew");
        };
        let report = report::collect(case, &cluster, &played?).await?;
        output::show(global.output, &report)?;
        if self.keep {
            return keep::keep(case, cluster, folder, &report, stop).await;
        }
        eprintln!("Look further: the same command with --keep leaves the services running and says how to ask them.");
        cluster.stop().await
    }
}

/// The overrides of the data folder, telemetry from the real environment, and quiet logs unless that says otherwise.
fn environment(folder: &Folder, case: &Case) -> impl Iterator<Item = (String, String)> {
    let wanted: Vec<_> = env::vars()
        .filter(|(name, _)| name.starts_with(FROM_ENVIRONMENT))
        .collect();
    let quiet =
        (!wanted.iter().any(|(name, _)| name == LOG_FILTER)).then(|| (LOG_FILTER.to_owned(), "warn".to_owned()));
    folder
        .data()
        .overrides(&case.folder.join("policy"))
        .into_iter()
        .chain(wanted)
        .chain(quiet)
}
