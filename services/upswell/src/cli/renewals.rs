//! Renewals: the deals, their stages, and the work on them.

mod absences;
mod contacts;
mod edits;
mod questions;
mod rows;

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use upswell_proto::renewals::v1::{
    self as pb, AdvanceDealRequest, CloseDealRequest, CompleteTaskRequest, GetDealRequest, GetTaskRequest,
    ListDealsRequest, ListTasksRequest, deal::Stage, loss_reason::Category,
    renewal_service_client::RenewalServiceClient,
};
use upswell_renewals::NAME;
use upswell_runtime::money::Money;

use self::{absences::Absence, contacts::Contact, edits::Edit, questions::Question, rows::Task};
use super::{
    context::Context,
    output::{Column, Listing, Row, View, card, cash, day, left, part, right, time, wire_money, yes},
    pages::Limit,
    words::{self, RequestId},
};
use crate::wire::{date, instant, word};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Coming renewals, the most money at risk first; or reviews, forecast, losses, a calendar, an export.
    #[command(
        args_conflicts_with_subcommands = true,
        after_long_help = "\
Examples:
  upswell renewals --account acct-01 --all
  upswell renewals forecast --from 2026-10-01
  upswell renewals export --format ical --out renewals.ics"
    )]
    Renewals {
        #[command(subcommand)]
        question: Option<Question>,
        #[command(flatten)]
        deals: Deals,
    },
    /// One renewal: look at it, move it on, or close it.
    #[command(
        subcommand,
        after_long_help = "\
Examples:
  upswell renewal show 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90
  upswell renewal advance 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --to negotiation --actor anna
  upswell renewal close 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --renewed --actor anna
  upswell renewal close 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --lost price --actor anna"
    )]
    Renewal(Renewal),
    /// Contacts of renewals: plan, begin, finish or cancel one; each takes its place in the touch ledger.
    #[command(subcommand, after_long_help = "Example:\n  upswell contact list --account acct-01")]
    Contact(Contact),
    /// Who is away, and who stands in.
    #[command(subcommand, after_long_help = "Example:\n  upswell absence list --person anna")]
    Absence(Absence),
    /// Work on renewals, the most urgent first.
    #[command(after_long_help = "Example:\n  upswell tasks --assignee anna")]
    Tasks {
        /// Only of this person.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME")]
        assignee: String,
        /// Only of this deal.
        #[arg(long, default_value_t, hide_default_value = true)]
        deal: String,
        /// Also those that are done or no longer needed.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// Mark a task as done.
    #[command(after_long_help = "Example:\n  upswell task-done 41a3a0d2-5b1e-5f0c-a7b8-1d2e3f4a5b6c --actor anna")]
    TaskDone {
        /// The task's id.
        task: String,
        /// Version of the task as you saw it; if absent, as it stands now.
        #[arg(long)]
        etag: Option<String>,
        #[command(flatten)]
        request: RequestId,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Renewal {
    /// A deal with its history.
    #[command(after_long_help = "Example:\n  upswell renewal show 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90")]
    Show {
        /// The deal's id.
        deal: String,
    },
    /// Move a deal on before its date does.
    #[command(after_long_help = "\
Example:
  upswell renewal advance 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --to negotiation --actor anna")]
    Advance {
        /// The deal's id.
        deal: String,
        /// The stage to enter.
        #[arg(long, value_parser = words::stage(), value_name = "STAGE")]
        to: Stage,
        #[command(flatten)]
        change: Change,
    },
    /// Say how a renewal went.
    #[command(after_long_help = "\
Example:
  upswell renewal close 9d8e1c55-1a7f-5f3c-8f0e-2c7d1b6a4e90 --lost competitor --competitor rival --actor anna")]
    Close {
        /// The deal's id.
        deal: String,
        /// The subscription goes on.
        #[arg(long, required_unless_present = "lost", conflicts_with = "lost")]
        renewed: bool,
        /// The subscription ends, for this reason.
        #[arg(long, value_parser = words::loss(), value_name = "REASON")]
        lost: Option<Category>,
        /// The reason in the customer's words.
        #[arg(long, default_value_t, hide_default_value = true, requires = "lost")]
        detail: String,
        /// Who won instead.
        #[arg(long, default_value_t, hide_default_value = true, requires = "lost")]
        competitor: String,
        /// The integration that is missing.
        #[arg(long, default_value_t, hide_default_value = true, requires = "lost")]
        integration: String,
        #[command(flatten)]
        change: Change,
    },
    #[command(flatten)]
    Edit(Edit),
}

/// Which deals are listed.
#[derive(Debug, Args)]
pub(super) struct Deals {
    /// Only this account.
    #[arg(long, default_value_t, hide_default_value = true)]
    account: String,
    /// Also closed ones.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    limit: Limit,
}

impl Deals {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let request = ListDealsRequest {
            account_id: self.account,
            include_closed: self.all,
            ..Default::default()
        };
        let send = |channel, request| async move { RenewalServiceClient::new(channel).list_deals(request).await };
        let found: Listing<Deal> = context.list(NAME, self.limit, request, send).await?;
        context.show(&found)
    }
}

/// What a change of a deal takes.
#[derive(Debug, Args)]
pub(super) struct Change {
    /// Version of the deal as you saw it; if absent, as it stands now.
    #[arg(long)]
    etag: Option<String>,
    #[command(flatten)]
    request: RequestId,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Renewals {
                question: Some(question),
                deals: _,
            } => question.run(context).await,
            Self::Renewals { question: None, deals } => deals.run(context).await,
            Self::Renewal(renewal) => renewal.run(context).await,
            Self::Contact(contact) => contact.run(context).await,
            Self::Absence(absence) => absence.run(context).await,
            Self::Tasks {
                assignee: assignee_id,
                deal: deal_id,
                all: include_closed,
                limit,
            } => {
                let request = ListTasksRequest {
                    assignee_id,
                    deal_id,
                    include_closed,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { RenewalServiceClient::new(channel).list_tasks(request).await };
                let found: Listing<Task> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::TaskDone {
                task: task_id,
                etag,
                request,
            } => {
                let get = |channel, request| async move { RenewalServiceClient::new(channel).get_task(request).await };
                let asked = GetTaskRequest {
                    task_id: task_id.clone(),
                };
                let task = context.ask(NAME, asked, get).await?.task.unwrap_or_default();
                let request = CompleteTaskRequest {
                    task_id,
                    request_id: request.text(),
                    etag: etag.unwrap_or(task.etag),
                };
                let send =
                    |channel, request| async move { RenewalServiceClient::new(channel).complete_task(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Task::from(answer.task.unwrap_or_default()))
            }
        }
    }
}

impl Renewal {
    async fn run(self, context: &Context) -> Result<()> {
        let deal = match self {
            Self::Show { deal } => fetch(context, deal).await?,
            Self::Edit(edit) => edit.run(context).await?,
            Self::Advance {
                deal: deal_id,
                to,
                change,
            } => {
                let (etag, request_id) = change.terms(context, &deal_id).await?;
                let request = AdvanceDealRequest {
                    deal_id,
                    stage: to.into(),
                    etag,
                    request_id,
                };
                let send =
                    |channel, request| async move { RenewalServiceClient::new(channel).advance_deal(request).await };
                context.ask(NAME, request, send).await?.deal.unwrap_or_default()
            }
            Self::Close {
                deal: deal_id,
                renewed,
                lost,
                detail,
                competitor,
                integration,
                change,
            } => {
                let (etag, request_id) = change.terms(context, &deal_id).await?;
                let loss_reason = lost.map(|category| pb::LossReason {
                    category: category.into(),
                    detail,
                    competitor,
                    missing_integration: integration,
                });
                let request = CloseDealRequest {
                    deal_id,
                    renewed,
                    loss_reason,
                    etag,
                    request_id,
                };
                let send =
                    |channel, request| async move { RenewalServiceClient::new(channel).close_deal(request).await };
                context.ask(NAME, request, send).await?.deal.unwrap_or_default()
            }
        };
        context.show(&Deal::from(deal))
    }
}

impl Change {
    /// The etag and request id for the wire.
    async fn terms(self, context: &Context, deal_id: &str) -> Result<(String, String)> {
        let etag = match self.etag {
            Some(etag) => etag,
            None => fetch(context, deal_id.to_owned()).await?.etag,
        };
        Ok((etag, self.request.text()))
    }
}

async fn fetch(context: &Context, deal_id: String) -> Result<pb::Deal> {
    let send = |channel, request| async move { RenewalServiceClient::new(channel).get_deal(request).await };
    Ok(context
        .ask(NAME, GetDealRequest { deal_id }, send)
        .await?
        .deal
        .unwrap_or_default())
}

#[derive(Serialize)]
struct Deal {
    deal: String,
    account: String,
    subscription: String,
    renews: Option<Date>,
    stage: String,
    owner: String,
    mrr: Option<Money>,
    at_risk: Option<Money>,
    loss: Option<Loss>,
    stage_since: Option<Timestamp>,
    auto_renew: bool,
    notice_days: i32,
    term_months: i32,
    /// The last day on which notice may be given.
    notice_until: Option<Date>,
    notice_given: Option<Date>,
    /// Why a person moved the stages.
    shift_reason: String,
    history: Vec<Entry>,
    etag: String,
}

#[derive(Serialize)]
struct Loss {
    category: String,
    detail: String,
    competitor: String,
}

#[derive(Serialize)]
struct Entry {
    stage: String,
    entered_at: Option<Timestamp>,
    actor: String,
}

impl From<pb::Deal> for Deal {
    fn from(deal: pb::Deal) -> Self {
        let loss = |loss: pb::LossReason| Loss {
            category: word(loss.category().as_str_name(), "CATEGORY"),
            detail: loss.detail,
            competitor: loss.competitor,
        };
        let entry = |entry: pb::StageEntry| Entry {
            stage: word(entry.stage().as_str_name(), "STAGE"),
            entered_at: instant(entry.enter_time.as_ref()),
            actor: entry.actor,
        };
        let terms = deal.terms.unwrap_or_default();
        Self {
            auto_renew: terms.auto_renew,
            notice_days: terms.notice_days,
            term_months: terms.term_months,
            notice_until: date(deal.notice_date.as_ref()),
            notice_given: date(deal.notice_given_date.as_ref()),
            shift_reason: deal.shift_reason.clone(),
            renews: date(deal.renewal_date.as_ref()),
            stage: word(deal.stage().as_str_name(), "STAGE"),
            mrr: wire_money(deal.mrr.as_ref()),
            at_risk: wire_money(deal.at_risk.as_ref()),
            stage_since: instant(deal.stage_time.as_ref()),
            loss: deal.loss_reason.map(loss),
            history: deal.history.into_iter().map(entry).collect(),
            deal: deal.deal_id,
            account: deal.account_id,
            subscription: deal.subscription_id,
            owner: deal.owner_id,
            etag: deal.etag,
        }
    }
}

impl Row for Deal {
    const COLUMNS: &'static [Column] = &[
        left("deal"),
        left("account"),
        left("renews"),
        left("stage"),
        left("owner"),
        right("MRR"),
        right("at risk a month"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.deal.clone(),
            self.account.clone(),
            day(self.renews),
            self.stage.clone(),
            self.owner.clone(),
            cash(self.mrr),
            cash(self.at_risk),
        ]
    }
}

impl View for Deal {
    fn render(&self) -> String {
        let loss = self.loss.as_ref().map_or(String::new(), |loss| {
            format!("{} {} {}", loss.category, loss.competitor, loss.detail)
        });
        let lines = [
            ("deal", self.deal.clone()),
            ("account", self.account.clone()),
            ("subscription", self.subscription.clone()),
            ("renews", day(self.renews)),
            ("stage", format!("{} since {}", self.stage, time(self.stage_since))),
            ("lost because", loss),
            ("renews by itself", yes(self.auto_renew)),
            ("notice until", day(self.notice_until)),
            ("notice given", day(self.notice_given)),
            ("stages moved", self.shift_reason.clone()),
            ("owner", self.owner.clone()),
            ("MRR", cash(self.mrr)),
            ("at risk a month", cash(self.at_risk)),
            ("etag", self.etag.clone()),
        ];
        [card(&lines), part("History", &self.history)].concat()
    }
}

impl Row for Entry {
    const COLUMNS: &'static [Column] = &[left("stage"), left("entered"), left("by")];

    fn cells(&self) -> Vec<String> {
        vec![self.stage.clone(), time(self.entered_at), self.actor.clone()]
    }
}
