//! Two records that are one account (I-3). Nothing of either is rewritten: facts keep the id under which they came, and a
//! merge only says that they are read together. So a merge is undone by forgetting it, and facts may come in any order
//! around it.
//!
//! ```text
//! root(A)  =  root(B) where an open merge makes A part of B, else A
//! what is shown and told of R  =  everything of all A with root(A) = R;
//!                                 the profile is R's own where it has one
//! ```

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{account360::Days, fact::Body, standing::Document};

/// A merge, open or undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Identity.
    pub merge_id: String,
    /// The account that goes on.
    pub account_id: String,
    /// The account that is part of it.
    pub merged_account_id: String,
    /// Who merged.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Who undid it, when and why.
    pub undone: Option<Undone>,
}

/// How a merge ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Which account stands for which: the root of every account that is part of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots(BTreeMap<String, String>);

impl Roots {
    /// From open merges, each an account and what it is part of. Cycles cannot be made; were there one, its accounts
    /// would stand for themselves.
    pub fn of(parts: &BTreeMap<String, String>) -> Self {
        let root = |account: &String| {
            let mut at = account;
            for _ in 0..=parts.len() {
                match parts.get(at) {
                    Some(next) => at = next,
                    None => return Some((account.clone(), at.clone())),
                }
            }
            None
        };
        Self(parts.keys().filter_map(root).collect())
    }

    /// The account under which everything of `account_id` is shown and told.
    pub fn root<'a>(&'a self, account_id: &'a str) -> &'a str {
        self.0.get(account_id).map_or(account_id, String::as_str)
    }

    /// True when the account is part of another.
    pub fn is_part(&self, account_id: &str) -> bool {
        self.0.contains_key(account_id)
    }

    /// The accounts that are part of `root`, by id.
    pub fn parts<'a>(&'a self, root: &'a str) -> impl Iterator<Item = &'a str> {
        let of_root = self.0.iter().filter(move |(_, its)| its.as_str() == root);
        of_root.map(|(account_id, _)| account_id.as_str())
    }

    /// `account_ids` and everything that is part of them.
    pub fn with_parts<'a>(&'a self, account_ids: &[&'a str]) -> Vec<&'a str> {
        let mut all: Vec<&str> = account_ids.to_vec();
        let asked: std::collections::BTreeSet<&str> = account_ids.iter().copied().collect();
        all.extend(
            self.0
                .iter()
                .filter(|(account_id, root)| asked.contains(root.as_str()) && !asked.contains(account_id.as_str()))
                .map(|(account_id, _)| account_id.as_str()),
        );
        all
    }
}

/// The documents of an account and its parts as those of one account: its own profiles, where it has any, hide those of
/// its parts.
pub fn united<'a>(root: &str, documents: impl IntoIterator<Item = &'a Document>) -> Vec<&'a Document> {
    let is_profile = |document: &Document| matches!(document.fact.body, Body::AccountProfile(_));
    let mut all: Vec<&Document> = documents.into_iter().collect();
    let own = all
        .iter()
        .any(|document| is_profile(document) && document.fact.account_id == root);
    if own {
        all.retain(|document| !is_profile(document) || document.fact.account_id == root);
    }
    all
}

/// The days of several accounts as those of one.
pub fn days_united(all: impl IntoIterator<Item = Days>) -> Days {
    let mut sum = Days::new();
    for days in all {
        for (series, tallies) in days {
            let line = sum.entry(series).or_default();
            for (day, tally) in tallies {
                line.entry(day)
                    .and_modify(|old| *old = old.merge(tally))
                    .or_insert(tally);
            }
        }
    }
    sum
}
