//! A running service on a free port with a store of its own, and facts written as fact lines.

use std::collections::BTreeMap;

use prost::Message;
use sea_orm::{ConnectionTrait as _, Statement};
use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};
use upswell_ingestion::{DEFAULTS, NAME, Settings, build, jsonl::parse_line};
use upswell_proto::ingestion::v1::{self as pb, ingestion_service_client::IngestionServiceClient};
use upswell_runtime::{
    client::{ClientSettings, Peers},
    clock::Clock,
    config::{self, Section},
    ids,
    server::{self, ACTOR_METADATA},
    service::{Deps, Service},
    telemetry::OutboxTrace,
    testing::Place,
};

pub(crate) const NOW: &str = "2026-10-15T05:00:00Z";

pub(crate) struct Running {
    pub(crate) client: IngestionServiceClient<Channel>,
    pub(crate) channel: Channel,
    pub(crate) service: Service,
    pub(crate) clock: Clock,
    stop: CancellationToken,
    _place: Place,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With settings that differ from the defaults: names in the environment, and values.
    pub(crate) async fn start_with(changed: &[(&str, &str)]) -> Self {
        let (store, place) = Place::new().await.unwrap();
        let settings = settings(store.url, changed);
        let clock = Clock::manual(NOW.parse().unwrap());
        let peers = Peers::new(&BTreeMap::new(), &ClientSettings::default()).unwrap();
        let deps = Deps {
            clock: clock.clone(),
            peers,
            trace_mode: OutboxTrace::Parent,
        };
        let socket = server::bind(&settings.server).await.unwrap();
        let address = format!("http://{}", socket.local_addr());
        let service = build(settings, deps).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(service.clone().run(socket, stop.clone()));
        let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
        let client = IngestionServiceClient::new(channel.clone()).max_decoding_message_size(64 << 20);
        Self {
            client,
            channel,
            service,
            clock,
            stop,
            _place: place,
        }
    }

    pub(crate) async fn record(&self, facts: Vec<pb::Fact>) -> pb::RecordFactsResponse {
        let request = pb::RecordFactsRequest {
            request_id: String::new(),
            facts,
        };
        self.client.clone().record_facts(request).await.unwrap().into_inner()
    }

    /// Records and demands that every fact is new.
    pub(crate) async fn record_new(&self, facts: Vec<pb::Fact>) {
        let number = facts.len();
        let answer = self.record(facts).await;
        assert_eq!(usize::try_from(answer.recorded).unwrap(), number, "{answer:?}");
    }

    pub(crate) async fn picture(&self, account_id: &str) -> pb::GetAccount360Response {
        let request = pb::GetAccount360Request {
            account_id: account_id.to_owned(),
        };
        self.client.clone().get_account360(request).await.unwrap().into_inner()
    }

    pub(crate) async fn account_facts(&self, account_ids: &[&str], days: i32) -> Vec<pb::AccountFacts> {
        let account_ids = account_ids.iter().map(|id| (*id).to_owned()).collect();
        let until_day = Some(upswell_proto::gtype::Date {
            year: 2026,
            month: 10,
            day: 15,
        });
        let request = pb::BatchGetAccountFactsRequest {
            account_ids,
            until_day,
            days,
        };
        self.client
            .clone()
            .batch_get_account_facts(request)
            .await
            .unwrap()
            .into_inner()
            .accounts
    }

    /// Makes `part` a part of `account`, by the decision of anna.
    pub(crate) async fn merge(&self, account: &str, part: &str) -> Result<pb::Merge, Status> {
        let request = pb::MergeAccountsRequest {
            request_id: ids::derive("test merge", &[account, part]).to_string(),
            account_id: account.to_owned(),
            merged_account_id: part.to_owned(),
            reason: "one company".to_owned(),
        };
        let answer = self.client.clone().merge_accounts(by_anna(request)).await?;
        Ok(answer.into_inner().merge.unwrap())
    }

