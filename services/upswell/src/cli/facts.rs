//! Questions about facts: accounts, and what they were recorded as.

use anyhow::Result;
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use upswell_ingestion::NAME;
use upswell_proto::ingestion::v1::{
    self as pb, GetAccount360Request, ListAccountsRequest, ListFactsRequest, conflict::Resolution, fact::Body,
    ingestion_service_client::IngestionServiceClient,
};

use super::{
    account::Account360,
    context::Context,
    output::{Column, Listing, Row, View, left, right, time},
    pages::Limit,
    words,
};
use crate::wire::{instant, to_instant, word};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Everything known about one account.
    ///
    /// Profile, people, subscriptions with their monthly amounts, use, tickets, surveys, invoices, touches and offers. The
    /// JSON form names the fact behind every part.
    #[command(after_long_help = "Example:\n  upswell account acct-01 --output json")]
    Account {
        /// The account's id.
        account: String,
    },
    /// The accounts.
    #[command(after_long_help = "Example:\n  upswell accounts --segment enterprise")]
    Accounts {
        /// Only this segment.
        #[arg(long, default_value_t, hide_default_value = true)]
        segment: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// The facts of an account as they were recorded: what every figure can be traced to.
    #[command(after_long_help = "Example:\n  upswell facts acct-01 --body usage --name shipments --from 2026-03-01")]
    Facts {
        /// The account's id.
        account: String,
        /// Only this kind, e.g. `usage`, `subscription`, `ticket`.
        #[arg(long, default_value_t, hide_default_value = true)]
        body: String,
        /// Only this metric, feature or object.
        #[arg(long, default_value_t, hide_default_value = true)]
        name: String,
        /// Only what happened from here on.
        #[arg(long, value_parser = words::instant)]
        from: Option<Timestamp>,
        /// Only what happened before this.
        #[arg(long, value_parser = words::instant)]
        to: Option<Timestamp>,
        #[command(flatten)]
        limit: Limit,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Account { account } => show_account(context, account).await,
            Self::Accounts { segment, limit } => {
                let request = ListAccountsRequest {
                    segment,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { IngestionServiceClient::new(channel).list_accounts(request).await };
                let found: Listing<AccountRow> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Facts {
                account: account_id,
                body,
                name,
                from,
                to,
                limit,
            } => {
                let (start_time, end_time) = (from.map(to_instant), to.map(to_instant));
                let request = ListFactsRequest {
                    account_id,
                    start_time,
                    end_time,
                    body,
                    name,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { IngestionServiceClient::new(channel).list_facts(request).await };
                let found: Listing<FactRow> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
        }
    }
}

async fn show_account(context: &Context, account_id: String) -> Result<()> {
    let send = |channel, request| async move { IngestionServiceClient::new(channel).get_account360(request).await };
    let answer = context.ask(NAME, GetAccount360Request { account_id }, send).await?;
    context.show(&Account360::from(answer))
}

#[derive(Serialize)]
struct AccountRow {
    account: String,
    name: String,
    segment: String,
    country: String,
    time_zone: String,
    enterprise: bool,
    csm: String,
    since: Option<Timestamp>,
}

impl From<pb::Account> for AccountRow {
    fn from(account: pb::Account) -> Self {
        let profile = account.profile.unwrap_or_default();
        Self {
            account: account.account_id,
            name: profile.display_name,
            segment: profile.segment,
            country: profile.country_code,
            time_zone: profile.time_zone,
            enterprise: profile.enterprise,
            csm: profile.csm_id,
            since: instant(account.create_time.as_ref()),
        }
    }
}

impl Row for AccountRow {
    const COLUMNS: &'static [Column] = &[
        left("account"),
        left("name"),
        left("segment"),
        left("country"),
        left("time zone"),
        left("csm"),
        left("known since"),
    ];

    fn cells(&self) -> Vec<String> {
        let segment = if self.enterprise {
            format!("{} (enterprise)", self.segment)
        } else {
            self.segment.clone()
        };
        vec![
            self.account.clone(),
            self.name.clone(),
            segment,
            self.country.clone(),
            self.time_zone.clone(),
            self.csm.clone(),
            time(self.since),
        ]
    }
}

#[derive(Serialize)]
struct FactRow {
    source: String,
    external_id: String,
    body: &'static str,
    about: String,
    occurred_at: Option<Timestamp>,
    recorded_at: Option<Timestamp>,
    superseded_by: String,
}

impl From<pb::RecordedFact> for FactRow {
    fn from(recorded: pb::RecordedFact) -> Self {
        let fact = recorded.fact.unwrap_or_default();
        let (body, about) = fact.body.as_ref().map(told).unwrap_or_default();
        Self {
            source: fact.source,
            external_id: fact.external_id,
            body,
            about,
            occurred_at: instant(fact.occur_time.as_ref()),
            recorded_at: instant(recorded.record_time.as_ref()),
            superseded_by: recorded.superseded_by_external_id,
        }
    }
}

impl Row for FactRow {
    const COLUMNS: &'static [Column] = &[
        left("source"),
        left("external id"),
        left("kind"),
        left("about"),
        left("happened"),
        left("recorded"),
        left("corrected by"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.source.clone(),
            self.external_id.clone(),
            self.body.to_owned(),
            self.about.clone(),
            time(self.occurred_at),
            time(self.recorded_at),
            self.superseded_by.clone(),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct ConflictRow {
    conflict: i64,
    account: String,
    source: String,
    external_id: String,
    body: &'static str,
    stands: String,
    refused: String,
    at: Option<Timestamp>,
    decision: String,
    decided_by: String,
    reason: String,
    etag: String,
}

impl From<pb::Conflict> for ConflictRow {
    fn from(conflict: pb::Conflict) -> Self {
        let decision = match conflict.resolution() {
            Resolution::Unspecified => String::new(),
            decided => word(decided.as_str_name(), "RESOLUTION"),
        };
        let (stands, refused) = (
            conflict.recorded.unwrap_or_default(),
            conflict.refused.unwrap_or_default(),
        );
        let (body, about) = stands.body.as_ref().map(told).unwrap_or_default();
        Self {
            account: stands.account_id,
            source: stands.source,
            external_id: stands.external_id,
            body,
            stands: about,
            refused: refused.body.as_ref().map(told).unwrap_or_default().1,
            at: instant(conflict.conflict_time.as_ref()),
            conflict: conflict.conflict_id,
            decision,
            decided_by: conflict.resolver,
            reason: conflict.reason,
            etag: conflict.etag,
        }
    }
}

impl View for ConflictRow {
    fn render(&self) -> String {
        let Self {
            conflict,
            source,
            external_id,
            decision,
            ..
        } = self;
        format!("conflict {conflict} over {source}/{external_id} is decided: {decision}")
    }
}

impl Row for ConflictRow {
    const COLUMNS: &'static [Column] = &[
        right("conflict"),
        left("account"),
        left("source"),
        left("external id"),
        left("kind"),
        left("stands"),
        left("refused"),
        left("came again"),
        left("decided"),
        left("etag"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.conflict.to_string(),
            self.account.clone(),
            self.source.clone(),
            self.external_id.clone(),
            self.body.to_owned(),
            self.stands.clone(),
            self.refused.clone(),
            time(self.at),
            self.decision.clone(),
            self.etag.clone(),
        ]
    }
}

/// The kind of a fact as ListFacts names it, and what it says in short.
fn told(body: &Body) -> (&'static str, String) {
    use crate::wire::date;
    let day = |value| date(value).map_or(String::new(), |day| day.to_string());
    match body {
        Body::AccountProfile(profile) => ("account_profile", profile.display_name.clone()),
        Body::ContactProfile(profile) => ("contact_profile", profile.contact_id.clone()),
        Body::Subscription(terms) => (
            "subscription",
            format!(
                "{}: {} × {} from {}",
                terms.subscription_id,
                terms.quantity,
                terms.product,
                day(terms.effective_date.as_ref())
            ),
        ),
        Body::Usage(usage) => (
            "usage",
            format!("{} {} on {}", usage.value, usage.metric, day(usage.day.as_ref())),
        ),
        Body::Activity(activity) => (
            "activity",
            format!(
                "{} people, {} logins on {}",
                activity.active_users,
                activity.logins,
                day(activity.day.as_ref())
            ),
        ),
        Body::FeatureUse(used) => (
            "feature_use",
            format!(
                "{}: {} people, {} uses on {}",
                used.feature,
                used.users,
                used.uses,
                day(used.day.as_ref())
            ),
        ),
        Body::Ticket(ticket) => ("ticket", format!("{}: {}", ticket.ticket_id, ticket.topic)),
        Body::Survey(answer) => ("survey", answer.score.to_string()),
        Body::Invoice(invoice) => ("invoice", invoice.invoice_id.clone()),
        Body::Payment(payment) => ("payment", payment.invoice_id.clone()),
        Body::ExternalTouch(touch) => ("external_touch", touch.sender.clone()),
        Body::Reply(reply) => ("reply", reply.text.clone()),
        moment => told_moment(moment),
    }
}

/// What says why now, in short.
fn told_moment(body: &Body) -> (&'static str, String) {
    let told = |what: String, note: &str| {
        if note.is_empty() {
            what
        } else {
            format!("{what}: {note}")
        }
    };
    let word = |name: &str| name.trim_start_matches("KIND_").to_lowercase().replace('_', " ");
    match body {
        Body::PlanLimit(limit) => (
            "plan_limit",
            limit.value.map_or_else(
                || format!("{} unlimited", limit.metric),
                |value| format!("{} up to {value}", limit.metric),
            ),
        ),
        Body::Trial(trial) => ("trial", format!("{} of {}", trial.trial_id, trial.product)),
        Body::TrialUse(used) => (
            "trial_use",
            format!("{}: {} people, {} uses", used.feature, used.users, used.uses),
        ),
        Body::Export(export) => ("export", format!("{} to {}", export.exports, export.tool)),
        Body::Action(action) => ("action", told(word(action.kind().as_str_name()), &action.subject)),
        Body::Complaint(complaint) => ("complaint", told(word(complaint.kind().as_str_name()), &complaint.note)),
        Body::Goal(goal) => ("goal", goal.title.clone()),
        Body::CompanyEvent(event) => ("company_event", told(word(event.kind().as_str_name()), &event.note)),
        Body::Cost(cost) => ("cost", word(cost.kind().as_str_name())),
        Body::LeaveAttempt(attempt) => (
            "leave_attempt",
            told(word(attempt.kind().as_str_name()), &attempt.reason),
        ),
        Body::CsmReport(report) => ("csm_report", told(word(report.kind().as_str_name()), &report.note)),
        _ => ("", String::new()),
    }
}
