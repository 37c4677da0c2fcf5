//! Contacts of a renewal: each takes its place in the touch ledger before it is made (RN-2).

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use upswell_proto::{
    renewals::v1::{
        self as pb, BeginContactRequest, CancelContactRequest, FinishContactRequest, ListContactsRequest,
        PlanContactRequest, contact_service_client::ContactServiceClient, finish_contact_request::Outcome,
        renewal_contact::Kind,
    },
    vocabulary::v1::Channel,
};
use upswell_renewals::NAME;

use crate::{
    cli::{
        context::Context,
        output::{Column, Listing, Row, View, left, time},
        pages::Limit,
        words::{self, RequestId},
    },
    wire::{instant, to_instant, word},
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Contact {
    /// Plan a contact; the ledger grants its place, or names the earliest legal time.
    #[command(after_long_help = "\
Example:
  upswell contact plan 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --kind call --channel csm_task --at 2026-10-13T09:00:00Z --actor anna")]
    Plan {
        /// The deal's id.
        deal: String,
        /// What it is.
        #[arg(long, value_parser = words::contact_kind(), value_name = "KIND")]
        kind: Kind,
        /// How it reaches the account.
        #[arg(long, value_parser = words::channel(), value_name = "CHANNEL")]
        channel: Channel,
        /// The person who is contacted.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "CONTACT")]
        person: String,
        /// It proposes expansion, so that it counts as commercial too.
        #[arg(long)]
        expansion: bool,
        /// When it is to be made; now if absent.
        #[arg(long, value_name = "TIME", value_parser = words::instant)]
        at: Option<Timestamp>,
        #[command(flatten)]
        request: RequestId,
    },
    /// Say that it is being made: from here on it counts.
    #[command(
        after_long_help = "Example:\n  upswell contact begin 5d0c4a44-9f0b-5b0a-8c39-1f2e3d4c5b6a --etag 2 --actor anna"
    )]
    Begin(Step),
    /// Say how it went.
    #[command(after_long_help = "\
Example:
  upswell contact finish 5d0c4a44-9f0b-5b0a-8c39-1f2e3d4c5b6a --outcome made --etag 3 --actor anna")]
    Finish {
        /// How it went.
        #[arg(long, value_parser = words::contact_outcome(), value_name = "OUTCOME")]
        outcome: Outcome,
        #[command(flatten)]
        step: Step,
    },
    /// Give it up before it is begun; its place is given back.
    #[command(
        after_long_help = "Example:\n  upswell contact cancel 5d0c4a44-9f0b-5b0a-8c39-1f2e3d4c5b6a --etag 2 --actor anna"
    )]
    Cancel(Step),
    /// Contacts by planned time.
    #[command(after_long_help = "Example:\n  upswell contact list --account acct-01 --all")]
    List {
        /// Only of this account.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        /// Only of this deal.
        #[arg(long, default_value_t, hide_default_value = true)]
        deal: String,
        /// Also those that are over.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        limit: Limit,
    },
}

/// What a step of a contact takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Step {
    /// The contact's id.
    contact: String,
    /// Version of the contact as you saw it.
    #[arg(long)]
    etag: String,
    #[command(flatten)]
    request: RequestId,
}

impl Contact {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let contact = match self {
            Self::Plan {
                deal: deal_id,
                kind,
                channel,
                person: contact_id,
                expansion: proposes_expansion,
                at,
                request,
            } => {
                let request = PlanContactRequest {
                    deal_id,
                    kind: kind.into(),
                    channel: channel.into(),
                    contact_id,
                    proposes_expansion,
                    planned_time: at.map(to_instant),
                    request_id: request.text(),
                };
                let send =
                    |channel, request| async move { ContactServiceClient::new(channel).plan_contact(request).await };
                context.ask(NAME, request, send).await?.contact
            }
            Self::Begin(step) => {
                let request = BeginContactRequest {
                    renewal_contact_id: step.contact,
                    etag: step.etag,
                    request_id: step.request.text(),
                };
                let send =
                    |channel, request| async move { ContactServiceClient::new(channel).begin_contact(request).await };
                context.ask(NAME, request, send).await?.contact
            }
            Self::Finish { outcome, step } => {
                let request = FinishContactRequest {
                    renewal_contact_id: step.contact,
                    outcome: outcome.into(),
                    etag: step.etag,
                    request_id: step.request.text(),
                };
                let send =
                    |channel, request| async move { ContactServiceClient::new(channel).finish_contact(request).await };
                context.ask(NAME, request, send).await?.contact
            }
            Self::Cancel(step) => {
                let request = CancelContactRequest {
                    renewal_contact_id: step.contact,
                    etag: step.etag,
                    request_id: step.request.text(),
                };
                let send =
                    |channel, request| async move { ContactServiceClient::new(channel).cancel_contact(request).await };
                context.ask(NAME, request, send).await?.contact
            }
            Self::List {
                account: account_id,
                deal: deal_id,
                all: include_closed,
                limit,
            } => {
                let request = ListContactsRequest {
                    deal_id,
                    account_id,
                    include_closed,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { ContactServiceClient::new(channel).list_contacts(request).await };
                let found: Listing<ContactRow> = context.list(NAME, limit, request, send).await?;
                return context.show(&found);
            }
        };
        context.show(&ContactRow::from(contact.unwrap_or_default()))
    }
}

#[derive(Serialize)]
struct ContactRow {
    contact: String,
    deal: String,
    account: String,
    kind: String,
    channel: String,
    person: String,
    proposes_expansion: bool,
    planned: Option<Timestamp>,
    state: String,
    /// A step waits for the ledger.
    pending: bool,
    touch: String,
    blocking_rules: Vec<String>,
    by: String,
    etag: String,
}

impl From<pb::RenewalContact> for ContactRow {
    fn from(contact: pb::RenewalContact) -> Self {
        Self {
            kind: word(contact.kind().as_str_name(), "KIND"),
            channel: word(contact.channel().as_str_name(), "CHANNEL"),
            state: word(contact.state().as_str_name(), "STATE"),
            planned: instant(contact.planned_time.as_ref()),
            contact: contact.renewal_contact_id,
            deal: contact.deal_id,
            account: contact.account_id,
            person: contact.contact_id,
            proposes_expansion: contact.proposes_expansion,
            pending: contact.pending,
            touch: contact.touch_id,
            blocking_rules: contact.blocking_rules,
            by: contact.actor,
            etag: contact.etag,
        }
    }
}

impl Row for ContactRow {
    const COLUMNS: &'static [Column] = &[
        left("contact"),
        left("account"),
        left("what"),
        left("channel"),
        left("planned"),
        left("state"),
        left("against it"),
        left("by"),
        left("etag"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.contact.clone(),
            self.account.clone(),
            self.kind.clone(),
            self.channel.clone(),
            time(self.planned),
            self.state.clone(),
            self.blocking_rules.join(", "),
            self.by.clone(),
            self.etag.clone(),
        ]
    }
}

impl View for ContactRow {
    fn render(&self) -> String {
        let Self {
            contact,
            kind,
            account,
            state,
            etag,
            ..
        } = self;
        let waits = if self.pending { ", waiting for the ledger" } else { "" };
        let rules = if self.blocking_rules.is_empty() {
            String::new()
        } else {
            format!(" (against it: {})", self.blocking_rules.join(", "))
        };
        let at = time(self.planned);
        format!("contact {contact} ({kind} with {account}, {at}) is {state}{rules}{waits}; etag {etag}")
    }
}
