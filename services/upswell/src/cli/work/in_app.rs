//! Messages that the customer's product shows.

use anyhow::Result;
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use upswell_offers::NAME;
use upswell_proto::offers::v1::{
    self as pb, ListInAppMessagesRequest, ReportInAppMessageRequest, decline_offer_request::Reason,
    in_app_service_client::InAppServiceClient, report_in_app_message_request::Event,
};

use crate::{
    cli::{
        context::Context,
        output::{Column, Listing, Row, View, left, time, yes},
        pages::Limit,
        words::{self, RequestId},
    },
    wire::instant,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum InApp {
    /// What the product may show to a person now.
    #[command(after_long_help = "Example:\n  upswell in-app list acct-01 --contact ann")]
    List {
        /// The account's id.
        account: String,
        /// The person who looks.
        #[arg(long, value_name = "ID")]
        contact: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// Say what the person did with a message.
    #[command(after_long_help = "\
Example:
  upswell in-app report 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11 accepted")]
    Report {
        /// The message's id.
        message: String,
        /// What happened.
        #[arg(value_parser = words::in_app_event())]
        event: Event,
        /// Why, for a refusal.
        #[arg(long, value_parser = words::decline_reason())]
        reason: Option<Reason>,
        /// In the person's words, for a refusal.
        #[arg(long, default_value_t, hide_default_value = true)]
        comment: String,
        #[command(flatten)]
        request: RequestId,
    },
}

impl InApp {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List {
                account: account_id,
                contact: contact_id,
                limit,
            } => {
                let request = ListInAppMessagesRequest {
                    account_id,
                    contact_id,
                    ..Default::default()
                };
                let send = |channel, request| async move {
                    InAppServiceClient::new(channel).list_in_app_messages(request).await
                };
                let found: Listing<Message> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Report {
                message: message_id,
                event,
                reason,
                comment,
                request,
            } => {
                let request = ReportInAppMessageRequest {
                    message_id,
                    event: event.into(),
                    reason: reason.unwrap_or(Reason::Unspecified).into(),
                    comment,
                    etag: String::new(),
                    request_id: request.text(),
                };
                let send = |channel, request| async move {
                    InAppServiceClient::new(channel).report_in_app_message(request).await
                };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Message::from(answer.message.unwrap_or_default()))
            }
        }
    }
}

#[derive(Serialize)]
struct Message {
    message: String,
    offer: String,
    account: String,
    contact: String,
    passive: bool,
    title: String,
    body: String,
    sent_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    opened_at: Option<Timestamp>,
    clicked_at: Option<Timestamp>,
    dismissed_at: Option<Timestamp>,
}

impl From<pb::InAppMessage> for Message {
    fn from(message: pb::InAppMessage) -> Self {
        Self {
            sent_at: instant(message.send_time.as_ref()),
            expires_at: instant(message.expire_time.as_ref()),
            opened_at: instant(message.open_time.as_ref()),
            clicked_at: instant(message.click_time.as_ref()),
            dismissed_at: instant(message.dismiss_time.as_ref()),
            message: message.message_id,
            offer: message.offer_id,
            account: message.account_id,
            contact: message.contact_id,
            passive: message.passive,
            title: message.title,
            body: message.body,
        }
    }
}

impl Row for Message {
    const COLUMNS: &'static [Column] = &[
        left("since"),
        left("title"),
        left("banner"),
        left("seen"),
        left("clicked"),
        left("until"),
        left("message"),
    ];

    fn cells(&self) -> Vec<String> {
        let title = if self.title.is_empty() { &self.body } else { &self.title };
        vec![
            time(self.sent_at),
            title.clone(),
            yes(self.passive),
            time(self.opened_at),
            time(self.clicked_at),
            time(self.expires_at),
            self.message.clone(),
        ]
    }
}

impl View for Message {
    fn render(&self) -> String {
        let Self { message, offer, .. } = self;
        format!("noted for message {message} of offer {offer}")
    }
}
