//! Playbooks: checked, compared, tried without sending, paused; and what was learned from their offers.

mod learned;
mod tried;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use upswell_offers::{NAME, policy};
use upswell_proto::offers::v1::{
    GetConversionsRequest, GetPolicyRequest, ListPlaybookPausesRequest, PausePlaybookRequest, PolicyFile,
    ResumePlaybookRequest, SimulatePolicyRequest, playbook_service_client::PlaybookServiceClient,
};

use self::{
    learned::{Conversions, Pause},
    tried::Tried,
};
use super::{
    context::Context,
    output::{Column, Listing, Row, View, card, left},
    pages::Limit,
    words::{self, RequestId},
};
use crate::wire::to_instant;

/// Accounts in one question: each is answered well before its deadline.
const ACCOUNTS: i32 = 20;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a folder with catalogue.yaml and playbooks/*.yaml; every fault is told with file, line, place and a hint.
    #[command(after_long_help = "Example:\n  upswell playbooks validate ./policy")]
    Validate {
        /// The folder.
        folder: PathBuf,
    },
    /// What a folder means differently from the policy in force, or from another folder.
    ///
    /// Comments, layout, the order of keys and defaults that are written out make no difference.
    #[command(after_long_help = "\
Examples:
  upswell playbooks diff ./policy
  upswell playbooks diff ./policy --against ./policy-of-last-month")]
    Diff {
        /// The folder.
        folder: PathBuf,
        /// What it is compared with; the policy in force if absent.
        #[arg(long, value_name = "FOLDER")]
        against: Option<PathBuf>,
    },
    /// What a folder would do with the present base, without sending anything.
    #[command(after_long_help = "Example:\n  upswell playbooks dry-run ./policy")]
    DryRun {
        /// The folder.
        folder: PathBuf,
        #[command(flatten)]
        limits: Limits,
    },
    /// What other playbooks or limits would have done with the decisions of the past, without sending anything.
    #[command(after_long_help = "\
Examples:
  upswell playbooks what-if --from 2026-07-01 --cap commercial_max=2
  upswell playbooks what-if ./policy --from 2026-07-01 --to 2026-10-01")]
    WhatIf {
        /// The folder; the policy in force if absent.
        folder: Option<PathBuf>,
        /// From this moment on.
        #[arg(long, value_name = "TIME", value_parser = words::instant)]
        from: Timestamp,
        /// Until before this moment; until now if absent.
        #[arg(long, value_name = "TIME", value_parser = words::instant)]
        to: Option<Timestamp>,
        #[command(flatten)]
        limits: Limits,
    },
    /// What became of the offers of each motion, and what is believed of the next one.
    #[command(after_long_help = "Example:\n  upswell playbooks conversions")]
    Conversions,
    /// Playbooks that were paused, by the loyalty guard or by a person, the newest first.
    #[command(after_long_help = "Example:\n  upswell playbooks pauses --active")]
    Pauses {
        /// Only those that wait now.
        #[arg(long)]
        active: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// Pause a playbook.
    #[command(after_long_help = "Example:\n  upswell playbooks pause plan-upgrade --why 'new prices' --actor anna")]
    Pause(Words),
    /// Let a paused playbook go on.
    #[command(after_long_help = "Example:\n  upswell playbooks resume plan-upgrade --why 'new words' --actor anna")]
    Resume(Words),
}

#[derive(Debug, Args)]
pub(super) struct Limits {
    /// A limit that is to differ, by its key in the settings; may be given several times.
    #[arg(long = "cap", value_name = "KEY=VALUE", value_parser = cap)]
    caps: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(super) struct Words {
    /// The playbook's key.
    playbook: String,
    /// Why.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    request: RequestId,
}

fn cap(text: &str) -> Result<(String, String), String> {
    let parts = text
        .split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    parts.ok_or_else(|| "expected KEY=VALUE, e.g. commercial_max=2".to_owned())
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Validate { folder } => context.show(&Valid::from(&load(&folder)?)),
            Self::Diff { folder, against } => diff(context, &folder, against.as_deref()).await,
            Self::DryRun { folder, limits } => {
                let files = files(&folder)?;
                attempt(context, files, limits, None, None).await
            }
            Self::WhatIf {
                folder,
                from,
                to,
                limits,
            } => {
                let files = folder.as_deref().map_or(Ok(Vec::new()), files)?;
                attempt(context, files, limits, Some(from), to).await
            }
            Self::Conversions => {
                let send = |channel, request| async move {
                    PlaybookServiceClient::new(channel).get_conversions(request).await
                };
                let answer = context.ask(NAME, GetConversionsRequest {}, send).await?;
                context.show(&Conversions::from(answer))
            }
            Self::Pauses { active, limit } => {
                let request = ListPlaybookPausesRequest {
                    active_only: active,
                    ..Default::default()
                };
                let send = |channel, request| async move {
                    PlaybookServiceClient::new(channel).list_playbook_pauses(request).await
                };
                let found: Listing<Pause> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Pause(words) => words.pause(context).await,
            Self::Resume(words) => words.resume(context).await,
        }
    }
}

impl Words {
    async fn pause(self, context: &Context) -> Result<()> {
        context.actor()?;
        let request = PausePlaybookRequest {
            playbook: self.playbook,
            reason: self.why,
            request_id: self.request.text(),
        };
        let send = |channel, request| async move { PlaybookServiceClient::new(channel).pause_playbook(request).await };
        let answer = context.ask(NAME, request, send).await?;
        context.show(&Pause::from(answer.pause.unwrap_or_default()))
    }

    async fn resume(self, context: &Context) -> Result<()> {
        context.actor()?;
        let request = ResumePlaybookRequest {
            playbook: self.playbook,
            comment: self.why,
            request_id: self.request.text(),
        };
        let send = |channel, request| async move { PlaybookServiceClient::new(channel).resume_playbook(request).await };
        let answer = context.ask(NAME, request, send).await?;
        context.show(&Pause::from(answer.pause.unwrap_or_default()))
    }
}

/// The policy of a folder; the fault of a folder that is none names everything that is wrong.
fn load(folder: &Path) -> Result<upswell_offers::domain::policy::Policy> {
    Ok(policy::load(Some(folder))?)
}

/// The files of a folder, once they are right.
fn files(folder: &Path) -> Result<Vec<PolicyFile>> {
    load(folder)?;
    let sources = policy::sources(Some(folder)).into_iter();
    Ok(sources.map(|(name, text)| PolicyFile { name, text }).collect())
}

async fn diff(context: &Context, folder: &Path, against: Option<&Path>) -> Result<()> {
    let is = load(folder)?;
    let was = match against {
        Some(other) => load(other)?,
        None => {
            let send = |channel, request| async move { PlaybookServiceClient::new(channel).get_policy(request).await };
            let answer = context.ask(NAME, GetPolicyRequest { with_files: true }, send).await?;
            let sources: Vec<(String, String)> = answer.files.into_iter().map(|file| (file.name, file.text)).collect();
            policy::parse(&sources)?
        }
    };
    for playbook in policy::uncounted(&was, &is) {
        eprintln!("note: {playbook} means something else and has the same version number: count it up");
    }
    let items = policy::differences(&was, &is)
        .into_iter()
        .map(Difference::from)
        .collect();
    context.show(&Listing { items, more: false })
}

/// Asks page by page, and adds up.
async fn attempt(
    context: &Context,
    files: Vec<PolicyFile>,
    limits: Limits,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<()> {
    let mut request = SimulatePolicyRequest {
        files,
        caps: limits.caps.into_iter().collect(),
        start_time: from.map(to_instant),
        end_time: to.map(to_instant),
        page_size: ACCOUNTS,
        page_token: String::new(),
    };
    let send = |channel, request| async move { PlaybookServiceClient::new(channel).simulate_policy(request).await };
    let mut tried = Tried::default();
    loop {
        let page = context.ask(NAME, request.clone(), send).await?;
        let token = page.next_page_token.clone();
        tried.add(page);
        if token.is_empty() {
            break;
        }
        if token == request.page_token {
            bail!("the service gave the same page twice");
        }
        request.page_token = token;
    }
    context.show(&tried)
}

/// A folder that is right.
#[derive(Serialize)]
struct Valid {
    version: String,
    playbooks: BTreeMap<String, i64>,
}

impl From<&upswell_offers::domain::policy::Policy> for Valid {
    fn from(policy: &upswell_offers::domain::policy::Policy) -> Self {
        let playbooks = policy.playbooks.iter();
        Self {
            version: policy.version.clone(),
            playbooks: playbooks
                .map(|(key, playbook)| (key.clone(), playbook.version))
                .collect(),
        }
    }
}

impl View for Valid {
    fn render(&self) -> String {
        let playbooks: Vec<String> = self
            .playbooks
            .iter()
            .map(|(key, version)| format!("{key} (version {version})"))
            .collect();
        card(&[("valid", self.version.clone()), ("playbooks", playbooks.join("\n"))])
    }
}

#[derive(Serialize)]
struct Difference {
    place: String,
    was: Option<String>,
    is: Option<String>,
}

impl From<policy::Difference> for Difference {
    fn from(policy::Difference { place, was, is }: policy::Difference) -> Self {
        Self { place, was, is }
    }
}

impl Row for Difference {
    const COLUMNS: &'static [Column] = &[left("place"), left("was"), left("is")];

    fn cells(&self) -> Vec<String> {
        let or_nothing = |said: &Option<String>| said.clone().unwrap_or_else(|| "–".to_owned());
        vec![self.place.clone(), or_nothing(&self.was), or_nothing(&self.is)]
    }
}
