//! Offers, the answers to them, and what became of them.

mod policy;
mod view;

use anyhow::Result;
use clap::Subcommand;
use upswell_offers::NAME;
use upswell_proto::offers::v1::{
    AcceptOfferRequest, DeclineOfferRequest, GetOfferRequest, GetPolicyRequest, ListAssignmentsRequest,
    ListOffersRequest, ListOrdersRequest, decline_offer_request::Reason,
    experiment_service_client::ExperimentServiceClient, offer, offer_service_client::OfferServiceClient,
    order_service_client::OrderServiceClient, playbook_service_client::PlaybookServiceClient,
};

pub(super) use self::view::OfferView;
use self::{
    policy::Policy,
    view::{Accepted, Arm, OrderView},
};
use super::{
    context::Context,
    output::Listing,
    pages::Limit,
    words::{self, RequestId},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The offers, the newest first.
    #[command(after_long_help = "Examples:\n  upswell offers --state sent\n  upswell offers --account acct-01")]
    Offers {
        /// Only this account.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        /// Only this state; may be given several times.
        #[arg(long, value_parser = words::offer_state())]
        state: Vec<offer::State>,
        #[command(flatten)]
        limit: Limit,
    },
    /// One offer with its words and terms.
    #[command(after_long_help = "Example:\n  upswell offer 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11")]
    Offer {
        /// The offer's id.
        offer: String,
    },
    /// Accept a sent offer for the customer; one order comes of it, once.
    #[command(after_long_help = "Example:\n  upswell accept 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11 --actor anna")]
    Accept {
        /// The offer's id.
        offer: String,
        #[command(flatten)]
        request: RequestId,
    },
    /// Decline a sent offer for the customer, with the reason.
    #[command(after_long_help = "\
Example:
  upswell decline 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11 --reason timing --comment 'after the audit'")]
    Decline {
        /// The offer's id.
        offer: String,
        /// Why.
        #[arg(long, value_parser = words::decline_reason())]
        reason: Reason,
        /// In the customer's words.
        #[arg(long, default_value_t, hide_default_value = true)]
        comment: String,
        #[command(flatten)]
        request: RequestId,
    },
    /// The orders that accepted offers became, the newest first.
    #[command(after_long_help = "Example:\n  upswell orders --account acct-01")]
    Orders {
        /// Only this account.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// The control group: accounts that get no automatic offers.
    #[command(after_long_help = "Example:\n  upswell holdout --all")]
    Holdout {
        /// Also the accounts that do get offers.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// The catalogue and the playbooks in force.
    #[command(after_long_help = "Example:\n  upswell policy --output json")]
    Policy,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Offers {
                account: account_id,
                state,
                limit,
            } => {
                let states = state.into_iter().map(i32::from).collect();
                let request = ListOffersRequest {
                    account_id,
                    states,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { OfferServiceClient::new(channel).list_offers(request).await };
                let found: Listing<OfferView> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Offer { offer: offer_id } => {
                let send = |channel, request| async move { OfferServiceClient::new(channel).get_offer(request).await };
                let answer = context.ask(NAME, GetOfferRequest { offer_id }, send).await?;
                context.show(&OfferView::from(answer.offer.unwrap_or_default()))
            }
            Self::Accept {
                offer: offer_id,
                request,
            } => {
                let request = AcceptOfferRequest {
                    offer_id,
                    request_id: request.text(),
                };
                let send =
                    |channel, request| async move { OfferServiceClient::new(channel).accept_offer(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Accepted::from(answer))
            }
            Self::Decline {
                offer: offer_id,
                reason,
                comment,
                request,
            } => {
                let request_id = request.text();
                let request = DeclineOfferRequest {
                    offer_id,
                    reason: reason.into(),
                    comment,
                    request_id,
                };
                let send =
                    |channel, request| async move { OfferServiceClient::new(channel).decline_offer(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&OfferView::from(answer.offer.unwrap_or_default()))
            }
            Self::Orders {
                account: account_id,
                limit,
            } => {
                let request = ListOrdersRequest {
                    account_id,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { OrderServiceClient::new(channel).list_orders(request).await };
                let found: Listing<OrderView> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Holdout { all, limit } => {
                let request = ListAssignmentsRequest {
                    holdout_only: !all,
                    ..Default::default()
                };
                let send = |channel, request| async move {
                    ExperimentServiceClient::new(channel).list_assignments(request).await
                };
                let found: Listing<Arm> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Policy => {
                let send =
                    |channel, request| async move { PlaybookServiceClient::new(channel).get_policy(request).await };
                let answer = context.ask(NAME, GetPolicyRequest::default(), send).await?;
                context.show(&Policy::from(answer))
            }
        }
    }
}
