//! Wires store, use cases, RPCs and relay; no logic.

mod lists;
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
    outbox::Routes as Topics,
    problem::{Problem, Violations},
    relay::Relay,
    service::{Deps, Service},
};

pub(crate) use self::{
    lists::{AccountsPage, ConflictsPage, FactsPage, ListedFact},
    pictures::AccountSeries,
    record::Command,
};
use crate::{NAME, Settings, api, config::Limits, store::migrations::Migrator};

/// The use cases over the store.
#[derive(Clone)]
pub(crate) struct App {
    db: Db,
    clock: Clock,
    topics: Topics,
    limits: Limits,
}

impl App {
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
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
    let app = App {
        db: db.clone(),
        clock: clock.clone(),
        topics: api::events::topics(),
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
