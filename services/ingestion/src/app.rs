//! Wires store, use cases, RPCs and relay; no logic.

mod commit;
mod conflicts;
mod lists;
mod merges;
mod pictures;
mod record;
mod told;

use std::sync::Arc;

use tokio::sync::Notify;
use upswell_runtime::{
    admin::admin_server,
    clock::Clock,
    db::Db,
    inbox::delivery_server,
    problem::{Problem, Violations},
    relay::Relay,
    service::{Deps, Service},
};

use self::{commit::Committer, record::Recorder};
pub(crate) use self::{
    commit::{Answer, answered},
    lists::{AccountsPage, ConflictsPage, FactsPage, ListedFact},
    merges::Decision,
    pictures::AccountSeries,
    record::Command,
};
use crate::{NAME, Settings, api, config::Limits, domain::rules::Horizon, store::migrations::Migrator};

/// The use cases over the store.
#[derive(Clone)]
pub(crate) struct App {
    db: Db,
    clock: Clock,
    recorder: Recorder,
    committer: Committer,
    limits: Limits,
}

impl App {
    /// By what facts are judged that arrive now.
    pub(crate) fn horizon(&self) -> Horizon {
        Horizon::keeping(self.clock.now(), self.limits.keep_days)
    }
}

/// Opens and migrates the store and builds the service; nothing runs yet.
///
/// # Errors
/// INVALID_ARGUMENT for settings that cannot be used; whatever the store says.
pub async fn build(settings: Settings, deps: Deps) -> Result<Service, Problem> {
    let mut violations = Violations::new();
    settings.validate(&mut violations);
    violations.into_result()?;
    let db = Db::open::<Migrator>(&settings.db).await?;
    db.migrate::<Migrator>().await?;

    let Deps {
        clock,
        peers,
        trace_mode,
    } = deps;
    let recorder = Recorder::new(db.clone(), clock.clone(), api::events::topics());
    let app = App {
        db: db.clone(),
        clock: clock.clone(),
        committer: Committer::start(&recorder, &settings.limits),
        recorder,
        limits: settings.limits,
    };
    let wake = Arc::new(Notify::new());
    let mut routes = tonic::service::Routes::builder();
    routes
        .add_service(api::server(app.clone(), &settings.server))
        .add_service(delivery_server(
            db.clone(),
            Arc::new(api::inbox::FromOffers),
            Arc::clone(&wake),
            trace_mode,
        ))
        .add_service(admin_server(db.clone(), clock.clone()));
    let relay = Relay::new(db.clone(), NAME, peers, settings.relay, clock);
    Ok(Service {
        name: NAME,
        db,
        routes: routes.routes(),
        jobs: Vec::new(),
        relay,
        wake,
    })
}
