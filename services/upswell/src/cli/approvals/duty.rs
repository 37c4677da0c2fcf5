//! Who stands in for whom, what waits, and other words for an offer (C-14).

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use upswell_offers::NAME;
use upswell_proto::offers::v1::{
    self as pb, DelegateApprovalsRequest, EditOfferRequest, EndDelegationRequest, GetApprovalDigestRequest,
    ListDelegationsRequest, approval_service_client::ApprovalServiceClient, delegation,
    offer_service_client::OfferServiceClient,
};
use upswell_runtime::money::Money;

use super::{ApprovalView, Decided};
use crate::{
    cli::{
        context::Context,
        output::{Column, Listing, Row, View, card, cashes, day, left, time, wire_moneys},
        pages::Limit,
        words::{self, RequestId},
    },
    wire::{date, instant, to_date, word},
};

/// Other words for an offer.
#[derive(Debug, Args)]
pub(in crate::cli) struct Edit {
    /// The offer's id.
    offer: String,
    /// The subject line.
    #[arg(long)]
    subject: String,
    /// The body.
    #[arg(long)]
    body: String,
    /// The banner beside a task; stays as it is if absent.
    #[arg(long)]
    banner: Option<String>,
    /// The offer's version as you saw it; whatever stands now if absent.
    #[arg(long, default_value_t, hide_default_value = true)]
    etag: String,
    #[command(flatten)]
    request: RequestId,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Delegate {
    /// Say who stands in: while somebody is away, or when somebody does not decide in time.
    #[command(after_long_help = "\
Example:
  upswell delegation set anna --to boris --kind absence --from 2026-10-20 --until 2026-10-31 --actor anna")]
    Set {
        /// For whom.
        person: String,
        /// Who.
        #[arg(long, value_name = "NAME")]
        to: String,
        /// What for.
        #[arg(long, value_parser = words::delegation_kind())]
        kind: delegation::Kind,
        /// First day.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        from: Date,
        /// Last day; an open end if absent.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        until: Option<Date>,
        #[command(flatten)]
        request: RequestId,
    },
    /// End a delegation now.
    #[command(after_long_help = "Example:\n  upswell delegation end 77ab8f5e-0d55-5c0b-b5a0-9c1d2e3f4a5b --actor anna")]
    End {
        /// The delegation's id.
        delegation: String,
        #[command(flatten)]
        request: RequestId,
    },
    /// Delegations, the newest first.
    #[command(after_long_help = "Example:\n  upswell delegation list --person anna")]
    List {
        /// Only those for this person.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME")]
        person: String,
        #[command(flatten)]
        limit: Limit,
    },
}

impl Edit {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        context.actor()?;
        let request = EditOfferRequest {
            offer_id: self.offer,
            subject: self.subject,
            body: self.body,
            banner: self.banner,
            etag: self.etag,
            request_id: self.request.text(),
        };
        let send = |channel, request| async move { OfferServiceClient::new(channel).edit_offer(request).await };
        let answer = context.ask(NAME, request, send).await?;
        context.show(&Decided(ApprovalView::from(answer.approval.unwrap_or_default())))
    }
}

/// What waits for a person, and how long decisions took.
pub(super) async fn digest(context: &Context, approver_id: String, days: i32) -> Result<()> {
    let request = GetApprovalDigestRequest { approver_id, days };
    let send = |channel, request| async move { ApprovalServiceClient::new(channel).get_approval_digest(request).await };
    let answer = context.ask(NAME, request, send).await?;
    context.show(&Digest::from(answer))
}

