//! A service with a manual clock, told by events and asked over gRPC.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{KeyInit as _, Mac as _};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use prost::{Message, Name};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::{Request, transport::Channel};
use upswell_offers::{DEFAULTS, Migrator, Settings};
use upswell_proto::{
    delivery::v1::{DeliverRequest, Event, delivery_service_client::DeliveryServiceClient, event_result::Outcome},
    offers::v1::{self as pb, offer::State},
};
use upswell_runtime::{
    client::Peers,
    clock::Clock,
    config::{Section, load},
    db::{Db, DbSettings},
    ids,
    server::{ACTOR_METADATA, bind},
    service::{Deps, Service},
    telemetry::OutboxTrace,
    testing::Place,
};

/// Monday 08:00 in Almaty; the slot is at 10:00.
pub(crate) const START: &str = "2026-10-12T03:00:00Z";
pub(crate) const SLOT: &str = "2026-10-12T05:00:00Z";
pub(crate) const ACCOUNT: &str = "acme";

pub(crate) type OfferClient = pb::offer_service_client::OfferServiceClient<Channel>;
pub(crate) type ApprovalClient = pb::approval_service_client::ApprovalServiceClient<Channel>;
pub(crate) type SuppressionClient = pb::suppression_service_client::SuppressionServiceClient<Channel>;
pub(crate) type DecisionClient = pb::decision_service_client::DecisionServiceClient<Channel>;
pub(crate) type OrderClient = pb::order_service_client::OrderServiceClient<Channel>;
pub(crate) type CalendarClient = pb::calendar_service_client::CalendarServiceClient<Channel>;
pub(crate) type LedgerClient = pb::touch_ledger_service_client::TouchLedgerServiceClient<Channel>;

pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) clock: Clock,
    pub(crate) channel: Channel,
    pub(crate) folder: TempDir,
    /// What the events are about.
    pub(crate) account: String,
    edge: Option<SocketAddr>,
    _place: Place,
    sequences: BTreeMap<(String, String), i64>,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn wire(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.as_second(),
        nanos: at.subsec_nanosecond(),
    }
}

pub(crate) fn request_id(what: &str) -> String {
    ids::derive("test-request", &[what]).to_string()
}

pub(crate) fn acting<T>(message: T, actor: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(ACTOR_METADATA, actor.parse().unwrap());
    request
}

