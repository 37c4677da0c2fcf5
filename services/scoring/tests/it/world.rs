//! A running scoring service with a clock that is turned by hand, between doubles of its neighbours.

use std::collections::BTreeMap;

use prost::{Message, Name};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::{Channel, Server, server::TcpIncoming};
use upswell_proto::{
    delivery::v1::{
        DeliverRequest, Event, delivery_service_client::DeliveryServiceClient,
        delivery_service_server::DeliveryServiceServer, event_result::Outcome,
    },
    ingestion::v1::{AccountChanged, ingestion_service_server::IngestionServiceServer},
    scoring::v1::{
        GetScoreRequest, ListSignalsRequest, Score, Signal, model_service_client::ModelServiceClient,
        scoring_service_client::ScoringServiceClient, signal::State,
    },
};
use upswell_runtime::{
    client::{ClientSettings, Peers},
    clock::Clock,
    ids, server,
    service::{Deps, Service},
    telemetry::OutboxTrace,
    testing,
};
use upswell_scoring::Settings;

use crate::{double::Double, wire};

pub(crate) const NOON: &str = "2026-10-20T12:00:00+05:00";

pub(crate) struct World {
    pub(crate) double: Double,
    pub(crate) scoring: ScoringServiceClient<Channel>,
    pub(crate) models: ModelServiceClient<Channel>,
    pub(crate) service: Service,
    clock: Clock,
    delivery: DeliveryServiceClient<Channel>,
    sequences: BTreeMap<(String, String), i64>,
    count: u32,
    _folder: tempfile::TempDir,
    _running: DropGuard,
}

pub(crate) fn settings(folder: &std::path::Path) -> Settings {
    let mut settings: Settings = toml::from_str(upswell_scoring::DEFAULTS).unwrap();
    settings.db = testing::settings(&folder.join("scoring.db"));
    settings.server.listen = "127.0.0.1:0".to_owned();
    settings.client.attempts = 1;
    // The worlds of the tests are small.
    settings.models.drift_least = 50;
    settings
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let running = CancellationToken::new();
        let double = Double::default();
        let neighbour = serve(double.clone(), running.clone()).await;
        let names = ["ingestion", "offers", "renewals", "metrics"];
        let addresses = names.map(|name| (name.to_owned(), neighbour.clone())).into();
        let peers = Peers::new(&addresses, &ClientSettings::default()).unwrap();
        let clock = testing::clock_at(NOON);
        let deps = Deps {
            clock: clock.clone(),
            peers,
            trace_mode: OutboxTrace::Parent,
        };
        let bound = server::bind(&settings.server).await.unwrap();
        let address = format!("http://{}", bound.local_addr());
        let service = upswell_scoring::build(settings, deps).await.unwrap();
        tokio::spawn(service.clone().run(bound, running.clone()));
        let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
        Self {
            double,
            scoring: ScoringServiceClient::new(channel.clone()),
            models: ModelServiceClient::new(channel.clone()),
            service,
            clock,
            delivery: DeliveryServiceClient::new(channel),
            sequences: BTreeMap::new(),
            count: 0,
            _folder: folder,
            _running: running.drop_guard(),
        }
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Counts up.
    pub(crate) fn next(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    pub(crate) fn set(&self, instant: &str) {
        self.clock.set(instant.parse().unwrap());
    }

    /// Delivers one event from `source` about `account_id`.
    pub(crate) async fn deliver<M: Message + Name>(&mut self, source: &str, account_id: &str, message: &M) -> Outcome {
        let sequence = self
            .sequences
            .entry((source.to_owned(), account_id.to_owned()))
            .or_default();
        *sequence += 1;
        let now = self.clock.now();
        let event = Event {
            event_id: ids::derive("test-event", &[source, account_id, &sequence.to_string()]).to_string(),
            key: account_id.to_owned(),
            sequence: *sequence,
            topic: M::full_name(),
            payload: message.encode_to_vec(),
            occur_time: Some(wire::time(&now.to_string())),
            ..Event::default()
        };
        let request = DeliverRequest {
            source: source.to_owned(),
            shard: 0,
            lease_epoch: 1,
            events: vec![event],
        };
        self.delivery.deliver(request).await.unwrap().into_inner().results[0].outcome()
    }

    /// Tells that facts of `account_id` changed.
    pub(crate) async fn changed(&mut self, account_id: &str) {
        let event = AccountChanged {
            account_id: account_id.to_owned(),
            earliest_day: None,
            fact_count: 1,
        };
        assert_eq!(self.deliver("ingestion", account_id, &event).await, Outcome::Applied);
    }

    pub(crate) async fn drain(&self) -> usize {
        self.service.drain(self.clock.now()).await.unwrap()
    }

    pub(crate) async fn tick(&self) -> usize {
        self.service.tick(self.clock.now()).await.unwrap()
    }

    pub(crate) async fn score(&mut self, account_id: &str) -> Score {
        let request = GetScoreRequest {
            account_id: account_id.to_owned(),
        };
        self.scoring
            .get_score(request)
            .await
            .unwrap()
            .into_inner()
            .score
            .unwrap()
    }

    pub(crate) async fn signals(&mut self, account_id: &str, states: &[State]) -> Vec<Signal> {
        let states = states.iter().map(|state| (*state).into()).collect();
        let request = ListSignalsRequest {
            account_id: account_id.to_owned(),
            states,
            ..ListSignalsRequest::default()
        };
        self.scoring.list_signals(request).await.unwrap().into_inner().signals
    }
}

async fn serve(double: Double, running: CancellationToken) -> String {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = format!("http://{}", incoming.local_addr().unwrap());
    let router = Server::builder()
        .add_service(IngestionServiceServer::new(double.clone()))
        .add_service(DeliveryServiceServer::new(double));
    tokio::spawn(router.serve_with_incoming_shutdown(incoming, async move { running.cancelled().await }));
    address
}
