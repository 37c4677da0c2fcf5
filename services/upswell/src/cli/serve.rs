//! `serve`: all services in this process, or one of them.

use std::pin::pin;

use anyhow::{Result, bail};
use clap::{Args, builder::PossibleValuesParser};
use tokio_util::sync::CancellationToken;
use upswell_runtime::{
    client::Peers,
    clock::Clock,
    server::{self, BoundServer},
    service::{Deps, Service},
    telemetry,
};

use super::{Global, database::Database, stop::stop};
use crate::{
    cluster::{self, Cluster, SERVICES},
    settings::Settings,
};

/// What `serve` takes for all services.
const ALL: &str = "all";

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// `all`, or the name of one service.
    #[arg(value_parser = PossibleValuesParser::new([ALL].into_iter().chain(SERVICES)))]
    what: String,
    #[command(flatten)]
    database: Database,
}

impl Serve {
    pub(super) async fn run(self, global: &Global) -> Result<()> {
        let one = SERVICES.into_iter().find(|name| *name == self.what);
        let name = one.unwrap_or("upswell");
        let services = one.map_or(SERVICES.to_vec(), |name| vec![name]);
        let variables = self.database.variables(&services, std::env::vars())?;
        let settings = Settings::load(global.config.as_deref(), variables)?;
        let guard = telemetry::init(name, &settings.telemetry)?;
        let served = if self.what == ALL {
            serve_all(&settings).await
        } else {
            serve_one(name, &settings).await
        };
        guard.shutdown().await;
        served
    }
}

async fn serve_all(settings: &Settings) -> Result<()> {
    let stop = stop()?;
    if !settings.client.security.settings().health_listen.is_empty() {
        bail!("security.health_listen is one address, and `serve all` has five listeners; it is for `serve <service>`");
    }
    let mut stop = pin!(stop);
    let cluster = tokio::select! {
        started = Cluster::start(settings, Clock::system()) => started?,
        // A store that does not come must not hold who wants to stop.
        () = &mut stop => return Ok(()),
    };
    cluster.run_until(stop).await
}

async fn serve_one(name: &'static str, settings: &Settings) -> Result<()> {
    let mut stop = pin!(stop()?);
    let (service, listener) = tokio::select! {
        started = start(name, settings) => started?,
        () = &mut stop => return Ok(()),
    };
    let shutdown = CancellationToken::new();
    settings.client.security.follow(shutdown.clone());
    let mut serving = pin!(service.run(listener, shutdown.clone()));
    tokio::select! {
        ended = &mut serving => ended?,
        () = stop => {
            shutdown.cancel();
            serving.await?;
        }
    }
    Ok(())
}

/// The service with its store open, and the listener that it will answer on.
async fn start(name: &'static str, settings: &Settings) -> Result<(Service, BoundServer)> {
    let outdated = cluster::pending(name, settings).await?;
    if outdated > 0 {
        bail!(
            "the schema of {name} lacks {outdated} migration(s), and a service does not change its schema by itself; run \
             `upswell migrate {name}` with the same settings"
        );
    }
    let security = &settings.client.security;
    let mut listener = server::bind(cluster::server_settings(name, settings)?)
        .await?
        .secured(security.clone())?;
    if !security.settings().health_listen.is_empty() {
        listener = listener.with_health(&security.settings().health_listen).await?;
    }
    let deps = Deps {
        clock: Clock::system(),
        peers: Peers::new(&settings.peers, &settings.client)?,
        trace_mode: settings.telemetry.outbox,
    };
    Ok((cluster::build(name, settings, deps).await?, listener))
}
