//! Approval of enterprise offers: what waits for whom, and the decision of a person who has seen the content.

mod duty;

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use upswell_offers::NAME;
use upswell_proto::offers::v1::{
    self as pb, ApproveOfferRequest, GetApprovalRequest, ListApprovalsRequest, RejectOfferRequest, approval,
    approval_service_client::ApprovalServiceClient,
};

use self::duty::{Delegate, Edit};
use super::{
    context::Context,
    offers::OfferView,
    output::{Column, Listing, Row, View, card, left, time},
    pages::Limit,
    words::{self, RequestId},
};
use crate::wire::{instant, word};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Requests for approval, the longest waiting first.
    #[command(after_long_help = "\
Examples:
  upswell approvals --actor anna --mine
  upswell approvals --state expired")]
    Approvals(List),
    /// Let an offer go out exactly as it is frozen.
    ///
    /// Shows the offer, asks, and sends the fingerprint of what it showed: were the offer changed meanwhile, the approval
    /// would be refused. An offer that nobody approves in time is not sent.
    #[command(after_long_help = "\
Examples:
  upswell approve 0b0f4a0e-6d3f-5d55-8e5c-0f6a2c1f7d10 --actor anna
  upswell approve 0b0f4a0e-6d3f-5d55-8e5c-0f6a2c1f7d10 --actor anna --yes")]
    Approve(Approve),
    /// Keep an offer back.
    #[command(after_long_help = "\
Example:
  upswell reject 0b0f4a0e-6d3f-5d55-8e5c-0f6a2c1f7d10 --actor anna --comment 'they are in an audit'")]
    Reject(Reject),
    /// What waits for a person, and how long decisions took.
    #[command(after_long_help = "Example:\n  upswell approval-digest --approver anna")]
    ApprovalDigest {
        /// For whom; everybody if absent.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME")]
        approver: String,
        /// Over how many past days the waits are measured.
        #[arg(long, default_value_t = 30)]
        days: i32,
    },
    /// Other words for an offer that waits for approval or was approved; somebody else is asked about them.
    #[command(after_long_help = "\
Example:
  upswell edit 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11 --subject 'More seats' --body 'As we discussed' --actor anna")]
    Edit(Edit),
    /// Who stands in for whom when offers are to be approved.
    #[command(subcommand, after_long_help = "Example:\n  upswell delegation list --person anna")]
    Delegation(Delegate),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those put to you (--actor).
    #[arg(long, conflicts_with = "approver")]
    mine: bool,
    /// Only those put to this person.
    #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME")]
    approver: String,
    /// Only this state; may be given several times.
    #[arg(long, value_parser = words::approval_state())]
    state: Vec<approval::State>,
    #[command(flatten)]
    limit: Limit,
}

#[derive(Debug, Args)]
pub(super) struct Approve {
    /// The request's id.
    approval: String,
    /// A word to the record.
    #[arg(long, default_value_t, hide_default_value = true)]
    comment: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    request: RequestId,
}

#[derive(Debug, Args)]
pub(super) struct Reject {
    /// The request's id.
    approval: String,
    /// Why.
    #[arg(long)]
    comment: String,
    #[command(flatten)]
    request: RequestId,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Approvals(list) => list.run(context).await,
            Self::Approve(approve) => approve.run(context).await,
            Self::Reject(reject) => reject.run(context).await,
            Self::ApprovalDigest { approver, days } => duty::digest(context, approver, days).await,
            Self::Edit(edit) => edit.run(context).await,
            Self::Delegation(delegate) => delegate.run(context).await,
        }
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<()> {
        let approver_id = if self.mine {
            context.actor()?.to_owned()
        } else {
            self.approver
        };
        let states = self.state.into_iter().map(i32::from).collect();
        let request = ListApprovalsRequest {
            approver_id,
            states,
            ..Default::default()
        };
        let send = |channel, request| async move { ApprovalServiceClient::new(channel).list_approvals(request).await };
        let found: Listing<ApprovalView> = context.list(NAME, self.limit, request, send).await?;
        context.show(&found)
    }
}

