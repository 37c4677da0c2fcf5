//! Wires the service: settings → store → use cases → routes. The use cases are one file each.

mod derive;
mod exchange;
mod experiments;
mod journeys;
mod programme;
mod record;
mod revenue;
mod verify;

use std::sync::Arc;

use tokio::sync::Notify;
use tonic::service::Routes;
use upswell_proto::metrics::v1::{
    metrics_service_server::MetricsServiceServer, programme_service_server::ProgrammeServiceServer,
    revenue_service_server::RevenueServiceServer,
};
use upswell_runtime::{
    admin::admin_server,
    clock::Clock,
    db::Db,
    inbox::delivery_server,
    problem::{Problem, Violations},
    relay::Relay,
    service::{Deps, Service},
};

pub use self::{
    exchange::Once,
    experiments::EpochUplift,
    journeys::LeadTimes,
    programme::{Dashboard, Loyalty, right_before},
    record::Fact,
    revenue::{Asked, MovementPage, Sliced},
    verify::VerifySums,
};
use crate::{
    NAME,
    api::{Api, EventInbox},
    config::{ProgrammeSettings, RevenueSettings, Settings},
    domain::{targets::Targets, uplift::Policy},
    store::Migrator,
};

/// The use cases over the store.
#[derive(Clone)]
pub struct App {
    db: Db,
    clock: Clock,
    revenue: RevenueSettings,
    uplift: Policy,
    programme: Arc<ProgrammeSettings>,
    targets: Targets,
}

impl App {
    /// Use cases over an open and migrated store, with the default rules.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self::with(db, clock, RevenueSettings::default())
    }

    /// Use cases over an open and migrated store.
    pub fn with(db: Db, clock: Clock, revenue: RevenueSettings) -> Self {
        Self {
            db,
            clock,
            revenue,
            uplift: Policy::default(),
            programme: Arc::default(),
            targets: Targets::default(),
        }
    }

    /// The same with another way to read uplift.
    #[must_use]
    pub fn with_uplift(self, uplift: Policy) -> Self {
        Self { uplift, ..self }
    }

    /// The same with what is known of the programme beside its facts.
    #[must_use]
    pub fn with_programme(self, programme: ProgrammeSettings, targets: Targets) -> Self {
        Self {
            programme: Arc::new(programme),
            targets,
            ..self
        }
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
    let app = App::with(db.clone(), clock.clone(), settings.revenue)
        .with_uplift(settings.uplift.policy())
        .with_programme(settings.programme, settings.targets.targets());
    app.derive_all_if_needed().await?;
    let wake = Arc::new(Notify::new());
    let inbox = Arc::new(EventInbox::new(app.clone()));
    let api = Api::new(app.clone());
    let revenue = RevenueServiceServer::new(api.clone())
        .max_decoding_message_size(settings.server.max_decode_bytes)
        .max_encoding_message_size(settings.server.max_encode_bytes);
    let programme = ProgrammeServiceServer::new(api.clone())
        .max_decoding_message_size(settings.server.max_decode_bytes)
        .max_encoding_message_size(settings.server.max_encode_bytes);
    let metrics = MetricsServiceServer::new(api)
        .max_decoding_message_size(settings.server.max_decode_bytes)
        .max_encoding_message_size(settings.server.max_encode_bytes);
    let routes = Routes::new(metrics)
        .add_service(revenue)
        .add_service(programme)
        .add_service(delivery_server(db.clone(), inbox, Arc::clone(&wake), trace_mode))
        .add_service(admin_server(db.clone(), clock.clone()));
    let relay = Relay::new(db.clone(), NAME, peers, settings.relay, clock);
    Ok(Service {
        name: NAME,
        db,
        routes,
        jobs: vec![Arc::new(VerifySums::new(app))],
        relay,
        wake,
    })
}
