//! `migrate`: schemas up to date.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{
    Global,
    database::Database,
    output::{self, View},
    words,
};
use crate::{
    cluster::{self, SERVICES},
    settings::Settings,
};

#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// The services; none given means all.
    #[arg(value_parser = words::service())]
    services: Vec<&'static str>,
    #[command(flatten)]
    database: Database,
}

/// `service: migration` of everything that was applied, in order.
#[derive(Serialize)]
struct Applied {
    applied: Vec<String>,
}

impl View for Applied {
    fn render(&self) -> String {
        if self.applied.is_empty() {
            "every schema is up to date".to_owned()
        } else {
            self.applied.join("\n")
        }
    }
}

impl Migrate {
    pub(super) async fn run(self, global: &Global) -> Result<()> {
        let services = if self.services.is_empty() {
            SERVICES.to_vec()
        } else {
            self.services
        };
        let variables = self.database.variables(&services, std::env::vars())?;
        let settings = Settings::load(global.config.as_deref(), variables)?;
        let applied = cluster::migrate(&settings, &services).await?;
        output::show(global.output, &Applied { applied })
    }
}
