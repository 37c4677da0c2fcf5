//! Wires the service: settings → store → clients → use cases → routes and jobs. The use cases are one file each.

mod backtest;
mod champions;
mod consume;
mod explain;
mod jobs;
mod judge;
mod lists;
mod marks;
pub mod models;
mod raise;
mod rescore;
mod score;
mod tiers;

use std::sync::Arc;

use tokio::sync::Notify;
use tonic::service::Routes;
use upswell_proto::scoring::v1::{
    ScoreChanged, SignalChanged, model_service_server::ModelServiceServer, scoring_service_server::ScoringServiceServer,
};
use upswell_runtime::{
    admin::admin_server,
    clock::Clock,
    db::Db,
    inbox::delivery_server,
    outbox::Routes as Topics,
    problem::{Problem, Violations},
    relay::Relay,
    service::{Deps, Service},
    telemetry::OutboxTrace,
};

pub use self::{
    backtest::{BacktestAnswer, BacktestCommand},
    explain::Explained,
    jobs::{RescoreDaily, ScoreDirty},
    judge::Judge,
    raise::Raise,
    rescore::Rescore,
    tiers::ClassAccounts,
};
use crate::{
    NAME,
    api::{Api, EventInbox, ModelApi},
    clients::Ingestion,
    config::Settings,
    domain::{assess::Rulebook, model::Rules, stage::TierRules},
    store::Migrator,
};

/// The use cases over the store.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    db: Db,
    /// Wakes the event-driven jobs.
    wake: Arc<Notify>,
    clock: Clock,
    ingestion: Ingestion,
    /// Without models; each pass looks up those in use.
    rules: Rulebook,
    champions: champions::Cache,
    topics: Topics,
    trace_mode: OutboxTrace,
    batch_size: usize,
    parallel_batches: usize,
    tiers: TierRules,
    refresh_hour: i8,
    keep_days: i32,
}

impl App {
    /// Use cases over an open and migrated store. Errors: INTERNAL without an address of ingestion.
    pub fn new(db: Db, settings: &Settings, deps: &Deps, wake: Arc<Notify>) -> Result<Self, Problem> {
        let ingestion = Ingestion::new(&deps.peers, settings.client.clone(), settings.history_days)?;
        Ok(Self(Arc::new(Parts {
            db,
            wake,
            clock: deps.clock.clone(),
            ingestion,
            rules: rulebook(settings),
            champions: champions::Cache::default(),
            topics: topics(),
            trace_mode: deps.trace_mode,
            batch_size: settings.batch_size,
            parallel_batches: settings.parallel_batches,
            tiers: settings.tiers.clone(),
            refresh_hour: settings.refresh_hour,
            keep_days: settings.keep_days,
        })))
    }
}

impl App {
    /// The instant that the service's clock shows.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.0.clock.now()
    }
}

/// By what accounts are judged while no model is in use.
fn rulebook(settings: &Settings) -> Rulebook {
    Rulebook {
        thresholds: settings.signals.clone(),
        health: settings.health.clone(),
        icp: settings.icp.clone(),
        onboarding: settings.onboarding.clone(),
        model: Arc::new(Rules),
        champions: Arc::default(),
    }
}

/// Who takes what.
fn topics() -> Topics {
    use prost::Name as _;
    Topics::new()
        .to(&ScoreChanged::full_name(), &["offers", "renewals"])
        .to(&SignalChanged::full_name(), &["offers", "metrics"])
}

/// Opens and migrates the store and puts the service together. Errors: INVALID_ARGUMENT with every bad setting; what
/// [`Db::open`] says.
pub async fn build(settings: Settings, deps: Deps) -> Result<Service, Problem> {
    let mut violations = Violations::new();
    settings.validate(&mut violations);
    violations.into_result()?;
    let db = Db::open::<Migrator>(&settings.db).await?;
    db.migrate::<Migrator>().await?;
    let wake = Arc::new(Notify::new());
    let app = App::new(db.clone(), &settings, &deps, Arc::clone(&wake))?;
    let models = models::ModelApp::new(db.clone(), &settings, &deps, Arc::clone(&wake))?;
    let Deps {
        clock,
        peers,
        trace_mode,
    } = deps;
    let inbox = Arc::new(EventInbox::new(app.clone()));
    let scoring = ScoringServiceServer::new(Api::new(app.clone()))
        .max_decoding_message_size(settings.server.max_decode_bytes)
        .max_encoding_message_size(settings.server.max_encode_bytes);
    let trained = ModelServiceServer::new(ModelApi::new(models.clone()))
        .max_decoding_message_size(settings.server.max_decode_bytes)
        .max_encoding_message_size(settings.server.max_encode_bytes);
    let routes = Routes::new(scoring)
        .add_service(trained)
        .add_service(delivery_server(db.clone(), inbox, Arc::clone(&wake), trace_mode))
        .add_service(admin_server(db.clone(), clock.clone()));
    let relay = Relay::new(db.clone(), NAME, peers, settings.relay, clock);
    let jobs = vec![
        Arc::new(ScoreDirty::new(app.clone())) as Arc<dyn upswell_runtime::jobs::Job>,
        Arc::new(ClassAccounts::new(app.clone(), Arc::clone(&wake))),
        Arc::new(RescoreDaily::new(app, Arc::clone(&wake))),
        Arc::new(models::WatchDrift::new(models.clone())),
        Arc::new(models::TrainModels::new(models)),
    ];
    Ok(Service {
        name: NAME,
        db,
        routes,
        jobs,
        relay,
        wake,
    })
}
