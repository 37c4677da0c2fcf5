//! Wires the service: settings → store → use cases → routes. The use cases are one file each.

mod analysis;
mod care;
mod contacts;
mod duty;
mod lists;
mod people;
mod record;
mod settle;

use std::sync::Arc;

use tokio::sync::Notify;
use tonic::service::Routes as Rpcs;
use upswell_proto::renewals::v1::{
    care_service_server::CareServiceServer, contact_service_server::ContactServiceServer,
    duty_service_server::DutyServiceServer, renewal_service_server::RenewalServiceServer,
};
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
    analysis::AccountCalendar,
    care::{ReviewDeed, SettleCare},
    contacts::{PlanContact, TellLedger},
    duty::Remind,
    people::{Change, Complete, Deed, Once},
    record::Fact,
    settle::SettleRenewals,
};
use crate::{
    NAME,
    api::{Api, EventInbox},
    clients::{Ingestion, Ledger},
    config::{Rules, Settings},
    store::Migrator,
};

/// The use cases over the store.
#[derive(Clone)]
pub struct App {
    db: Db,
    clock: Clock,
    rules: Arc<Rules>,
    ledger: Ledger,
    ingestion: Ingestion,
    trace_mode: OutboxTrace,
}

impl App {
    /// Use cases over an open and migrated store.
    pub fn new(
        db: Db,
        clock: Clock,
        rules: Rules,
        ledger: Ledger,
        ingestion: Ingestion,
        trace_mode: OutboxTrace,
    ) -> Self {
        Self {
            db,
            clock,
            rules: Arc::new(rules),
            ledger,
            ingestion,
            trace_mode,
        }
    }
}

/// Opens and migrates the store and puts the service together. Errors: INVALID_ARGUMENT with every bad setting; what
/// [`Db::open`] says.
pub async fn build(settings: Settings, deps: Deps) -> Result<Service, Problem> {
    let mut violations = Violations::new();
    settings.validate(&mut violations);
    violations.into_result()?;
    let rules = settings.rules(&mut Violations::new());
    let rules = rules.ok_or_else(|| Problem::internal("settings without fault gave no rules"))?;
    let db = Db::open::<Migrator>(&settings.db).await?;
    db.migrate::<Migrator>().await?;
    let Deps {
        clock,
        peers,
        trace_mode,
    } = deps;
    let ledger = Ledger::new(peers.clone(), settings.client.clone());
    let ingestion = Ingestion::new(peers.clone(), settings.client);
    let app = App::new(db.clone(), clock.clone(), rules, ledger, ingestion, trace_mode);
    let wake = Arc::new(Notify::new());
    let inbox = Arc::new(EventInbox::new(app.clone()));
    let (decode, encode) = (settings.server.max_decode_bytes, settings.server.max_encode_bytes);
    macro_rules! sized {
        ($server:ident) => {
            $server::new(Api::new(app.clone()))
                .max_decoding_message_size(decode)
                .max_encoding_message_size(encode)
        };
    }
    let routes = Rpcs::new(sized!(RenewalServiceServer))
        .add_service(sized!(CareServiceServer))
        .add_service(sized!(ContactServiceServer))
        .add_service(sized!(DutyServiceServer))
        .add_service(delivery_server(db.clone(), inbox, Arc::clone(&wake), trace_mode))
        .add_service(admin_server(db.clone(), clock.clone()));
    let relay = Relay::new(db.clone(), NAME, peers, settings.relay, clock);
    Ok(Service {
        name: NAME,
        db,
        routes,
        jobs: vec![
            Arc::new(SettleRenewals::new(app.clone())),
            Arc::new(SettleCare::new(app.clone())),
            Arc::new(Remind::new(app.clone())),
            Arc::new(TellLedger::new(app)),
        ],
        relay,
        wake,
    })
}
