//! The contract of a subscription: versions of its terms, folded into terms that follow each other.
//!
//! Of two versions with one effective date the one that happened later stands, then the one with the greater id; a
//! superseded version never stands. A version that takes effect on or after the renewal date of the term before it and
//! renews later begins the next term, and so does one that renews it early; any other version amends the term, and may
//! move its renewal date. The outcome depends on the set of versions alone, never on their order.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, Unit, civil::Date};
use upswell_runtime::money::{Currency, Money};

use super::{
    account::{days_before, days_between},
    deal::RenewalTerms,
    schedule::PIPELINE_DAYS,
};

/// Terms of a plan from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// `source/external_id` of the fact.
    pub version_id: String,
    /// First day on which these terms hold.
    pub effective_on: Date,
    /// First day on which the subscription no longer exists; `None` while it runs on.
    pub end_on: Option<Date>,
    /// The day the term renews.
    pub renewal_on: Date,
    /// Monthly amount.
    pub mrr: Money,
    /// How it renews, as far as the source said.
    pub stated: StatedTerms,
    /// When the fact happened.
    pub occurred_at: Timestamp,
    /// Corrected by another version; it no longer counts.
    pub superseded: bool,
}

/// What a source said about how a contract renews (RN-8); None where it said nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatedTerms {
    /// It renews by itself.
    pub auto_renew: Option<bool>,
    /// Days of notice; 0 is no notice period.
    pub notice_days: Option<i32>,
    /// Months of the next term.
    pub term_months: Option<i32>,
}

impl StatedTerms {
    /// These, and what was said `before` where they say nothing.
    fn or(self, before: Self) -> Self {
        Self {
            auto_renew: self.auto_renew.or(before.auto_renew),
            notice_days: self.notice_days.or(before.notice_days),
            term_months: self.term_months.or(before.term_months),
        }
    }

    /// `terms` with what was said.
    pub fn over(self, terms: RenewalTerms) -> RenewalTerms {
        RenewalTerms {
            auto_renew: self.auto_renew.unwrap_or(terms.auto_renew),
            notice_days: self.notice_days.unwrap_or(terms.notice_days),
            term_months: self.term_months.unwrap_or(terms.term_months),
        }
    }
}

/// More terms in a row than any contract renews by itself unseen.
const TERMS_MAX: usize = 1_000;

/// A version of an add-on of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddOn {
    /// The contract line.
    pub subscription_id: String,
    /// First day on which these terms hold.
    pub effective_on: Date,
    /// First day on which it no longer exists.
    pub end_on: Option<Date>,
    /// The day its term renews, if it has one.
    pub renewal_on: Option<Date>,
    /// Monthly amount.
    pub mrr: Money,
    /// `source/external_id` of the fact.
    pub version_id: String,
    /// When the fact happened.
    pub occurred_at: Timestamp,
    /// Corrected by another version.
    pub superseded: bool,
}

/// Monthly amount of the add-ons that renew on `renewal_on` as well, in `currency`; others are renewals of their own.
pub fn co_terminating(add_ons: &[AddOn], renewal_on: Date, currency: Currency) -> Money {
    let rank = |add_on: &AddOn| (add_on.effective_on, add_on.occurred_at, add_on.version_id.clone());
    let mut standing: BTreeMap<&str, &AddOn> = BTreeMap::new();
    let counts = |add_on: &&AddOn| !add_on.superseded && add_on.effective_on <= renewal_on;
    for add_on in add_ons.iter().filter(counts) {
        let stands = standing.entry(&add_on.subscription_id).or_insert(add_on);
        if rank(add_on) > rank(stands) {
            *stands = add_on;
        }
    }
    let renews = |add_on: &&&AddOn| {
        add_on.renewal_on == Some(renewal_on)
            && add_on.mrr.currency == currency
            && add_on.end_on.is_none_or(|end| end >= renewal_on)
    };
    let amounts = standing.values().filter(renews).map(|add_on| add_on.mrr);
    Money::sum(currency, amounts).unwrap_or(Money::zero(currency))
}

