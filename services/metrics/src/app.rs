//! Wires the service: settings → store → use cases → routes. The use cases are one file each.

mod journeys;
mod record;
mod revenue;

use std::sync::Arc;

use tokio::sync::Notify;
use tonic::service::Routes;
use upswell_proto::metrics::v1::metrics_service_server::MetricsServiceServer;
use upswell_runtime::{
    admin::admin_server,
    clock::Clock,
    db::Db,
    inbox::delivery_server,
    problem::{Problem, Violations},
    relay::Relay,
    service::{Deps, Service},
};

pub use self::{journeys::LeadTimes, record::Fact, revenue::MovementPage};
use crate::{
    NAME,
    api::{Api, EventInbox},
    config::Settings,
    store::Migrator,
};

/// The use cases over the store.
#[derive(Clone)]
pub struct App {
    db: Db,
    clock: Clock,
}

impl App {
    /// Use cases over an open and migrated store.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }
}

/// Opens and migrates the store and puts the service together. Errors: INVALID_ARGUMENT with every bad setting; what
/// [`Db::open`] says.
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
    let app = App::new(db.clone(), clock.clone());
    let wake = Arc::new(Notify::new());
    let inbox = Arc::new(EventInbox::new(app.clone()));
    let metrics = MetricsServiceServer::new(Api::new(app))
        .max_decoding_message_size(settings.server.max_decode_bytes)
        .max_encoding_message_size(settings.server.max_encode_bytes);
    let routes = Routes::new(metrics)
        .add_service(delivery_server(db.clone(), inbox, Arc::clone(&wake), trace_mode))
        .add_service(admin_server(db.clone(), clock.clone()));
    let relay = Relay::new(db.clone(), NAME, peers, settings.relay, clock);
    Ok(Service {
        name: NAME,
        db,
        routes,
        jobs: Vec::new(),
        relay,
        wake,
    })
}
