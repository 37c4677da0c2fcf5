//! What people decide about facts: which accounts are one, and which of two contents stands.

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use upswell_ingestion::NAME;
use upswell_proto::ingestion::v1::{
    self as pb, ListConflictsRequest, ListDuplicateAccountsRequest, ListMergesRequest, MergeAccountsRequest,
    ResolveConflictRequest, UnmergeAccountsRequest, conflict::Resolution,
    ingestion_service_client::IngestionServiceClient,
};

use super::{
    context::Context,
    facts::ConflictRow,
    output::{Column, Listing, Row, View, left, right, time},
    pages::Limit,
    words::RequestId,
};
use crate::wire::instant;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make two records of one company one account; nothing is rewritten, and it can be undone.
    #[command(after_long_help = "\
Example:
  upswell merge acct-01 --with acct-77 --reason 'one company, two CRM records' --actor anna")]
    Merge {
        /// The account that goes on.
        account: String,
        /// The account that becomes part of it.
        #[arg(long, value_name = "ACCOUNT")]
        with: String,
        #[command(flatten)]
        decision: Decision,
    },
    /// Make a merged account two again.
    #[command(after_long_help = "\
Example:
  upswell unmerge 0d4f1f0e-6d6e-5a0a-9a3c-9f2f4c1f5a10 --reason 'a namesake' --actor anna")]
    Unmerge {
        /// The merge's id.
        merge: String,
        #[command(flatten)]
        decision: Decision,
    },
    /// The merges, the newest first.
    #[command(after_long_help = "Example:\n  upswell merges --account acct-01")]
    Merges {
        /// Only those with this account on either side.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// Accounts whose names say nearly the same: candidates for a merge.
    #[command(after_long_help = "Example:\n  upswell duplicates")]
    Duplicates {
        #[command(flatten)]
        limit: Limit,
    },
    /// Facts that came again with other content; the first content stands until somebody decides.
    #[command(after_long_help = "Example:\n  upswell conflicts --account acct-01")]
    Conflicts {
        /// Only this account.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        /// Also those that were decided.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// Decide which content of a fact stands.
    #[command(after_long_help = "\
Example:
  upswell resolve 17 --replace --etag open --reason 'billing sent it too early' --actor anna")]
    Resolve {
        /// The conflict's number.
        conflict: i64,
        #[command(flatten)]
        which: Which,
        /// Version of the conflict as `upswell conflicts --output json` showed it.
        #[arg(long)]
        etag: String,
        #[command(flatten)]
        decision: Decision,
    },
}

/// What a decision of a person takes.
#[derive(Debug, Args)]
pub(super) struct Decision {
    /// Why, for whoever asks later.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    request: RequestId,
}

/// Which content stands.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// What is recorded stands.
    #[arg(long)]
    keep: bool,
    /// What was refused replaces it, as its correction.
    #[arg(long)]
    replace: bool,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Merge {
                account: account_id,
                with: merged_account_id,
                decision,
            } => {
                context.actor()?;
                let request = MergeAccountsRequest {
                    account_id,
                    merged_account_id,
                    request_id: decision.request.text(),
                    reason: decision.reason,
                };
                let send = |channel, request| async move {
                    IngestionServiceClient::new(channel).merge_accounts(request).await
                };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Merge::from(answer.merge.unwrap_or_default()))
            }
            Self::Unmerge {
                merge: merge_id,
                decision,
            } => {
                context.actor()?;
                let request = UnmergeAccountsRequest {
                    merge_id,
                    request_id: decision.request.text(),
                    reason: decision.reason,
                };
                let send = |channel, request| async move {
                    IngestionServiceClient::new(channel).unmerge_accounts(request).await
                };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Merge::from(answer.merge.unwrap_or_default()))
            }
            Self::Merges {
                account: account_id,
                limit,
            } => {
                let request = ListMergesRequest {
                    account_id,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { IngestionServiceClient::new(channel).list_merges(request).await };
                let found: Listing<Merge> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Duplicates { limit } => {
                let send = |channel, request| async move {
                    IngestionServiceClient::new(channel)
                        .list_duplicate_accounts(request)
                        .await
                };
                let request = ListDuplicateAccountsRequest::default();
                let found: Listing<Duplicate> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Conflicts { account, all, limit } => conflicts(context, account, all, limit).await,
            Self::Resolve {
                conflict,
                which,
                etag,
                decision,
            } => resolve(context, conflict, &which, etag, decision).await,
        }
    }
}

