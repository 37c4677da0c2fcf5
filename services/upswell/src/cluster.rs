//! All five services in one process, over real listeners: `serve all`, the demonstration and the tests.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, anyhow};
use jiff::Timestamp;
use sea_orm_migration::MigratorTrait;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use upswell_runtime::{
    client::Peers,
    clock::Clock,
    db::{Db, DbSettings},
    problem::Problem,
    server::{self, BoundServer, ServerSettings},
    service::{Deps, Service},
};

use crate::settings::Settings;

/// More rounds than this mean that the services give each other work without end.
const ROUNDS_MAX: usize = 10_000;

/// Names of the services, in the order in which facts travel.
pub const SERVICES: [&str; 5] = [
    upswell_ingestion::NAME,
    upswell_scoring::NAME,
    upswell_offers::NAME,
    upswell_renewals::NAME,
    upswell_metrics::NAME,
];

/// A service that ended, and how.
type Ended = (&'static str, Result<(), Problem>);

/// The running services.
pub struct Cluster {
    services: Vec<Service>,
    servers: JoinSet<Ended>,
    shutdown: CancellationToken,
    /// Channels to the services.
    pub peers: Peers,
    /// `http://host:port` of each service by name.
    pub addresses: BTreeMap<String, String>,
    /// The time that all of them share.
    pub clock: Clock,
}

impl Cluster {
    /// Opens every listener, brings every schema up to date, builds the services and serves them.
    ///
    /// # Errors
    /// A listener is taken, a store cannot be opened or migrated, or a policy cannot be read.
    pub async fn start(settings: &Settings, clock: Clock) -> Result<Self> {
        let servers = bind_all(settings).await?;
        let addresses: BTreeMap<String, String> = servers
            .iter()
            .map(|(name, server)| ((*name).to_owned(), server.address()))
            .collect();
        let peers = Peers::new(&addresses, &settings.client)?;
        let deps = Deps {
            clock: clock.clone(),
            peers: peers.clone(),
            trace_mode: settings.telemetry.outbox,
        };

        migrate(settings, &SERVICES).await?;
        let mut cluster = Self {
            services: Vec::new(),
            servers: JoinSet::new(),
            shutdown: CancellationToken::new(),
            peers,
            addresses,
            clock,
        };
        settings.client.security.follow(cluster.shutdown.clone());
        for (name, server) in servers {
            let service = build(name, settings, deps.clone())
                .await
                .with_context(|| format!("building {name}"))?;
            cluster.services.push(service.clone());
            let running = service.run(server, cluster.shutdown.clone());
            cluster.servers.spawn(async move { (name, running.await) });
        }
        Ok(cluster)
    }

    /// Relays events and runs what they give to do, over all services, until nothing is left; the number of things done.
    ///
    /// # Errors
    /// A store failed, or the services do not come to rest.
    pub async fn drain(&self, now: Timestamp) -> Result<usize> {
        let mut total = 0;
        for _ in 0..ROUNDS_MAX {
            let mut done = 0;
            for service in &self.services {
                done += service
                    .drain(now)
                    .await
                    .with_context(|| format!("draining {}", service.name))?;
            }
            if done == 0 {
                return Ok(total);
            }
            total += done;
        }
        Err(anyhow!("the services are not idle after {ROUNDS_MAX} rounds"))
    }

    /// Runs every job of every service once.
    ///
    /// # Errors
    /// A job failed.
    pub async fn tick(&self, now: Timestamp) -> Result<usize> {
        let mut done = 0;
        for service in &self.services {
            done += service
                .tick(now)
                .await
                .with_context(|| format!("jobs of {}", service.name))?;
        }
        Ok(done)
    }

    /// Sets the shared manual clock and lets the services come to rest: what arrived, the jobs of the hour, what they gave
    /// to do.
    ///
    /// # Errors
    /// As [`Self::drain`] and [`Self::tick`].
    pub async fn advance(&self, now: Timestamp) -> Result<()> {
        self.clock.set(now);
        self.drain(now).await?;
        self.turn(now).await
    }

    /// Runs the jobs of the hour on services that are at rest, and lets them come to rest again.
    ///
    /// # Errors
    /// As [`Self::drain`] and [`Self::tick`].
    pub async fn turn(&self, now: Timestamp) -> Result<()> {
        // Where no job did anything there is nothing to relay.
        if self.tick(now).await? > 0 {
            self.drain(now).await?;
        }
        Ok(())
    }

    /// Waits until `stop` or until a service ends by itself, then shuts everything down in good order.
    ///
    /// # Errors
    /// A service ended with a fault.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<()> {
        tokio::select! {
            () = stop => Ok(()),
            ended = self.servers.join_next() => outcome(ended),
        }
        .and(self.stop().await)
    }

    /// Ends every service: no new requests, open ones may finish, stores close.
    ///
    /// # Errors
    /// A service ended with a fault.
    pub async fn stop(mut self) -> Result<()> {
        self.shutdown.cancel();
        let mut result = Ok(());
        while let Some(ended) = self.servers.join_next().await {
            result = result.and(outcome(Some(ended)));
        }
        result
    }
}