impl Approve {
    async fn run(self, context: &Context) -> Result<()> {
        context.actor()?;
        let request = GetApprovalRequest {
            approval_id: self.approval.clone(),
        };
        let send = |channel, request| async move { ApprovalServiceClient::new(channel).get_approval(request).await };
        let approval = context.ask(NAME, request, send).await?.approval.unwrap_or_default();
        let content_hash = approval.content_hash.clone();
        eprintln!("{}\n", ApprovalView::from(approval).render());
        if !self.yes {
            agreed()?;
        }
        let request_id = self.request.text();
        let request = ApproveOfferRequest {
            approval_id: self.approval,
            content_hash,
            comment: self.comment,
            request_id,
        };
        let send = |channel, request| async move { ApprovalServiceClient::new(channel).approve_offer(request).await };
        let answer = context.ask(NAME, request, send).await?;
        context.show(&Decided(ApprovalView::from(answer.approval.unwrap_or_default())))
    }
}

/// Asks the person at the terminal; elsewhere nobody can be asked.
fn agreed() -> Result<()> {
    if !io::stdin().is_terminal() {
        bail!("nobody can be asked here: pass --yes to approve what is shown above");
    }
    eprint!("Let it go out? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if !matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        bail!("nothing was approved");
    }
    Ok(())
}

impl Reject {
    async fn run(self, context: &Context) -> Result<()> {
        context.actor()?;
        let request_id = self.request.text();
        let request = RejectOfferRequest {
            approval_id: self.approval,
            comment: self.comment,
            request_id,
        };
        let send = |channel, request| async move { ApprovalServiceClient::new(channel).reject_offer(request).await };
        let answer = context.ask(NAME, request, send).await?;
        context.show(&Decided(ApprovalView::from(answer.approval.unwrap_or_default())))
    }
}

#[derive(Serialize)]
struct ApprovalView {
    approval: String,
    account: String,
    offer: Option<OfferView>,
    content_hash: String,
    author: String,
    approver: String,
    state: String,
    requested_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    decided_at: Option<Timestamp>,
    decided_by: String,
    comment: String,
}

impl From<pb::Approval> for ApprovalView {
    fn from(approval: pb::Approval) -> Self {
        Self {
            state: word(approval.state().as_str_name(), "STATE"),
            requested_at: instant(approval.request_time.as_ref()),
            expires_at: instant(approval.expire_time.as_ref()),
            decided_at: instant(approval.decide_time.as_ref()),
            offer: approval.snapshot.map(OfferView::from),
            approval: approval.approval_id,
            account: approval.account_id,
            content_hash: approval.content_hash,
            author: approval.author,
            approver: approval.approver_id,
            decided_by: approval.decided_by,
            comment: approval.comment,
        }
    }
}

impl Row for ApprovalView {
    const COLUMNS: &'static [Column] = &[
        left("approval"),
        left("account"),
        left("asked"),
        left("state"),
        left("asked at"),
        left("expires"),
        left("decided"),
        left("comment"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.approval.clone(),
            self.account.clone(),
            self.approver.clone(),
            self.state.clone(),
            time(self.requested_at),
            time(self.expires_at),
            time(self.decided_at),
            self.comment.clone(),
        ]
    }
}

impl View for ApprovalView {
    fn render(&self) -> String {
        let lines = [
            ("approval", self.approval.clone()),
            ("asked by", self.author.clone()),
            ("asked", self.approver.clone()),
            ("state", self.state.clone()),
            ("asked at", time(self.requested_at)),
            ("expires", time(self.expires_at)),
            ("decided by", self.decided_by.clone()),
            ("comment", self.comment.clone()),
            ("content", self.content_hash.clone()),
        ];
        let offer = self.offer.as_ref().map_or(String::new(), View::render);
        format!("{}\n\n{offer}", card(&lines))
    }
}

/// A request that was just decided.
#[derive(Serialize)]
#[serde(transparent)]
struct Decided(ApprovalView);

impl View for Decided {
    fn render(&self) -> String {
        format!("approval {} is {}", self.0.approval, self.0.state)
    }
}
