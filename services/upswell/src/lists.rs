//! Whole lists from paged RPCs.

use anyhow::Result;
use tonic::Status;
use upswell_proto::{
    ingestion::v1::{self as ingestion, ingestion_service_client::IngestionServiceClient},
    metrics::v1::{
        self as metrics, metrics_service_client::MetricsServiceClient, revenue_service_client::RevenueServiceClient,
    },
    offers::v1::{
        self as offers, approval_service_client::ApprovalServiceClient, decision_service_client::DecisionServiceClient,
        experiment_service_client::ExperimentServiceClient, offer_service_client::OfferServiceClient,
        order_service_client::OrderServiceClient, touch_ledger_service_client::TouchLedgerServiceClient,
    },
    renewals::v1::{self as renewals, renewal_service_client::RenewalServiceClient},
    scoring::v1::{self as scoring, scoring_service_client::ScoringServiceClient},
};
use upswell_runtime::client::Traced;

/// Rows a page.
const PAGE: i32 = 500;

/// Calls a `List…` RPC until its last page.
macro_rules! all_pages {
    ($client:expr, $rpc:ident, $request:expr, $field:ident) => {{
        let (mut request, mut rows) = ($request, Vec::new());
        request.page_size = PAGE;
        loop {
            let page = $client.$rpc(request.clone()).await?.into_inner();
            rows.extend(page.$field);
            if page.next_page_token.is_empty() {
                return Ok(rows);
            }
            request.page_token = page.next_page_token;
        }
    }};
}

/// Every offer in one of the states; none given means all.
pub async fn offers(
    client: &mut OfferServiceClient<Traced>,
    states: &[offers::offer::State],
) -> Result<Vec<offers::Offer>, Status> {
    let states = states.iter().map(|state| (*state).into()).collect();
    all_pages!(
        client,
        list_offers,
        offers::ListOffersRequest {
            states,
            ..Default::default()
        },
        offers
    )
}

/// Every approval request in one of the states; none given means all.
pub async fn approvals(
    client: &mut ApprovalServiceClient<Traced>,
    states: &[offers::approval::State],
) -> Result<Vec<offers::Approval>, Status> {
    let states = states.iter().map(|state| (*state).into()).collect();
    all_pages!(
        client,
        list_approvals,
        offers::ListApprovalsRequest {
            states,
            ..Default::default()
        },
        approvals
    )
}

/// Every order.
pub async fn orders(client: &mut OrderServiceClient<Traced>) -> Result<Vec<offers::Order>, Status> {
    all_pages!(client, list_orders, offers::ListOrdersRequest::default(), orders)
}

/// Every touch of the ledger.
pub async fn touches(client: &mut TouchLedgerServiceClient<Traced>) -> Result<Vec<offers::Touch>, Status> {
    all_pages!(client, list_touches, offers::ListTouchesRequest::default(), touches)
}

/// Every account's arm.
pub async fn assignments(client: &mut ExperimentServiceClient<Traced>) -> Result<Vec<offers::Assignment>, Status> {
    all_pages!(
        client,
        list_assignments,
        offers::ListAssignmentsRequest::default(),
        assignments
    )
}

/// Every recorded decision of an account; an empty id means of all.
pub async fn decisions(
    client: &mut DecisionServiceClient<Traced>,
    account_id: &str,
) -> Result<Vec<offers::Decision>, Status> {
    let account_id = account_id.to_owned();
    all_pages!(
        client,
        list_decisions,
        offers::ListDecisionsRequest {
            account_id,
            ..Default::default()
        },
        decisions
    )
}

/// Every account.
pub async fn accounts(client: &mut IngestionServiceClient<Traced>) -> Result<Vec<ingestion::Account>, Status> {
    all_pages!(
        client,
        list_accounts,
        ingestion::ListAccountsRequest::default(),
        accounts
    )
}

/// Every conflict.
pub async fn conflicts(client: &mut IngestionServiceClient<Traced>) -> Result<Vec<ingestion::Conflict>, Status> {
    all_pages!(
        client,
        list_conflicts,
        ingestion::ListConflictsRequest::default(),
        conflicts
    )
}

/// Every signal.
pub async fn signals(client: &mut ScoringServiceClient<Traced>) -> Result<Vec<scoring::Signal>, Status> {
    all_pages!(client, list_signals, scoring::ListSignalsRequest::default(), signals)
}

/// Every score.
pub async fn scores(client: &mut ScoringServiceClient<Traced>) -> Result<Vec<scoring::Score>, Status> {
    all_pages!(client, list_scores, scoring::ListScoresRequest::default(), scores)
}

/// Every deal, closed ones too.
pub async fn deals(client: &mut RenewalServiceClient<Traced>) -> Result<Vec<renewals::Deal>, Status> {
    let request = renewals::ListDealsRequest {
        include_closed: true,
        ..Default::default()
    };
    all_pages!(client, list_deals, request, deals)
}

/// Every movement in a window.
pub async fn movements(
    client: &mut MetricsServiceClient<Traced>,
    window: metrics::Window,
) -> Result<Vec<metrics::Movement>, Status> {
    let request = metrics::ListMovementsRequest {
        window: Some(window),
        ..Default::default()
    };
    all_pages!(client, list_movements, request, movements)
}

/// What every account brings into the revenue of a window.
pub async fn account_revenue(
    client: &mut RevenueServiceClient<Traced>,
    window: metrics::Window,
) -> Result<Vec<metrics::AccountRevenue>, Status> {
    let request = metrics::ListAccountRevenueRequest {
        window: Some(window),
        ..Default::default()
    };
    all_pages!(client, list_account_revenue, request, accounts)
}