fn outcome(ended: Option<Result<Ended, JoinError>>) -> Result<()> {
    match ended {
        Some(Ok((name, result))) => result.with_context(|| format!("{name} ended")),
        Some(Err(error)) => Err(error).context("a service broke"),
        None => Ok(()),
    }
}

async fn bind_all(settings: &Settings) -> Result<Vec<(&'static str, BoundServer)>> {
    let mut servers = Vec::new();
    for name in SERVICES {
        let bound = server::bind(server_settings(name, settings)?).await?;
        servers.push((name, bound.secured(settings.client.security.clone())?));
    }
    Ok(servers)
}

/// Settings of a service's listener.
///
/// # Errors
/// No such service.
pub fn server_settings<'a>(name: &str, settings: &'a Settings) -> Result<&'a ServerSettings> {
    Ok(match name {
        upswell_ingestion::NAME => &settings.ingestion.server,
        upswell_scoring::NAME => &settings.scoring.server,
        upswell_offers::NAME => &settings.offers.server,
        upswell_renewals::NAME => &settings.renewals.server,
        upswell_metrics::NAME => &settings.metrics.server,
        other => return Err(anyhow!("there is no service `{other}`")),
    })
}

/// Where a service keeps its data.
///
/// # Errors
/// No such service.
pub fn db_settings<'a>(name: &str, settings: &'a Settings) -> Result<&'a DbSettings> {
    Ok(match name {
        upswell_ingestion::NAME => &settings.ingestion.db,
        upswell_scoring::NAME => &settings.scoring.db,
        upswell_offers::NAME => &settings.offers.db,
        upswell_renewals::NAME => &settings.renewals.db,
        upswell_metrics::NAME => &settings.metrics.db,
        other => return Err(anyhow!("there is no service `{other}`")),
    })
}

/// Builds one service.
///
/// # Errors
/// Its store cannot be opened, its schema is behind, or its settings cannot be used.
pub async fn build(name: &str, settings: &Settings, deps: Deps) -> Result<Service> {
    Ok(match name {
        upswell_ingestion::NAME => upswell_ingestion::build(settings.ingestion.clone(), deps).await?,
        upswell_scoring::NAME => upswell_scoring::build(settings.scoring.clone(), deps).await?,
        upswell_offers::NAME => upswell_offers::build(settings.offers.clone(), deps).await?,
        upswell_renewals::NAME => upswell_renewals::build(settings.renewals.clone(), deps).await?,
        upswell_metrics::NAME => upswell_metrics::build(settings.metrics.clone(), deps).await?,
        other => return Err(anyhow!("there is no service `{other}`")),
    })
}

/// Brings the schemas of the named services up to date; the migrations that were applied.
///
/// # Errors
/// A store cannot be opened, or a migration failed.
pub async fn migrate(settings: &Settings, services: &[&str]) -> Result<Vec<String>> {
    let mut applied = Vec::new();
    for name in services {
        let db = db_settings(name, settings)?;
        let done = match *name {
            upswell_ingestion::NAME => migrate_one::<upswell_ingestion::Migrator>(db).await,
            upswell_scoring::NAME => migrate_one::<upswell_scoring::Migrator>(db).await,
            upswell_offers::NAME => migrate_one::<upswell_offers::Migrator>(db).await,
            upswell_renewals::NAME => migrate_one::<upswell_renewals::Migrator>(db).await,
            _ => migrate_one::<upswell_metrics::Migrator>(db).await,
        };
        let done = done.with_context(|| format!("migrating {name}"))?;
        applied.extend(done.into_iter().map(|migration| format!("{name}: {migration}")));
    }
    Ok(applied)
}

/// How many migrations the schema of a service lacks.
///
/// # Errors
/// No such service, or its store cannot be opened.
pub async fn pending(name: &str, settings: &Settings) -> Result<usize> {
    let db = db_settings(name, settings)?;
    let lacking = match name {
        upswell_ingestion::NAME => pending_one::<upswell_ingestion::Migrator>(db).await,
        upswell_scoring::NAME => pending_one::<upswell_scoring::Migrator>(db).await,
        upswell_offers::NAME => pending_one::<upswell_offers::Migrator>(db).await,
        upswell_renewals::NAME => pending_one::<upswell_renewals::Migrator>(db).await,
        _ => pending_one::<upswell_metrics::Migrator>(db).await,
    };
    lacking.with_context(|| format!("the schema of {name}"))
}

async fn migrate_one<M: MigratorTrait>(settings: &DbSettings) -> Result<Vec<String>> {
    let db = open::<M>(settings).await?;
    let applied = db.migrate::<M>().await?;
    db.close().await?;
    Ok(applied)
}

async fn pending_one<M: MigratorTrait>(settings: &DbSettings) -> Result<usize> {
    let db = open::<M>(settings).await?;
    let lacking = db.pending::<M>().await?;
    db.close().await?;
    Ok(lacking)
}

/// Opens a store, with the folder that an embedded one lies in.
async fn open<M: MigratorTrait>(settings: &DbSettings) -> Result<Db> {
    if let Some(folder) = settings
        .url
        .strip_prefix("sqlite:")
        .and_then(|path| Path::new(path).parent())
    {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    Ok(Db::open::<M>(settings).await?)
}