async fn conflicts(context: &Context, account_id: String, include_resolved: bool, limit: Limit) -> Result<()> {
    let request = ListConflictsRequest {
        account_id,
        include_resolved,
        ..Default::default()
    };
    let send = |channel, request| async move { IngestionServiceClient::new(channel).list_conflicts(request).await };
    let found: Listing<ConflictRow> = context.list(NAME, limit, request, send).await?;
    context.show(&found)
}

async fn resolve(context: &Context, conflict_id: i64, which: &Which, etag: String, decision: Decision) -> Result<()> {
    context.actor()?;
    let resolution = if which.replace {
        Resolution::Replace
    } else {
        Resolution::Keep
    };
    let request = ResolveConflictRequest {
        request_id: decision.request.text(),
        conflict_id,
        etag,
        resolution: resolution.into(),
        reason: decision.reason,
    };
    let send = |channel, request| async move { IngestionServiceClient::new(channel).resolve_conflict(request).await };
    let answer = context.ask(NAME, request, send).await?;
    context.show(&ConflictRow::from(answer.conflict.unwrap_or_default()))
}

#[derive(Serialize)]
struct Merge {
    merge: String,
    account: String,
    part: String,
    by: String,
    at: Option<Timestamp>,
    reason: String,
    undone_at: Option<Timestamp>,
    undone_by: String,
    undo_reason: String,
}

impl From<pb::Merge> for Merge {
    fn from(merge: pb::Merge) -> Self {
        Self {
            at: instant(merge.merge_time.as_ref()),
            undone_at: instant(merge.undo_time.as_ref()),
            merge: merge.merge_id,
            account: merge.account_id,
            part: merge.merged_account_id,
            by: merge.actor,
            reason: merge.reason,
            undone_by: merge.undo_actor,
            undo_reason: merge.undo_reason,
        }
    }
}

impl Row for Merge {
    const COLUMNS: &'static [Column] = &[
        left("merge"),
        left("account"),
        left("part of it"),
        left("by"),
        left("since"),
        left("reason"),
        left("undone"),
        left("by"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.merge.clone(),
            self.account.clone(),
            self.part.clone(),
            self.by.clone(),
            time(self.at),
            self.reason.clone(),
            time(self.undone_at),
            self.undone_by.clone(),
        ]
    }
}

impl View for Merge {
    fn render(&self) -> String {
        let Self {
            merge, account, part, ..
        } = self;
        if self.undone_at.is_some() {
            return format!("merge {merge} is undone: {account} and {part} are two accounts again");
        }
        format!("{part} is part of {account}; merge {merge}")
    }
}

#[derive(Serialize)]
struct Duplicate {
    account: String,
    name: String,
    other_account: String,
    other_name: String,
    similarity_percent: i32,
}

impl From<pb::DuplicateAccounts> for Duplicate {
    fn from(found: pb::DuplicateAccounts) -> Self {
        Self {
            account: found.account_id,
            name: found.display_name,
            other_account: found.other_account_id,
            other_name: found.other_display_name,
            similarity_percent: found.similarity_percent,
        }
    }
}

impl Row for Duplicate {
    const COLUMNS: &'static [Column] = &[
        left("account"),
        left("name"),
        left("other account"),
        left("its name"),
        right("alike, %"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.account.clone(),
            self.name.clone(),
            self.other_account.clone(),
            self.other_name.clone(),
            self.similarity_percent.to_string(),
        ]
    }
}
