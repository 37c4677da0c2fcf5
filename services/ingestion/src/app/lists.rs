//! Pages of accounts, facts and conflicts. Each reads one item more than asked, to know whether there is a next page.

use jiff::Timestamp;
use upswell_runtime::{paging::Page, problem::Problem};

use super::{
    App,
    pictures::{documents, grouped},
};
use crate::{
    api::convert::decode,
    domain::{
        fact::{Fact, FactKey},
        standing::Document,
        words::Kind,
    },
    store::{
        account::accounts_list,
        conflict::conflicts_list,
        correction::corrections_fetch,
        document::documents_fetch,
        fact::{FactFilter, facts_list},
    },
};

/// A page and the key of its last item where there are more.
pub(crate) struct Paged<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// Account id, when it was created, and its profile's documents.
pub(crate) type AccountsPage = Paged<(String, Timestamp, Vec<Document>)>;
/// Facts as recorded.
pub(crate) type FactsPage = Paged<ListedFact>;
/// What stands, what was refused, and when.
pub(crate) type ConflictsPage = Paged<(Fact, Fact, Timestamp)>;

/// A fact as it was recorded.
pub(crate) struct ListedFact {
    pub(crate) fact: Fact,
    pub(crate) recorded: Timestamp,
    /// External id of a fact that corrects it; empty while it stands.
    pub(crate) superseded_by: String,
}

impl App {
    pub(crate) async fn accounts(&self, segment: &str, page: &Page) -> Result<AccountsPage, Problem> {
        let reader = self.db.reader();
        let after = page.after.as_deref().unwrap_or_default();
        let rows = accounts_list(reader, segment, after, u64::from(page.size) + 1).await?;
        let page = cut(rows, page.size, |(account_id, _)| account_id.clone());
        let ids: Vec<&str> = page.items.iter().map(|(account_id, _)| account_id.as_str()).collect();
        let profiles = documents_fetch(reader, &ids, &[Kind::AccountProfile], None).await?;
        let mut profiles = grouped(documents(profiles)?);
        let accounts = page.items.into_iter().map(|(account_id, created)| {
            let documents = profiles.remove(&account_id).unwrap_or_default();
            (account_id, created, documents)
        });
        Ok(Paged {
            items: accounts.collect(),
            next: page.next,
        })
    }

    /// Errors: NOT_FOUND `ACCOUNT_NOT_FOUND`.
    pub(crate) async fn facts(&self, account_id: &str, filter: &FactFilter, page: &Page) -> Result<FactsPage, Problem> {
        self.known(account_id).await?;
        let reader = self.db.reader();
        let after = number_of(page).unwrap_or(0);
        let stored = facts_list(reader, account_id, filter, after, u64::from(page.size) + 1).await?;
        let page = cut(stored, page.size, |fact| fact.id.to_string());
        let keys: Vec<FactKey> = page.items.iter().map(|stored| stored.key.clone()).collect();
        let corrections = corrections_fetch(reader, &keys).await?;
        let facts = page.items.into_iter().map(|stored| {
            let fact = decode(&stored.payload)?;
            let superseded_by = corrections.on(&fact).next().map(|correction| correction.by.clone());
            Ok(ListedFact {
                fact,
                recorded: stored.recorded,
                superseded_by: superseded_by.unwrap_or_default(),
            })
        });
        Ok(Paged {
            items: facts.collect::<Result<_, Problem>>()?,
            next: page.next,
        })
    }

    pub(crate) async fn conflicts(&self, account_id: &str, page: &Page) -> Result<ConflictsPage, Problem> {
        let before = number_of(page).unwrap_or(i64::MAX);
        let rows = conflicts_list(self.db.reader(), account_id, before, u64::from(page.size) + 1).await?;
        let page = cut(rows, page.size, |conflict| conflict.id.to_string());
        let conflicts = page
            .items
            .into_iter()
            .map(|row| Ok((decode(&row.recorded)?, decode(&row.refused)?, row.at)));
        Ok(Paged {
            items: conflicts.collect::<Result<_, Problem>>()?,
            next: page.next,
        })
    }
}

/// Tokens are bound to their list, so what they carry is a number that this list gave out.
fn number_of(page: &Page) -> Option<i64> {
    page.after.as_deref().and_then(|key| key.parse().ok())
}

fn cut<T>(mut items: Vec<T>, size: u32, key: impl Fn(&T) -> String) -> Paged<T> {
    let size = size as usize;
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(key);
    Paged { items, next }
}