    pub(crate) async fn unmerge(&self, merge_id: &str) -> Result<pb::Merge, Status> {
        let request = pb::UnmergeAccountsRequest {
            request_id: ids::derive("test unmerge", &[merge_id]).to_string(),
            merge_id: merge_id.to_owned(),
            reason: "two companies after all".to_owned(),
        };
        let answer = self.client.clone().unmerge_accounts(by_anna(request)).await?;
        Ok(answer.into_inner().merge.unwrap())
    }

    /// The first column of every row that a query gives.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<i64> {
        let reader = self.service.db.reader();
        let statement = Statement::from_string(reader.get_database_backend(), sql);
        let rows = reader.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// The events of a message type in the outbox, in order, once per destination.
    pub(crate) async fn events<M: Message + prost::Name + Default>(&self) -> Vec<(String, M)> {
        let reader = self.service.db.reader();
        let sql = format!(
            "SELECT dest, payload FROM outbox WHERE topic = '{}' ORDER BY id",
            M::full_name()
        );
        let rows = reader
            .query_all_raw(Statement::from_string(reader.get_database_backend(), sql))
            .await
            .unwrap();
        let read = |row: &sea_orm::QueryResult| {
            let payload: Vec<u8> = row.try_get("", "payload").unwrap();
            (row.try_get("", "dest").unwrap(), M::decode(payload.as_slice()).unwrap())
        };
        rows.iter().map(read).collect()
    }
}

/// A request by a person.
pub(crate) fn by_anna<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert(ACTOR_METADATA, "anna".parse().unwrap());
    request
}

/// The shipped defaults, with the store at `url` and a free port.
fn settings(url: String, changed: &[(&str, &str)]) -> Settings {
    let environment = [
        ("UPSWELL__INGESTION__DB__URL".to_owned(), url),
        (
            "UPSWELL__INGESTION__SERVER__LISTEN".to_owned(),
            "127.0.0.1:0".to_owned(),
        ),
    ];
    let loaded = config::load(
        &[Section {
            name: NAME,
            defaults: DEFAULTS,
        }],
        None,
        environment.into_iter().chain(
            changed
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        ),
    )
    .unwrap();
    loaded.section(NAME).unwrap()
}

/// A fact of source `src` about account `acme`: external id, instant in October 2026 as `day`, rest of the line.
pub(crate) fn fact(external_id: &str, day: i32, rest: &str) -> pb::Fact {
    let line = format!(
        r#"{{"source":"src","external_id":"{external_id}","account":"acme","at":"2026-10-{day:02}T05:00:00Z",{rest}}}"#
    );
    parse_line(&line).unwrap_or_else(|faults| panic!("{line}: {faults:?}"))
}

pub(crate) fn usage(external_id: &str, day: i32, value: i64) -> pb::Fact {
    fact(
        external_id,
        day,
        &format!(r#""usage":{{"metric":"shipments","day":"2026-10-{day:02}","value":{value}}}"#),
    )
}

pub(crate) fn activity(external_id: &str, day: i32, people: i64, logins: i64) -> pb::Fact {
    let body = format!(r#""activity":{{"day":"2026-10-{day:02}","active_users":{people},"logins":{logins}}}"#);
    fact(external_id, day, &body)
}

pub(crate) fn profile(external_id: &str, day: i32, segment: &str) -> pb::Fact {
    let body = format!(
        r#""account_profile":{{"name":"Acme","segment":"{segment}","country":"KZ","time_zone":"Asia/Almaty","language":"ru"}}"#
    );
    fact(external_id, day, &body)
}

pub(crate) fn plan(external_id: &str, day: i32, price: &str) -> pb::Fact {
    let body = format!(
        r#""subscription":{{"subscription_id":"sub-1","product":"pro","kind":"plan","unit_price":"{price}","quantity":4,
        "period":"year","effective":"2026-10-{day:02}","renewal":"2027-10-01"}}"#
    );
    fact(external_id, day, &body)
}

pub(crate) fn superseding(corrected: &str, fact: pb::Fact) -> pb::Fact {
    pb::Fact {
        supersedes_external_id: corrected.to_owned(),
        ..fact
    }
}

pub(crate) fn about(account_id: &str, fact: pb::Fact) -> pb::Fact {
    pb::Fact {
        account_id: account_id.to_owned(),
        ..fact
    }
}