impl Delegate {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Set {
                person,
                to,
                kind,
                from,
                until,
                request,
            } => {
                context.actor()?;
                let request = DelegateApprovalsRequest {
                    person_id: person,
                    delegate_id: to,
                    kind: kind.into(),
                    start_date: Some(to_date(from)),
                    end_date: until.map(to_date),
                    request_id: request.text(),
                };
                let send = |channel, request| async move {
                    ApprovalServiceClient::new(channel).delegate_approvals(request).await
                };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Delegation::from(answer.delegation.unwrap_or_default()))
            }
            Self::End { delegation, request } => {
                context.actor()?;
                let request = EndDelegationRequest {
                    delegation_id: delegation,
                    request_id: request.text(),
                };
                let send =
                    |channel, request| async move { ApprovalServiceClient::new(channel).end_delegation(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Delegation::from(answer.delegation.unwrap_or_default()))
            }
            Self::List { person, limit } => {
                let request = ListDelegationsRequest {
                    person_id: person,
                    ..Default::default()
                };
                let send = |channel, request| async move {
                    ApprovalServiceClient::new(channel).list_delegations(request).await
                };
                let found: Listing<Delegation> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
        }
    }
}

#[derive(Serialize)]
struct Delegation {
    delegation: String,
    person: String,
    delegate: String,
    kind: String,
    from: Option<Date>,
    until: Option<Date>,
    author: String,
    ended_at: Option<Timestamp>,
}

impl From<pb::Delegation> for Delegation {
    fn from(delegation: pb::Delegation) -> Self {
        Self {
            kind: word(delegation.kind().as_str_name(), "KIND"),
            from: date(delegation.start_date.as_ref()),
            until: date(delegation.end_date.as_ref()),
            ended_at: instant(delegation.end_time.as_ref()),
            delegation: delegation.delegation_id,
            person: delegation.person_id,
            delegate: delegation.delegate_id,
            author: delegation.author,
        }
    }
}

impl Row for Delegation {
    const COLUMNS: &'static [Column] = &[
        left("for"),
        left("stands in"),
        left("what for"),
        left("from"),
        left("until"),
        left("said by"),
        left("ended"),
        left("delegation"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.person.clone(),
            self.delegate.clone(),
            self.kind.clone(),
            day(self.from),
            day(self.until),
            self.author.clone(),
            time(self.ended_at),
            self.delegation.clone(),
        ]
    }
}

impl View for Delegation {
    fn render(&self) -> String {
        let Self {
            delegation,
            person,
            delegate,
            ..
        } = self;
        if self.ended_at.is_some() {
            return format!("{delegate} no longer stands in for {person}; delegation {delegation}");
        }
        let until = self
            .until
            .map_or("until it is ended".to_owned(), |until| format!("until {until}"));
        format!(
            "{delegate} stands in for {person} ({}) from {} {until}; delegation {delegation}",
            self.kind,
            day(self.from)
        )
    }
}

#[derive(Serialize)]
struct Digest {
    pending: i32,
    oldest_at: Option<Timestamp>,
    expected_values: Vec<Money>,
    decided: i32,
    median_wait_seconds: Option<i64>,
    p90_wait_seconds: Option<i64>,
    next: Vec<ApprovalView>,
}

impl From<pb::GetApprovalDigestResponse> for Digest {
    fn from(digest: pb::GetApprovalDigestResponse) -> Self {
        Self {
            pending: digest.pending_count,
            oldest_at: instant(digest.oldest_request_time.as_ref()),
            expected_values: wire_moneys(&digest.expected_values),
            decided: digest.decided_count,
            median_wait_seconds: digest.median_wait_seconds,
            p90_wait_seconds: digest.p90_wait_seconds,
            next: digest.next.into_iter().map(ApprovalView::from).collect(),
        }
    }
}

impl View for Digest {
    fn render(&self) -> String {
        let minutes = |seconds: Option<i64>| seconds.map_or(String::new(), |seconds| format!("{} min", seconds / 60));
        let head = card(&[
            ("waiting", self.pending.to_string()),
            ("the longest since", time(self.oldest_at)),
            ("expected a month", cashes(&self.expected_values)),
            ("decided", self.decided.to_string()),
            ("half within", minutes(self.median_wait_seconds)),
            ("nine of ten within", minutes(self.p90_wait_seconds)),
        ]);
        format!("{head}{}", crate::cli::output::part("What expires first", &self.next))
    }
}
