//! Wires the service: settings → store → use cases → routes. The use cases are one file each.

mod lists;
mod people;
mod record;
mod settle;

use std::sync::Arc;

use tokio::sync::Notify;
use tonic::service::Routes as Rpcs;
use upswell_proto::renewals::v1::renewal_service_server::RenewalServiceServer;
use upswell_runtime::{
    admin::admin_server,
    clock::Clock,
    db::Db,
    inbox::delivery_server,
    problem::{Problem, Violations},
    relay::Relay,
    service::{Deps, Service},
    telemetry::OutboxTrace,
};

pub use self::{
    people::{Advance, Close, Complete, Once},
    record::Fact,
    settle::SettleRenewals,
};
use crate::{
    NAME,
    api::{Api, EventInbox},
    config::Settings,
    domain::renewal::Policy,
    store::Migrator,
};

/// The use cases over the store.
#[derive(Clone)]
pub struct App {
    db: Db,
    clock: Clock,
    policy: Arc<Policy>,
    trace_mode: OutboxTrace,
}

impl App {
    /// Use cases over an open and migrated store.
    pub fn new(db: Db, clock: Clock, policy: Policy, trace_mode: OutboxTrace) -> Self {
        Self {
            db,
            clock,
            policy: Arc::new(policy),
            trace_mode,
        }
    }
}

/// Opens and migrates the store and puts the service together. Errors: INVALID_ARGUMENT with every bad setting; what
/// [`Db::open`] says.
pub async fn build(settings: Settings, deps: Deps) -> Result<Service, Problem> {
    let mut violations = Violations::new();
    settings.validate(&mut violations);
    let policy = settings.pipeline.policy(&mut violations);
    let Some(policy) = policy else {
        return Err(Problem::invalid(violations));
    };
    let db = Db::open::<Migrator>(&settings.db).await?;
    db.migrate::<Migrator>().await?;
    let Deps {
        clock,
        peers,
        trace_mode,
    } = deps;
    let app = App::new(db.clone(), clock.clone(), policy, trace_mode);
    let wake = Arc::new(Notify::new());
    let inbox = Arc::new(EventInbox::new(app.clone()));
    let renewals = RenewalServiceServer::new(Api::new(app.clone()))
        .max_decoding_message_size(settings.server.max_decode_bytes)
        .max_encoding_message_size(settings.server.max_encode_bytes);
    let routes = Rpcs::new(renewals)
        .add_service(delivery_server(db.clone(), inbox, Arc::clone(&wake), trace_mode))
        .add_service(admin_server(db.clone(), clock.clone()));
    let relay = Relay::new(db.clone(), NAME, peers, settings.relay, clock);
    Ok(Service {
        name: NAME,
        db,
        routes,
        jobs: vec![Arc::new(SettleRenewals::new(app))],
        relay,
        wake,
    })
}