/// A stretch of the contract that ends with a renewal, as the last of its versions has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// First day of its first version.
    pub from: Date,
    /// The day it renews.
    pub renewal_on: Date,
    /// First day on which the subscription no longer exists.
    pub end_on: Option<Date>,
    /// The monthly amount that renews.
    pub mrr: Money,
    /// How it renews, as far as its versions said.
    pub stated: StatedTerms,
}

impl Term {
    /// The day on which nothing is left to renew. An end before the renewal counts at once; an end with the term is what
    /// every fixed contract has, so that the renewal gets `grace_days` to be signed late.
    pub fn lost_on(&self, grace_days: i32) -> Option<Date> {
        let end = self.end_on?;
        if end < self.renewal_on {
            Some(end)
        } else {
            Some(end.max(days_before(self.renewal_on, -grace_days)))
        }
    }
}

/// The terms that `versions` make, the earliest first.
pub fn terms(versions: &[Version]) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    for version in standing(versions) {
        let before = terms.last().copied();
        let amended = before.filter(|term| !begins_next(version, term));
        let term = Term {
            from: amended.map_or(version.effective_on, |term| term.from),
            renewal_on: version.renewal_on,
            end_on: version.end_on,
            mrr: version.mrr,
            stated: version.stated.or(before.map(|term| term.stated).unwrap_or_default()),
        };
        match terms.last_mut() {
            Some(last) if amended.is_some() => *last = term,
            _ => terms.push(term),
        }
    }
    terms
}

/// True for the first version of the term after `term`: one that takes effect when it ends, or that renews it early: in
/// the days of its pipeline, for half of its length at least. Anything less moves its date (co-termination).
fn begins_next(version: &Version, term: &Term) -> bool {
    let added = days_between(term.renewal_on, version.renewal_on);
    let early = version.effective_on > days_before(term.renewal_on, PIPELINE_DAYS)
        && added * 2 >= days_between(term.from, term.renewal_on);
    added > 0 && (version.effective_on >= term.renewal_on || early)
}

/// Adds the terms that began by themselves up to `today` (RN-8): each begins on the renewal date of the one before.
pub fn renew_by_itself(terms: &mut Vec<Term>, rule: RenewalTerms, today: Date) {
    while let Some(last) = terms.last().copied() {
        let ends = last.end_on.is_some_and(|end| end <= last.renewal_on);
        if ends || last.renewal_on > today || terms.len() >= TERMS_MAX {
            return;
        }
        let months = match rule.term_months {
            0 => months(last.from, last.renewal_on),
            months => months,
        };
        terms.push(Term {
            from: last.renewal_on,
            renewal_on: last.renewal_on.saturating_add(months.months()),
            ..last
        });
    }
}

/// Whole months of a term, at least one.
fn months(from: Date, to: Date) -> i32 {
    let span = from.until((Unit::Month, to)).map_or(12, |span| span.get_months());
    span.max(1)
}

/// True when a version that was not corrected names this renewal date: a later date then prolongs the contract, while
/// otherwise the date was never true.
pub fn states(versions: &[Version], renewal_on: Date) -> bool {
    versions
        .iter()
        .any(|version| !version.superseded && version.renewal_on == renewal_on)
}

/// The versions that stand, by effective date.
fn standing(versions: &[Version]) -> impl Iterator<Item = &Version> {
    let rank = |version: &Version| (version.occurred_at, version.version_id.clone());
    let mut standing: BTreeMap<Date, &Version> = BTreeMap::new();
    for version in versions.iter().filter(|version| !version.superseded) {
        let stands = standing.entry(version.effective_on).or_insert(version);
        if rank(version) > rank(stands) {
            *stands = version;
        }
    }
    standing.into_values()
}
