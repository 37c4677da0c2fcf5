//! Accounts that are left alone.

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use upswell_offers::NAME;
use upswell_proto::offers::v1::{
    self as pb, LiftSuppressionRequest, ListSuppressionsRequest, SuppressAccountRequest,
    suppression_service_client::SuppressionServiceClient,
};

use super::{
    context::Context,
    output::{Column, Listing, Row, View, left, time},
    pages::Limit,
    words::{self, RequestId},
};
use crate::wire::{instant, to_instant};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Leave an account alone: nothing but contractual messages goes out.
    #[command(after_long_help = "\
Example:
  upswell suppress acct-01 --reason 'merger, asked for silence' --until 2026-06-01 --actor anna")]
    Suppress(Suppress),
    /// The suppressions, the newest first.
    #[command(after_long_help = "Example:\n  upswell suppressions --active")]
    Suppressions {
        /// Only this account.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        /// Only those in force now.
        #[arg(long)]
        active: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// End a suppression before its time.
    #[command(after_long_help = "Example:\n  upswell lift 2f1f9a55-7c55-5c0f-9e1c-6a1d0f3b8a77 --actor anna")]
    Lift {
        /// The suppression's id.
        suppression: String,
        #[command(flatten)]
        request: RequestId,
    },
}

#[derive(Debug, Args)]
pub(super) struct Suppress {
    /// The account's id.
    account: String,
    /// Why, for whoever asks later.
    #[arg(long)]
    reason: String,
    /// When it ends by itself; never if absent.
    #[arg(long, value_name = "TIME", value_parser = words::instant)]
    until: Option<Timestamp>,
    #[command(flatten)]
    request: RequestId,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Suppress(suppress) => {
                let request = SuppressAccountRequest {
                    account_id: suppress.account,
                    reason: suppress.reason,
                    expire_time: suppress.until.map(to_instant),
                    request_id: suppress.request.text(),
                };
                let send = |channel, request| async move {
                    SuppressionServiceClient::new(channel).suppress_account(request).await
                };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Suppression::from(answer.suppression.unwrap_or_default()))
            }
            Self::Suppressions {
                account: account_id,
                active: active_only,
                limit,
            } => {
                let request = ListSuppressionsRequest {
                    account_id,
                    active_only,
                    ..Default::default()
                };
                let send = |channel, request| async move {
                    SuppressionServiceClient::new(channel).list_suppressions(request).await
                };
                let found: Listing<Suppression> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Lift {
                suppression: suppression_id,
                request,
            } => {
                let request = LiftSuppressionRequest {
                    suppression_id,
                    request_id: request.text(),
                };
                let send = |channel, request| async move {
                    SuppressionServiceClient::new(channel).lift_suppression(request).await
                };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Suppression::from(answer.suppression.unwrap_or_default()))
            }
        }
    }
}

#[derive(Serialize)]
struct Suppression {
    suppression: String,
    account: String,
    reason: String,
    author: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    lifted_at: Option<Timestamp>,
}

impl From<pb::Suppression> for Suppression {
    fn from(suppression: pb::Suppression) -> Self {
        Self {
            since: instant(suppression.create_time.as_ref()),
            until: instant(suppression.expire_time.as_ref()),
            lifted_at: instant(suppression.lift_time.as_ref()),
            suppression: suppression.suppression_id,
            account: suppression.account_id,
            reason: suppression.reason,
            author: suppression.author,
        }
    }
}

impl Row for Suppression {
    const COLUMNS: &'static [Column] = &[
        left("suppression"),
        left("account"),
        left("reason"),
        left("by"),
        left("since"),
        left("until"),
        left("lifted"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.suppression.clone(),
            self.account.clone(),
            self.reason.clone(),
            self.author.clone(),
            time(self.since),
            time(self.until),
            time(self.lifted_at),
        ]
    }
}

impl View for Suppression {
    fn render(&self) -> String {
        let Self {
            suppression, account, ..
        } = self;
        if self.lifted_at.is_some() {
            return format!("suppression {suppression} is lifted: {account} may be contacted again");
        }
        let until = self.until.map_or("until it is lifted".to_owned(), |until| {
            format!("until {}", time(Some(until)))
        });
        format!("{account} is left alone {until}; suppression {suppression}")
    }
}
