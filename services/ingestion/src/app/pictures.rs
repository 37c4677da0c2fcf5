//! Reads whole pictures of accounts, and what scoring needs of many.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use upswell_runtime::problem::Problem;

use super::App;
use crate::{
    api::convert::decode,
    domain::{
        account360::{ANSWERS_MAX, Days, MOMENTS_MAX, Picture, TOUCHES_MAX, profile, today},
        merge::{days_united, united},
        standing::Document,
        words::Kind,
    },
    error::Refusal,
    store::{
        account::accounts_fetch,
        document::{Content, documents_fetch, documents_newest, documents_within},
        offer::{offers_fetch, touches_fetch},
        rollup::{rollups_fetch, rollups_newest},
    },
};

/// Days before today which the summaries of series need.
const SUMMARY_DAYS: i64 = 60;
/// Days after today on which counts may lie, since zones differ.
const AHEAD_DAYS: i64 = 2;
/// Scoring reads no touches and replies.
const SCORED: [Kind; 16] = [
    Kind::AccountProfile,
    Kind::ContactProfile,
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
    /// Everything known about an account and its parts, and its calendar day; of a part, what is known of the whole.
    /// Errors: NOT_FOUND `ACCOUNT_NOT_FOUND`.
    #[tracing::instrument(name = "ingestion.account_360", skip_all, fields(account.id = account_id))]
    pub(crate) async fn picture(&self, account_id: &str) -> Result<(Picture, Date), Problem> {
        let reader = self.db.reader();
        let roots = self.roots(&[account_id]).await?;
        let root = roots.root(account_id);
        let created = self.known(root).await?;
        let ids = roots.with_parts(&[root]);
        let all = self.documents_of_picture(&ids).await?;
        let documents: Vec<Document> = united(root, &all).into_iter().cloned().collect();
        let today = today(profile(&documents).map(|(profile, _)| profile), self.clock.now());
        let days = self.days_of_picture(&ids, today).await?;
        let touches = touches_fetch(reader, &ids, TOUCHES_MAX as u64).await?;
        let offers = offers_fetch(reader, &ids, ANSWERS_MAX as u64).await?;
        let picture = Picture {
            account_id: root.to_owned(),
            parts: roots.parts(root).map(str::to_owned).collect(),
            created,
            documents,
            days,
            touches,
            offers,
        };
        Ok((picture, today))
    }

    /// Every state, and the newest of what happened, as far as a picture shows it.
    async fn documents_of_picture(&self, account_ids: &[&str]) -> Result<Vec<Document>, Problem> {
        let reader = self.db.reader();
        let (many, states): (Vec<Kind>, Vec<Kind>) = Kind::ALL.iter().partition(|kind| kind.happens());
        let mut contents = documents_fetch(reader, account_ids, &states, None).await?;
        for kind in many {
            contents.extend(documents_newest(reader, account_ids, kind, MOMENTS_MAX as u64).await?);
        }
        documents(contents)
    }

    /// The days that a picture sums up, and the newest day of every older series.
    async fn days_of_picture(&self, account_ids: &[&str], today: Date) -> Result<Days, Problem> {
        let reader = self.db.reader();
        let range = (
            today.saturating_sub(SUMMARY_DAYS.days()),
            today.saturating_add(AHEAD_DAYS.days()),
        );
        let mut days = days_united(rollups_fetch(reader, account_ids, range).await?.into_values());
        for (series, newest) in rollups_newest(reader, account_ids).await? {
            let days = days.entry(series).or_default();
            for (day, tally) in newest {
                days.entry(day).or_insert(tally);
            }
        }
        Ok(days)
    }

    /// States, and days from `first` to `last`, of the known ones among the accounts, in the order asked; each with its
    /// parts. Accounts that are part of another are left out.
    #[tracing::instrument(name = "ingestion.account_facts", skip_all, fields(accounts.count = account_ids.len()))]
    pub(crate) async fn account_facts(
        &self,
        account_ids: &[String],
        range: (Date, Date),
    ) -> Result<Vec<AccountSeries>, Problem> {
        let reader = self.db.reader();
        let ids: Vec<&str> = account_ids.iter().map(String::as_str).collect();
        let roots = self.roots(&ids).await?;
        let known = accounts_fetch(reader, &ids).await?;
        let mut known: BTreeMap<String, Timestamp> = known.into_iter().filter(|(id, _)| !roots.is_part(id)).collect();
        let known_ids: Vec<&str> = known.keys().map(String::as_str).collect();
        let all_ids = roots.with_parts(&known_ids);
        let mut days = rollups_fetch(reader, &all_ids, range).await?;
        // Days begin up to a day earlier or later where an account lives.
        let day = |day: Date| {
            day.to_zoned(TimeZone::UTC)
                .map_or(Timestamp::MAX, |zoned| zoned.timestamp())
        };
        let span = (
            day(range.0.saturating_sub(1.day())),
            day(range.1.saturating_add(2.days())),
        );
        let moments: Vec<Kind> = SCORED
            .into_iter()
            .filter(|kind| kind.is_moment() && kind.happens())
            .collect();
        let scored = documents_within(reader, &all_ids, &SCORED, &moments, span).await?;
        let mut by_account = grouped(documents(scored)?);
        let mut accounts = Vec::with_capacity(account_ids.len());
        for account_id in account_ids {
            if known.remove(account_id).is_none() {
                continue;
            }
            let ids = roots.with_parts(&[account_id]);
            let all: Vec<Document> = ids.iter().filter_map(|id| by_account.remove(*id)).flatten().collect();
            accounts.push(AccountSeries {
                account_id: account_id.clone(),
                documents: united(account_id, &all).into_iter().cloned().collect(),
                days: days_united(ids.iter().filter_map(|id| days.remove(*id))),
            });
        }
        Ok(accounts)
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
