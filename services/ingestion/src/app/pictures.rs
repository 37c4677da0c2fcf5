//! Reads whole pictures of accounts, and what scoring needs of many.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, civil::Date};
use upswell_runtime::problem::Problem;

use super::App;
use crate::{
    api::convert::decode,
    domain::{
        account360::{ANSWERS_MAX, Days, Picture, TOUCHES_MAX, profile, today},
        standing::Document,
        words::Kind,
    },
    error::Refusal,
    store::{
        account::accounts_fetch,
        document::{Content, documents_fetch},
        offer::{offers_fetch, touches_fetch},
        rollup::{rollups_fetch, rollups_newest},
    },
};

/// Days before today which the summaries of series need.
const SUMMARY_DAYS: i64 = 60;
/// Days after today on which counts may lie, since zones differ.
const AHEAD_DAYS: i64 = 2;
/// Scoring reads no touches and replies.
const SCORED: [Kind; 15] = [
    Kind::AccountProfile,
    Kind::Subscription,
    Kind::Ticket,
    Kind::Survey,
    Kind::Invoice,
    Kind::Payment,
    Kind::PlanLimit,
    Kind::Trial,
    Kind::Action,
    Kind::Complaint,
    Kind::Goal,
    Kind::CompanyEvent,
    Kind::Cost,
    Kind::LeaveAttempt,
    Kind::CsmReport,
];

/// States and days of one account.
#[derive(Clone, Debug)]
pub(crate) struct AccountSeries {
    pub(crate) account_id: String,
    pub(crate) documents: Vec<Document>,
    pub(crate) days: Days,
}

impl App {
    /// Everything known about an account, and its calendar day. Errors: NOT_FOUND `ACCOUNT_NOT_FOUND`.
    #[tracing::instrument(name = "ingestion.account_360", skip_all, fields(account.id = account_id))]
    pub(crate) async fn picture(&self, account_id: &str) -> Result<(Picture, Date), Problem> {
        let reader = self.db.reader();
        let created = self.known(account_id).await?;
        let documents = documents(documents_fetch(reader, &[account_id], &[], None).await?)?;
        let today = today(profile(&documents).map(|(profile, _)| profile), self.clock.now());
        let range = (
            today.saturating_sub(SUMMARY_DAYS.days()),
            today.saturating_add(AHEAD_DAYS.days()),
        );
        let mut days = rollups_fetch(reader, &[account_id], range)
            .await?
            .remove(account_id)
            .unwrap_or_default();
        for (series, newest) in rollups_newest(reader, account_id).await? {
            let days = days.entry(series).or_default();
            for (day, tally) in newest {
                days.entry(day).or_insert(tally);
            }
        }
        let touches = touches_fetch(reader, account_id, TOUCHES_MAX as u64).await?;
        let offers = offers_fetch(reader, account_id, ANSWERS_MAX as u64).await?;
        let picture = Picture {
            account_id: account_id.to_owned(),
            created,
            documents,
            days,
            touches,
            offers,
        };
        Ok((picture, today))
    }

    /// States, and days from `first` to `last`, of the known ones among the accounts, in the order asked.
    #[tracing::instrument(name = "ingestion.account_facts", skip_all, fields(accounts.count = account_ids.len()))]
    pub(crate) async fn account_facts(
        &self,
        account_ids: &[String],
        range: (Date, Date),
    ) -> Result<Vec<AccountSeries>, Problem> {
        let reader = self.db.reader();
        let ids: Vec<&str> = account_ids.iter().map(String::as_str).collect();
        let known: BTreeMap<String, Timestamp> = accounts_fetch(reader, &ids).await?.into_iter().collect();
        let known_ids: Vec<&str> = known.keys().map(String::as_str).collect();
        let mut days = rollups_fetch(reader, &known_ids, range).await?;
        let mut by_account = grouped(documents(documents_fetch(reader, &known_ids, &SCORED, None).await?)?);
        let mut seen = known;
        let accounts = account_ids
            .iter()
            .filter(|id| seen.remove(*id).is_some())
            .map(|account_id| AccountSeries {
                account_id: account_id.clone(),
                documents: by_account.remove(account_id).unwrap_or_default(),
                days: days.remove(account_id).unwrap_or_default(),
            });
        Ok(accounts.collect())
    }

    /// When the first fact of the account was recorded. Errors: NOT_FOUND `ACCOUNT_NOT_FOUND`.
    pub(super) async fn known(&self, account_id: &str) -> Result<Timestamp, Problem> {
        let found = accounts_fetch(self.db.reader(), &[account_id]).await?;
        let (_, created) = found
            .into_iter()
            .next()
            .ok_or_else(|| Refusal::AccountNotFound(account_id.to_owned()))?;
        Ok(created)
    }
}

/// Stored contents, read.
pub(super) fn documents(contents: Vec<Content>) -> Result<Vec<Document>, Problem> {
    let read = |(payload, recorded): Content| {
        Ok(Document {
            fact: decode(&payload)?,
            recorded,
        })
    };
    contents.into_iter().map(read).collect()
}

/// Documents by account.
pub(super) fn grouped(documents: Vec<Document>) -> BTreeMap<String, Vec<Document>> {
    let mut accounts: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    for document in documents {
        accounts
            .entry(document.fact.account_id.clone())
            .or_default()
            .push(document);
    }
    accounts
}
