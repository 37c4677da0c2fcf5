//! Corrections (I-5): a fact that names an earlier one takes its contribution away, in whatever order the two arrive.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Fact, FactKey};

/// On record: `by` corrects the fact `corrected`, if that is about the same account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Correction {
    /// The fact that no longer counts. It may not have arrived yet.
    pub corrected: FactKey,
    /// External id of the correcting fact, of the same source.
    pub by: String,
    /// The account of the correcting fact.
    pub account_id: String,
}

impl Correction {
    /// The correction that a fact makes, if it makes one.
    pub fn of(fact: &Fact) -> Option<Self> {
        let (by, account_id) = (fact.external_id.clone(), fact.account_id.clone());
        fact.corrects().map(|corrected| Self {
            corrected,
            by,
            account_id,
        })
    }

    /// The key of the correcting fact.
    pub fn by_key(&self) -> FactKey {
        FactKey {
            source: self.corrected.source.clone(),
            external_id: self.by.clone(),
        }
    }
}

/// Corrections by the fact that they name.
#[derive(Clone, Debug, Default)]
pub struct Corrections(BTreeMap<FactKey, BTreeSet<Correction>>);

impl FromIterator<Correction> for Corrections {
    fn from_iter<I: IntoIterator<Item = Correction>>(corrections: I) -> Self {
        let mut by_key = Self::default();
        for correction in corrections {
            by_key
                .0
                .entry(correction.corrected.clone())
                .or_default()
                .insert(correction);
        }
        by_key
    }
}

impl Corrections {
    /// The facts that correct `fact`.
    pub fn on<'a>(&'a self, fact: &'a Fact) -> impl Iterator<Item = &'a Correction> {
        let found = self.0.get(&fact.key()).into_iter().flatten();
        found.filter(|correction| correction.account_id == fact.account_id)
    }

    /// True when nothing corrects `fact`.
    pub fn counts(&self, fact: &Fact) -> bool {
        self.on(fact).next().is_none()
    }

    /// True when `fact`, on record before, counted until the facts `new` were recorded.
    pub fn revoked_by(&self, fact: &Fact, new: &BTreeSet<FactKey>) -> bool {
        !self.counts(fact) && self.on(fact).all(|correction| new.contains(&correction.by_key()))
    }
}
