//! A running service with its client, and the events that the other services would send.

use std::{collections::BTreeMap, sync::Mutex};

use jiff::{Timestamp, civil::Date};
use prost::{Message, Name};
use prost_types::Timestamp as WireTime;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::{Channel, Endpoint};
use upswell_metrics::{
    Migrator, Settings,
    app::App,
    config::{ProgrammeSettings, RevenueSettings, TargetSettings, UpliftSettings},
    domain::subscription::{Terms, Version},
};
use upswell_proto::{
    delivery::v1::{DeliverRequest, Event, delivery_service_client::DeliveryServiceClient, event_result::Outcome},
    gtype,
    ingestion::v1::{AccountProfile, AccountProfileChanged, SubscriptionChanged, SubscriptionTerms},
    metrics::v1::{
        Window, metrics_service_client::MetricsServiceClient, programme_service_client::ProgrammeServiceClient,
        revenue_service_client::RevenueServiceClient,
    },
    offers::v1::{Order, OrderChanged, order::State as OrderState},
    vocabulary::v1::Motion,
};
use upswell_runtime::{
    client::{ClientSettings, Peers},
    clock::Clock,
    db::Db,
    ids,
    money::Money,
    relay::RelaySettings,
    server::{self, ServerSettings},
    service::Deps,
    telemetry::OutboxTrace,
    testing,
};

pub(crate) const NOW: &str = "2026-02-01T00:00:00Z";

/// The service on a port of its own, over a store of its own.
pub(crate) struct World {
    pub(crate) metrics: MetricsServiceClient<Channel>,
    pub(crate) revenue: RevenueServiceClient<Channel>,
    pub(crate) programme: ProgrammeServiceClient<Channel>,
    pub(crate) db: Db,
    delivery: DeliveryServiceClient<Channel>,
    sequences: Mutex<BTreeMap<(&'static str, String), i64>>,
    _stop: DropGuard,
    _place: testing::Place,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(ProgrammeSettings::default()).await
    }

    /// With what is known of the programme beside its facts.
    pub(crate) async fn start_with(programme: ProgrammeSettings) -> Self {
        let (db, place) = testing::Place::new().await.unwrap();
        let server = ServerSettings::default();
        let settings = Settings {
            db,
            server: server.clone(),
            relay: RelaySettings::default(),
            client: ClientSettings::default(),
            revenue: RevenueSettings::default(),
            uplift: UpliftSettings::default(),
            programme,
            targets: TargetSettings::default(),
        };
        let clock = testing::clock_at(NOW);
        let deps = Deps {
            clock,
            peers: Peers::default(),
            trace_mode: OutboxTrace::Link,
        };
        let service = upswell_metrics::build(settings, deps).await.unwrap();
        let bound = server::bind(&server).await.unwrap();
        let address = format!("http://{}", bound.local_addr());
        let (db, stop) = (service.db.clone(), CancellationToken::new());
        tokio::spawn(service.run(bound, stop.clone()));
        let channel = Endpoint::from_shared(address).unwrap().connect().await.unwrap();
        Self {
            metrics: MetricsServiceClient::new(channel.clone()),
            revenue: RevenueServiceClient::new(channel.clone()),
            programme: ProgrammeServiceClient::new(channel.clone()),
            db,
            delivery: DeliveryServiceClient::new(channel),
            sequences: Mutex::default(),
            _stop: stop.drop_guard(),
            _place: place,
        }
    }

    /// Delivers the next event of `source` about `account`, which has to be applied.
    pub(crate) async fn tell<M: Message + Name>(&self, source: &'static str, account: &str, message: &M) {
        let event = self.event(source, account, message);
        assert_eq!(self.deliver(source, event).await, (Outcome::Applied, String::new()));
    }

