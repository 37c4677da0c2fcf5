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
        merge::united,
        standing::Document,
        words::Kind,
    },
    store::{
        account::accounts_list,
        conflict::{StoredConflict, conflicts_list},
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

/// Accounts by id.
pub(crate) type AccountsPage = Paged<ListedAccount>;
/// Facts as recorded.
pub(crate) type FactsPage = Paged<ListedFact>;
/// What stands and what was refused.
pub(crate) type ConflictsPage = Paged<StoredConflict>;

/// An account of a list.
pub(crate) struct ListedAccount {
    pub(crate) account_id: String,
    /// The accounts that are part of it.
    pub(crate) parts: Vec<String>,
    /// When its first fact was recorded.
    pub(crate) created: Timestamp,
    /// Its profile's documents.
    pub(crate) profiles: Vec<Document>,
}

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
        let roots = self.roots(&ids).await?;
        let profiles = documents_fetch(reader, &roots.with_parts(&ids), &[Kind::AccountProfile], None).await?;
        let mut profiles = grouped(documents(profiles)?);
        let accounts = page.items.iter().map(|(account_id, created)| {
            let all = roots.with_parts(&[account_id]);
            let all: Vec<Document> = all.iter().filter_map(|id| profiles.remove(*id)).flatten().collect();
            ListedAccount {
                account_id: account_id.clone(),
                parts: roots.parts(account_id).map(str::to_owned).collect(),
                created: *created,
                profiles: united(account_id, &all).into_iter().cloned().collect(),
            }
        });
        Ok(Paged {
            items: accounts.collect(),
            next: page.next,
        })
    }

    /// Errors: NOT_FOUND `ACCOUNT_NOT_FOUND`.
    pub(crate) async fn facts(&self, account_id: &str, filter: &FactFilter, page: &Page) -> Result<FactsPage, Problem> {
        let roots = self.roots(&[account_id]).await?;
        let root = roots.root(account_id);
        self.known(root).await?;
        let reader = self.db.reader();
        let after = number_of(page).unwrap_or(0);
        let stored = facts_list(
            reader,
            &roots.with_parts(&[root]),
            filter,
            after,
            u64::from(page.size) + 1,
        )
        .await?;
        let page = cut(stored, page.size, |fact| fact.id.to_string());
        let keys: Vec<FactKey> = page.items.iter().map(|stored| stored.key.clone()).collect();
        let corrections = corrections_fetch(reader, &keys).await?;
        let facts = page.items.into_iter().map(|stored| {
            let fact = decode(&stored.payload)?;
            let superseded_by = corrections.latest_on(&fact).map(|correction| correction.by.clone());
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

    /// Open conflicts, or all, of an account and its parts or (empty) of all accounts.
    pub(crate) async fn conflicts(
        &self,
        account_id: &str,
        decided: bool,
        page: &Page,
    ) -> Result<ConflictsPage, Problem> {
        let before = number_of(page).unwrap_or(i64::MAX);
        let roots = self.roots(&[account_id]).await?;
        let ids = match account_id {
            "" => Vec::new(),
            account_id => roots.with_parts(&[roots.root(account_id)]),
        };
        let limit = u64::from(page.size) + 1;
        let rows = conflicts_list(self.db.reader(), &ids, decided, before, limit).await?;
        Ok(cut(rows, page.size, |conflict| conflict.id.to_string()))
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
