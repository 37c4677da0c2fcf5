//! Corrections (I-5): a fact that names an earlier one takes its contribution away, in whatever order the two arrive.
//!
//! Of several that name the same fact one counts: the one that happened last corrects the others, too, and whatever
//! corrects one of them competes with it in the same way.
//!
//! ```text
//! a ←corrects── b, c        b happened before c   ⇒   b ←corrects── c
//! ```
//!
//! That is a closure of what the facts say, so that it is the same in every order of arrival.

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
    /// When that happened, µs since the epoch.
    pub occurred_at: i64,
}

impl Correction {
    /// The correction that a fact makes, if it makes one.
    pub fn of(fact: &Fact) -> Option<Self> {
        let (by, account_id) = (fact.external_id.clone(), fact.account_id.clone());
        fact.corrects().map(|corrected| Self {
            corrected,
            by,
            account_id,
            occurred_at: fact.occur_time.as_microsecond(),
        })
    }

    /// Which of two corrections of one fact stands.
    fn rank(&self) -> (i64, &str) {
        (self.occurred_at, &self.by)
    }

    /// What follows for the correction that this one outranks.
    fn over(&self, lower: &Self) -> Self {
        Self {
            corrected: lower.by_key(),
            ..self.clone()
        }
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
    fn on<'a>(&'a self, fact: &'a Fact) -> impl Iterator<Item = &'a Correction> {
        let found = self.0.get(&fact.key()).into_iter().flatten();
        found.filter(|correction| correction.account_id == fact.account_id)
    }

    /// The latest fact that corrects `fact`.
    pub fn latest_on<'a>(&'a self, fact: &'a Fact) -> Option<&'a Correction> {
        self.on(fact).max_by(|a, b| a.rank().cmp(&b.rank()))
    }

    /// True when nothing corrects `fact`.
    pub fn counts(&self, fact: &Fact) -> bool {
        self.on(fact).next().is_none()
    }

    /// What follows from the corrections `new`, which are among these: of two that name one fact the later corrects the
    /// other. Only neighbours are linked, so that a fact which is corrected often costs a row each time and not one for
    /// every pair.
    pub fn rivals(&self, new: &[Correction]) -> BTreeSet<Correction> {
        let mut lines: BTreeMap<(&FactKey, &str), Vec<&Correction>> = BTreeMap::new();
        for one in new {
            lines.entry((&one.corrected, &one.account_id)).or_default().push(one);
        }
        let mut follow = BTreeSet::new();
        for ((corrected, account_id), new) in lines {
            let on = self.0.get(corrected).into_iter().flatten();
            let mut line: Vec<&Correction> = on.filter(|one| one.account_id == account_id).collect();
            line.sort_unstable_by(|a, b| a.rank().cmp(&b.rank()));
            for one in new {
                let place = line.partition_point(|other| other.rank() < one.rank());
                let after = line.partition_point(|other| other.rank() <= one.rank());
                let below = place.checked_sub(1).and_then(|below| line.get(below));
                follow.extend(below.map(|lower| one.over(lower)));
                follow.extend(line.get(after).map(|higher| higher.over(one)));
            }
        }
        follow
    }

    /// True when `fact`, on record before, counted until the corrections `new` were noted.
    pub fn revoked_by(&self, fact: &Fact, new: &BTreeSet<Correction>) -> bool {
        !self.counts(fact) && self.on(fact).all(|correction| new.contains(correction))
    }
}