    pub(crate) fn event<M: Message + Name>(&self, source: &'static str, account: &str, message: &M) -> Event {
        let mut sequences = self.sequences.lock().unwrap();
        let sequence = sequences.entry((source, account.to_owned())).or_default();
        *sequence += 1;
        Event {
            event_id: ids::derive("event", &[source, "metrics", account, &sequence.to_string()]).to_string(),
            key: account.to_owned(),
            sequence: *sequence,
            topic: M::full_name(),
            payload: message.encode_to_vec(),
            occur_time: Some(at(NOW)),
            ..Event::default()
        }
    }

    pub(crate) async fn deliver(&self, source: &'static str, event: Event) -> (Outcome, String) {
        let request = DeliverRequest {
            source: source.to_owned(),
            shard: 0,
            lease_epoch: 1,
            events: vec![event],
        };
        let results = self
            .delivery
            .clone()
            .deliver(request)
            .await
            .unwrap()
            .into_inner()
            .results;
        (results[0].outcome(), results[0].detail.clone())
    }
}

/// Use cases over a store of their own, without a server.
pub(crate) async fn app() -> (App, testing::TempDb) {
    let store = testing::TempDb::open::<Migrator>().await.unwrap();
    (App::new(store.db.clone(), Clock::manual(NOW.parse().unwrap())), store)
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn wire_day(text: &str) -> gtype::Date {
    let day = day(text);
    gtype::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}

pub(crate) fn window(start: &str, end: &str) -> Option<Window> {
    Some(Window {
        start_date: Some(wire_day(start)),
        end_date: Some(wire_day(end)),
    })
}

pub(crate) fn at(text: &str) -> WireTime {
    let time: Timestamp = text.parse().unwrap();
    WireTime {
        seconds: time.as_second(),
        nanos: time.subsec_nanosecond(),
    }
}

pub(crate) fn kzt(units: i64) -> gtype::Money {
    gtype::Money {
        currency_code: "KZT".to_owned(),
        units,
        nanos: 0,
    }
}

pub(crate) fn profile(account: &str, segment: &str) -> AccountProfileChanged {
    let profile = AccountProfile {
        segment: segment.to_owned(),
        ..AccountProfile::default()
    };
    AccountProfileChanged {
        account_id: account.to_owned(),
        profile: Some(profile),
    }
}

/// Terms of `line` from a day on, in whole tenge a month.
pub(crate) fn subscription(account: &str, line: &str, from: &str, mrr: i64, order: &str) -> SubscriptionChanged {
    let terms = SubscriptionTerms {
        subscription_id: format!("{account}/{line}"),
        effective_date: Some(wire_day(from)),
        order_id: order.to_owned(),
        ..SubscriptionTerms::default()
    };
    SubscriptionChanged {
        account_id: account.to_owned(),
        version_id: format!("billing/{account}/{line}@{from}"),
        terms: Some(terms),
        mrr: Some(kzt(mrr)),
        occur_time: Some(at("2026-01-01T00:00:00Z")),
        superseded: false,
        renewal_mrr: None,
    }
}

/// An order of the capacity motion whose signal opened on 2026-01-05, paid when `paid` says so.
pub(crate) fn order(account: &str, order: &str, paid: Option<&str>) -> OrderChanged {
    OrderChanged {
        order: Some(Order {
            order_id: order.to_owned(),
            offer_id: format!("offer-of-{order}"),
            account_id: account.to_owned(),
            motion: Motion::Capacity.into(),
            state: if paid.is_some() {
                OrderState::Paid
            } else {
                OrderState::Placed
            }
            .into(),
            place_time: Some(at("2026-01-10T00:00:00Z")),
            pay_time: paid.map(at),
            signal_time: Some(at("2026-01-05T00:00:00Z")),
            ..Order::default()
        }),
    }
}

/// A version for tests without a wire.
pub(crate) fn version(id: &str, line: &str, from: &str, mrr: i64) -> Version {
    Version {
        version_id: id.to_owned(),
        subscription_id: line.to_owned(),
        effective_on: day(from),
        end_on: None,
        mrr: Money::new(mrr, "USD".parse().unwrap()),
        occurred_at: Timestamp::UNIX_EPOCH,
        superseded: false,
        order_id: None,
        terms: Terms::default(),
    }
}
