//! The contracts' side of the service: one line per RPC, and events in and out.

mod approvals;
mod calendar;
mod convert;
mod decisions;
mod delegations;
pub(crate) mod events;
mod in_app;
pub(crate) mod inbound;
pub mod ledger;
mod offers;
mod orders;
mod playbooks;
mod replay;
mod simulate;
mod suppressions;
mod tasks;
mod words;

use std::sync::Arc;

use jiff::Timestamp;
use tonic::service::Routes;
use upswell_proto::offers::v1::{
    approval_service_server::ApprovalServiceServer, calendar_service_server::CalendarServiceServer,
    decision_service_server::DecisionServiceServer, experiment_service_server::ExperimentServiceServer,
    in_app_service_server::InAppServiceServer, offer_service_server::OfferServiceServer,
    order_service_server::OrderServiceServer, playbook_service_server::PlaybookServiceServer,
    suppression_service_server::SuppressionServiceServer, task_service_server::TaskServiceServer,
    touch_ledger_service_server::TouchLedgerServiceServer,
};
use upswell_runtime::{
    paging,
    problem::{Problem, Violations},
    security::Reach,
    text,
};
use uuid::Uuid;

use crate::{
    app::{App, ledger::Ledger},
    store::accounts::account_fetch,
};

/// The use cases behind every service of the contracts.
#[derive(Clone)]
pub(crate) struct Api(pub(crate) Arc<App>);

impl Api {
    /// Nothing when the account is the caller's, or they may touch those of others. An account without a CSM is nobody's.
    async fn within(&self, reach: &Reach, account_id: Option<&str>) -> Result<(), Problem> {
        if reach.only().is_none() {
            return Ok(());
        }
        let account = match account_id {
            Some(id) => account_fetch(self.0.db.reader(), id).await?,
            None => None,
        };
        reach.check(
            &account
                .iter()
                .map(|account| account.csm_id.as_str())
                .collect::<Vec<_>>(),
        )
    }
}

/// All RPCs of the service.
pub(crate) fn routes(app: &Arc<App>) -> Routes {
    let api = Api(Arc::clone(app));
    let ledger = Ledger::new(app.db.clone(), Arc::clone(&app.ledger), app.clock.clone());
    let (decode, encode) = (
        app.settings.server.max_decode_bytes,
        app.settings.server.max_encode_bytes,
    );
    macro_rules! server {
        ($server:ident, $api:expr) => {
            $server::new($api)
                .max_decoding_message_size(decode)
                .max_encoding_message_size(encode)
        };
    }
    Routes::new(server!(OfferServiceServer, api.clone()))
        .add_service(server!(ApprovalServiceServer, api.clone()))
        .add_service(server!(SuppressionServiceServer, api.clone()))
        .add_service(server!(CalendarServiceServer, api.clone()))
        .add_service(server!(DecisionServiceServer, api.clone()))
        .add_service(server!(OrderServiceServer, api.clone()))
        .add_service(server!(ExperimentServiceServer, api.clone()))
        .add_service(server!(InAppServiceServer, api.clone()))
        .add_service(server!(TaskServiceServer, api.clone()))
        .add_service(server!(PlaybookServiceServer, api))
        .add_service(server!(TouchLedgerServiceServer, ledger::LedgerApi(ledger)))
}

/// A UUID of a request's field.
fn uuid(field: &str, value: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(value).map_err(|_| Problem::invalid_field(field, "must be a UUID"))
}

/// A required account of a request.
fn account(value: &str, violations: &mut Violations) -> String {
    violations.take("account_id", text::key(value)).unwrap_or_default()
}

/// An account to filter by; empty means all.
fn account_filter(value: &str) -> Result<String, Problem> {
    if value.is_empty() {
        return Ok(String::new());
    }
    text::key(value).map_err(|fault| Problem::invalid_field("account_id", fault.to_string()))
}

/// An optional instant of a request.
fn instant(field: &str, value: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, Problem> {
    value
        .map(|value| convert::from_instant(&value))
        .transpose()
        .map_err(|fault| Problem::invalid_field(field, fault))
}

/// A page of a list whose key is an instant and an id.
struct Cursor {
    method: &'static str,
    filter: Vec<u8>,
    /// Items on the page.
    size: u64,
    /// Where the page begins.
    after: Option<(i64, Uuid)>,
}

impl Cursor {
    fn parse(method: &'static str, filter: Vec<u8>, size: i32, token: &str) -> Result<Self, Problem> {
        let page = paging::parse(method, &filter, size, token)?;
        let key = |text: &str| {
            let (at, id) = text.split_once('/')?;
            Some((at.parse().ok()?, id.parse().ok()?))
        };
        let after = page.after.as_deref().and_then(key);
        Ok(Self {
            method,
            filter,
            size: page.size.into(),
            after,
        })
    }

    /// One more than the page holds, to know whether another one follows.
    const fn limit(&self) -> u64 {
        self.size + 1
    }

    /// Cuts the page out of what was found, and the token of the next one.
    fn cut<T>(&self, found: &mut Vec<T>, key: impl Fn(&T) -> (i64, Uuid)) -> String {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        if found.len() <= size {
            return String::new();
        }
        found.truncate(size);
        let (at, id) = found.last().map(key).unwrap_or_default();
        paging::next_token(self.method, &self.filter, &format!("{at}/{id}"))
    }
}