/// The defaults with what a test needs: a free port, its own files, and nobody held out.
pub(crate) fn settings(folder: &TempDir, db: &DbSettings, more: &[(&str, &str)]) -> Settings {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut values = vec![
        ("UPSWELL__OFFERS__DB__URL".to_owned(), db.url.clone()),
        (
            "UPSWELL__OFFERS__DB__CONNECTIONS".to_owned(),
            db.connections.to_string(),
        ),
        ("UPSWELL__OFFERS__CHANNEL__SPOOL_DIR".to_owned(), path("spool")),
        ("UPSWELL__OFFERS__SERVER__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ("UPSWELL__OFFERS__HOLDOUT__SHARE".to_owned(), "0.0".to_owned()),
    ];
    values.extend(
        more.iter()
            .map(|(key, value)| (format!("UPSWELL__OFFERS__{key}"), (*value).to_owned())),
    );
    let section = Section {
        name: "offers",
        defaults: DEFAULTS,
    };
    load(&[section], None, values.into_iter())
        .unwrap()
        .section("offers")
        .unwrap()
}

pub(crate) fn deps(clock: &Clock) -> Deps {
    Deps {
        clock: clock.clone(),
        peers: Peers::default(),
        trace_mode: OutboxTrace::Link,
    }
}

/// Posts to the edge: status and body.
pub(crate) async fn post(edge: SocketAddr, path: &str, headers: &[(&str, &str)], body: String) -> (StatusCode, String) {
    request(edge, "POST", path, headers, body).await
}

/// Asks the edge: status and body.
pub(crate) async fn request(
    edge: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> (StatusCode, String) {
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("http://{edge}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let answer = client.request(request.body(body).unwrap()).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (db, place) = Place::new().await.unwrap();
        let settings = settings(&folder, &db, more);
        let clock = Clock::manual(at(START));
        Db::open::<Migrator>(&settings.db)
            .await
            .unwrap()
            .migrate::<Migrator>()
            .await
            .unwrap();
        let server = bind(&settings.server).await.unwrap();
        let address = server.local_addr();
        let (service, edge) = upswell_offers::build_with_edge(settings, deps(&clock)).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(service.clone().run(server, stop.clone()));
        let channel = Channel::from_shared(format!("http://{address}"))
            .unwrap()
            .connect()
            .await
            .unwrap();
        Self {
            service,
            clock,
            channel,
            folder,
            account: ACCOUNT.to_owned(),
            edge,
            _place: place,
            sequences: BTreeMap::new(),
            stop,
        }
    }

    /// Delivers an event as the relay of `source` would.
    pub(crate) async fn tell<M: Message + Name>(&mut self, source: &str, key: &str, message: &M) {
        assert_eq!(
            self.try_tell(source, key, message).await,
            Outcome::Applied,
            "{}",
            M::full_name()
        );
    }

    pub(crate) async fn try_tell<M: Message + Name>(&mut self, source: &str, key: &str, message: &M) -> Outcome {
        let sequence = self.sequences.entry((source.to_owned(), key.to_owned())).or_default();
        *sequence += 1;
        let event = Event {
            event_id: ids::derive("test-event", &[source, key, &sequence.to_string()]).to_string(),
            key: key.to_owned(),
            sequence: *sequence,
            topic: M::full_name(),
            payload: message.encode_to_vec(),
            occur_time: Some(wire(self.clock.now())),
            traceparent: String::new(),
            tracestate: String::new(),
        };
        let request = DeliverRequest {
            source: source.to_owned(),
            shard: 0,
            lease_epoch: 1,
            events: vec![event],
        };
        let mut client = DeliveryServiceClient::new(self.channel.clone());
        let answer = client.deliver(request).await.unwrap().into_inner();
        answer.results[0].outcome()
    }

    /// Sets the clock and runs everything that is due, as the driver of a manual clock does.
    pub(crate) async fn run_to(&self, time: &str) {
        self.clock.set(at(time));
        self.run().await;
    }

    pub(crate) async fn run(&self) {
        let now = self.clock.now();
        self.service.drain(now).await.unwrap();
        self.service.tick(now).await.unwrap();
        self.service.drain(now).await.unwrap();
    }

    pub(crate) async fn job(&self, name: &str) -> usize {
        let job = self.service.jobs.iter().find(|job| job.name() == name).unwrap();
        Arc::clone(job).run_once(self.clock.now()).await.unwrap()
    }

    pub(crate) fn offers(&self) -> OfferClient {
        OfferClient::new(self.channel.clone())
    }

    pub(crate) fn approvals(&self) -> ApprovalClient {
        ApprovalClient::new(self.channel.clone())
    }

    pub(crate) fn suppressions(&self) -> SuppressionClient {
        SuppressionClient::new(self.channel.clone())
    }

    pub(crate) fn decisions(&self) -> DecisionClient {
        DecisionClient::new(self.channel.clone())
    }

    pub(crate) fn orders(&self) -> OrderClient {
        OrderClient::new(self.channel.clone())
    }

    pub(crate) fn calendar(&self) -> CalendarClient {
        CalendarClient::new(self.channel.clone())
    }

    pub(crate) fn ledger(&self) -> LedgerClient {
        LedgerClient::new(self.channel.clone())
    }

    pub(crate) async fn all_offers(&self) -> Vec<pb::Offer> {
        self.offers()
            .list_offers(pb::ListOffersRequest::default())
            .await
            .unwrap()
            .into_inner()
            .offers
    }

    /// The one offer of a motion, in the state that it is expected to be in.
    pub(crate) async fn offer(&self, motion: upswell_proto::vocabulary::v1::Motion, state: State) -> pb::Offer {
        let mut found = self.all_offers().await;
        found.retain(|offer| offer.motion() == motion);
        assert_eq!(found.len(), 1, "{found:#?}");
        let offer = found.remove(0);
        assert_eq!(offer.state(), state, "{offer:#?}");
        offer
    }

    pub(crate) async fn all_orders(&self) -> Vec<pb::Order> {
        self.orders()
            .list_orders(pb::ListOrdersRequest::default())
            .await
            .unwrap()
            .into_inner()
            .orders
    }

    pub(crate) async fn touches(&self) -> Vec<pb::Touch> {
        self.ledger()
            .list_touches(pb::ListTouchesRequest::default())
            .await
            .unwrap()
            .into_inner()
            .touches
    }

    pub(crate) async fn approval(&self) -> pb::Approval {
        let found = self
            .approvals()
            .list_approvals(pb::ListApprovalsRequest::default())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(found.approvals.len(), 1, "{found:#?}");
        found.approvals.into_iter().next().unwrap()
    }

    pub(crate) async fn explain(&self) -> pb::Decision {
        let request = pb::ExplainDecisionRequest {
            account_id: ACCOUNT.to_owned(),
            time: None,
        };
        self.decisions()
            .explain_decision(request)
            .await
            .unwrap()
            .into_inner()
            .decision
            .unwrap()
    }

    /// The decision that was recorded at or before that moment.
    pub(crate) async fn explain_at(&self, time: Timestamp) -> pb::Decision {
        let request = pb::ExplainDecisionRequest {
            account_id: ACCOUNT.to_owned(),
            time: Some(wire(time)),
        };
        let answer = self.decisions().explain_decision(request).await.unwrap();
        answer.into_inner().decision.unwrap()
    }

    /// Where the edge listens.
    pub(crate) fn edge(&self) -> SocketAddr {
        self.edge.unwrap()
    }

    /// The path of a signed link for a touch.
    pub(crate) fn link(&self, purpose: &str, touch_id: &str) -> String {
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&[5; 32]).unwrap();
        let touch: uuid::Uuid = touch_id.parse().unwrap();
        mac.update(purpose.as_bytes());
        mac.update(touch.as_bytes());
        let token = [touch.as_bytes(), &mac.finalize().into_bytes()[..16]].concat();
        format!("/{purpose}/{}", URL_SAFE_NO_PAD.encode(token))
    }

    /// The file of a touch in the spool.
    pub(crate) fn spooled(&self, channel: &str, touch_id: &str) -> PathBuf {
        self.folder
            .path()
            .join("spool")
            .join(channel)
            .join(format!("{touch_id}.json"))
    }

    pub(crate) fn spool_count(&self) -> usize {
        let folders = std::fs::read_dir(self.folder.path().join("spool"));
        let files = folders
            .into_iter()
            .flatten()
            .flatten()
            .flat_map(|folder| std::fs::read_dir(folder.path()).unwrap());
        files.count()
    }
}
