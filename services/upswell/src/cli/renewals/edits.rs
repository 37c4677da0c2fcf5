//! What people change on a deal besides its stage: when negotiation ends, how it renews, and that notice was given.

use anyhow::Result;
use clap::{ArgAction, Subcommand};
use jiff::civil::Date;
use upswell_proto::renewals::v1::{
    self as pb, MoveStagesRequest, RecordNoticeRequest, RenewalTerms, SetRenewalTermsRequest,
    renewal_service_client::RenewalServiceClient,
};
use upswell_renewals::NAME;

use super::{Change, fetch};
use crate::{
    cli::{context::Context, words},
    wire::to_date,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Edit {
    /// Say when negotiation is to be over, against the season and the notice period; or give the stages back to the
    /// calendar.
    #[command(after_long_help = "\
Examples:
  upswell renewal move 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --to 2027-07-31 --reason 'their board meets in July' --actor anna
  upswell renewal move 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --back --reason 'it does not' --actor anna")]
    Move {
        /// The deal's id.
        deal: String,
        /// The day on which negotiation is over.
        #[arg(long, value_name = "DAY", value_parser = words::day, required_unless_present = "back")]
        to: Option<Date>,
        /// By the calendar again.
        #[arg(long, conflicts_with = "to")]
        back: bool,
        /// Why, for whoever asks later.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        change: Change,
    },
    /// Say how the contract renews; what is not given stays as it is.
    #[command(after_long_help = "\
Example:
  upswell renewal terms 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --auto-renew true --notice-days 60 --months 24 --actor anna")]
    Terms {
        /// The deal's id.
        deal: String,
        /// It goes on by itself unless notice is given.
        #[arg(long, action = ArgAction::Set, value_name = "BOOL")]
        auto_renew: Option<bool>,
        /// Days before the renewal until which notice may be given; 0 is no notice period.
        #[arg(long, value_name = "DAYS")]
        notice_days: Option<i32>,
        /// Months of the next term; 0 is as long as this one.
        #[arg(long, value_name = "MONTHS")]
        months: Option<i32>,
        #[command(flatten)]
        change: Change,
    },
    /// Note that the customer gave notice.
    #[command(after_long_help = "\
Example:
  upswell renewal notice 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --on 2026-10-30 --actor anna")]
    Notice {
        /// The deal's id.
        deal: String,
        /// The day on which notice was given.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        on: Date,
        #[command(flatten)]
        change: Change,
    },
}

impl Edit {
    /// The deal as it stands afterwards.
    pub(super) async fn run(self, context: &Context) -> Result<pb::Deal> {
        let deal = match self {
            Self::Move {
                deal: deal_id,
                to,
                back: _,
                reason,
                change,
            } => {
                let (etag, request_id) = change.terms(context, &deal_id).await?;
                let request = MoveStagesRequest {
                    deal_id,
                    negotiation_end_date: to.map(to_date),
                    reason,
                    etag,
                    request_id,
                };
                let send =
                    |channel, request| async move { RenewalServiceClient::new(channel).move_stages(request).await };
                context.ask(NAME, request, send).await?.deal
            }
            Self::Terms {
                deal: deal_id,
                auto_renew,
                notice_days,
                months,
                change,
            } => {
                let known = fetch(context, deal_id.clone()).await?;
                let terms = known.terms.unwrap_or_default();
                let request = SetRenewalTermsRequest {
                    deal_id,
                    terms: Some(RenewalTerms {
                        auto_renew: auto_renew.unwrap_or(terms.auto_renew),
                        notice_days: notice_days.unwrap_or(terms.notice_days),
                        term_months: months.unwrap_or(terms.term_months),
                    }),
                    etag: change.etag.unwrap_or(known.etag),
                    request_id: change.request.text(),
                };
                let send = |channel, request| async move {
                    RenewalServiceClient::new(channel).set_renewal_terms(request).await
                };
                context.ask(NAME, request, send).await?.deal
            }
            Self::Notice {
                deal: deal_id,
                on,
                change,
            } => {
                let (etag, request_id) = change.terms(context, &deal_id).await?;
                let request = RecordNoticeRequest {
                    deal_id,
                    notice_date: Some(to_date(on)),
                    etag,
                    request_id,
                };
                let send =
                    |channel, request| async move { RenewalServiceClient::new(channel).record_notice(request).await };
                context.ask(NAME, request, send).await?.deal
            }
        };
        Ok(deal.unwrap_or_default())
    }
}
